/* The order of a set's records, cut into runs, so that devices with files of
 * their own share the segments in which these are not. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "payload_internal.h"

/* A shorter run goes with those beside it: to compress it once more is cheap,
 * and a segment of its own makes every payload longer. */
enum { RUN_LEAST = 4096 };

static bool delete_first(const char *path, const struct tree_entry *e)
{
    return e->type == OTA_FILE &&
           ota_path_compare(path, strlen(path), e->path, strlen(e->path)) < 0;
}

bool payload_next(const struct payload_order *o,
                  const struct payload_place *end, struct payload_place *at,
                  struct payload_record *out)
{
    const struct tree_entry *const *entries = o->set->entries;
    bool entry = at->entry < end->entry, del = at->del < end->del;

    if (del &&
        (!entry || delete_first(o->deletes[at->del], entries[at->entry]))) {
        *out = (struct payload_record){NULL, o->deletes[at->del++]};
        return true;
    }
    if (entry) {
        out->entry = entries[at->entry++];
        out->path = out->entry->path;
    }
    return entry;
}

static struct payload_run *add_run(struct payload_runs *runs,
                                   struct payload_place begin, bool own)
{
    struct payload_run *run;

    if (array_grow(&runs->list, runs->count, &runs->room, sizeof *run) < 0)
        return NULL;
    run = &runs->list[runs->count++];
    *run = (struct payload_run){.begin = begin, .own = own};
    return run;
}

static uint64_t record_bytes(const struct payload_record *r)
{
    uint8_t head[PAYLOAD_HEAD];

    return payload_head(r, head) + (r->entry ? r->entry->size : 0);
}

static void join_short(struct payload_runs *runs)
{
    struct payload_run *last = NULL;
    size_t i, kept = 0;

    for (i = 0; i < runs->count; i++) {
        struct payload_run *run = &runs->list[i];

        if (runs->count > 1 && run->bytes < RUN_LEAST)
            run->own = true;
        if (last && last->own == run->own) {
            last->end = run->end;
            last->bytes += run->bytes;
        } else {
            last = &runs->list[kept++];
            *last = *run;
        }
    }
    runs->count = kept;
}

/* A DELETE stays with what is before it. */
int payload_runs_cut(struct payload_runs *runs, const struct payload_order *o)
{
    struct payload_place at = {0, 0}, end = {o->set->count, o->delete_count};
    struct payload_place begin = at;
    struct payload_run *run = NULL;
    struct payload_record r;

    memset(runs, 0, sizeof *runs);
    for (; payload_next(o, &end, &at, &r); begin = at) {
        bool own = r.entry ? r.entry->own : run && run->own;

        if ((!run || run->own != own) && !(run = add_run(runs, begin, own)))
            return -1;
        run->end = at;
        run->bytes += record_bytes(&r);
    }
    join_short(runs);
    return 0;
}

/* All that its segments depend on.  The hashes stand for contents, which were
 * compared with them when the segments were made. */
static void make_key(struct payload_run *run, const struct payload_order *o,
                     unsigned window_bits, bool last)
{
    uint8_t head[PAYLOAD_HEAD] = {(uint8_t)window_bits, last};
    struct payload_place at = run->begin;
    crypto_generichash_state h;
    struct payload_record r;

    crypto_generichash_init(&h, NULL, 0, PAYLOAD_KEY);
    crypto_generichash_update(&h, head, 2);
    while (payload_next(o, &run->end, &at, &r))
        crypto_generichash_update(&h, head, payload_head(&r, head));
    crypto_generichash_final(&h, run->key, PAYLOAD_KEY);
    run->keyed = true;
}

void payload_runs_find(struct payload_runs *runs, const struct payload_order *o,
                       unsigned window_bits, struct payload_cache *cache)
{
    size_t i;

    payload_cache_next(cache);
    for (i = 0; runs->count > 1 && i < runs->count; i++) {
        struct payload_run *run = &runs->list[i];

        if (run->own)
            continue;
        make_key(run, o, window_bits, i + 1 == runs->count);
        run->cached = payload_cache_find(cache, run->key);
    }
    payload_cache_trim(cache);
}

void payload_runs_keep(const struct payload_runs *runs,
                       const struct payload_segments *s,
                       struct payload_cache *cache)
{
    size_t i;

    for (i = 0; i < runs->count; i++) {
        const struct payload_run *run = &runs->list[i];

        if (run->keyed && !run->cached)
            payload_cache_keep(cache, run->key, &s->list[run->first],
                               run->count);
    }
}

void payload_runs_release(struct payload_runs *runs)
{
    free(runs->list);
    memset(runs, 0, sizeof *runs);
}
