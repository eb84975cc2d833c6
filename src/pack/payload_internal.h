/* The steps from files to a payload: runs, records, segments, chunks. */
#ifndef PACK_PAYLOAD_INTERNAL_H
#define PACK_PAYLOAD_INTERNAL_H

#include "bundle/format.h"
#include "payload.h"

enum {
    /* Of record stream.  The END record may come on top, so that no segment
     * has nothing else. */
    PAYLOAD_SEGMENT = 64 * 1024,
    PAYLOAD_SEGMENT_ROOM = PAYLOAD_SEGMENT + 1
};

/* A compressed segment. */
struct payload_segment {
    uint8_t *bytes;
    size_t len;
    bool lent; /* the cache owns the bytes */
};

struct payload_segments {
    struct payload_segment *list;
    size_t count, room;
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
/* The next segment is there already; it is lent.  0, or -1 (reported). */
int payload_pool_lend(struct payload_pool *p, const struct payload_segment *s);
/* Segments so far. */
size_t payload_pool_count(const struct payload_pool *p);
/* Waits for all of them.  0 with the segments, or -1 (reported). */
int payload_pool_finish(struct payload_pool *p, struct payload_segments *out);
void payload_pool_free(struct payload_pool *p);

/* A set and its sorted DELETEs, which make one order of records; and a place in
 * it. */
struct payload_order {
    const struct tree_set *set;
    const char *const *deletes;
    size_t delete_count;
};

struct payload_place {
    size_t entry, del;
};

struct payload_record {
    const struct tree_entry *entry; /* FILE or SLOT; NULL: DELETE */
    const char *path;
};

/* The record at *at, which moves on.  False: *at is the end. */
bool payload_next(const struct payload_order *o,
                  const struct payload_place *end, struct payload_place *at,
                  struct payload_record *out);

/* The bytes of a record, without what DATA follows; returns how many. */
enum { PAYLOAD_HEAD = 1 + FILE_HEAD + 1 + OTA_PATH };
size_t payload_head(const struct payload_record *r, uint8_t out[PAYLOAD_HEAD]);

/* Records that begin and end with a segment: with entries of the device's own,
 * or without, and then the same in many sets. */
enum { PAYLOAD_KEY = 32 };
struct payload_run {
    struct payload_place begin, end;
    bool own;
    uint64_t bytes;                        /* of record stream, about */
    bool keyed;                            /* the cache may have it */
    uint8_t key[PAYLOAD_KEY];              /* what it is made of */
    const struct payload_segments *cached; /* or NULL */
    size_t first, count;                   /* its segments, once written */
};

struct payload_runs {
    struct payload_run *list;
    size_t count, room;
};

/* A set without entries of its own is one run.  0, or -1 (reported). */
int payload_runs_cut(struct payload_runs *runs, const struct payload_order *o);
/* Finds what the cache has, and makes room there for the rest. */
void payload_runs_find(struct payload_runs *runs, const struct payload_order *o,
                       unsigned window_bits, struct payload_cache *cache);
/* Gives the cache what it lacks. */
void payload_runs_keep(const struct payload_runs *runs,
                       const struct payload_segments *s,
                       struct payload_cache *cache);
void payload_runs_release(struct payload_runs *runs);

/* Another set begins. */
void payload_cache_next(struct payload_cache *c);
/* The segments of a run, which stay until the next set; or NULL. */
const struct payload_segments *
payload_cache_find(struct payload_cache *c, const uint8_t key[PAYLOAD_KEY]);
/* Where there is too much, drops what was not found for this set. */
void payload_cache_trim(struct payload_cache *c);
/* Takes the segments over, which are then lent; where there is no memory, they
 * stay as they are. */
void payload_cache_keep(struct payload_cache *c, const uint8_t key[PAYLOAD_KEY],
                        struct payload_segment *list, size_t count);

/* Writes the record stream to the pool, run by run.  0, or -1 (reported). */
int payload_records(struct payload_pool *p, const struct payload_order *o,
                    struct payload_runs *runs);

/* Cuts segments into chunks and chains them; sets size, link and bytes.  0, or
 * -1 (reported). */
int payload_chain(const struct payload_segments *s, struct payload *out);

#endif
