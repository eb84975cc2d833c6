/* A writer of bundles for tests: from record bytes as they are, right or
 * wrong, one segment each, signed with a key of its own. */
#ifndef WRITER_H
#define WRITER_H

#include <ota/bundle.h>
#include <sodium.h>
#include <string.h>
#include <zlib.h>

enum { WRITER_SEGMENTS = 16, WRITER_MAX = 1 << 18 };

struct writer {
    struct ota_manifest manifest; /* alternatives: counted by write_payload */
    struct ota_alternative alt[OTA_ALTERNATIVES];
    uint8_t public[OTA_PUBLIC_KEY]; /* as a reader trusts it */
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
};

static inline void writer_init(struct writer *w)
{
    static const uint8_t seed[32] = {1};

    memset(w, 0, sizeof(*w));
    memcpy(w->public, "Ed\1\2\3\4\5\6\7", 10);
    crypto_sign_seed_keypair(w->public + 10, w->secret, seed);
    memcpy(w->manifest.key_id, w->public + 2, OTA_KEY_ID);
    memcpy(w->manifest.device, "\x24\x6f\x28\xaa\xbb\x01\0", 8);
    w->manifest.device_len = 6;
    w->manifest.version = 1;
}

static inline size_t writer_deflate(const uint8_t *in, size_t len, int bits,
                                    uint8_t *out)
{
    z_stream z;

    memset(&z, 0, sizeof(z));
    deflateInit2(&z, 9, Z_DEFLATED, -bits, 9, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)in;
    z.avail_in = (uInt)len;
    z.next_out = out;
    z.avail_out = WRITER_MAX;
    deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return z.total_out;
}

/* Appends the next alternative: `segments` of record bytes with their lengths
 * become the payload in `out` of WRITER_MAX bytes, one chunk a segment.  The
 * caller sets base, space, records; window and chunk have defaults.  Returns
 * the payload's length. */
static inline size_t writer_payload(struct writer *w,
                                    const uint8_t *const *segments,
                                    const size_t *lens, size_t count,
                                    uint8_t *out)
{
    static uint8_t packed[WRITER_SEGMENTS][WRITER_MAX];
    struct ota_alternative *a = &w->alt[w->manifest.alternatives++];
    uint8_t link[OTA_LINK] = {0}, hash[64];
    size_t len[WRITER_SEGMENTS], end = 0, i;

    if (a->window_bits == 0)
        a->window_bits = 10;
    if (a->chunk_max == 0)
        a->chunk_max = 4096;
    for (i = 0; i < count; i++) {
        len[i] =
            writer_deflate(segments[i], lens[i], a->window_bits, packed[i]) +
            OTA_LINK;
        end += len[i];
    }
    a->size = (uint32_t)end;
    for (i = count; i-- > 0;) {
        uint8_t *chunk = out + end - len[i];

        memcpy(chunk, packed[i], len[i] - OTA_LINK);
        memcpy(chunk + len[i] - OTA_LINK, link, OTA_LINK);
        crypto_hash_sha512(hash, chunk, len[i]);
        link[0] = (uint8_t)len[i];
        link[1] = (uint8_t)(len[i] >> 8 | 0x80);
        memcpy(link + 2, hash, OTA_HASH);
        end -= len[i];
    }
    memcpy(a->link, link, OTA_LINK);
    return a->size;
}

/* Writes the signed manifest to `out`.  Returns its length. */
static inline size_t writer_manifest(const struct writer *w, uint8_t *out)
{
    size_t len = ota_manifest_encode(&w->manifest, w->alt, out);

    crypto_sign_detached(out + len - 64, NULL, out, len - 64, w->secret);
    return len;
}

#endif
