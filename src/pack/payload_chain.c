/* Segments become chunks, each of which holds the next one's length and hash:
 * so the chain is made from its end (ota-bundle(5), Payload). */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "bundle/format.h"
#include "payload_internal.h"

/* The length of chunk `i` of a segment: all are full but the last. */
struct cut {
    size_t data; /* bytes that a full chunk carries */
    size_t count;
    size_t last; /* bytes that the last one carries */
};

static struct cut cut_segment(size_t len, uint16_t chunk_max)
{
    struct cut c;

    c.data = chunk_max - (size_t)OTA_LINK;
    c.count = (len + c.data - 1) / c.data;
    c.last = len - (c.count - 1) * c.data;
    return c;
}

static uint64_t wire_size(const struct payload_segments *s, uint16_t chunk_max)
{
    uint64_t size = 0;
    size_t i;

    for (i = 0; i < s->count; i++) {
        size_t len = s->list[i].len;

        size += len + (uint64_t)OTA_LINK * cut_segment(len, chunk_max).count;
    }
    return size;
}

/* The chunk of `len` bytes, of which the last OTA_LINK are to come: `link` is
 * the next one's, and then its own. */
static void link_chunk(uint8_t *chunk, size_t len, bool starts,
                       uint8_t link[OTA_LINK])
{
    uint8_t full[crypto_hash_sha512_BYTES];

    memcpy(chunk + len - OTA_LINK, link, OTA_LINK);
    crypto_hash_sha512(full, chunk, len);
    put16(link, (uint16_t)(len | (starts ? LINK_SEGMENT : 0)));
    memcpy(link + LINK_HASH, full, OTA_HASH);
}

/* Puts the segment's chunks before `end`; returns where they begin. */
static uint8_t *chain_segment(const struct payload_segment *s, uint8_t *end,
                              struct ota_alternative *alt)
{
    struct cut c = cut_segment(s->len, alt->chunk_max);
    const uint8_t *from = s->bytes + s->len;
    size_t i;

    for (i = c.count; i--;) {
        size_t len = i + 1 == c.count ? c.last : c.data;

        from -= len;
        end -= len + OTA_LINK;
        memcpy(end, from, len);
        link_chunk(end, len + OTA_LINK, i == 0, alt->link);
    }
    return end;
}

int payload_chain(const struct payload_segments *s, struct payload *out)
{
    uint64_t size = wire_size(s, out->alt.chunk_max);
    uint8_t *end;
    size_t i;

    if (size > UINT32_MAX)
        return diag_error(
            DIAG_CONFIG,
            "the payload would have %llu bytes: at most 4294967295 are allowed",
            (unsigned long long)size);
    out->bytes = size ? malloc((size_t)size) : NULL;
    if (!out->bytes)
        return diag_no_memory();
    out->alt.size = (uint32_t)size;
    memset(out->alt.link, 0, OTA_LINK);
    end = out->bytes + size;
    for (i = s->count; i--;)
        end = chain_segment(&s->list[i], end, &out->alt);
    return 0;
}
