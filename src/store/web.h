/* What the stores of WebDAV and S3 share: objects by HTTP. */
#ifndef STORE_WEB_H
#define STORE_WEB_H

#include "http.h"
#include "net.h"

struct store_web;

/* What a kind has of its own. */
struct web_kind {
    struct net_kind net; /* first; for much of it there is one below */
    struct http_kind http;
    /* Adds to a request what all of its method have: 0, or -1 (reported). */
    int (*dress)(struct store_web *w, struct request *r);
};

struct store_web {
    struct store_net net; /* first */
    char *base;           /* URL without '/' at its end */
    uint64_t newest;      /* Last-Modified of all that was read, 0: nothing */
    uint64_t skew;        /* the server's clock less ours, seconds */
};

/* Once `base` and `curl` are set up: `most` requests at once.  0, or -1
 * (reported). */
int store_web_start(struct store_web *w, unsigned most, bool http2);

/* A request for the object, or with '/' at its end the folder; bytes NULL:
 * without a body.  NULL: reported. */
struct request *store_web_request(struct store_web *w, const char *method,
                                  const char *name, const void *bytes,
                                  size_t len);

/* As net_kind. */
struct request *store_web_ask(struct store_net *n, enum store_verb verb,
                              const char *name, size_t max);
int store_web_fail(struct store_net *n, const char *verb,
                   const struct request *r);
void store_web_got(struct store_net *n, const struct request *r, int result);

/* As store_lock_ops, by the text's object. */
int store_web_lock_write(struct store *s, const char *text);
void store_web_lock_remove(struct store *s);
uint64_t store_web_lock_now(struct store *s);

#endif
