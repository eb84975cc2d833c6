/* What a device's memory allows. */
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

int main(void)
{
    test_shape();
    return tap_done();
}
