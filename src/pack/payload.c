/* A set of files becomes a payload. */
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>
#include "payload_internal.h"
#include "config/path.h"

enum {
    CHUNK_MOST = 4096,  /* no longer, however much memory a device has */
    STORED_MOST = 65535 /* of one stored block, RFC 1951, 3.2.4 */
};

uint32_t payload_least_ram(void)
{
    return (uint32_t)OTA_READER_MEMORY(9, OTA_MANIFEST_MAX);
}

int payload_shape(uint32_t ram, struct payload_shape *shape)
{
    unsigned w = 15;
    size_t chunk;

    if (ram < payload_least_ram())
        return -1;
    while (OTA_READER_MEMORY(w, OTA_MANIFEST_MAX) > ram)
        w--;
    chunk = OTA_MANIFEST_MAX + ram - OTA_READER_MEMORY(w, OTA_MANIFEST_MAX);
    shape->window_bits = (uint8_t)w;
    shape->chunk_max = (uint16_t)(chunk < CHUNK_MOST ? chunk : CHUNK_MOST);
    return 0;
}

static size_t stored_len(size_t len)
{
    return len + 5 * ((len + STORED_MOST - 1) / STORED_MOST);
}

/* Two streams with other hash tables and symbol buffers: which one packs
 * smaller differs from segment to segment. */
struct payload_deflater {
    z_stream streams[2];
    unsigned stream_count;
    uint8_t *bufs[2]; /* as large as any segment is when stored */
};

static int init_stream(z_stream *z, unsigned window_bits, int mem_level)
{
    memset(z, 0, sizeof *z);
    return deflateInit2(z, Z_BEST_COMPRESSION, Z_DEFLATED, -(int)window_bits,
                        mem_level, Z_DEFAULT_STRATEGY) == Z_OK
               ? 0
               : -1;
}

struct payload_deflater *payload_deflater_new(unsigned window_bits)
{
    struct payload_deflater *d = calloc(1, sizeof *d);
    int i;

    for (i = 0; d && i < 2; i++) {
        if (init_stream(&d->streams[i], window_bits, 8 + i))
            break;
        d->stream_count++;
        d->bufs[i] = malloc(stored_len(PAYLOAD_SEGMENT_ROOM));
        if (!d->bufs[i])
            break;
    }
    if (!d || i == 2)
        return d;
    payload_deflater_free(d);
    return NULL;
}

void payload_deflater_free(struct payload_deflater *d)
{
    if (!d)
        return;
    while (d->stream_count)
        deflateEnd(&d->streams[--d->stream_count]);
    free(d->bufs[0]);
    free(d->bufs[1]);
    free(d);
}

static void store(uint8_t *out, const uint8_t *buf, size_t len)
{
    while (len) {
        size_t n = len < STORED_MOST ? len : STORED_MOST;

        *out++ = n == len; /* the final one */
        *out++ = (uint8_t)n;
        *out++ = (uint8_t)(n >> 8);
        *out++ = (uint8_t)~n;
        *out++ = (uint8_t)(~n >> 8);
        memcpy(out, buf, n);
        out += n;
        buf += n;
        len -= n;
    }
}

/* One whole stream into `room` bytes; returns its length, or `room` if it does
 * not get shorter than that. */
static size_t deflate_into(z_stream *z, const uint8_t *buf, size_t len,
                           uint8_t *out, size_t room)
{
    if (deflateReset(z) != Z_OK)
        return room;
    z->next_in = buf;
    z->avail_in = (uInt)len;
    z->next_out = out;
    z->avail_out = (uInt)room;
    return deflate(z, Z_FINISH) == Z_STREAM_END ? room - z->avail_out : room;
}

int payload_deflater_run(struct payload_deflater *d, const uint8_t *buf,
                         size_t len, struct payload_segment *out)
{
    size_t best = stored_len(len), n;
    const uint8_t *from = NULL;
    unsigned i;

    for (i = 0; i < d->stream_count; i++) {
        n = deflate_into(&d->streams[i], buf, len, d->bufs[i], best);
        if (n < best) {
            best = n;
            from = d->bufs[i];
        }
    }
    out->bytes = malloc(best);
    if (!out->bytes)
        return -1;
    out->len = best;
    if (from)
        memcpy(out->bytes, from, best);
    else
        store(out->bytes, buf, len);
    return 0;
}

static int by_path(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    int order = ota_path_compare(x, strlen(x), y, strlen(y));

    return order ? order : strcmp(x, y);
}

static bool same_path(const char *a, const char *b)
{
    return ota_path_compare(a, strlen(a), b, strlen(b)) == 0;
}

