/* The index as publishing sees it: head and shards read, entries looked up
 * and changed. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/utf8.h"
#include "index_private.h"

static struct index *allocate(void)
{
    struct index *x = calloc(1, sizeof *x);

    if (x && !(x->priv = calloc(1, sizeof *x->priv))) {
        free(x);
        x = NULL;
    }
    if (!x)
        diag_no_memory();
    return x;
}

/* One empty shard, and nobody's base. */
static int make_empty(struct index *x)
{
    struct index_private *p = x->priv;

    if (getentropy(x->base_id, sizeof x->base_id) < 0)
        return diag_error(DIAG_FAILED, "the system gives no random bytes");
    p->shard_count = 1;
    p->shards = arena_alloc(&p->arena, sizeof *p->shards);
    p->dirty = arena_alloc(&p->arena, sizeof *p->dirty);
    p->loaded = true;
    return p->shards && p->dirty ? 0 : -1;
}

int index_new(struct index **out)
{
    struct index *x = allocate();

    *out = NULL;
    if (!x || make_empty(x) < 0) {
        index_free(x);
        return -1;
    }
    *out = x;
    return 0;
}

/* The head, or where it is cut or damaged, its copy, if that one is good:
 * store_remote_put.c.  `key` NULL: as far as can be told without.  As
 * store_ops.get. */
static int get_head(struct store *s, const uint8_t *key, uint8_t **bytes,
                    size_t *len)
{
    int result = store_get(s, INDEX_HEAD_NAME, INDEX_HEAD_MAX, bytes, len);
    uint8_t *copy;
    size_t copy_len;

    if (result || index_is_head(*bytes, *len, key))
        return result;
    if (store_is_strange(s, INDEX_HEAD_NAME, index_head_size(*bytes, *len),
                         *len)) {
        free(*bytes);
        *bytes = NULL;
        return -1;
    }
    result =
        store_get(s, INDEX_HEAD_NAME ".new", INDEX_HEAD_MAX, &copy, &copy_len);
    if (result == 0 && index_is_head(copy, copy_len, key)) {
        free(*bytes);
        *bytes = copy;
        *len = copy_len;
    } else if (result == 0) {
        free(copy);
    }
    if (result < 0)
        free(*bytes);
    return result < 0 ? -1 : 0;
}

/* One that is too large is none, and no failure of the server's. */
static int is_too_large(struct store *s)
{
    uint8_t *bytes;
    size_t len;
    int result = s->ops->get(s, INDEX_HEAD_NAME, INDEX_HEAD_MAX, &bytes, &len);

    free(bytes);
    if (result != STORE_LONG)
        return result < 0 ? -1 : 0;
    return store_is_strange(s, INDEX_HEAD_NAME, 1, INDEX_HEAD_MAX) ? -1 : 1;
}

int index_find_head(struct store *s, const uint8_t *key, uint8_t **bytes,
                    size_t *len)
{
    int result = is_too_large(s);

    *bytes = NULL;
    if (!result)
        result = get_head(s, key, bytes, len);
    return result < 0 ? -1 : *bytes != NULL;
}

int index_fetch_head(struct store *s, const uint8_t *key, struct index **out)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int result = get_head(s, key, &bytes, &len);
    struct index *x;

    *out = NULL;
    if (result == STORE_MISSING)
        return index_new(out);
    if (result < 0)
        return -1;
    x = allocate();
    if (!x || index_decode_head(x, bytes, len, key, s) < 0) {
        index_free(x);
        x = NULL;
    }
    free(bytes);
    *out = x;
    return x ? 0 : -1;
}

int index_is_ours(const struct index *x, struct store *s)
{
    const struct index_private *p = x->priv;
    uint8_t *bytes = NULL, hash[OTA_HASH] = {0};
    size_t len = 0;
    int result = get_head(s, NULL, &bytes, &len);

    if (result < 0)
        return -1;
    if (result == STORE_MISSING)
        return !x->exists;
    index_hash(bytes, len, hash);
    free(bytes);
    /* a damaged head is read from its copy, which may be the new one already */
    return memcmp(hash, p->next, OTA_HASH) == 0 ||
           (x->exists && memcmp(hash, p->head, OTA_HASH) == 0);
}

int index_confirm(const struct index *x, struct store *s)
{
    int ours = index_is_ours(x, s);

    if (ours < 0)
        return -1;
    if (ours && store_lost(s))
        return diag_error(DIAG_SERVER,
                          "somebody else took the lock of '%s' from this run "
                          "('--break-lock'): run the same command again when "
                          "that one has ended",
                          s->where);
    if (ours)
        return 0;
    return diag_error(DIAG_SERVER,
                      "somebody else has published to '%s' meanwhile: run the "
                      "same command again",
                      s->where);
}

static const char missing[] = "it is missing";

/* The shard's stored bytes, known to be what the head names.  0; 1 with *bad;
 * -1 (reported). */
