/* What a device's memory allows, a payload's name, and the two helpers for
 * the index. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "pack/payload.h"
#include "tap.h"

static void test_shape(void)
{
    uint32_t least = payload_least_ram(), ram;
    struct payload_shape s;
    bool fits = true;

    check(least == OTA_READER_MEMORY(9, OTA_MANIFEST_MAX), "the least ram");
    check(payload_shape(least - 1, &s) == -1, "too little");
    check(payload_shape(least, &s) == 0 && s.window_bits == 9 &&
              s.chunk_max == OTA_MANIFEST_MAX,
          "just enough");
    check(payload_shape(24 * 1024, &s) == 0 && s.window_bits == 13 &&
              s.chunk_max == 4096,
          "24K: window %u, chunk %u", s.window_bits, s.chunk_max);
    check(payload_shape(UINT32_MAX, &s) == 0 && s.window_bits == 15 &&
              s.chunk_max == 4096,
          "plenty");
    for (ram = least; ram < 60000; ram++) {
        fits = fits && payload_shape(ram, &s) == 0 && s.chunk_max >= 128 &&
               OTA_READER_MEMORY(s.window_bits, s.chunk_max) <= ram;
    }
    check(fits, "what is chosen fits");
}

static void test_name(void)
{
    struct ota_alternative alt = {.size = 1};
    char name[PAYLOAD_NAME];
    size_t i;

    for (i = 0; i < OTA_LINK; i++)
        alt.link[i] = (uint8_t)(0xf0 + i);
    payload_name(&alt, name);
    check(!strcmp(name, "f2f3f4f5f6f7f8f9fafbfcfdfeff00010203040506070809"
                        "0a0b0c0d0e0f1011"),
          "the name of a payload");
}

static void test_buffers(void)
{
    static const uint8_t seed[randombytes_SEEDBYTES] = {1};
    static const size_t lens[] = {0, 1, 100, 4095, 4096, 4097, 70000};
    uint8_t *buf = calloc(1, 70000), *packed, *back;
    size_t i, packed_len, len;

    if (!buf)
        abort();
    for (i = 0; i < sizeof lens / sizeof *lens; i++) {
        randombytes_buf_deterministic(buf, lens[i], seed);
        memset(buf, 'x', i % 2 ? lens[i] : 0);
        if (!check(payload_deflate(buf, lens[i], &packed, &packed_len) == 0,
                   "compress %zu bytes", lens[i]))
            continue;
        check(payload_inflate(packed, packed_len, lens[i], &back, &len) == 0 &&
                  len == lens[i] && !memcmp(back, buf, len),
              "and back, with no room to spare");
        free(back);
        check(!lens[i] || payload_inflate(packed, packed_len, lens[i] - 1,
                                          &back, &len) == -1,
              "not with less");
        check(payload_inflate(packed, packed_len - 1, lens[i], &back, &len) ==
                      -1 &&
                  !back,
              "not without the last byte");
        packed = realloc(packed, packed_len + 1);
        packed[packed_len] = 0;
        check(payload_inflate(packed, packed_len + 1, lens[i], &back, &len) ==
                  -1,
              "not with one more");
        free(packed);
    }
    check(payload_inflate(buf, 0, 10, &back, &len) == -1, "not from nothing");
    check(payload_inflate((const uint8_t *)"\x07", 1, 10, &back, &len) == -1,
          "not from rubbish");
    free(buf);
}

/* 32 MB of zeros in 32 KB. */
static void test_bomb(void)
{
    size_t len = 32u << 20, packed_len = 0;
    uint8_t *zeros = calloc(1, len), *packed, *back;

    if (!zeros || payload_deflate(zeros, len, &packed, &packed_len))
        abort();
    free(zeros);
    check(packed_len < 65536, "a bomb of %zu bytes", packed_len);
    check(payload_inflate(packed, packed_len, 65536, &back, &len) == -1 &&
              !back && len <= 65537,
          "is not inflated beyond what is allowed");
    free(packed);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    test_shape();
    test_name();
    test_buffers();
    test_bomb();
    return tap_done();
}
