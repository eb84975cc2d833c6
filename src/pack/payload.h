/* Records, segments, deflate, chunks: a set of files becomes the bytes that
 * many devices read.  ota-bundle(5), Payload and Records. */
#ifndef PACK_PAYLOAD_H
#define PACK_PAYLOAD_H

#include "tree.h"

/* How large a window and chunk may be. */
struct payload_shape {
    uint8_t window_bits; /* 9 to 15 */
    uint16_t chunk_max;  /* bytes on the wire, link included */
};

/* The least `ram` with which any payload can be read, in bytes. */
uint32_t payload_least_ram(void);

/* The largest window that a reader with `ram` bytes can take, and a chunk of
 * at most 4096 bytes or what is left.  0, or -1 if ram < payload_least_ram().
 */
int payload_shape(uint32_t ram, struct payload_shape *shape);

struct payload {
    struct ota_alternative alt; /* base zeros: a full payload */
    uint8_t *bytes;             /* alt.size of them, owned */
    uint64_t content_bytes;     /* of files and slots before packing */
};

/* Remembers what sets with entries of their own have in common, compressed, so
 * that one after the other is packed without reading that again.  Holds what
 * the last set could use, and at most 4 MiB besides. */
struct payload_cache;
/* NULL: reported. */
struct payload_cache *payload_cache_new(void);
void payload_cache_free(struct payload_cache *c);

/* Packs the set, and DELETEs for `deletes` (sorted or not; none of them a
 * path of the set), with up to `jobs` threads and a cache or NULL: the bytes
 * depend on neither.  A file whose content is not what tree_load() hashed is
 * an error (DIAG_INPUT: it changed while it was read).  Ends soon where
 * stop_asked(), unreported.  0, or -1 with *out empty. */
int payload_pack(const struct tree_set *set, const char *const *deletes,
                 size_t delete_count, struct payload_shape shape, unsigned jobs,
                 struct payload_cache *cache, struct payload *out);
void payload_release(struct payload *p);

/* Bytes of contents that were packed since the program began: from any thread,
 * to see how far a payload_pack() is. */
size_t payload_packed(void);

/* The payload's name: 64 hex digits and NUL. */
enum { PAYLOAD_NAME = 65 };
void payload_name(const struct ota_alternative *alt, char out[PAYLOAD_NAME]);

/* For the index: raw deflate, level 9, of a buffer.  0 with *out_len bytes
 * for the caller to free, or -1 (reported). */
int payload_deflate(const uint8_t *buf, size_t len, uint8_t **out,
                    size_t *out_len);

/* The reverse: `buf` must be one whole raw deflate stream and nothing else,
 * of at most `max` bytes inflated; no more than max + 1 are allocated.  0, or
 * -1 if it is not (nothing is reported: the caller knows what it was). */
int payload_inflate(const uint8_t *buf, size_t len, size_t max, uint8_t **out,
                    size_t *out_len);

#endif
