/* The head against what this machine remembers: an older one of the base, or
 * another one of the same generation, is what somebody put back. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "index_private.h"
#include "memory.h"
#include "object.h"

#define CURE                                                                   \
    "put back the newest copy of its 'index' folder; or, if it was you who "   \
    "put an older one there and it is to stay, run 'ota-pack publish "         \
    "--accept-rollback'"

enum { DATE = 32 };

static struct memory_seen seen_now(const struct index *x, const struct store *s)
{
    struct memory_seen now = {.generation = x->generation,
                              .created = x->created};

    object_hex(x->priv->head, OTA_HASH, now.head);
    snprintf(now.where, sizeof now.where, "%s", s->where);
    return now;
}

static bool is_older(const struct index *x, const struct store *s,
                     const struct memory_seen *seen)
{
    const struct memory_seen now = seen_now(x, s);

    return x->exists && (now.generation < seen->generation ||
                         (now.generation == seen->generation &&
                          strcmp(now.head, seen->head) != 0));
}

static void date(uint64_t seconds, char out[DATE])
{
    time_t t = (time_t)seconds;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || !strftime(out, DATE, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(out, DATE, "%" PRIu64, seconds);
}

static void describe(const struct index *x, const struct store *s,
                     const struct memory_seen *seen, char *out, size_t size)
{
    bool there = strcmp(seen->where, s->where) == 0;
    char now[DATE], then[DATE];

    date(x->created, now);
    date(seen->created, then);
    if (seen->generation == UINT64_MAX)
        snprintf(out, size,
                 "the index in '%s' is of a base that 'publish --new-base' "
                 "replaced here, at %s",
                 s->where, then);
    else if (seen->generation == x->generation)
        snprintf(out, size,
                 "the index in '%s' is not the one of generation %" PRIu64
                 " that this machine saw%s%s%s: two were published, each "
                 "without the other",
                 s->where, seen->generation, there ? "" : " in '",
                 there ? "" : seen->where, there ? "" : "'");
    else
        snprintf(out, size,
                 "the index in '%s' is older than this machine saw it%s%s%s: "
                 "it has generation %" PRIu64 " of %s, and had %" PRIu64
                 " of %s",
                 s->where, there ? "" : " in '", there ? "" : seen->where,
                 there ? "" : "'", x->generation, now, seen->generation, then);
}

/* 0 where it is to be gone on with, or -1 (reported). */
static int face_older(struct index *x, const struct store *s,
                      const struct memory_seen *seen)
{
    char text[2 * MEMORY_WHERE + 256];

    if (s->memory->older == MEMORY_ACCEPT) {
        if (seen->generation != UINT64_MAX)
            x->generation = seen->generation;
        return 0;
    }
    describe(x, s, seen, text, sizeof text);
    if (s->memory->older == MEMORY_REFUSE)
        return diag_error(DIAG_SERVER, "%s; " CURE, text);
    diag_warning("%s; " CURE, text);
    return 0;
}

/* Another process here may have published, and remembered it, since `x` was
 * read: then it is read anew, and held against the same memory. */
static int look_again(struct store *s, const uint8_t *key, struct index **x,
                      struct memory_seen *seen)
{
    uint8_t base[MEMORY_BASE];

    memcpy(base, (*x)->base_id, sizeof base);
    index_free(*x);
    if (index_fetch_head(s, key, x))
        return -1;
    if (memcmp(base, (*x)->base_id, sizeof base) != 0)
        memory_get(s->memory, (*x)->base_id, seen);
    return 0;
}

static int hold_against(struct index *x, struct store *s,
                        const struct memory_seen *seen)
{
    const struct memory_seen now = seen_now(x, s);

    if (!x->exists || !s->memory)
        return 0;
    x->doubt |= s->memory->older == MEMORY_ACCEPT;
    if (is_older(x, s, seen))
        return face_older(x, s, seen);
    if (now.generation > seen->generation)
        memory_keep(s->memory, x->base_id, &now, false, false);
    return 0;
}

int index_read_head(struct store *s, const uint8_t *key, struct index **out)
{
    struct memory_seen seen;

    if (index_fetch_head(s, key, out))
        return -1;
    memory_get(s->memory, (*out)->base_id, &seen);
    if (is_older(*out, s, &seen) && look_again(s, key, out, &seen))
        return -1;
    if (hold_against(*out, s, &seen) == 0)
        return 0;
    index_free(*out);
    *out = NULL;
    return -1;
}

void index_keep(const struct index *x, struct store *s)
{
    const struct memory_seen now = seen_now(x, s);

    if (s->memory)
        memory_keep(s->memory, x->base_id, &now,
                    s->memory->older == MEMORY_ACCEPT, true);
}

void index_replaced(struct store *s, const uint8_t old[16], uint64_t now)
{
    struct memory_seen seen = {.generation = UINT64_MAX, .created = now};

    memset(seen.head, '0', MEMORY_HEAD - 1);
    snprintf(seen.where, sizeof seen.where, "%s", s->where);
    memory_keep(s->memory, old, &seen, false, true);
}
