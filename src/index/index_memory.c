/* The head against what this machine remembers: an older one of the base, or
 * another one of the same generation, is what somebody put back; none, or one
 * of another base, is what somebody exchanged. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "index_private.h"
#include "memory.h"
#include "object.h"

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

/* What is to be known by who accepts it. */
static void add_cost(struct store *s, char *text, size_t size)
{
    uint32_t version = index_remembered(s);
    size_t len = strlen(text);

    len += (size_t)snprintf(text + len, size - len, "; " INDEX_OLD_CURE);
    if (version && len < size)
        snprintf(text + len, size - len,
                 " with 'version' above %lu, or devices that were given that "
                 "one take nothing until it is passed",
                 (unsigned long)version);
}

/* Of who only looks it is a warning.  0, or -1 (reported). */
static int refuse(const struct store *s, const char *text)
{
    if (s->memory->older != MEMORY_WARN)
        return diag_error(DIAG_SERVER, "%s", text);
    diag_warning("%s", text);
    return 0;
}

/* 0 where it is to be gone on with, or -1 (reported). */
static int face_older(struct index *x, struct store *s,
                      const struct memory_seen *seen)
{
    char text[2 * MEMORY_WHERE + 1024];

    if (s->memory->older == MEMORY_ACCEPT) {
        if (seen->generation != UINT64_MAX)
            x->generation = seen->generation;
        return 0;
    }
    describe(x, s, seen, text, sizeof text);
    add_cost(s, text, sizeof text);
    return refuse(s, text);
}

/* -- the site ---------------------------------------------------------------
 */

/* What is remembered of where `s` is: of its spelling, then of where that
 * leads.  The version is the higher one of both. */
static void find_site(struct store *s, struct memory_site *out)
{
    struct memory_site site;

    *out = (struct memory_site){0};
    for (unsigned i = 0; i < s->site_count; i++) {
        uint32_t version = out->version;

        memory_get_site(s->memory, s->sites[i], &site);
        if (!out->known && site.known)
            *out = site;
        out->version = site.version > version ? site.version : version;
    }
}

static void keep_site(const struct index *x, struct store *s, bool tell)
{
    struct memory_site site = {.version = index_highest(x)};

    memcpy(site.base, x->base_id, sizeof site.base);
    memcpy(site.key_id, x->key_id, sizeof site.key_id);
    snprintf(site.where, sizeof site.where, "%s", s->where);
    for (unsigned i = 0; i < s->site_count; i++) {
        memcpy(site.site, s->sites[i], sizeof site.site);
        memory_keep_site(s->memory, &site, tell);
    }
}

static bool is_other(const struct index *x, const struct memory_site *site)
{
    return site->known && (!x->exists || memcmp(site->base, x->base_id,
                                                sizeof site->base) != 0);
}

uint32_t index_remembered(struct store *s)
{
    struct memory_site site;

    find_site(s, &site);
    return site.version;
}

static void describe_site(const struct index *x, const struct store *s,
                          const struct memory_site *site, char *out,
                          size_t size)
{
    unsigned long version = site->version;

    if (!x->exists)
        snprintf(out, size,
                 "there is no index in '%s', and this machine has seen one "
                 "there, with versions up to %lu: is it not mounted, wiped, or "
                 "another folder? bring back what was there, or a copy of it; "
                 "only if all of it is lost: 'ota-pack publish --new-base' "
                 "goes on above %lu, without the versions to roll back to and "
                 "the files that were to be deleted",
                 s->where, version, version);
    else
        snprintf(out, size,
                 "the index in '%s' is of another base than this machine has "
                 "seen there, with versions up to %lu: are these the files of "
                 "another fleet? put back what was there, or mend 'server'; "
                 "only if somebody started anew there on purpose: 'ota-pack "
                 "publish --accept-rollback' (devices take nothing that is "
                 "not above what they have)",
                 s->where, version);
}

/* Of an index that is gone there is nothing to look at: `read` makes it an
 * error for whoever reads.  0 where it is to be gone on with, or -1
 * (reported). */
static int hold_site(struct index *x, struct store *s, bool read)
{
    char text[MEMORY_WHERE + 1024];
    struct memory_site site;

    if (!s->memory)
        return 0;
    find_site(s, &site);
    if (!is_other(x, &site) ||
        (x->exists && s->memory->older == MEMORY_ACCEPT)) {
        if (x->exists)
            keep_site(x, s, false);
        return 0;
    }
    describe_site(x, s, &site, text, sizeof text);
    if (read && !x->exists)
        return diag_error(DIAG_SERVER, "%s", text);
    return refuse(s, text);
}

int index_check_absent(struct store *s)
{
    struct index *x;
    int result;

    if (index_new(&x))
        return -1;
    result = hold_site(x, s, false);
    index_free(x);
    return result;
}

/* Whether this machine remembers something else than `x`. */
static bool is_strange(const struct index *x, struct store *s,
                       const struct memory_seen *seen)
{
    struct memory_site site;

    find_site(s, &site);
    return is_older(x, s, seen) || is_other(x, &site);
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
    if (is_strange(*out, s, &seen) && look_again(s, key, out, &seen))
        return -1;
    if (hold_against(*out, s, &seen) == 0 && hold_site(*out, s, true) == 0)
        return 0;
    index_free(*out);
    *out = NULL;
    return -1;
}

void index_keep(const struct index *x, struct store *s)
{
    const struct memory_seen now = seen_now(x, s);

    if (!s->memory)
        return;
    memory_keep(s->memory, x->base_id, &now, s->memory->older == MEMORY_ACCEPT,
                true);
    keep_site(x, s, true);
}

void index_learn(const struct index *x, struct store *s)
{
    if (s->memory && s->memory->older != MEMORY_WARN && x->exists)
        keep_site(x, s, false);
}

void index_replaced(struct store *s, const uint8_t old[16], uint64_t now)
{
    struct memory_seen seen = {.generation = UINT64_MAX, .created = now};

    memset(seen.head, '0', MEMORY_HEAD - 1);
    snprintf(seen.where, sizeof seen.where, "%s", s->where);
    memory_keep(s->memory, old, &seen, false, true);
}
