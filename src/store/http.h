/* Many HTTP requests at once over a few connections.  For the stores of WebDAV
 * and S3. */
#ifndef STORE_HTTP_H
#define STORE_HTTP_H

#include "request.h"

/* What a kind of server has of its own; each may be NULL. */
struct http_kind {
    /* Adds to a transfer's options. */
    void (*setup)(void *ctx, CURL *easy);
    /* Whether an answer is worth another try that by its status is not. */
    bool (*again)(const struct request *r);
    /* That the object is not there.  NULL: 404 and 410 say so. */
    bool (*missing)(const struct request *r);
    /* Whether it is about who we are.  NULL: 401 and 403 say so. */
    bool (*denied)(const struct request *r);
    /* What stands behind "HTTP 403" in a message; false: nothing special. */
    bool (*explain)(const struct request *r, char *text, size_t size);
};

/* `most` requests at once: over so many connections, or with http2 over one.
 * NULL: reported */
struct engine *http_new(struct store_curl *c, unsigned most, bool http2,
                        const struct http_kind *kind, void *ctx);

/* As request_new(). */
struct request *http_request(struct engine *e, const char *method,
                             const char *base, const char *name);
/* 0, or -1 (no memory, reported). */
int http_header(struct request *r, const char *line);
int http_body(struct request *r, const uint8_t *bytes, size_t len);

/* 2xx */
bool http_good(const struct request *r);
/* The server says that the object is not there. */
bool http_missing(const struct request *r);
/* Reports that it failed; returns -1. */
int http_fail(const struct request *r, const char *verb);

#endif