/* Sorted, each path once.  NULL: reported. */
static const char **sort_deletes(const char *const *deletes, size_t *count)
{
    const char **sorted = malloc((*count + 1) * sizeof *sorted);
    size_t i, kept = 0;

    if (!sorted) {
        diag_no_memory();
        return NULL;
    }
    for (i = 0; i < *count; i++)
        sorted[i] = deletes[i];
    qsort(sorted, *count, sizeof *sorted, by_path);
    for (i = 0; i < *count; i++) {
        if (kept == 0 || !same_path(sorted[kept - 1], sorted[i]))
            sorted[kept++] = sorted[i];
    }
    *count = kept;
    return sorted;
}

/* A reader refuses a DELETE of, or below, a FILE of the same payload.  Such a
 * FILE is the last one that does not come after the DELETE. */
static int check_delete(const char *path, const char *file)
{
    const char *why = path_problem(path);

    if (why)
        return diag_error(DIAG_CONFIG, "cannot delete '%s': %s", path, why);
    if (file && (same_path(file, path) ||
                 ota_path_below(path, strlen(path), file, strlen(file))))
        return diag_error(DIAG_CONFIG,
                          "cannot delete '%s': '%s' is a file of the release",
                          path, file);
    return 0;
}

static int check_deletes(const struct tree_set *set, const char *const *deletes,
                         size_t count)
{
    const char *file = NULL;
    size_t i, e = 0;
    int err = 0;

    for (i = 0; i < count; i++) {
        for (; e < set->count; e++) {
            if (set->entries[e]->type == OTA_SLOT)
                continue;
            if (by_path(&set->entries[e]->path, &deletes[i]) > 0 &&
                !same_path(set->entries[e]->path, deletes[i]))
                break;
            file = set->entries[e]->path;
        }
        if (check_delete(deletes[i], file))
            err = -1;
    }
    return err;
}

static int check_counts(const struct tree_set *set, size_t delete_count)
{
    if (set->count == 0)
        return diag_error(DIAG_CONFIG, "there is nothing to pack");
    if (set->count + delete_count > UINT16_MAX)
        return diag_error(DIAG_CONFIG,
                          "%zu files and %zu deletes are too many: at most "
                          "65535 are allowed together",
                          set->count, delete_count);
    return 0;
}

/* No more threads than segments that are to be compressed. */
static unsigned useful_jobs(const struct payload_runs *runs, unsigned jobs)
{
    uint64_t bytes = 0, segments;
    size_t i;

    for (i = 0; i < runs->count; i++)
        bytes += runs->list[i].cached ? 0 : runs->list[i].bytes;
    segments = bytes / PAYLOAD_SEGMENT + 1;
    return jobs < segments ? jobs : (unsigned)segments;
}

static int make_segments(const struct payload_order *o,
                         struct payload_runs *runs, unsigned jobs,
                         unsigned window_bits, struct payload_segments *out)
{
    struct payload_pool *pool =
        payload_pool_new(useful_jobs(runs, jobs), window_bits);
    int err = pool ? 0 : -1;

    if (!err)
        err = payload_records(pool, o, runs);
    if (!err)
        err = payload_pool_finish(pool, out);
    payload_pool_free(pool);
    return err;
}

static int pack(const struct payload_order *o, unsigned jobs,
                struct payload_cache *cache, struct payload *out)
{
    unsigned window_bits = out->alt.window_bits;
    struct payload_segments segments = {NULL, 0, 0};
    struct payload_runs runs;
    int err = payload_runs_cut(&runs, o);

    if (!err && cache)
        payload_runs_find(&runs, o, window_bits, cache);
    if (!err)
        err = make_segments(o, &runs, jobs, window_bits, &segments);
    if (!err)
        err = payload_chain(&segments, out);
    if (!err && cache)
        payload_runs_keep(&runs, &segments, cache);
    payload_segments_release(&segments);
    payload_runs_release(&runs);
    return err;
}

int payload_pack(const struct tree_set *set, const char *const *deletes,
                 size_t delete_count, struct payload_shape shape, unsigned jobs,
                 struct payload_cache *cache, struct payload *out)
{
    const char **sorted = sort_deletes(deletes, &delete_count);
    int err = sorted ? 0 : -1;

    memset(out, 0, sizeof *out);
    if (!err)
        err = check_counts(set, delete_count);
    if (!err)
        err = check_deletes(set, sorted, delete_count);
    out->alt.space = set->space;
    out->alt.window_bits = shape.window_bits;
    out->alt.chunk_max = shape.chunk_max;
    out->alt.records = (uint16_t)(set->count + delete_count);
    out->content_bytes = set->bytes;
    if (!err) {
        struct payload_order order = {set, sorted, delete_count};

        err = pack(&order, jobs, cache, out);
    }
    free(sorted);
    if (err)
        payload_release(out);
    return err;
}

void payload_release(struct payload *p)
{
    free(p->bytes);
    memset(p, 0, sizeof *p);
}
