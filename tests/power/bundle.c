/* Bundles for the tests: see bundle.h.  Records go to segments in turn, so
 * that there are places to go on from, also within a file. */
#include "bundle.h"

#include "../unit/writer.h"

#include <stdlib.h>

/* With more records there are as many segments as there may be; up to so many
 * bytes of a segment the writer's own longest chunk does. */
enum { LARGE = 100, SMALL = 4000 };

static struct writer writers[2];

static struct writer *writer_of(unsigned signer)
{
    static const uint8_t seed[32] = {2};

    if (writers[0].manifest.version == 0) {
        writer_init(&writers[0]);
        writer_init(&writers[1]);
        memcpy(writers[1].public, "EdSECOND!!", 10);
        crypto_sign_seed_keypair(writers[1].public + 10, writers[1].secret,
                                 seed);
        memcpy(writers[1].manifest.key_id, writers[1].public + 2, OTA_KEY_ID);
    }
    return &writers[signer];
}

const uint8_t *bundle_key(unsigned signer)
{
    return writer_of(signer)->public;
}

void bundle_device(struct ota_device *device)
{
    memset(device, 0, sizeof(*device));
    memcpy(device->id, writer_of(0)->manifest.device, 8);
    device->id_len = 6;
    device->keys =
        (const uint8_t(*)[OTA_PUBLIC_KEY])(const void *)bundle_key(0);
    device->key_count = 1;
}

/* -- records ----------------------------------------------------------------
 */

static struct {
    uint8_t bytes[WRITER_SEGMENTS][BUNDLE_PAYLOAD];
    size_t len[WRITER_SEGMENTS];
    size_t segment, each; /* which, and records to one */
    size_t segments;      /* at most */
    bool halves;          /* a segment may start within a file */
    size_t records, space;
} out;

static void add(const void *bytes, size_t len)
{
    if (out.len[out.segment] + len > BUNDLE_PAYLOAD)
        abort();
    memcpy(out.bytes[out.segment] + out.len[out.segment], bytes, len);
    out.len[out.segment] += len;
}

static void add_v(size_t v)
{
    uint8_t byte;

    do {
        byte = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
        add(&byte, 1);
        v >>= 7;
    } while (v > 0);
}

static void next_segment(void)
{
    if (out.segment + 1 < out.segments && out.len[out.segment] > 0)
        out.segment++;
}

static size_t head_bytes(uint8_t *head, enum ota_type type,
                         const struct item *f)
{
    uint8_t hash[64];
    size_t at = 0, len = strlen(f->bytes);

    head[at++] = (uint8_t)type;
    if (type != OTA_BASE) {
        head[at++] = (uint8_t)f->mode;
        head[at++] = (uint8_t)(f->mode >> 8);
    }
    for (int i = 0; i < 4; i++)
        head[at++] = (uint8_t)(len >> (8 * i));
    crypto_hash_sha512(hash, (const uint8_t *)f->bytes, len);
    memcpy(head + at, hash, OTA_HASH);
    at += OTA_HASH;
    head[at++] = (uint8_t)strlen(f->path);
    return at;
}

static enum ota_type type_of(const struct item *f)
{
    return f->type ? f->type : OTA_FILE;
}

static void add_head(enum ota_type type, const struct item *f)
{
    uint8_t head[48];
    size_t len = head_bytes(head, type, f);

    add(head, len);
    add(f->path, strlen(f->path));
}

static void count_record(void)
{
    if (out.records % out.each == out.each - 1)
        next_segment();
    out.records++;
}

static void add_data(const char *bytes, size_t len)
{
    uint8_t type = OTA_DATA;

    if (len == 0)
        return;
    add(&type, 1);
    add_v(len);
    add(bytes, len);
}

/* Every other file has a segment start in its middle. */
static void add_whole(const struct item *f)
{
    size_t len = strlen(f->bytes),
           half = out.halves && out.records % 2 ? len / 2 : 0;

    add_head(type_of(f), f);
    out.space += type_of(f) == OTA_FILE ? len : 0;
    add_data(f->bytes, half);
    if (half)
        next_segment();
    add_data(f->bytes + half, len - half);
    count_record();
}

/* The new bytes as those of the base, where both are as long, and a rest. */
static void add_patch(const struct item *f, const struct item *base)
{
    const char *a = base->bytes, *b = f->bytes;
    size_t n = strlen(a) < strlen(b) ? strlen(a) : strlen(b), i = 0, run;
    uint8_t copy[2] = {OTA_COPY, 0};

    add_head(type_of(f), f);
    out.space += type_of(f) == OTA_FILE ? strlen(b) : 0;
    add_head(OTA_BASE, base);
    add(copy, 2);
    add_v(n);
    while (i < n) {
        for (run = 0; i + run < n && a[i + run] == b[i + run];)
            run++;
        add_v(run);
        i += run;
        for (run = 0; i + run < n && a[i + run] != b[i + run];)
            run++;
        if (run == 0)
            break;
        add_v(run);
        for (size_t k = 0; k < run; k++, i++) {
            uint8_t diff = (uint8_t)(b[i] - a[i]);

            add(&diff, 1);
        }
    }
    add_data(b + n, strlen(b) - n);
    count_record();
}

