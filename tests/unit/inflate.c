/* No distance passes the stated window, wherever the calls fall: a stream that
 * one reader takes, all take. */
#include "bundle/inflate.h"
#include <ota/bundle.h>
#include <string.h>
#include "tap.h"

/* A stream of fixed codes, RFC 1951, 3.2.6. */
static struct {
    uint8_t bytes[1 << 17];
    size_t bits;
} stream;

static void add_bits(unsigned value, int count) /* lowest first */
{
    for (int i = 0; i < count; i++, stream.bits++) {
        if (value >> i & 1)
            stream.bytes[stream.bits / 8] |= (uint8_t)(1U << stream.bits % 8);
    }
}

static void add_code(unsigned code, int count) /* highest first */
{
    for (int i = count - 1; i >= 0; i--)
        add_bits(code >> i & 1, 1);
}

/* Three bytes from so far back. */
static void add_match(unsigned distance)
{
    static const unsigned first[] = {257, 513, 1025, 2049, 4097, 8193, 16385};
    unsigned code = 0, base = 257, half;
    int extra = 7;

    for (int i = 0; i < 7 && distance >= first[i]; i++, extra++) {
        base = first[i];
        code = 16U + 2U * (unsigned)i;
    }
    extra--;
    half = 1U << extra;
    if (distance >= base + half) {
        code++;
        base += half;
    }
    add_code(1, 7);
    add_code(code, 5);
    add_bits(distance - base, extra);
}

/* `before` literals, then a match, then the end. */
static size_t make(size_t before, unsigned distance)
{
    memset(&stream, 0, sizeof stream);
    add_bits(1, 1);
    add_bits(1, 2);
    for (size_t i = 0; i < before; i++)
        add_code(0x30 + (unsigned)(i % 100), 8);
    add_match(distance);
    add_code(0, 7);
    return (stream.bits + 7) / 8;
}

/* Bytes that come out in pieces of `piece`, or an error. */
static int inflate_all(unsigned bits, size_t len, size_t piece)
{
    static uint64_t memory[OTA_INFLATE_MEMORY(15) / 8 + 1];
    static uint8_t out[4096];
    struct ota_inflate f;
    int n, all = 0;

    if (ota_inflate_init(&f, memory, OTA_INFLATE_MEMORY(bits), bits) != OTA_OK)
        return OTA_ERR_MEMORY;
    ota_inflate_input(&f, stream.bytes, len);
    while ((n = ota_inflate_next(&f, out, piece)) > 0)
        all += n;
    return n < 0 ? n : ota_inflate_ended(&f) ? all : OTA_ERR_TRUNCATED;
}

static void test_window(unsigned bits)
{
    static const size_t pieces[] = {1, 7, 128, 256, 4096};
    static const unsigned past[] = {1, 2, 50, 127, 128, 255, 256};
    size_t window = (size_t)1 << bits, refused = 0, taken = 0, len;

    for (size_t before = window; before < window + 600; before += 37) {
        for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
            len = make(before, (unsigned)window);
            taken += inflate_all(bits, len, pieces[p]) == (int)before + 3;
            for (size_t k = 0; k < sizeof past / sizeof *past; k++) {
                if (bits == 15 || window + past[k] > before)
                    continue;
                len = make(before, (unsigned)window + past[k]);
                refused++;
                if (inflate_all(bits, len, pieces[p]) != OTA_ERR_DEFLATE)
                    printf("# %zu bytes, %u past, pieces of %zu\n", before,
                           past[k], pieces[p]),
                        taken = 1000;
            }
        }
    }
    check(taken == 17 * 5 && (refused > 300 || bits == 15),
          "window %u: as far as it reaches, %zu times, and no further", bits,
          refused);
}

int main(void)
{
    for (unsigned bits = 9; bits <= 15; bits++)
        test_window(bits);
    return tap_done();
}
