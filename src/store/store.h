/* The seam between publishing and servers: named objects, each of which
 * appears whole or not at all where the server can do that.  Names are
 * relative, of [a-z0-9._/-] only (ota-publish(7), Names). */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

enum {
    STORE_NAME = 256,       /* longest object name, NUL included */
    STORE_AHEAD = 128,      /* objects that are asked for ahead */
    STORE_FIRST_BYTES = 64, /* of an answer, to see what it is */
    STORE_SITE = 16,        /* bytes of a place's name */
    STORE_SITES = 2         /* that one server may have */
};

/* How an object is treated: ota-publish(7), Order. */
enum store_class {
    STORE_PAYLOAD,  /* named by content: written once */
    STORE_SHARD,    /* the same */
    STORE_FIRST,    /* a manifest of a device that had none */
    STORE_MANIFEST, /* replaced, with an ETag that differs */
    STORE_HEAD      /* replaced; visible and durable at return */
};

/* Results besides 0 and -1 that are not reported. */
enum {
    STORE_MISSING = 1, /* get and size: the object is not there */
    STORE_LONG = 2     /* get: it has more than `max` bytes */
};

/* What an object may be asked for ahead: the function of that name. */
enum store_verb { STORE_GET, STORE_SIZE, STORE_REMOVE };

struct memory;
struct store;

/* An answer over HTTP, which need not come from who was asked: a login, a page
 * on maintenance, a proxy. */
struct store_source {
    bool known; /* false: it is the object, as it is there */
    char type[96], encoding[32];
    uint8_t first[STORE_FIRST_BYTES];
    size_t first_len;
};

/* Functions return 0, or -1 (reported, DIAG_SERVER unless it says otherwise);
 * get and size also STORE_MISSING, get STORE_LONG. */
struct store_ops {
    /* The object's bytes, at most `max` of them, allocated for the caller to
     * free; NULL unless the result is 0. */
    int (*get)(struct store *s, const char *name, size_t max, uint8_t **bytes,
               size_t *len);
    int (*size)(struct store *s, const char *name, uint64_t *size);
    /* Begins now what the function of that verb is called for soon, which then
     * has the answer: so requests do not wait for one another.  At most
     * STORE_AHEAD that were not called for yet; `max` as for get.  One that is
     * never called for is at its end before a head is put, and after flush and
     * unlock.  NULL: nothing takes any time. */
    void (*ahead)(struct store *s, enum store_verb verb, const char *name,
                  size_t max);
    /* Takes the bytes (they may be gone after the call).  The object may become
     * visible later, at the latest at flush.  -1: this one was not put (and
     * `failed` is not called for it); others may still be.  Payloads and shards
     * are visible before a manifest or head that is put after them; all is
     * durable before a head is put.  Where one of them failed, neither is
     * put. */
    int (*put)(struct store *s, const char *name, const uint8_t *bytes,
               size_t len, enum store_class class);
    /* All that was put is visible and durable, and nothing that was begun is on
     * its way.  Where some puts failed, `failed` was called with each name
     * before, and the result is -1. */
    int (*flush)(struct store *s);
    /* No error where the object is not there. */
    int (*remove)(struct store *s, const char *name);
    /* One publisher at a time.  Waits up to wait_ms; then DIAG_LOCK naming the
     * holder.  break_lock: takes it whoever holds it.  What another one left
     * half made is removed. */
    int (*lock)(struct store *s, unsigned wait_ms, bool break_lock);
    /* True: the lock that was taken has been taken from us; false also where
     * none was taken, or nothing can be found out.  NULL: false. */
    bool (*lost)(struct store *s);
    /* False: it had been taken from us before. */
    bool (*unlock)(struct store *s);
    void (*close)(struct store *s);
};

/* Payloads and manifests on their way, for who looks on from another thread.
 * A store whose put returns once they are written leaves it alone. */
struct store_meter {
    atomic_size_t objects; /* put, and neither written nor failed yet */
    atomic_size_t unsent;  /* bytes of theirs */
};

struct store {
    const struct store_ops *ops;
    const char *where; /* for messages: the folder or URL, without secrets */
    volatile const sig_atomic_t *stop; /* or NULL; not 0: waiting ends */
    bool forced; /* the lock was taken from somebody who may be at work still */
    /* Set around the put of a head, or NULL: asked last of all, where the store
     * can make everything else ready before.  -1: it is not put. */
    int (*ask)(void *ctx);
    void *ask_ctx;
    void (*failed)(void *ctx, const char *name); /* set by who puts, or NULL */
    void *failed_ctx;
    struct store_meter *meter; /* or NULL */
    bool asks_age; /* set by who wants `age`: it may take a request more */
    /* Of what `size` found last, seconds since it was written, by the server's
     * clock; UINT64_MAX: not said. */
    uint64_t age;
    struct store_source source; /* of what `get` gave last */
    struct memory *memory;      /* of indexes that were there, or NULL */
    /* Names for where it is, the same for all spellings; none: not known. */
    uint8_t sites[STORE_SITES][STORE_SITE];
    unsigned site_count;
};

/* As store_ops.get, but STORE_LONG is an error: -1 (reported). */
int store_get(struct store *s, const char *name, size_t max, uint8_t **bytes,
              size_t *len);

/* What was got last, and is not what it should be: true, and reported
 * (DIAG_SERVER), where something else than the object seems to have come, as a
 * web page.  Where at least `bytes` were expected (0: not known), so is text,
 * and where it has fewer. */
bool store_is_strange(const struct store *s, const char *name, size_t bytes,
                      size_t len);

/* A copy of a URL or path without '/' at its end, to be freed; NULL: no memory.
 */
char *store_trimmed(const char *text);

/* As store_ops.ahead, if there is one. */
void store_ahead(struct store *s, enum store_verb verb, const char *name,
                 size_t max);

/* As store_ops.lost. */
bool store_lost(struct store *s);

/* The meter that an object of this class is counted in, or NULL: of the index
 * there is no telling how many there will be. */
struct store_meter *store_meter(const struct store *s, enum store_class class);

/* A folder; it is made at the first put or lock.  create false: it must be
 * there.  0, or -1 (reported). */
int store_file_open(const char *folder, bool create, struct store **out);

/* WebDAV, or any HTTP server that takes PUT.  0, or -1 (reported). */
int store_dav_open(const struct config *c, const struct config_server *s,
                   struct store **out);

/* S3, or a store that speaks like it.  0, or -1 (reported). */
int store_s3_open(const struct config *c, const struct config_server *s,
                  struct store **out);

/* SFTP; FTP with or without TLS.  0, or -1 (reported). */
int store_sftp_open(const struct config *c, const struct config_server *s,
                    struct store **out);
int store_ftp_open(const struct config *c, const struct config_server *s,
                   struct store **out);

/* Of a store of SFTP or FTP: writes an object over one that is there, by a
 * rename.  0; 1: the server does not let a rename do that, and the object is as
 * it was; -1 (reported). */
int store_remote_rename_over(struct store *s, const char *name,
                             const uint8_t *bytes, size_t len);

/* The server's public_url, which is there, to read from: 0, or -1
 * (reported). */
int store_public_open(const struct config *c, const struct config_server *s,
                      struct store **out);

/* Fills in s->sites.  0, or -1 (no memory, reported). */
int store_site_find(const struct config *c, const struct config_server *server,
                    struct store *s);

/* `len` random bytes in hex, and a NUL: a name that nobody else has. */
void store_dice(char *hex, size_t len);

/* Whichever it is.  Nothing is asked of a server yet. */
int store_open(const struct config *c, const struct config_server *s,
               bool create, struct store **out);

#endif
