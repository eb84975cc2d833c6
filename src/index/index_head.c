/* The head: signed, small, read before anything else.  Nothing of it is used
 * before the signature is known to be good. */
#include <stdlib.h>
#include <string.h>
#include "bundle/crypto.h"
#include "index_private.h"

static const char magic[4] = {'O', 'T', 'A', 'I'};

int index_damaged(const char *where, const char *what, const char *bad)
{
    return diag_error(DIAG_SERVER,
                      "the index in '%s' is damaged (%s: %s): " INDEX_CURE,
                      where, what, bad);
}

static int other_key(struct store *s, const uint8_t *theirs,
                     const uint8_t *ours)
{
    char a[KEYS_ID_TEXT], b[KEYS_ID_TEXT];
    char above[32] = "the highest that devices have";
    uint32_t version = s->memory ? index_remembered(s) : 0;

    keys_id_text(theirs, a);
    keys_id_text(ours, b);
    if (version)
        snprintf(above, sizeof above, "%lu", (unsigned long)version);
    return diag_error(DIAG_KEY,
                      "'%s' was published with key %s, and this is key %s: "
                      "devices refuse this key until its public half is put on "
                      "each by hand: put the old key back; only if it is lost: "
                      "'ota-pack publish --new-base', with 'version' above %s",
                      s->where, a, b, above);
}

/* What must hold before the signature can be looked for. */
static const char *check_frame(const uint8_t *bytes, size_t len)
{
    struct index_in in = {bytes, bytes + len, NULL};

    if (len < INDEX_HEAD_FIXED + INDEX_SIGNATURE)
        return "it ends too early";
    if (memcmp(bytes, magic, sizeof magic) != 0)
        return "it does not begin as one";
    if (bytes[4] != INDEX_FORMAT)
        return "it is of a format that this ota-pack does not know";
    index_in_bytes(&in, 8);
    if (index_in_u32(&in) != len)
        return "it is cut off, or something follows it";
    return NULL;
}

size_t index_head_size(const uint8_t *bytes, size_t len)
{
    struct index_in in = {bytes, bytes + len, NULL};
    size_t size;

    if (len < 12 || memcmp(bytes, magic, sizeof magic) != 0)
        return 1;
    index_in_bytes(&in, 8);
    size = index_in_u32(&in);
    return size && size <= INDEX_HEAD_MAX ? size : 1;
}

bool index_is_head(const uint8_t *bytes, size_t len, const uint8_t *key)
{
    size_t signed_len = len - INDEX_SIGNATURE;

    if (check_frame(bytes, len))
        return false;
    return !key || (memcmp(bytes + INDEX_KEY_ID, key + 2, OTA_KEY_ID) == 0 &&
                    ota_verify(bytes + signed_len, bytes, signed_len,
                               key + 2 + OTA_KEY_ID));
}

static int check_signature(const uint8_t *bytes, size_t len, const uint8_t *key,
                           struct store *s)
{
    const char *bad = check_frame(bytes, len);
    size_t signed_len = len - INDEX_SIGNATURE;

    if (bad)
        return index_damaged(s->where, "head", bad);
    if (memcmp(bytes + INDEX_KEY_ID, key + 2, OTA_KEY_ID) != 0)
        return other_key(s, bytes + INDEX_KEY_ID, key + 2);
    if (!ota_verify(bytes + signed_len, bytes, signed_len,
                    key + 2 + OTA_KEY_ID))
        return index_damaged(s->where, "head", "its signature is wrong");
    return 0;
}

/* The fields from `base id` on, in front of the lists. */
static void get_fields(struct index *x, struct index_in *in)
{
    index_in_copy(in, x->base_id, sizeof x->base_id);
    x->generation = index_in_u64(in);
    x->created = index_in_u64(in);
    index_in_copy(in, x->key_id, OTA_KEY_ID);
    index_in_copy(in, x->wanted, OTA_HASH);
    x->refresh = index_in_u64(in);
    index_in_copy(in, x->run_id, sizeof x->run_id);
    x->intent_count = index_in_u16(in);
    if (index_in_u16(in))
        index_in_fail(in, "a reserved byte is not zero");
    if (!x->generation)
        index_in_fail(in, "its generation is 0");
}

static void get_ref(struct index_in *in, struct index_ref *ref)
{
    static const struct index_ref empty;

    index_in_copy(in, ref->name, OTA_HASH);
    ref->stored = index_in_u32(in);
    ref->size = index_in_u32(in);
    if (memcmp(ref, &empty, sizeof empty) == 0)
        return;
    if (!ref->stored || ref->stored > INDEX_SHARD_MAX || !ref->size ||
        ref->size > INDEX_SHARD_MAX)
        index_in_fail(in, "a shard's size is out of range");
}

static int get_shards(struct index_private *p, struct index_in *in)
{
    size_t former = p->former_count;

    p->shards = arena_array(&p->arena, p->shard_count, sizeof *p->shards);
    p->dirty = arena_array(&p->arena, p->shard_count, sizeof *p->dirty);
    p->former = arena_array(&p->arena, former + 1, sizeof *p->former);
    if (!p->shards || !p->dirty || !p->former)
        return -1;
    for (size_t i = 0; i < p->shard_count; i++)
        get_ref(in, &p->shards[i]);
    for (size_t i = 0; i < former; i++) {
        index_in_copy(in, p->former[i].bytes, OTA_HASH);
        if (i &&
            memcmp(p->former[i - 1].bytes, p->former[i].bytes, OTA_HASH) >= 0)
            index_in_fail(in, "former shards are out of order");
    }
    return 0;
}

