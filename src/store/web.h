/* What the stores of WebDAV and S3 share: objects by HTTP. */
#ifndef STORE_WEB_H
#define STORE_WEB_H

#include "http.h"
#include "lock.h"
#include "puts.h"

struct store_web;

/* What a kind has of its own. */
struct web_kind {
    struct http_kind http;
    struct store_lock_ops lock; /* `write` and `now` are ours, below */
    const char *lock_name;
    /* Adds to a request what all of its method have: 0, or -1 (reported). */
    int (*dress)(struct store_web *w, struct request *r);
    /* Begins to put an object: 0, or -1 (reported). */
    int (*put)(struct store_web *w, const char *name, const uint8_t *bytes,
               size_t len, enum store_class class);
    void (*removed)(struct store_web *w, const char *name); /* or NULL */
    /* Says that anybody on the way can read what is sent. */
    void (*warn)(const struct store_web *w);
    void (*release)(struct store_web *w); /* what it added, or NULL */
};

struct store_web {
    struct store store; /* first */
    struct store_curl curl;
    const struct web_kind *kind;
    struct engine *engine;
    char *base;     /* URL without '/' at its end */
    bool open_line; /* `warn` is called once it is locked */
    struct request_ahead ahead;
    struct store_lock lock;
    struct store_puts puts;
    uint64_t newest; /* Last-Modified of all that was read, 0: nothing */
    uint64_t skew;   /* the server's clock less ours, seconds */
};

/* A store of that many zeros, to be closed by its `close`; NULL: no memory
 * (reported). */
struct store_web *store_web_new(size_t size, const struct web_kind *kind);
/* Once `base` and `curl` are set up: `most` requests at once.  0, or -1
 * (reported). */
int store_web_start(struct store_web *w, unsigned most, bool http2);

/* A request for the object, or with '/' at its end the folder; bytes NULL:
 * without a body.  NULL: reported. */
struct request *store_web_request(struct store_web *w, const char *method,
                                  const char *name, const void *bytes,
                                  size_t len);

/* As store_lock_ops, by the text's object. */
int store_web_lock_write(struct store *s, const char *text);
void store_web_lock_remove(struct store *s);
uint64_t store_web_lock_now(struct store *s);

#endif
