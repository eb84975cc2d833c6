/* The head as it lies on the server. */
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "index_private.h"

void index_object(const uint8_t name[OTA_HASH], char out[INDEX_OBJECT])
{
    memcpy(out, "index/", 6);
    hex_encode(name, OTA_HASH, out + 6);
}

void index_replace(struct index *x, const struct index_old *old)
{
    memcpy(x->priv->head, old->head, OTA_HASH);
}

/* The head, or where it is cut or damaged, its copy, if that one is good:
 * store_remote_put.c.  `key` NULL: as far as can be told without.  `cut`: one
 * that is cut is damaged; else it may be so on its way alone.  As
 * store_ops.get. */
static int get_head(struct store *s, const uint8_t *key, bool cut,
                    uint8_t **bytes, size_t *len)
{
    int result = s->ops->get(s, INDEX_HEAD_NAME, INDEX_HEAD_MAX, bytes, len);
    uint8_t *copy;
    size_t copy_len;

    if (result == STORE_LONG &&
        store_is_strange(s, INDEX_HEAD_NAME, 1, INDEX_HEAD_MAX))
        return -1;
    if (result || index_is_head(*bytes, *len, key))
        return result;
    if (store_is_strange(s, INDEX_HEAD_NAME,
                         cut ? 0 : index_head_size(*bytes, *len), *len)) {
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

int index_find_head(struct store *s, const uint8_t *key, uint8_t **bytes,
                    size_t *len)
{
    int result = get_head(s, key, true, bytes, len);

    return result < 0 ? -1 : result == 0;
}

int index_hash_head(struct store *s, uint8_t hash[OTA_HASH])
{
    uint8_t *bytes;
    size_t len;
    int result = index_find_head(s, NULL, &bytes, &len);

    memset(hash, 0, OTA_HASH);
    if (result <= 0)
        return result;
    index_hash(bytes, len, hash);
    free(bytes);
    return 0;
}

int index_fetch_head(struct store *s, const uint8_t *key, struct index **out)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    int result = get_head(s, key, false, &bytes, &len);
    struct index *x;

    *out = NULL;
    if (result == STORE_MISSING)
        return index_new(out);
    if (result < 0)
        return -1;
    if (result == STORE_LONG)
        return index_damaged(s->where, "head", "it is too large");
    x = index_allocate();
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
    uint8_t hash[OTA_HASH];

    if (index_hash_head(s, hash))
        return -1;
    /* a damaged head is read from its copy, which may be the new one already;
     * and a put that failed may have replaced it all the same */
    return memcmp(hash, p->head, OTA_HASH) == 0 ||
           (p->begun && memcmp(hash, p->next, OTA_HASH) == 0);
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
