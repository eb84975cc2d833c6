/* One raw deflate stream a segment, inflated in memory of the caller. */
#ifndef BUNDLE_INFLATE_H
#define BUNDLE_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for zlib's z_stream and our own, checked in inflate.c. */
struct ota_inflate {
    uint64_t state[18];
};

/* Takes OTA_INFLATE_MEMORY(window_bits) bytes at `memory`, aligned to 8.
 * OTA_OK, or OTA_ERR_MEMORY if they are too few for this zlib. */
int ota_inflate_init(struct ota_inflate *f, void *memory, size_t memory_len,
                     unsigned window_bits);

/* The next stream starts. */
void ota_inflate_reset(struct ota_inflate *f);

/* The stream came to its end: nothing may follow. */
bool ota_inflate_ended(const struct ota_inflate *f);

/* Sets the bytes that ota_inflate_next() takes from; borrowed until used up. */
void ota_inflate_input(struct ota_inflate *f, const uint8_t *in, size_t len);

/* Writes up to out_len bytes.  Returns how many, 0 if more input is needed or
 * the stream has ended; OTA_ERR_DEFLATE if this is no stream of that window or
 * something follows it; OTA_ERR_MEMORY. */
int ota_inflate_next(struct ota_inflate *f, uint8_t *out, size_t out_len);

#endif
