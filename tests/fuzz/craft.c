/* Makes bundles around what a fuzzer says.  A signature and a hash chain stop
 * nearly all bytes, so an input is a manifest that is then signed, deflate
 * streams, or records whose hashes are mended. */
#include "craft.h"
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

/* The stream of records, its segments, and what mending it found. */
struct stream {
    uint8_t bytes[INPUT_MAX];
    size_t ends[CHUNKS_MAX]; /* of segments */
    size_t count;
    uint32_t space;
    uint16_t records;
    crypto_hash_sha512_state release;
};

/* The file that a walk through the records is in. */
struct walk {
    uint8_t *record; /* NULL: none */
    size_t record_len;
    uint32_t left;
    uint32_t base_len;
    uint32_t base_pos;
    crypto_hash_sha512_state content;
};

struct chunk {
    size_t at, len; /* data on the wire, without the link */
    bool segment;
};

const uint8_t craft_device[8] = {0x24, 0x6f, 0x28, 0xaa, 0xbb, 0x01};
const uint8_t craft_key_id[OTA_KEY_ID] = "fuzzing";
static const uint8_t seed[32] = "a fixed key";
const uint8_t craft_device_key[OTA_DEVICE_KEY] = "a device key";
static const uint8_t payload_key[OTA_DEVICE_KEY] = "a payload key";
const uint8_t craft_installed[OTA_DIGEST] = "what is there";
uint8_t craft_public_key[1][OTA_PUBLIC_KEY] = {"Ed"};
static uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
uint8_t craft_base[BASE_LEN];

void craft_broken(const char *what, int line)
{
    fprintf(stderr, "line %d: the reader broke: %s\n", line, what);
    abort();
}

void craft_init(void)
{
    static bool done;

    if (done)
        return;
    require(sodium_init() >= 0);
    crypto_sign_seed_keypair(craft_public_key[0] + 10, secret_key, seed);
    memcpy(craft_public_key[0] + 2, craft_key_id, sizeof craft_key_id);
    for (size_t i = 0; i < BASE_LEN; i++)
        craft_base[i] = (uint8_t)(i * 7 ^ i >> 5);
    done = true;
}

