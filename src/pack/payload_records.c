/* The record stream of a set: FILEs and DELETEs in one order, contents read
 * and checked on the way, cut where segments are full. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "payload_internal.h"

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
static uint8_t *reserve(struct writer *w, size_t len)
{
    if (PAYLOAD_SEGMENT - w->len < len && flush(w))
        return NULL;
    if (!w->buf && !(w->buf = payload_pool_buffer(w->pool)))
        return NULL;
    return w->buf + w->len;
}

static uint8_t *put_le(uint8_t *out, uint32_t value, unsigned len)
{
    for (; len--; value >>= 8)
        *out++ = (uint8_t)value;
    return out;
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

static int put_delete(struct writer *w, const char *path)
{
    uint8_t *out = reserve(w, 2 + strlen(path));

    if (!out)
        return -1;
    *out++ = OTA_DELETE;
    w->len = (size_t)(put_path(out, path, strlen(path)) - w->buf);
    return 0;
}

static int put_file(struct writer *w, const struct tree_entry *e)
{
    uint8_t *out = reserve(w, 1 + 2 + 4 + OTA_HASH + 1 + strlen(e->path));

    if (!out)
        return -1;
    *out++ = e->type;
    out = put_le(out, e->mode, 2);
    out = put_le(out, e->size, 4);
    memcpy(out, e->hash, OTA_HASH);
    w->len =
        (size_t)(put_path(out + OTA_HASH, e->path, strlen(e->path)) - w->buf);
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
    while (len) {
        ssize_t n = read(fd, out, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(e, "read");
        if (n == 0)
            return changed(e);
        out += n;
        len -= (size_t)n;
    }
    return 0;
}

static bool at_end(int fd)
{
    uint8_t one;
    ssize_t n;

    do {
        n = read(fd, &one, 1);
    } while (n < 0 && errno == EINTR);
    return n == 0;
}

/* One DATA record of at most `left` bytes; returns how many, or 0 (reported).
 */
static uint32_t put_data(struct writer *w, int fd, const struct tree_entry *e,
                         uint32_t left, crypto_hash_sha512_state *sha)
{
    uint32_t need = left < DATA_MIN ? left : DATA_MIN, n = left;
    uint8_t *out = reserve(w, DATA_HEAD + need);

    if (!out)
        return 0;
    if (n > PAYLOAD_SEGMENT - DATA_HEAD - w->len)
        n = (uint32_t)(PAYLOAD_SEGMENT - DATA_HEAD - w->len);
    *out++ = OTA_DATA;
    out = put_v(out, n);
    if (read_all(fd, e, out, n))
        return 0;
    crypto_hash_sha512_update(sha, out, n);
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
    if (!at_end(fd) || memcmp(full, e->hash, OTA_HASH) != 0)
        return changed(e);
    return 0;
}

/* tree_load() saw a regular file; should a pipe be there now, O_NONBLOCK keeps
 * it from holding us up. */
static int put_entry(struct writer *w, const struct tree_entry *e)
{
    int fd = open(e->source, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    int err;

    if (fd < 0)
        return failed(e, "open");
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size != e->size)
        err = changed(e);
    else
        err = put_file(w, e) || put_content(w, fd, e) ? -1 : 0;
    close(fd);
    return err;
}

static int put_end(struct writer *w)
{
    if (!w->buf && !reserve(w, 1))
        return -1;
    w->buf[w->len++] = OTA_END; /* the one byte of room beyond the limit */
    return flush(w);
}

static bool delete_first(const char *path, const struct tree_entry *e)
{
    return e->type == OTA_FILE &&
           ota_path_compare(path, strlen(path), e->path, strlen(e->path)) < 0;
}

int payload_records(struct payload_pool *p, const struct tree_set *set,
                    const char *const *deletes, size_t delete_count)
{
    struct writer w = {p, NULL, 0};
    size_t i = 0, d = 0;

    while (i < set->count || d < delete_count) {
        int err;

        if (i == set->count ||
            (d < delete_count && delete_first(deletes[d], set->entries[i])))
            err = put_delete(&w, deletes[d++]);
        else
            err = put_entry(&w, set->entries[i++]);
        if (err)
            return -1;
    }
    return put_end(&w);
}
