/* One publisher at a time, on a server that runs no program of ours: a thing
 * that only one can make, and a text in it that says who, and until when.  It
 * is advice: publishing is safe without it (ota-publish(7), Lock). */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "store.h"

enum {
    STORE_LOCK_TEXT = 512,   /* bytes of the text, NUL included */
    STORE_LOCK_LIFE = 900,   /* seconds from taking it, or renewing it */
    STORE_LOCK_RENEW = 300,  /* seconds after which it is renewed */
    STORE_LOCK_SETTLE = 2000 /* ms in which who made it says who it is */
};

/* How a kind of server does it; `ctx` is the store. */
struct store_lock_ops {
    /* Makes it: 0, 1 where it is there (or nothing can be made there: then
     * there is no text in it either), -1 (reported). */
    int (*make)(void *ctx);
    /* Its text: 0, STORE_MISSING, or -1 (reported). */
    int (*read)(void *ctx, char text[STORE_LOCK_TEXT]);
    int (*write)(void *ctx, const char *text); /* 0, or -1 (reported) */
    int (*remove)(void *ctx);                  /* the same */
    /* Seconds since 1970, by the server's clock where it says one. */
    uint64_t (*now)(void *ctx);
};

struct store_lock {
    const struct store_lock_ops *ops;
    void *ctx;
    const char *where; /* for messages */
    bool held;
    bool forced;      /* it was taken from somebody who may be at work still */
    char mark[33];    /* which text is ours */
    uint64_t renewed; /* ms, of store_curl_ms() */
};

/* As store_ops.lock. */
int store_lock_take(struct store_lock *l, unsigned wait_ms, bool break_it,
                    volatile const sig_atomic_t *stop);
/* Says that we still work, now and then, unless it was taken from us.  Failing
 * to is no error. */
void store_lock_renew(struct store_lock *l);
/* As store_ops.unlock; true also where nothing can be found out. */
bool store_lock_release(struct store_lock *l);

/* As store_ops.lost. */
bool store_lock_lost(struct store_lock *l);

/* Whether a text begins as one that says who holds a lock. */
bool store_lock_is_holder(const char *text);

/* "user on host, process N, since T" without a newline. */
void store_lock_holder(char *out, size_t size);

#endif
