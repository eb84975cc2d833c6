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

#endif