static int get_shard(const struct index_ref *ref, struct store *s,
                     uint8_t **bytes, const char **bad)
{
    char name[INDEX_OBJECT];
    uint8_t hash[OTA_HASH];
    size_t len;
    int result;

    index_object(ref->name, name);
    result = s->ops->get(s, name, ref->stored, bytes, &len);
    if (result < 0)
        return -1;
    *bad = result == STORE_MISSING ? missing : "its content is not its name";
    if (result == STORE_MISSING)
        return 1;
    if (result == 0)
        index_hash(*bytes, len, hash);
    if (result == 0 && len == ref->stored &&
        memcmp(hash, ref->name, OTA_HASH) == 0)
        return 0;
    free(*bytes);
    *bytes = NULL;
    return store_is_strange(s, name, ref->stored, result ? ref->stored : len)
               ? -1
               : 1;
}

int index_try_shard(struct index *x, struct store *s, size_t shard,
                    const char **bad)
{
    const struct index_ref *ref = &x->priv->shards[shard];
    uint8_t *stored, *bytes;
    size_t len;
    int result;

    if (!ref->size)
        return 0;
    result = get_shard(ref, s, &stored, bad);
    if (result)
        return result;
    result = 1;
    *bad = "it does not inflate";
    if (payload_inflate(stored, ref->stored, ref->size, &bytes, &len) == 0) {
        *bad = "its size is another";
        if (len == ref->size)
            result = index_decode_shard(x, shard, bytes, len, bad);
        free(bytes);
    }
    free(stored);
    return result;
}

static int read_shard(struct index *x, struct store *s, size_t shard)
{
    const char *bad = NULL;
    char name[INDEX_OBJECT];
    int result = index_try_shard(x, s, shard, &bad);

    if (result <= 0)
        return result;
    index_object(x->priv->shards[shard].name, name);
    if (bad == missing)
        return diag_error(DIAG_SERVER,
                          "'%s/%s' is missing: if somebody publishes there "
                          "just now, try again; else " INDEX_CURE,
                          s->where, name);
    return index_damaged(s->where, name, bad);
}

void index_ask_ahead(const struct index *x, struct store *s, size_t first)
{
    const struct index_private *p = x->priv;
    char name[INDEX_OBJECT];

    for (size_t i = first; i < p->shard_count && i < first + STORE_AHEAD; i++) {
        const struct index_ref *ref = &p->shards[i];

        if (!ref->size)
            continue;
        index_object(ref->name, name);
        store_ahead(s, STORE_GET, name, ref->stored);
    }
}

int index_read_shards(struct index *x, struct store *s)
{
    struct index_private *p = x->priv;

    if (p->loaded)
        return 0;
    for (size_t i = 0; i < p->shard_count; i++) {
        if (i % STORE_AHEAD == 0)
            index_ask_ahead(x, s, i);
        if (read_shard(x, s, i) < 0)
            return -1;
    }
    for (size_t i = 0; i < p->release_count; i++)
        if (!p->releases[i]->listed)
            return index_damaged(s->where, "shards",
                                 "a release that devices have is missing");
    p->loaded = true;
    index_learn(x, s);
    return 0;
}

static uint32_t higher(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

uint32_t index_highest(const struct index *x)
{
    const struct index_private *p = x->priv;
    uint32_t highest = 0;

    for (size_t i = 0; i < p->release_count; i++) {
        const struct index_release *r = &p->releases[i]->release;

        if (r->version_count)
            highest =
                higher(highest, r->versions[r->version_count - 1].version);
    }
    for (size_t i = 0; i < p->device_count; i++)
        highest = higher(highest, p->order[i]->version);
    for (size_t i = 0; i < x->intent_count; i++)
        highest = higher(highest, x->intents[i].version);
    return highest;
}

struct index_release *index_release(const struct index *x, const char *name)
{
    struct index_release_entry *e = index_find_release(x, name);

    return e ? &e->release : NULL;
}

size_t index_release_count(const struct index *x)
{
    return x->priv->release_count;
}

struct index_release *index_release_at(const struct index *x, size_t i)
{
    return &x->priv->releases[i]->release;
}

size_t index_device_count(const struct index *x)
{
    return x->priv->device_count;
}

static int by_id(const void *a, const void *b)
{
    return device_id_compare(&(*(struct index_device *const *)a)->id,
                             &(*(struct index_device *const *)b)->id);
}

struct index_device *index_device_at(const struct index *x, size_t i)
{
    struct index_private *p = x->priv;

    if (!p->sorted) {
        qsort(p->order, p->device_count, sizeof(struct index_device *), by_id);
        p->sorted = true;
    }
    return p->order[i];
}

size_t index_retired_count(const struct index *x)
{
    return x->priv->retired_count;
}

const struct index_retired *index_retired_at(const struct index *x, size_t i)
{
    return &x->priv->retired[i].retired;
}

struct index_version *index_version(const struct index_release *r,
                                    uint32_t version)
{
    size_t low = 0, high = r ? r->version_count : 0;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (r->versions[mid].version == version)
            return &r->versions[mid];
        if (r->versions[mid].version < version)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

void index_free(struct index *x)
{
    if (!x)
        return;
    index_table_release(x->priv);
    free(x->priv);
    free(x);
}