static int get_intents(struct index *x, struct index_in *in)
{
    const char *last = NULL;

    x->intents =
        arena_array(&x->priv->arena, x->intent_count + 1, sizeof *x->intents);
    if (!x->intents)
        return -1;
    for (size_t i = 0; i < x->intent_count; i++) {
        struct index_intent *t = &x->intents[i];
        const char *name;
        size_t len;

        t->version = index_in_u32(in);
        t->created = index_in_u64(in);
        t->expires = index_in_u64(in);
        index_in_copy(in, t->content, OTA_HASH);
        name = index_in_text(in, 1, INDEX_NAME_MAX, &len);
        if (!name)
            break;
        if (!(t->release = index_string(x, name, len)))
            return -1;
        if ((last && strcmp(last, t->release) >= 0) || t->version < 1 ||
            t->version > INDEX_VERSION_MAX)
            index_in_fail(in, "intents are out of order");
        last = t->release;
    }
    return 0;
}

static bool has_run(const struct index *x)
{
    static const uint8_t none[sizeof x->run_id];

    return memcmp(x->run_id, none, sizeof none) != 0;
}

static int get_all(struct index *x, struct index_in *in)
{
    struct index_private *p = x->priv;
    unsigned flags;

    index_in_bytes(in, 5);
    flags = index_in_u8(in);
    x->doubt = flags & INDEX_DOUBT;
    if (flags & ~(unsigned)INDEX_DOUBT)
        index_in_fail(in, "a flag that this ota-pack does not know");
    if (index_in_u16(in))
        index_in_fail(in, "a reserved byte is not zero");
    index_in_u32(in);
    p->shard_count = index_in_u16(in);
    p->former_count = index_in_u16(in);
    get_fields(x, in);
    if (p->shard_count < 1 || p->shard_count > INDEX_SHARDS_MAX ||
        (p->shard_count & (p->shard_count - 1)) ||
        p->former_count > INDEX_FORMER_MAX)
        index_in_fail(in, "its number of shards is out of range");
    if (has_run(x) != (x->intent_count > 0))
        index_in_fail(in, "intents and run id do not agree");
    if (in->bad)
        return 0;
    if (get_shards(p, in) < 0 || get_intents(x, in) < 0)
        return -1;
    if (in->at != in->end)
        index_in_fail(in, "something follows its end");
    return 0;
}

int index_decode_head(struct index *x, const uint8_t *bytes, size_t len,
                      const uint8_t *key, struct store *s)
{
    struct index_in in = {bytes, bytes + len, NULL};

    if (check_signature(bytes, len, key, s) < 0)
        return -1;
    in.end -= INDEX_SIGNATURE;
    if (get_all(x, &in) < 0)
        return -1;
    if (in.bad)
        return index_damaged(s->where, "head", in.bad);
    index_hash(bytes, len, x->priv->head);
    x->exists = true;
    return 0;
}

static void put_fields(struct index_out *o, const struct index *x)
{
    index_out_bytes(o, x->base_id, sizeof x->base_id);
    index_out_u64(o, x->generation);
    index_out_u64(o, x->created);
    index_out_bytes(o, x->key_id, OTA_KEY_ID);
    index_out_bytes(o, x->wanted, OTA_HASH);
    index_out_u64(o, x->refresh);
    index_out_bytes(o, x->run_id, sizeof x->run_id);
    index_out_u16(o, (unsigned)x->intent_count);
    index_out_u16(o, 0);
}

static void put_intents(struct index_out *o, const struct index *x)
{
    for (size_t i = 0; i < x->intent_count; i++) {
        const struct index_intent *t = &x->intents[i];

        index_out_u32(o, t->version);
        index_out_u64(o, t->created);
        index_out_u64(o, t->expires);
        index_out_bytes(o, t->content, OTA_HASH);
        index_out_text(o, t->release);
    }
}

static int put_signature(struct index_out *o, struct signer *key)
{
    size_t len = o->len;
    struct signer_job job = {.len = len};

    index_out_zeros(o, INDEX_SIGNATURE);
    if (o->full)
        return diag_error(DIAG_FAILED,
                          "too many releases are published at once for the "
                          "index: publish some of them by name");
    for (unsigned i = 0; i < 4; i++)
        o->bytes[8 + i] = (uint8_t)(o->len >> 8 * i);
    job.message = o->bytes;
    job.signature = o->bytes + len;
    return signer_sign(key, &job, 1);
}

int index_encode_head(const struct index *x, const struct index_ref *shards,
                      size_t shard_count, const struct index_name *former,
                      size_t former_count, struct signer *key,
                      struct index_out *o)
{
    index_out_bytes(o, magic, sizeof magic);
    index_out_u8(o, INDEX_FORMAT);
    index_out_u8(o, x->doubt ? INDEX_DOUBT : 0);
    index_out_zeros(o, 6);
    index_out_u16(o, (unsigned)shard_count);
    index_out_u16(o, (unsigned)former_count);
    put_fields(o, x);
    for (size_t i = 0; i < shard_count; i++) {
        index_out_bytes(o, shards[i].name, OTA_HASH);
        index_out_u32(o, shards[i].stored);
        index_out_u32(o, shards[i].size);
    }
    for (size_t i = 0; i < former_count; i++)
        index_out_bytes(o, former[i].bytes, OTA_HASH);
    put_intents(o, x);
    if (x->intent_count > UINT16_MAX)
        o->full = true;
    return put_signature(o, key);
}
