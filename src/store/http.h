/* Many HTTP requests at once over a few connections, each tried again where
 * that is worth it.  For the stores of WebDAV and S3. */
#ifndef STORE_HTTP_H
#define STORE_HTTP_H

#include "curl.h"

struct http;

/* One request and its answer. */
struct http_request {
    const char *method; /* GET, HEAD, PUT, MKCOL, DELETE, PROPFIND */
    char *url;
    uint8_t *body; /* what is sent, or NULL */
    size_t len;
    struct curl_slist *headers;
    size_t max; /* bytes of the answer that are taken */
    /* Called once it is answered, from within the functions below; it may queue
     * it anew, or free it.  NULL: http_run() waits for it. */
    void (*done)(struct http_request *r);
    void *ctx;
    char name[STORE_NAME];  /* the object, for messages */
    enum store_class class; /* of a put: the caller's */
    bool once;              /* is not tried again */
    long final;             /* a status for which it is not, or 0 */
    /* Called once half of the body is sent; the rest follows its return.  Or
     * NULL.  Such a request is tried once. */
    void (*midway)(void *ctx);
    void *midway_ctx;
    struct store_meter *meter; /* that it is counted in, or NULL */
    size_t sent;               /* of the body, in this try */
    /* the answer */
    CURLcode code;
    long status;
    uint8_t *bytes;
    size_t got;
    bool too_long;     /* more than `max` */
    uint64_t size;     /* Content-Length, UINT64_MAX: not said */
    uint64_t modified; /* Last-Modified, seconds since 1970, 0: not said */
    uint64_t date;     /* the server's clock, the same */
    char etag[128], encoding[32], cache[128], type[96];
    uint8_t first[STORE_FIRST_BYTES]; /* of the body, however long it is */
    size_t first_len;
    char error[CURL_ERROR_SIZE];
    /* the engine's */
    struct http *http;
    CURL *easy;
    unsigned tries;
    uint64_t due; /* ms, when it is tried again */
    long after;
    bool answered;
    struct http_request *next;
};

/* What a kind of server has of its own; each may be NULL. */
struct http_kind {
    /* Adds to a transfer's options. */
    void (*setup)(void *ctx, CURL *easy);
    /* Whether an answer is worth another try that by its status is not. */
    bool (*again)(const struct http_request *r);
    /* That the object is not there.  NULL: 404 and 410 say so. */
    bool (*missing)(const struct http_request *r);
    /* Whether it is about who we are.  NULL: 401 and 403 say so. */
    bool (*denied)(const struct http_request *r);
    /* What stands behind "HTTP 403" in a message; false: nothing special. */
    bool (*explain)(const struct http_request *r, char *text, size_t size);
};

/* `most` requests at once: over so many connections, or with http2 over one.
 * NULL: reported */
struct http *http_new(struct store_curl *c, unsigned most, bool http2,
                      const struct http_kind *kind, void *ctx);
/* What is not answered is given up. */
void http_free(struct http *h);

/* A request for `url`, which is copied.  NULL: no memory (reported). */
struct http_request *http_request_new(struct http *h, const char *method,
                                      const char *url);
/* 0, or -1 (no memory, reported). */
int http_header(struct http_request *r, const char *line);
int http_body(struct http_request *r, const uint8_t *bytes, size_t len);
/* Counts it in the store's meter, until it is freed. */
void http_count(struct http_request *r, const struct store *s,
                enum store_class class);
void http_request_free(struct http_request *r);

/* Starts it; waits for others while too much is on its way. */
void http_start(struct http *h, struct http_request *r);
/* Starts it with the next of the other two: for `done`. */
void http_queue(struct http *h, struct http_request *r);
/* Starts it and waits until it is answered. */
void http_run(struct http *h, struct http_request *r);
/* Waits until it is answered; it was started. */
void http_wait(struct http *h, struct http_request *r);
/* From now on patience is short: one try, of a few seconds. */
void http_hurry(struct http *h);
/* Whether the last request was given up since the server is not there.  NULL:
 * no. */
bool http_is_away(const struct http *h);
/* Waits until nothing is on its way. */
void http_drain(struct http *h);

/* 2xx */
bool http_good(const struct http_request *r);
/* The server says that the object is not there. */
bool http_missing(const struct http_request *r);
/* Reports that it failed; returns -1. */
int http_fail(const struct http_request *r, const char *verb);

/* Requests that were begun before their answers are asked for. */
struct http_ahead {
    struct http_request *list[STORE_AHEAD];
    size_t count;
};

/* Takes the request and starts it; where there is no room, frees it. */
void http_ahead_add(struct http_ahead *a, struct http_request *r);
/* The request for that object, answered, to be freed by the caller; NULL: there
 * is none. */
struct http_request *http_ahead_take(struct http_ahead *a, const char *method,
                                     const char *name);
/* Before http_free(). */
void http_ahead_release(struct http_ahead *a);

#endif
