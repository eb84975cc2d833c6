/* One publisher at a time, on a server that runs no program of ours: a thing
 * that only one can make, and a text in it that says who, and until when.  It
 * is advice: publishing is safe without it (ota-publish(7), Lock). */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "store.h"

enum {
    STORE_LOCK_TEXT = 512,    /* bytes of the text, NUL included */
    STORE_LOCK_HOLDER = 320,  /* of its first line, the same */
    STORE_LOCK_PROCESS = 128, /* of its last one */
    STORE_LOCK_LIFE = 900,    /* seconds from taking it, or renewing it */
    STORE_LOCK_RENEW = 300,   /* seconds after which it is renewed */
    STORE_LOCK_SETTLE = 2000  /* ms in which who made it says who it is */
};

/* Its text: in the folder that is the lock, or itself. */
#define STORE_LOCK_IN_FOLDER "lock/holder"
#define STORE_LOCK_OBJECT    "lock"

/* What stands in place of a holder where none is named. */
#define STORE_LOCK_NOBODY "somebody"

struct store_lock_text {
    char holder[STORE_LOCK_HOLDER];
    char mark[33];
    uint64_t until;                   /* seconds since 1970 */
    char process[STORE_LOCK_PROCESS]; /* "": of an earlier ota-pack, or no
                                       * /proc */
    bool whole; /* else it is being written: in place it is cut for a moment */
    bool foreign; /* ota-pack did not write it */
};

/* How a kind of server does it, but for reading, which is a get. */
struct store_lock_ops {
    /* Makes it: 0, 1 where it is there (or nothing can be made there: then
     * there is no text in it either), -1 (reported). */
    int (*make)(struct store *s);
    int (*write)(struct store *s, const char *text); /* 0, or -1 (reported) */
    void (*remove)(struct store *s); /* best effort: it ends by itself */
    /* Seconds since 1970, by the server's clock where it says one. */
    uint64_t (*now)(struct store *s);
};

struct store_lock {
    const struct store_lock_ops *ops;
    struct store *store;
    const char *name; /* of the object with the text */
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

/* Reads it: 0; STORE_MISSING, also where it is empty; or -1 (reported). */
int store_lock_read(struct store_lock *l, struct store_lock_text *t);

/* As store_ops.lost. */
bool store_lock_lost(struct store_lock *l);

/* -- lock_text.c ------------------------------------------------------------
 */

/* It may be anybody's: plain characters are taken. */
void store_lock_parse(const char *text, struct store_lock_text *t);

/* Ours, with that mark, until then. */
void store_lock_compose(char text[STORE_LOCK_TEXT], const char *mark,
                        uint64_t until);

/* A process of this machine, and of this container, that is no more holds
 * nothing: its number may be another's by now, who began later. */
bool store_lock_is_dead(const struct store_lock_text *t);

/* "user on host, process N, since T" without a newline. */
void store_lock_holder(char *out, size_t size);

#endif
