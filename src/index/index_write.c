/* The index written: shards that changed, then the head that names them. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/deflate.h"
#include "bundle/format.h"
#include "index_private.h"
#include "object.h"

enum { DAY = 86400 };

/* A write until the head is there: the index keeps what it was till then.  Its
 * lists are small, few, and in the index's memory. */
struct writing {
    struct index *x;
    struct store *store;
    struct index_places places;
    struct index_ref *shards;
    bool *dirty;
    size_t shard_count;
    struct index_name *former; /* named by the old head alone, in order */
    size_t former_count;
    struct index_out bytes; /* of one shard, used again and again */
};

static bool any_dirty(const struct writing *w)
{
    for (size_t i = 0; i < w->shard_count; i++)
        if (w->dirty[i])
            return true;
    return false;
}

static int set_count(struct writing *w, size_t count, bool dirty)
{
    struct arena *arena = &w->x->priv->arena;

    w->shards = arena_array(arena, count, sizeof *w->shards);
    w->dirty = arena_array(arena, count, sizeof *w->dirty);
    w->shard_count = count;
    if (!w->shards || !w->dirty)
        return -1;
    memset(w->dirty, dirty, count);
    return 0;
}

/* Inflated bytes that the devices take in any number of shards, at least. */
static uint64_t least_bytes(const struct index *x)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < x->priv->device_count; i++) {
        const struct index_device *d = x->priv->order[i];

        sum += 2u + d->id.len + (d->name ? 1 + strlen(d->name) : 0);
    }
    return sum;
}

static int encode(struct writing *w, size_t shard)
{
    w->bytes.len = 0;
    return index_encode_shard(w->x, &w->places, w->shard_count, shard,
                              &w->bytes);
}

/* Sizes of the shards that changed; *sum is over all. */
static int measure(struct writing *w, uint64_t *sum)
{
    *sum = 0;
    index_places_release(&w->places);
    if (index_place_all(w->x, w->shard_count, &w->places) < 0)
        return -1;
    for (size_t i = 0; i < w->shard_count; i++) {
        if (w->dirty[i]) {
            if (encode(w, i) < 0)
                return -1;
            w->shards[i].size = (uint32_t)w->bytes.len;
        }
        *sum += w->shards[i].size;
    }
    return 0;
}

static bool too_many(uint64_t sum, size_t shard_count)
{
    return shard_count < INDEX_SHARDS_MAX &&
           sum > (uint64_t)shard_count * INDEX_SHARD_MEAN;
}

/* As many shards as ota-index(5) demands, and their sizes. */
static int choose_count(struct writing *w)
{
    size_t count = w->shard_count;
    uint64_t sum = least_bytes(w->x);

    while (too_many(sum, count))
        count *= 2;
    if (count != w->shard_count && set_count(w, count, true) < 0)
        return -1;
    for (;;) {
        if (measure(w, &sum) < 0)
            return -1;
        if (!too_many(sum, w->shard_count))
            return 0;
        if (set_count(w, w->shard_count * 2, true) < 0)
            return -1;
    }
}

static int write_shard(struct writing *w, size_t shard)
{
    struct index_ref *ref = &w->shards[shard];
    const struct index_private *p = w->x->priv;
    char name[INDEX_OBJECT];
    uint8_t *stored;
    size_t len;
    int result = 0;

    if (encode(w, shard) < 0)
        return -1;
    *ref = (struct index_ref){0};
    if (!w->bytes.len)
        return 0;
    if (deflate_buffer(w->bytes.bytes, w->bytes.len, &stored, &len) < 0)
        return -1;
    index_hash(stored, len, ref->name);
    ref->stored = (uint32_t)len;
    ref->size = (uint32_t)w->bytes.len;
    index_object(ref->name, name);
    if (len > INDEX_SHARD_MAX)
        result = diag_error(DIAG_FAILED, "an index shard passes %d MiB",
                            INDEX_SHARD_MAX >> 20);
    else if (w->shard_count != p->shard_count ||
             memcmp(ref, &p->shards[shard], sizeof *ref) != 0)
        result = w->store->ops->put(w->store, name, stored, len, STORE_SHARD);
    free(stored);
    return result;
}

static int write_shards(struct writing *w)
{
    if (choose_count(w) < 0)
        return -1;
    for (size_t i = 0; i < w->shard_count; i++)
        if (w->dirty[i] && write_shard(w, i) < 0)
            return -1;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, OTA_HASH);
}

/* The names of all shards, ascending; empty ones apart. */
static size_t sorted_names(const struct index_ref *shards, size_t count,
                           struct index_name *names)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        if (shards[i].size)
            memcpy(names[n++].bytes, shards[i].name, OTA_HASH);
    qsort(names, n, sizeof *names, by_name);
    return n;
}

