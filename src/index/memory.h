/* What this machine remembers of the indexes that it has seen: a small file for
 * each base, so that an older copy which somebody puts back is noticed; and one
 * for each site, so that one that is empty, or holds another base, is.
 * Nothing of it is secret, and nothing is lost without it but that. */
#ifndef INDEX_MEMORY_H
#define INDEX_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"
#include <ota/bundle.h>

enum { MEMORY_BASE = 16, MEMORY_HEAD = 65, MEMORY_WHERE = 256 };

/* What happens where an older head is found. */
enum memory_older {
    MEMORY_REFUSE, /* an error */
    MEMORY_WARN,   /* for who only looks */
    MEMORY_ACCEPT  /* it is gone on from */
};

struct memory {
    const char *folder; /* absolute; made when there is something to be kept;
                         * NULL: nothing is remembered */
    enum memory_older older;
    bool warned; /* of the folder: once is enough */
};

/* A head of a base. */
struct memory_seen {
    uint64_t generation;      /* 0: none was seen, UINT64_MAX: the base was
                               * replaced by another one */
    uint64_t created;         /* seconds since 1970 */
    char head[MEMORY_HEAD];   /* hash of the head, in hex */
    char where[MEMORY_WHERE]; /* the server, as in messages */
};

/* A site: store_site_find(). */
struct memory_site {
    bool known; /* false: nothing was ever published there, or seen */
    uint8_t site[STORE_SITE];
    uint8_t base[MEMORY_BASE];  /* that is there */
    uint32_t version;           /* the highest that is known of it, 0: none */
    uint8_t key_id[OTA_KEY_ID]; /* that signed it */
    char where[MEMORY_WHERE];
};

/* What is remembered of a base.  A damaged file is warned of and counts as
 * none. */
void memory_get(struct memory *m, const uint8_t base[MEMORY_BASE],
                struct memory_seen *out);

/* Remembers it, unless a higher generation is remembered and `lower` is false.
 * That fails is no error: with `tell` it is warned of, once. */
void memory_keep(struct memory *m, const uint8_t base[MEMORY_BASE],
                 const struct memory_seen *seen, bool lower, bool tell);

/* The same of a site; and of all of them.  A version is never lowered. */
void memory_get_site(struct memory *m, const uint8_t site[STORE_SITE],
                     struct memory_site *out);
void memory_each_site(struct memory *m,
                      void (*each)(void *ctx, const struct memory_site *site),
                      void *ctx);
void memory_keep_site(struct memory *m, const struct memory_site *site,
                      bool tell);

#endif