void craft_hash(const uint8_t *buf, size_t len, uint8_t out[OTA_HASH])
{
    uint8_t full[crypto_hash_sha512_BYTES];

    crypto_hash_sha512(full, buf, len);
    memcpy(out, full, OTA_HASH);
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

/* ---- records: hashes mended, so that contents get past them ---- */

static size_t varint(const uint8_t *p, size_t len, uint32_t *v)
{
    size_t i;

    *v = 0;
    for (i = 0; i < len && i < 5; i++) {
        *v |= (uint32_t)(p[i] & 0x7f) << (7 * i);
        if (!(p[i] & 0x80))
            return i + 1;
    }
    return 0;
}

static void take(struct stream *s, struct walk *w, const uint8_t *p, size_t len)
{
    uint8_t full[crypto_hash_sha512_BYTES];

    crypto_hash_sha512_update(&w->content, p, len);
    w->left -= (uint32_t)len;
    if (w->left == 0) {
        crypto_hash_sha512_final(&w->content, full);
        memcpy(w->record + 7, full, OTA_HASH);
        crypto_hash_sha512_update(&s->release, w->record, w->record_len);
        w->record = NULL;
    }
}

static size_t walk_file(struct stream *s, struct walk *w, uint8_t *p,
                        size_t len)
{
    if (w->record || len < 40 || len < 40U + p[39])
        return 0;
    *w = (struct walk){.record = p, .record_len = 40U + p[39]};
    w->left = get32(p + 3);
    s->records++;
    if (p[0] == OTA_FILE)
        s->space += w->left;
    crypto_hash_sha512_init(&w->content);
    if (w->left == 0)
        take(s, w, p, 0);
    return 40U + p[39];
}

static size_t walk_base(struct walk *w, uint8_t *p, size_t len)
{
    if (!w->record || len < 38 || len < 38U + p[37])
        return 0;
    w->base_len = get32(p + 1);
    if (w->base_len <= BASE_LEN)
        craft_hash(craft_base, w->base_len, p + 5);
    return 38U + p[37];
}

static size_t walk_data(struct stream *s, struct walk *w, const uint8_t *p,
                        size_t len)
{
    uint32_t n;
    size_t head = 1 + varint(p + 1, len - 1, &n);

    if (!w->record || head == 1 || n == 0 || n > w->left || n > len - head)
        return 0;
    take(s, w, p + head, n);
    return head + n;
}

static size_t walk_copy(struct stream *s, struct walk *w, const uint8_t *p,
                        size_t len)
{
    uint32_t z, n, run;
    size_t at = 1, part;
    uint8_t made[BASE_LEN];
    uint32_t have = 0;
    bool same = true;

    if (!w->record || !(part = varint(p + at, len - at, &z)))
        return 0;
    at += part;
    if (!(part = varint(p + at, len - at, &n)) || n == 0 || n > w->left)
        return 0;
    at += part;
    w->base_pos += z >> 1 ^ (0 - (z & 1));
    for (; have < n; same = !same) {
        if (!(part = varint(p + at, len - at, &run)))
            return 0;
        at += part;
        if (w->base_pos > BASE_LEN || run > BASE_LEN - w->base_pos ||
            run > n - have || run > BASE_LEN - have ||
            (!same && run > len - at))
            return 0;
        for (uint32_t i = 0; i < run; i++)
            made[have++] =
                (uint8_t)(craft_base[w->base_pos++] + (same ? 0 : p[at++]));
    }
    take(s, w, made, n);
    return at;
}

static size_t walk_record(struct stream *s, struct walk *w, uint8_t *p,
                          size_t len)
{
    switch (p[0]) {
    case OTA_FILE:
    case OTA_SLOT:
        return walk_file(s, w, p, len);
    case OTA_BASE:
        return walk_base(w, p, len);
    case OTA_DATA:
        return walk_data(s, w, p, len);
    case OTA_COPY:
        return walk_copy(s, w, p, len);
    case OTA_DELETE:
        s->records++;
        return len >= 2 && len >= 2U + p[1] ? 2U + p[1] : 0;
    case OTA_KEYS_RECORD:
        if (len < 2 || p[1] == 0 || len < 2U + p[1] * OTA_PUBLIC_KEY)
            return 0;
        memcpy(p + 2, craft_public_key[0], OTA_PUBLIC_KEY);
        return 2U + p[1] * OTA_PUBLIC_KEY;
    default:
        return 0;
    }
}

/* Counts what the records are, and mends them unless told not to. */
static void mend(struct stream *s, bool keep)
{
    static uint8_t copy[INPUT_MAX];
    struct walk w = {0};
    size_t at = 0, len = s->count ? s->ends[s->count - 1] : 0, part;

    memcpy(copy, s->bytes, len);
    while (at < len) {
        part = walk_record(s, &w, s->bytes + at, len - at);
        if (part == 0)
            break;
        at += part;
    }
    if (keep)
        memcpy(s->bytes, copy, len);
}

/* Segments, each with its length before it; the last takes what is left. */
static void cut(struct stream *s, const uint8_t *in, size_t len)
{
    size_t n, end = 0;

    s->count = 0;
    while (len > 0 && s->count < 64) {
        n = len > 2 ? get16(in) : len;
        if (len > 2) {
            in += 2;
            len -= 2;
        }
        if (n > len)
            n = len;
        memcpy(s->bytes + end, in, n);
        in += n;
        len -= n;
        end += n;
        s->ends[s->count++] = end;
    }
}

/* ---- the bundle around it ---- */

static size_t deflated(const uint8_t *in, size_t len, int bits, uint8_t *out,
                       size_t room)
{
    z_stream z = {0};

    require(deflateInit2(&z, 6, Z_DEFLATED, -bits, 1, Z_DEFAULT_STRATEGY) ==
            Z_OK);
    z.next_in = in;
    z.avail_in = (uInt)len;
    z.next_out = out;
    z.avail_out = (uInt)room;
    require(deflate(&z, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&z);
    return (size_t)(z.next_out - out);
}

/* Links from the last chunk to the first, whose link goes to `first`. */
static void chain(uint8_t *wire, const struct chunk *c, size_t count,
                  uint8_t first[OTA_LINK])
{
    uint8_t link[OTA_LINK] = {0};

    for (size_t i = count; i-- > 0;) {
        size_t len = c[i].len + OTA_LINK;

        memcpy(wire + c[i].at + c[i].len, link, OTA_LINK);
        link[0] = (uint8_t)len;
        link[1] = (uint8_t)(len >> 8 | (c[i].segment ? 0x80 : 0));
        craft_hash(wire + c[i].at, len, link + 2);
    }
    memcpy(first, link, OTA_LINK);
}

/* The payload for the stream, behind what the bundle has; fills in `alt`. */
static void pack(struct bundle *b, const struct stream *s, const uint8_t *in,
                 struct ota_alternative *alt)
{
    static uint8_t z[INPUT_MAX + 8192];
    struct chunk chunks[CHUNKS_MAX];
    uint8_t *wire = b->bytes + b->len;
    size_t count = 0, at = 0, start = 0;

    for (size_t i = 0; i < s->count; start = s->ends[i++]) {
        size_t len = s->ends[i] - start, done, n;

        if (in[IN_KIND] % 4 == DEFLATED)
            memcpy(z, s->bytes + start, len);
        else
            len =
                deflated(s->bytes + start, len, alt->window_bits, z, sizeof z);
        for (done = 0; done < len && count < CHUNKS_MAX; done += n) {
            uint8_t nonce[24] = {(uint8_t)count, (uint8_t)(count >> 8)};

            n = len - done;
            if (n > alt->chunk_max - (size_t)OTA_LINK)
                n = alt->chunk_max - (size_t)OTA_LINK;
            memcpy(wire + at, z + done, n);
            if (in[IN_FLAGS] & ENCRYPTED)
                crypto_stream_xchacha20_xor(wire + at, wire + at, n, nonce,
                                            payload_key);
            chunks[count++] = (struct chunk){at, n, done == 0};
            at += n + OTA_LINK;
        }
    }
    chain(wire, chunks, count, alt->link);
    alt->size = (uint32_t)at;
    b->len += at;
}

static void wrap(struct ota_alternative *alt)
{
    uint8_t check[OTA_HASH];

    crypto_stream_xchacha20_xor(alt->wrapped_key, payload_key,
                                sizeof payload_key, alt->link + 2,
                                craft_device_key);
    craft_hash(payload_key, sizeof payload_key, check);
    memcpy(alt->key_check, check, sizeof alt->key_check);
}

static void sign(uint8_t *manifest, size_t len)
{
    crypto_sign_detached(manifest + len - 64, NULL, manifest, len - 64,
                         secret_key);
}

void craft_shape(const uint8_t *in, struct ota_alternative *alt)
{
    static const uint16_t longest[] = {128, 129, 200, 512, 1024, 4096, 32767};

    *alt = (struct ota_alternative){
        .window_bits = (uint8_t)(9 + (in[IN_SHAPE] & 15) % 7),
        .chunk_max = longest[(in[IN_SHAPE] >> 4) % 7],
    };
}

static void make_payload_bundle(struct bundle *b, const uint8_t *in, size_t len)
{
    static struct stream s;
    struct ota_alternative alts[2];
    uint8_t full[crypto_hash_sha512_BYTES];
    struct ota_manifest m = {.alternatives = 1, .device_len = 6, .version = 7};
    size_t head;

    s.space = s.records = 0;
    crypto_hash_sha512_init(&s.release);
    cut(&s, in + IN_HEAD, len - IN_HEAD);
    if (in[IN_KIND] % 4 == RECORDS) {
        mend(&s, in[IN_FLAGS] & UNMENDED);
    } else {
        s.space = in[IN_FLIP];
        s.records = in[IN_FLIP + 1];
    }
    crypto_hash_sha512_final(&s.release, full);
    memcpy(m.release, full, OTA_DIGEST);
    memcpy(m.device, craft_device, sizeof m.device);
    memcpy(m.key_id, craft_key_id, sizeof m.key_id);
    m.flags = in[IN_FLAGS] & ENCRYPTED;
    m.alternatives = in[IN_FLAGS] & DELTA ? 2 : 1;
    head = 96U + m.alternatives * (m.flags ? 112U : 64U) + 64U;

    craft_shape(in, &alts[0]);
    alts[0].space = s.space;
    alts[0].records = (uint16_t)(s.records + (in[IN_FLAGS] & ODD_COUNTS));
    b->len = head;
    pack(b, &s, in, &alts[0]);
    if (m.flags)
        wrap(&alts[0]);
    alts[1] = alts[0];
    if (m.alternatives == 2)
        memcpy(alts[0].base, craft_installed, OTA_DIGEST);
    require(ota_manifest_encode(&m, alts, b->bytes) == head);
    sign(b->bytes, head);
}

/* The input is a manifest, signed where it is long enough. */
static void make_manifest(struct bundle *b, const uint8_t *in, size_t len)
{
    size_t head;

    b->len = len - IN_HEAD;
    memcpy(b->bytes, in + IN_HEAD, b->len);
    if (in[IN_KIND] % 4 == RAW || b->len < OTA_MANIFEST_MIN)
        return;
    memcpy(b->bytes, "OTAB\1", 5);
    memcpy(b->bytes + 8, craft_key_id, sizeof craft_key_id);
    if (!(in[IN_FLAGS] & UNMENDED))
        memcpy(b->bytes + 16, craft_device, sizeof craft_device);
    head = 96U + b->bytes[25] * (b->bytes[5] & 1 ? 112U : 64U) + 64U;
    if (head > b->len)
        return;
    b->bytes[6] = (uint8_t)head;
    b->bytes[7] = (uint8_t)(head >> 8);
    sign(b->bytes, head);
}

void craft_bundle(struct bundle *b, const uint8_t *in, size_t len)
{
    size_t flip = get16(in + IN_FLIP), n = in[IN_CUT] & 127;

    if (in[IN_KIND] % 4 >= MANIFEST)
        make_manifest(b, in, len);
    else
        make_payload_bundle(b, in, len);
    if (flip && b->len && in[IN_KIND] % 4 != DEFLATED)
        b->bytes[flip % b->len] ^= 1;
    if (in[IN_CUT] & 128) {
        memset(b->bytes + b->len, 0x5a, n);
        b->len += n;
    } else {
        b->len -= n < b->len ? n : b->len;
    }
}