/* What the old head names and the new one does not. */
static int find_former(struct writing *w)
{
    struct index_private *p = w->x->priv;
    struct index_name *now =
        arena_array(&p->arena, w->shard_count, sizeof *now);
    size_t now_count, count;

    w->former = arena_array(&p->arena, p->shard_count, sizeof *w->former);
    if (!now || !w->former)
        return -1;
    now_count = sorted_names(w->shards, w->shard_count, now);
    count = sorted_names(p->shards, p->shard_count, w->former);
    for (size_t i = 0; i < count; i++)
        if (!bsearch(&w->former[i], now, now_count, sizeof *now, by_name))
            w->former[w->former_count++] = w->former[i];
    return 0;
}

static bool names(const struct index_ref *shards, size_t count,
                  const struct index_name *name)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(shards[i].name, name->bytes, OTA_HASH) == 0)
            return true;
    return false;
}

/* Former shards that are removed: all but the first `keep`, and those that
 * have come back. */
struct sweep {
    struct index *x;
    struct store *s;
    size_t keep;
    const struct index_ref *shards; /* of the head that comes, or none */
    size_t shard_count;
};

static bool former_goes(const struct sweep *w, size_t i,
                        char object[INDEX_OBJECT])
{
    const struct index_private *p = w->x->priv;
    const struct index_name *name = &p->former[w->keep + i];

    index_object(name->bytes, object);
    return !names(w->shards, w->shard_count, name) &&
           !names(p->shards, p->shard_count, name);
}

static size_t ask_former(void *ctx, size_t i)
{
    const struct sweep *w = ctx;
    char object[INDEX_OBJECT];

    if (former_goes(w, i, object))
        store_ahead(w->s, STORE_REMOVE, object, 0);
    return 0;
}

static int remove_former(void *ctx, size_t i)
{
    const struct sweep *w = ctx;
    char object[INDEX_OBJECT];

    return former_goes(w, i, object) ? w->s->ops->remove(w->s, object) : 0;
}

static int sweep(struct sweep *w)
{
    struct index_private *p = w->x->priv;
    const struct store_each each = {
        .ask = ask_former, .take = remove_former, .ctx = w};

    if (p->former_count <= w->keep)
        return 0;
    if (store_each(&each, 0, p->former_count - w->keep))
        return -1;
    p->former_count = w->keep;
    return 0;
}

int index_sweep(struct index *x, struct store *s)
{
    struct sweep w = {.x = x, .s = s, .keep = INDEX_FORMER_MAX};

    return sweep(&w);
}

static int sign_head(struct writing *w, struct signer *key,
                     struct index_out *head)
{
    size_t listed =
        w->former_count < INDEX_FORMER_MAX ? w->former_count : INDEX_FORMER_MAX;

    return index_encode_head(w->x, w->shards, w->shard_count, w->former, listed,
                             key, head);
}

static int may_replace(void *ctx)
{
    const struct writing *w = ctx;

    return index_confirm(w->x, w->store);
}

/* Signed, and all that is on its way at its end, before it is asked whether
 * the old one is still ours. */
static int put_head(struct writing *w, const struct index_out *head)
{
    struct index_private *p = w->x->priv;
    struct store *s = w->store;
    int result;

    if (s->ops->flush(s) < 0 || may_replace(w) < 0)
        return -1;
    index_hash(head->bytes, head->len, p->next);
    p->begun = true;
    s->ask = may_replace;
    s->ask_ctx = w;
    result =
        s->ops->put(s, INDEX_HEAD_NAME, head->bytes, head->len, STORE_HEAD);
    s->ask = NULL;
    if (result == 0)
        memcpy(p->head, p->next, OTA_HASH);
    return result;
}

/* The index is now what was written. */
static void adopt_written(struct writing *w)
{
    struct index_private *p = w->x->priv;

    memset(w->dirty, 0, w->shard_count * sizeof *w->dirty);
    p->shards = w->shards;
    p->dirty = w->dirty;
    p->shard_count = w->shard_count;
    p->former = w->former;
    p->former_count = w->former_count;
    w->x->exists = true;
}

/* What the head that is there lists, and the one that comes does not. */
static int sweep_before(const struct writing *w)
{
    struct sweep former = {.x = w->x,
                           .s = w->store,
                           .shards = w->shards,
                           .shard_count = w->shard_count};

    return sweep(&former);
}

