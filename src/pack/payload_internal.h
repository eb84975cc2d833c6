/* The steps from files to a payload: records, segments, chunks. */
#ifndef PACK_PAYLOAD_INTERNAL_H
#define PACK_PAYLOAD_INTERNAL_H

#include "payload.h"

enum {
    /* Of record stream.  The END record may come on top, so that no segment
     * has nothing else. */
    PAYLOAD_SEGMENT = 64 * 1024,
    PAYLOAD_SEGMENT_ROOM = PAYLOAD_SEGMENT + 1
};

/* A compressed segment. */
struct payload_segment {
    uint8_t *bytes; /* owned */
    size_t len;
};

struct payload_segments {
    struct payload_segment *list;
    size_t count, capacity;
};

void payload_segments_release(struct payload_segments *s);

/* What compresses segments, one after the other. */
struct payload_deflater;
/* Says nothing: threads call it.  NULL: out of memory. */
struct payload_deflater *payload_deflater_new(unsigned window_bits);
/* `len` is 1 to PAYLOAD_SEGMENT_ROOM.  0, or -1: out of memory. */
int payload_deflater_run(struct payload_deflater *d, const uint8_t *buf,
                         size_t len, struct payload_segment *out);
void payload_deflater_free(struct payload_deflater *d);

/* Compresses segments in threads: at most one more than there are threads are
 * waiting.  All functions are for the one thread that owns it. */
struct payload_pool;
/* jobs 1: no thread.  NULL: reported. */
struct payload_pool *payload_pool_new(unsigned jobs, unsigned window_bits);
/* A buffer of PAYLOAD_SEGMENT_ROOM bytes, which payload_pool_put() takes. */
uint8_t *payload_pool_buffer(struct payload_pool *p);
/* Its `len` bytes are the next segment.  0, or -1 (reported). */
int payload_pool_put(struct payload_pool *p, uint8_t *buf, size_t len);
/* Waits for all of them.  0 with the segments, or -1 (reported). */
int payload_pool_finish(struct payload_pool *p, struct payload_segments *out);
void payload_pool_free(struct payload_pool *p);

/* Writes the record stream of the set to the pool; `deletes` are sorted.  0,
 * or -1 (reported). */
int payload_records(struct payload_pool *p, const struct tree_set *set,
                    const char *const *deletes, size_t delete_count);

/* Cuts segments into chunks and chains them; sets size, link and bytes.  0, or
 * -1 (reported). */
int payload_chain(const struct payload_segments *s, struct payload *out);

#endif
