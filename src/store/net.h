/* What the stores of all servers share, whatever they speak: WebDAV, S3, SFTP,
 * FTP. */
#ifndef STORE_NET_H
#define STORE_NET_H

#include "lock.h"
#include "puts.h"

struct store_net;

/* What a kind has of its own. */
struct net_kind {
    struct store_lock_ops lock;
    const char *lock_name;
    /* A request that does that to the object, with at most `max` bytes of an
     * answer.  NULL: reported. */
    struct request *(*ask)(struct store_net *n, enum store_verb verb,
                           const char *name, size_t max);
    /* What an answer says: it is done; the object is not there. */
    bool (*good)(const struct request *r);
    bool (*missing)(const struct request *r);
    /* Reports that it failed; returns -1. */
    int (*fail)(struct store_net *n, const char *verb, const struct request *r);
    /* Sets `date` of the answer by what the server tells otherwise, or NULL. */
    void (*dated)(struct store_net *n, struct request *r);
    /* Notes where what was got comes from, or NULL; `result` as of get. */
    void (*got)(struct store_net *n, const struct request *r, int result);
    /* The object is gone, or NULL. */
    void (*removed)(struct store_net *n, const char *name);
    /* As store_ops.put, where nothing is in the way of it. */
    int (*put)(struct store_net *n, const char *name, const uint8_t *bytes,
               size_t len, enum store_class class);
    /* Says that anybody on the way can read what is sent. */
    void (*warn)(const struct store_net *n);
    void (*locked)(struct store_net *n);  /* the lock is ours, or NULL */
    void (*release)(struct store_net *n); /* what it added */
};

struct store_net {
    struct store store; /* first */
    const struct net_kind *kind;
    struct store_curl curl;
    struct engine *engine; /* NULL: it could not be opened */
    struct request_ahead ahead;
    struct store_lock lock;
    struct store_puts puts;
    bool open_line; /* `warn` is called before it is locked */
};

/* A store of so many bytes, zeros but for what is ours; NULL: no memory
 * (reported).  Set up what store_curl_init() wants, `store.where`, and then the
 * engine, by store_net_start(). */
struct store_net *store_net_new(size_t size, const struct net_kind *kind);
/* Takes the engine, or NULL.  0, or -1 where it is NULL. */
int store_net_start(struct store_net *n, struct engine *engine);
/* As store_ops.close, also where it was not started. */
void store_net_close(struct store *s);

#endif
