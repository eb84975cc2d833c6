/* The record stream of a set: FILEs and DELETEs in one order, contents read
 * and checked on the way, cut where segments are full. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "payload_internal.h"
#include "base/file.h"
#include "base/stop.h"
#include "bundle/format.h"

/* All that was ever packed: one packs, and another thread looks on. */
static atomic_size_t packed;

size_t payload_packed(void)
{
    return packed;
}

enum {
    DATA_HEAD = 4, /* type, and a length below 2^21 */
    DATA_MIN = 64  /* with less room than that a new segment begins */
};

/* The segment that is being filled. */
struct writer {
    struct payload_pool *pool;
    uint8_t *buf;
    size_t len;
};

static int flush(struct writer *w)
{
    uint8_t *buf = w->buf;
    size_t len = w->len;

    w->buf = NULL;
    w->len = 0;
    return buf && len ? payload_pool_put(w->pool, buf, len) : 0;
}

/* Room for `len` bytes that must stay together. */
static uint8_t *reserve_bytes(struct writer *w, size_t len)
{
    if (PAYLOAD_SEGMENT - w->len < len && flush(w))
        return NULL;
    if (!w->buf && !(w->buf = payload_pool_buffer(w->pool)))
        return NULL;
    return w->buf + w->len;
}

static uint8_t *put_v(uint8_t *out, uint32_t value)
{
    for (; value >= 0x80; value >>= 7)
        *out++ = (uint8_t)(value | 0x80);
    *out++ = (uint8_t)value;
    return out;
}

static uint8_t *put_path(uint8_t *out, const char *path, size_t len)
{
    *out++ = (uint8_t)len;
    memcpy(out, path, len);
    return out + len;
}

size_t payload_head(const struct payload_record *r, uint8_t out[PAYLOAD_HEAD])
{
    const struct tree_entry *e = r->entry;
    uint8_t *at = out;

    *at++ = e ? e->type : OTA_DELETE;
    if (e) {
        put16(at, e->mode);
        put32(at + FILE_SIZE, e->size);
        memcpy(at + FILE_HASH, e->hash, OTA_HASH);
        at += FILE_HEAD;
    }
    return (size_t)(put_path(at, r->path, strlen(r->path)) - out);
}

static int put_head(struct writer *w, const struct payload_record *r)
{
    uint8_t head[PAYLOAD_HEAD], *out;
    size_t len = payload_head(r, head);

    out = reserve_bytes(w, len);
    if (!out)
        return -1;
    memcpy(out, head, len);
    w->len += len;
    return 0;
}

static int failed(const struct tree_entry *e, const char *what)
{
    return diag_error_at(DIAG_INPUT, e->mark, "cannot %s '%s': %s", what,
                         e->source, strerror(errno));
}

static int changed(const struct tree_entry *e)
{
    return diag_error_at(DIAG_INPUT, e->mark,
                         "'%s' changed while it was read: run again when "
                         "nothing writes to it",
                         e->source);
}

/* All of `len` bytes. */
static int read_all(int fd, const struct tree_entry *e, uint8_t *out,
                    size_t len)
{
    ssize_t n = file_read(fd, out, len);

    if (n < 0)
        return failed(e, "read");
    return (size_t)n == len ? 0 : changed(e);
}

static bool at_end(int fd)
{
    uint8_t one;

    return file_read(fd, &one, 1) == 0;
}

/* One DATA record of at most `left` bytes; returns how many, or 0 (reported,
 * unless the user asked to stop). */
static uint32_t put_data(struct writer *w, int fd, const struct tree_entry *e,
                         uint32_t left, crypto_hash_sha512_state *sha)
{
    uint32_t need = left < DATA_MIN ? left : DATA_MIN, n = left;
    uint8_t *out = stop_asked() ? NULL : reserve_bytes(w, DATA_HEAD + need);

    if (!out)
        return 0;
    if (n > PAYLOAD_SEGMENT - DATA_HEAD - w->len)
        n = (uint32_t)(PAYLOAD_SEGMENT - DATA_HEAD - w->len);
    *out++ = OTA_DATA;
    out = put_v(out, n);
    if (e->bytes)
        memcpy(out, e->bytes + (e->size - left), n);
    else if (read_all(fd, e, out, n))
        return 0;
    crypto_hash_sha512_update(sha, out, n);
    packed += n;
    w->len = (size_t)(out + n - w->buf);
    return n;
}

static int put_content(struct writer *w, int fd, const struct tree_entry *e)
{
    uint8_t full[crypto_hash_sha512_BYTES];
    crypto_hash_sha512_state sha;
    uint32_t left, n;

    crypto_hash_sha512_init(&sha);
    for (left = e->size; left; left -= n) {
        n = put_data(w, fd, e, left, &sha);
        if (!n)
            return -1;
    }
    crypto_hash_sha512_final(&sha, full);
    if ((!e->bytes && !at_end(fd)) || memcmp(full, e->hash, OTA_HASH) != 0)
        return changed(e);
    return 0;
}

/* tree_load() saw a regular file; should a pipe be there now, O_NONBLOCK keeps
 * it from holding us up. */
static int put_file(struct writer *w, const struct payload_record *r)
{
    const struct tree_entry *e = r->entry;
    int fd = open(e->source, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    int err;

    if (fd < 0)
        return failed(e, "open");
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size != e->size)
        err = changed(e);
    else
        err = put_head(w, r) || put_content(w, fd, e) ? -1 : 0;
    close(fd);
    return err;
}

static int put_entry(struct writer *w, const struct payload_record *r)
{
    if (!r->entry->bytes)
        return put_file(w, r);
    return put_head(w, r) || put_content(w, -1, r->entry) ? -1 : 0;
}

static int put_end(struct writer *w)
{
    if (!w->buf && !reserve_bytes(w, 1))
        return -1;
    w->buf[w->len++] = OTA_END; /* the one byte of room beyond the limit */
    return flush(w);
}

static int put_run(struct writer *w, const struct payload_order *o,
                   const struct payload_run *run)
{
    struct payload_place at = run->begin;
    struct payload_record r;

    while (payload_next(o, &run->end, &at, &r)) {
        if (r.entry ? put_entry(w, &r) : put_head(w, &r))
            return -1;
    }
    return 0;
}

static int lend_run(struct payload_pool *p, const struct payload_segments *s)
{
    size_t i;

    for (i = 0; i < s->count; i++) {
        if (payload_pool_lend(p, &s->list[i]))
            return -1;
    }
    return 0;
}

int payload_records(struct payload_pool *p, const struct payload_order *o,
                    struct payload_runs *runs)
{
    struct writer w = {p, NULL, 0};
    size_t i;

    for (i = 0; i < runs->count; i++) {
        struct payload_run *run = &runs->list[i];
        bool last = i + 1 == runs->count;
        int err;

        run->first = payload_pool_count(p);
        if (run->cached) {
            packed += run->bytes;
            err = lend_run(p, run->cached);
        } else {
            err = put_run(&w, o, run) || (last ? put_end(&w) : flush(&w));
        }
        if (err)
            return -1;
        run->count = payload_pool_count(p) - run->first;
    }
    return 0;
}
