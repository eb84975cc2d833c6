/* Raw deflate (RFC 1951) of a buffer, all at once.  A payload's segments are
 * pack/payload.h's. */
#ifndef BASE_DEFLATE_H
#define BASE_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

/* Level 9, a window of 32 KiB.  0 with *out_len bytes in *out for the caller to
 * free, or -1 (reported). */
int deflate_buffer(const uint8_t *buf, size_t len, uint8_t **out,
                   size_t *out_len);

/* The reverse: `buf` must be one whole stream and nothing else, of at most
 * `max` bytes inflated; no more than max + 1 are allocated.  0, or -1 if it is
 * not (nothing is reported: the caller knows what it was). */
int deflate_reverse(const uint8_t *buf, size_t len, size_t max, uint8_t **out,
                    size_t *out_len);

#endif
