/* Single HTTP requests, and all of the answer that devices and caches go by:
 * for doctor, who looks at a server as they do. */
#ifndef STORE_PROBE_H
#define STORE_PROBE_H

#include "store.h"

struct store_probe;

struct store_answer {
    long status; /* 0: there is none, and `error` says why */
    uint8_t *bytes;
    size_t len;
    uint64_t date;     /* the server's clock, 0: not said */
    uint64_t modified; /* Last-Modified, the same */
    char etag[128], encoding[32], cache[128]; /* headers, "" where not there */
    char error[256];
};

/* Requests below `url`; with `login` as the publisher, else as anybody.  0, or
 * -1 (reported). */
int store_probe_open(const struct config *c, const struct config_server *s,
                     const char *url, bool login, struct store_probe **out);
void store_probe_close(struct store_probe *p);

/* From here on each answer is waited for three seconds, and once. */
void store_probe_hurry(struct store_probe *p);

struct store_request {
    const char *method, *name;
    const char *header; /* a line, or NULL */
    const uint8_t *body;
    size_t len;
    /* Called with half of the body on its way, which is held back meanwhile; it
     * may ask another probe.  Or NULL. */
    void (*midway)(void *ctx);
    void *ctx;
};

/* 0, or -1 (no memory, reported); release the answer in both cases. */
int store_probe_ask(struct store_probe *p, const struct store_request *request,
                    struct store_answer *out);
void store_answer_release(struct store_answer *a);

#endif
