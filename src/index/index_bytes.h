/* Integers, texts and lists as the index has them: ota-index(5). */
#ifndef INDEX_INDEX_BYTES_H
#define INDEX_INDEX_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow; zeros are none.  What does not fit memory or `max` is left
 * out and sets `full`. */
struct index_out {
    uint8_t *bytes; /* owned */
    size_t len, room, max;
    bool full;
};

void index_out_bytes(struct index_out *o, const void *bytes, size_t len);
void index_out_u8(struct index_out *o, unsigned value);
void index_out_u16(struct index_out *o, unsigned value);
void index_out_u32(struct index_out *o, uint32_t value);
void index_out_u64(struct index_out *o, uint64_t value);
void index_out_v(struct index_out *o, uint32_t value);
/* A length byte and the text, which has at most 255 bytes. */
void index_out_text(struct index_out *o, const char *text);
void index_out_zeros(struct index_out *o, size_t len);
void index_out_release(struct index_out *o);

/* Bytes to be read.  The first mistake sets `bad` for good; all that is read
 * after it is zero. */
struct index_in {
    const uint8_t *at, *end;
    const char *bad; /* what is wrong, or NULL */
};

/* The bytes in place, or NULL where there are not as many. */
const uint8_t *index_in_bytes(struct index_in *in, size_t len);
void index_in_copy(struct index_in *in, void *to, size_t len);
uint8_t index_in_u8(struct index_in *in);
uint16_t index_in_u16(struct index_in *in);
uint32_t index_in_u32(struct index_in *in);
uint64_t index_in_u64(struct index_in *in);
uint32_t index_in_v(struct index_in *in);
/* A text of min to max bytes in place, or NULL. */
const char *index_in_text(struct index_in *in, size_t min, size_t max,
                          size_t *len);
/* A path by ota-bundle(5), Paths, the same way. */
const char *index_in_path(struct index_in *in, size_t *len);
/* Notes a mistake unless there was one before. */
void index_in_fail(struct index_in *in, const char *bad);

#endif
