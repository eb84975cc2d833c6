/* What every verb does that changes what is published: it looks whether there
 * is anything to do, asks for the key's password, takes the lock, looks again,
 * works, and unlocks.  server.md, Publishing */
#ifndef PUBLISH_SESSION_H
#define PUBLISH_SESSION_H

#include <signal.h>
#include "index/index.h"
#include "meter.h"

/* One verb on one server. */
struct session {
    /* Set by the caller; all of it is borrowed. */
    struct store *store;
    struct signer *signer;
    uint64_t now;          /* sign_time() */
    unsigned lock_wait_ms; /* for somebody else who holds the lock */
    bool break_lock;       /* take it whoever holds it */
    bool dry_run;          /* nothing is locked or written */
    bool new_base;         /* forget what was published */
    volatile const sig_atomic_t *stop; /* not 0: stop at the next object */
    struct meter *meter;               /* of what is worked on, or NULL */
    /* Of the session. */
    struct index *index;  /* as it was read last */
    struct index_old old; /* that a new base replaces */
    bool locked;
};

/* Functions get the context; what fails is reported. */
struct session_verb {
    /* With the head alone, before the lock and, once more, under it: 1: there
     * is something to do, 0: nothing, -1: it cannot be done.  NULL: 1. */
    int (*look)(void *ctx);
    /* Whether anything will be signed, so that a password is asked for before
     * the lock is taken: 1, 0 or -1.  NULL: 1. */
    int (*signs)(void *ctx);
    /* With the whole index.  0, or another number: it failed. */
    int (*work)(void *ctx);
    void *ctx;
};

/* Runs it.  0, also where there is nothing to do, or -1 (reported).  The index
 * lives until session_end(), which is to be called in both cases. */
int session_run(struct session *s, const struct session_verb *v);
void session_end(struct session *s);

/* Whether the user asked to stop. */
bool session_stopped(const struct session *s);

#endif