static int write_all(struct writing *w, struct signer *key)
{
    const struct index_private *p = w->x->priv;
    struct index_out head = {.max = INDEX_HEAD_MAX};
    int result = -1;

    if (set_count(w, p->shard_count, false) < 0)
        return -1;
    memcpy(w->shards, p->shards, p->shard_count * sizeof *p->shards);
    memcpy(w->dirty, p->dirty, p->shard_count * sizeof *p->dirty);
    if (any_dirty(w) && write_shards(w) < 0)
        return -1;
    if (find_former(w) < 0 || sign_head(w, key, &head) < 0)
        goto out;
    if (w->x->priv->former_count && (may_replace(w) < 0 || sweep_before(w) < 0))
        goto out;
    result = put_head(w, &head);
out:
    index_out_release(&head);
    return result;
}

/* The time of an index does not go back, be it SOURCE_DATE_EPOCH's or that of a
 * clock that was reset: what was left then would look old enough to be pruned.
 * But what lies in the future was wrong. */
static uint64_t advance(uint64_t old, uint64_t now)
{
    return old > now && old <= (uint64_t)time(NULL) + DAY ? old : now;
}

static int write_next(struct index *x, struct store *s, struct signer *key,
                      uint64_t created)
{
    struct writing w = {.x = x, .store = s, .bytes = {.max = INDEX_SHARD_MAX}};
    uint64_t old_created = x->created;
    uint8_t old_key[OTA_KEY_ID];
    int result;

    memcpy(old_key, x->key_id, OTA_KEY_ID);
    created = advance(old_created, created);
    index_settle(x, created);
    x->generation++;
    x->created = created;
    memcpy(x->key_id, signer_public(key) + KEY_ID, OTA_KEY_ID);
    result = write_all(&w, key);
    if (result == 0) {
        adopt_written(&w);
    } else {
        x->generation--;
        x->created = old_created;
        memcpy(x->key_id, old_key, OTA_KEY_ID);
    }
    index_places_release(&w.places);
    index_out_release(&w.bytes);
    return result;
}

int index_write(struct index *x, struct store *s, struct signer *key,
                uint64_t created)
{
    if (write_next(x, s, key, created))
        return -1;
    index_keep(x, s);
    return 0;
}

/* All numbers of the head that is there, and all of ours, as used: there is one
 * intent a release, without a content that could be gone on with. */
static int burn(struct index *x, const struct index_private *ours)
{
    size_t count = x->intent_count, k;
    struct index_intent *list =
        calloc(count + ours->used_count + 1, sizeof *list);
    int result;

    if (!list)
        return diag_no_memory();
    for (size_t i = 0; i < count; i++) {
        list[i] = x->intents[i];
        memset(list[i].content, 0, OTA_HASH);
    }
    for (size_t i = 0; i < ours->used_count; i++) {
        const struct index_intent *t = &ours->used[i];

        for (k = 0; k < count && strcmp(list[k].release, t->release) != 0;)
            k++;
        if (k == count)
            list[count++] = *t;
        else if (t->version > list[k].version)
            list[k].version = t->version;
    }
    result = index_set_intents(x, list, count);
    free(list);
    return result;
}

/* Above whatever the other one may have written, and remember. */
enum { MARK_STEP = 1024, MARK_TRIES = 3 };

/* 1: another one was put meanwhile. */
static int try_mark(const struct index *ours, struct store *s,
                    struct signer *key, uint64_t created)
{
    struct index *x;
    int result = 0;

    if (index_fetch_head(s, signer_public(key), &x))
        return -1;
    if (x->exists && burn(x, ours->priv) < 0) {
        result = -1;
    } else if (x->exists) {
        x->doubt = true;
        memset(x->wanted, 0, OTA_HASH);
        x->generation += MARK_STEP;
        /* The other one may have looked just before, and replace it: then this
         * generation is not to be missed. */
        result = write_next(x, s, key, created);
        if (result == 0)
            index_learn(x, s);
        if (result && index_is_ours(x, s) == 0)
            result = 1;
    }
    index_free(x);
    return result;
}

static void mark_doubt(const struct index *ours, struct store *s,
                       struct signer *key, uint64_t created)
{
    unsigned tries = 0;

    while (try_mark(ours, s, key, created) == 1 && ++tries < MARK_TRIES)
        continue;
}

int index_unlock(const struct index *x, struct store *s, bool failed,
                 struct signer *key, uint64_t created)
{
    bool ours = s->ops->unlock(s);

    if (!x || !x->priv->begun ||
        (ours && (!failed || index_is_ours(x, s) != 0)))
        return failed ? -1 : 0;
    mark_doubt(x, s, key, created);
    return diag_error(DIAG_SERVER,
                      "somebody else has published to '%s' at the same time: "
                      "run 'ota-pack publish' again, which gives the devices "
                      "of both a higher version",
                      s->where);
}
