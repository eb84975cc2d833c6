/* What was published before a new base: devices take only what is above it. */
#include <stdlib.h>
#include <string.h>

#include "bundle/format.h"
#include "index_private.h"

/* Whatever shards are whole. */
static int take_shard(void *ctx, size_t shard)
{
    struct index_reading *r = ctx;
    const char *bad;
    int result = index_try_shard(r->x, r->s, shard, true, &bad);

    r->whole &= result == 0;
    return result < 0 ? -1 : 0;
}

/* *whole: all of them are. */
static int read_shards(struct index *x, struct store *s, bool *whole)
{
    struct index_reading r = {.x = x, .s = s, .whole = *whole};
    const struct store_each each = {
        .ask = index_ask_shard, .take = take_shard, .ctx = &r};
    int result = store_each(&each, 0, x->priv->shard_count);

    *whole = r.whole;
    return result;
}

/* 1: the head is ours, 0: it is not, or there is none; -1 (reported). */
static int look_at_head(struct store *s, const uint8_t *key,
                        struct index_old *out)
{
    uint8_t *bytes;
    size_t len;
    int result = index_find_head(s, key, &bytes, &len);

    if (result <= 0)
        return result;
    result = index_is_head(bytes, len, key);
    if (!result && index_is_head(bytes, len, NULL)) {
        memcpy(out->key_id, bytes + INDEX_KEY_ID, OTA_KEY_ID);
        out->other = memcmp(out->key_id, key + KEY_ID, OTA_KEY_ID) != 0;
    }
    free(bytes);
    return result;
}

int index_read_old(struct store *s, const uint8_t *key, struct index_old *out)
{
    uint32_t seen = s->memory ? index_remembered(s) : 0;
    bool whole = true;
    int ours;

    *out = (struct index_old){.above = seen};
    if (index_hash_head(s, out->head))
        return -1;
    ours = look_at_head(s, key, out);
    if (ours <= 0)
        return ours;
    if (index_fetch_head(s, key, &out->index) ||
        read_shards(out->index, s, &whole))
        return -1;
    if (!whole)
        diag_warning("not all of the index in '%s' can be read: versions go on "
                     "above those that can, and those of the manifests",
                     s->where);
    else if (index_highest(out->index) >= seen)
        out->above = 0;
    return 0;
}

void index_old_release(struct index_old *old)
{
    index_free(old->index);
    old->index = NULL;
}

uint32_t index_old_highest(const struct index_old *old)
{
    uint32_t highest = old->index ? index_highest(old->index) : 0;

    return highest > old->above ? highest : old->above;
}
