/* Many HTTP requests at once over a few connections, each tried again where
 * that is worth it.  For the stores of WebDAV and S3. */
#ifndef PUBLISH_STORE_HTTP_H
#define PUBLISH_STORE_HTTP_H

#include "store_curl.h"

struct http;

/* One request and its answer. */
struct http_request {
    const char *method; /* GET, HEAD, PUT, MKCOL, DELETE */
    char *url;
    uint8_t *body; /* what is sent, or NULL */
    size_t len;
    struct curl_slist *headers;
    size_t max; /* bytes of the answer that are taken */
    /* Called once it is answered, from within the functions below; it may queue
     * it anew, or free it.  NULL: http_run() waits for it. */
    void (*done)(struct http_request *r);
    void *ctx;
    char name[STORE_NAME]; /* the object, for messages */
    bool once;             /* is not tried again */
    long final;            /* a status for which it is not, or 0 */
    /* the answer */
    CURLcode code;
    long status;
    uint8_t *bytes;
    size_t got;
    bool too_long;     /* more than `max` */
    uint64_t size;     /* Content-Length, UINT64_MAX: not said */
    uint64_t modified; /* Last-Modified, seconds since 1970, 0: not said */
    uint64_t date;     /* the server's clock, the same */
    char etag[128];
    char error[CURL_ERROR_SIZE];
    /* the engine's */
    struct http *http;
    unsigned tries;
    uint64_t due; /* ms, when it is tried again */
    long after;
    bool answered;
    struct http_request *next;
};

/* `most` requests at once: over so many connections, or with http2 over one.
 * `setup` may add to each transfer's options; NULL: nothing.  NULL: reported */
struct http *http_new(const struct store_curl *c, unsigned most, bool http2,
                      void (*setup)(void *ctx, CURL *easy), void *ctx);
/* What is not answered is given up. */
void http_free(struct http *h);

/* A request for `url`, which is copied.  NULL: no memory (reported). */
struct http_request *http_request_new(struct http *h, const char *method,
                                      const char *url);
/* 0, or -1 (no memory, reported). */
int http_header(struct http_request *r, const char *line);
int http_body(struct http_request *r, const uint8_t *bytes, size_t len);
void http_request_free(struct http_request *r);

/* Starts it; waits for others while too much is on its way. */
void http_start(struct http *h, struct http_request *r);
/* Starts it with the next of the other two: for `done`. */
void http_queue(struct http *h, struct http_request *r);
/* Starts it and waits until it is answered. */
void http_run(struct http *h, struct http_request *r);
/* Waits until nothing is on its way. */
void http_drain(struct http *h);

/* 2xx */
bool http_good(const struct http_request *r);
/* Reports that it failed; returns -1. */
int http_fail(const struct http_request *r, const char *verb);

#endif
