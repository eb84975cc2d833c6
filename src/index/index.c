/* The shards read. */
#include <stdlib.h>
#include <string.h>
#include "base/deflate.h"
#include "index_private.h"

static const char missing[] = "it is missing";

/* The shard's stored bytes, known to be what the head names.  0; 1 with *bad;
 * -1 (reported). */
static int get_shard(const struct index_ref *ref, struct store *s, bool cut,
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
    *bad =
        result == STORE_MISSING ? missing : "its content does not fit its name";
    if (result == STORE_MISSING)
        return 1;
    if (result == 0)
        index_hash(*bytes, len, hash);
    if (result == 0 && len == ref->stored &&
        memcmp(hash, ref->name, OTA_HASH) == 0)
        return 0;
    free(*bytes);
    *bytes = NULL;
    return store_is_strange(s, name, cut ? 0 : ref->stored,
                            result ? ref->stored : len)
               ? -1
               : 1;
}

int index_try_shard(struct index *x, struct store *s, size_t shard, bool cut,
                    const char **bad)
{
    const struct index_ref *ref = &x->priv->shards[shard];
    uint8_t *stored, *bytes;
    size_t len;
    int result;

    if (!ref->size)
        return 0;
    result = get_shard(ref, s, cut, &stored, bad);
    if (result)
        return result;
    result = 1;
    *bad = "it does not inflate";
    if (deflate_reverse(stored, ref->stored, ref->size, &bytes, &len) == 0) {
        *bad = "its size is another";
        if (len == ref->size)
            result = index_decode_shard(x, shard, bytes, len, bad);
        free(bytes);
    }
    free(stored);
    return result;
}

size_t index_ask_shard(void *ctx, size_t shard)
{
    const struct index_reading *r = ctx;
    const struct index_ref *ref = &r->x->priv->shards[shard];
    char name[INDEX_OBJECT];

    index_object(ref->name, name);
    if (ref->size)
        store_ahead(r->s, STORE_GET, name, ref->stored);
    return 0;
}

static int read_shard(void *ctx, size_t shard)
{
    const struct index_reading *r = ctx;
    struct index *x = r->x;
    struct store *s = r->s;
    const char *bad = NULL;
    char name[INDEX_OBJECT];
    int result = index_try_shard(x, s, shard, false, &bad);

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

int index_read_shards(struct index *x, struct store *s)
{
    struct index_private *p = x->priv;
    struct index_reading r = {.x = x, .s = s};
    const struct store_each each = {
        .ask = index_ask_shard, .take = read_shard, .ctx = &r};

    if (p->loaded)
        return 0;
    if (store_each(&each, 0, p->shard_count))
        return -1;
    for (size_t i = 0; i < p->release_count; i++)
        if (!p->releases[i]->listed)
            return index_damaged(s->where, "shards",
                                 "a release that devices have is missing");
    p->loaded = true;
    index_learn(x, s);
    return 0;
}