static void add_delete(const char *path)
{
    uint8_t head[2] = {OTA_DELETE, (uint8_t)strlen(path)};

    add(head, sizeof(head));
    add(path, strlen(path));
    count_record();
}

/* -- payloads ---------------------------------------------------------------
 */

static int order(const struct item *a, const struct item *b)
{
    if (type_of(a) != type_of(b))
        return type_of(a) == OTA_SLOT ? -1 : 1;
    return ota_path_compare(a->path, strlen(a->path), b->path, strlen(b->path));
}

static const struct item *in_set(const struct set *set, const struct item *f)
{
    for (size_t i = 0; set && i < set->count; i++) {
        if (order(&set->item[i], f) == 0)
            return &set->item[i];
    }
    return NULL;
}

static void add_item(const struct item *f, const struct item *base)
{
    bool same = base && strcmp(base->bytes, f->bytes) == 0;

    if (same && base->mode == f->mode && strcmp(base->path, f->path) == 0)
        return;
    if (base && base->bytes[0] && f->bytes[0])
        add_patch(f, base);
    else
        add_whole(f);
}

/* What goes: of the old set, and whatever else was asked for; in order. */
static size_t list_deletes(const struct set *set,
                           const struct bundle_options *o, struct item *gone)
{
    size_t count = 0, i, k;

    for (i = 0; o->base_set && i < o->base_set->count; i++) {
        const struct item *f = &o->base_set->item[i];

        if (type_of(f) == OTA_FILE && !in_set(set, f))
            gone[count++] = *f;
    }
    for (i = 0; i < o->delete_count; i++) {
        struct item extra = {o->deletes[i], "", 0, OTA_FILE};

        for (k = count++; k > 0 && order(&gone[k - 1], &extra) > 0; k--)
            gone[k] = gone[k - 1];
        gone[k] = extra;
    }
    return count;
}

static void add_records(const struct set *set, const struct bundle_options *o,
                        const struct set *base)
{
    static struct item gone[2048];
    size_t count = list_deletes(set, o, gone), i = 0, k = 0;

    while (i < set->count || k < count) {
        if (k == count ||
            (i < set->count && order(&set->item[i], &gone[k]) < 0)) {
            add_item(&set->item[i], in_set(base, &set->item[i]));
            i++;
        } else {
            add_delete(gone[k++].path);
        }
    }
}

static void make_payload(struct bundle *b, const struct set *set,
                         const struct bundle_options *o, bool delta)
{
    static uint8_t packed[WRITER_MAX];
    struct writer *w = writer_of(o->signer);
    struct ota_alternative *a = &w->alt[w->manifest.alternatives];
    const uint8_t *segments[WRITER_SEGMENTS];
    uint8_t keys[2] = {OTA_KEYS_RECORD, (uint8_t)o->key_count};
    unsigned which = w->manifest.alternatives;

    memset(&out, 0, sizeof(out));
    out.halves = set->count <= LARGE;
    out.segments = set->count > LARGE ? WRITER_SEGMENTS : 4;
    out.each = set->count / (out.segments - 1) + 1;
    if (o->key_count > 0) {
        add(keys, 2);
        add(o->keys, o->key_count * OTA_PUBLIC_KEY);
    }
    add_records(set, o,
                !delta          ? NULL
                : o->other_base ? o->other_base
                                : o->base_set);
    add("\0", 1);
    memset(a, 0, sizeof(*a));
    for (int i = 0; i < WRITER_SEGMENTS; i++) {
        segments[i] = out.bytes[i];
        if (out.len[i] > SMALL)
            a->chunk_max = OTA_CHUNK_MAX;
    }
    a->records = (uint16_t)out.records;
    a->space = (uint32_t)out.space;
    if (delta)
        memcpy(a->base, o->base->release, OTA_DIGEST);
    b->payload_len[which] =
        writer_payload(w, segments, out.len, out.segment + 1, packed);
    if (b->payload_len[which] > BUNDLE_PAYLOAD)
        abort();
    memcpy(b->payload[which], packed, b->payload_len[which]);
}

static void make_digest(struct bundle *b, const struct set *set)
{
    crypto_hash_sha512_state state;
    uint8_t head[48], hash[64];

    crypto_hash_sha512_init(&state);
    for (size_t i = 0; i < set->count; i++) {
        const struct item *f = &set->item[i];
        size_t len = head_bytes(head, type_of(f), f);

        crypto_hash_sha512_update(&state, head, len);
        crypto_hash_sha512_update(&state, (const uint8_t *)f->path,
                                  strlen(f->path));
    }
    crypto_hash_sha512_final(&state, hash);
    memcpy(b->release, hash, OTA_DIGEST);
}

void bundle_make(struct bundle *b, const struct set *set,
                 const struct bundle_options *o)
{
    struct writer *w = writer_of(o->signer);

    memset(b, 0, sizeof(*b));
    w->manifest.alternatives = 0;
    w->manifest.version = o->version;
    if (o->base)
        make_payload(b, set, o, true);
    make_payload(b, set, o, false);
    make_digest(b, set);
    if (o->spoil)
        b->release[0] ^= 1;
    memcpy(w->manifest.release, b->release, OTA_DIGEST);
    b->alternatives = w->manifest.alternatives;
    b->manifest_len = writer_manifest(w, b->manifest);
}
