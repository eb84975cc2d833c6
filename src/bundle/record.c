/* Inflated bytes in: records, one state machine that takes a byte at a time
 * where it collects a field and runs of bytes where there is content.
 * ota-bundle(5), Records. */
#include "format.h"
#include "reader.h"

#include <string.h>

static size_t smaller_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int next_record(struct ota_reader *r)
{
    r->record.step = RECORD_TYPE;
    return OTA_OK;
}

static int next_varint(struct ota_reader *r, enum record_step step)
{
    r->record.step = (uint8_t)step;
    r->record.value = 0;
    r->record.have = 0;
    return OTA_OK;
}

static int next_head(struct ota_reader *r, uint8_t len)
{
    r->record.step = RECORD_HEAD;
    r->record.have = 0;
    r->record.need = len;
    return OTA_OK;
}

bool ota_record_complete(const struct ota_reader *r)
{
    return r->record.step == RECORD_TYPE;
}

/* -- content ----------------------------------------------------------- */

static int tell_open(struct ota_reader *r)
{
    const struct ota_sink *s = r->sink;

    if (r->record.opened)
        return OTA_OK;
    r->record.opened = true;
    r->record.check_hash = true;
    ota_hash_init(&r->content);
    return s->open ? s->open(s->ctx, &r->at.file,
                             r->at.has_base ? &r->at.base : NULL)
                   : OTA_OK;
}

static int close_file(struct ota_reader *r)
{
    const struct ota_sink *s = r->sink;
    uint8_t hash[OTA_HASH];

    if (r->record.check_hash) {
        ota_hash_final(&r->content, hash, sizeof(hash));
        if (memcmp(hash, r->at.file.hash, sizeof(hash)) != 0)
            return OTA_ERR_CONTENT;
    }
    r->at.open = false;
    r->at.has_base = false;
    r->record.opened = false;
    r->record.check_hash = false;
    return s->close ? s->close(s->ctx, &r->at.file) : OTA_OK;
}

/* Bytes of the open file; the caller has checked that they fit. */
static int put(struct ota_reader *r, const uint8_t *buf, size_t len)
{
    const struct ota_sink *s = r->sink;
    int err = OTA_OK;

    if (r->record.check_hash)
        ota_hash_update(&r->content, buf, len);
    if (s->data)
        err = s->data(s->ctx, buf, len);
    r->at.written += (uint32_t)len;
    r->record.left -= (uint32_t)len;
    return err;
}

/* The DATA or COPY is at its end if nothing is left of it. */
static int content_done(struct ota_reader *r)
{
    if (r->at.written == r->at.file.size) {
        int err = close_file(r);

        if (err != OTA_OK)
            return err;
    }
    return next_record(r);
}

/* `len` base bytes, at most sizeof(r->base), to r->base. */
static int read_base(struct ota_reader *r, size_t len)
{
    int err = r->sink->base_read(r->sink->ctx, r->at.base_pos, r->base, len);

    r->at.base_pos += (uint32_t)len;
    return err;
}

static int copy_same(struct ota_reader *r, uint32_t run)
{
    while (run > 0) {
        size_t n = smaller_of(run, sizeof(r->base));
        int err = read_base(r, n);

        if (err == OTA_OK)
            err = put(r, r->base, n);
        if (err != OTA_OK)
            return err;
        run -= (uint32_t)n;
    }
    return OTA_OK;
}

static int copy_diff(struct ota_reader *r, const uint8_t *buf, size_t len)
{
    size_t i;
    int err = read_base(r, len);

    if (err != OTA_OK)
        return err;
    for (i = 0; i < len; i++)
        r->base[i] = (uint8_t)(r->base[i] + buf[i]);
    err = put(r, r->base, len);
    if (err != OTA_OK)
        return err;
    r->record.run -= (uint32_t)len;
    if (r->record.left == 0)
        return content_done(r);
    return r->record.run == 0 ? next_varint(r, RECORD_SAME) : OTA_OK;
}

/* -- fields ------------------------------------------------------------ */

/* n of a DATA or COPY: 1 or more, not past the file's end. */
static bool length_ok(const struct ota_reader *r, uint32_t n)
{
    return n >= 1 && n <= r->at.file.size - r->at.written;
}

static int data_n(struct ota_reader *r, uint32_t n)
{
    if (!length_ok(r, n))
        return OTA_ERR_RECORD;
    r->record.left = n;
    r->record.step = RECORD_BYTES;
    return tell_open(r);
}

/* A zigzag-coded seek, which may not leave the base. */
static int copy_seek(struct ota_reader *r, uint32_t z)
{
    uint32_t by = z & 1 ? (z >> 1) + 1 : z >> 1; /* at most 2^31 */

    if (z & 1 ? by > r->at.base_pos : by > r->at.base.size - r->at.base_pos)
        return OTA_ERR_RECORD;
    r->at.base_pos = z & 1 ? r->at.base_pos - by : r->at.base_pos + by;
    return next_varint(r, RECORD_COPY_N);
}

static int copy_n(struct ota_reader *r, uint32_t n)
{
    if (!length_ok(r, n) || n > r->at.base.size - r->at.base_pos)
        return OTA_ERR_RECORD;
    r->record.left = n;
    r->record.first_run = true;
    return next_varint(r, RECORD_SAME);
}

static int run_same(struct ota_reader *r, uint32_t same)
{
    int err;

    if (same > r->record.left || (same == 0 && !r->record.first_run))
        return OTA_ERR_RECORD;
    r->record.first_run = false;
    err = copy_same(r, same);
    if (err != OTA_OK)
        return err;
    return r->record.left == 0 ? content_done(r) : next_varint(r, RECORD_DIFF);
}

static int run_diff(struct ota_reader *r, uint32_t diff)
{
    if (diff < 1 || diff > r->record.left)
        return OTA_ERR_RECORD;
    r->record.run = diff;
    r->record.step = RECORD_DIFF_BYTES;
    return OTA_OK;
}

/* A byte of an unsigned LEB128 of at most 5 bytes and 32 bits. */
static int take_varint(struct ota_reader *r, uint8_t byte)
{
    struct record_parser *p = &r->record;

    if (p->have == 4 && byte > 0x0f)
        return OTA_ERR_RECORD;
    p->value |= (uint32_t)(byte & 0x7f) << (7 * p->have++);
    if (byte & 0x80)
        return OTA_OK;
    switch (p->step) {
    case RECORD_N:
        return data_n(r, p->value);
    case RECORD_SEEK:
        return copy_seek(r, p->value);
    case RECORD_COPY_N:
        return copy_n(r, p->value);
    case RECORD_SAME:
        return run_same(r, p->value);
    default:
        return run_diff(r, p->value);
    }
}

/* -- records ----------------------------------------------------------- */

/* FILE, SLOT and DELETE: counted, in order, with a path of their own. */
static int check_order(const struct ota_reader *r)
{
    const struct ota_file *f = &r->at.base, *last = &r->at.file;
    size_t len = strlen(f->path), last_len = strlen(last->path);
    bool any = r->at.records > 0;

    if (r->at.records == r->records)
        return OTA_ERR_RECORD;
    if (f->type == OTA_SLOT)
        return any && (last->type != OTA_SLOT ||
                       ota_path_compare(last->path, last_len, f->path, len) >=
                           0)
                   ? OTA_ERR_RECORD
                   : OTA_OK;
    if (!any || last->type == OTA_SLOT)
        return OTA_OK;
    if (ota_path_compare(last->path, last_len, f->path, len) >= 0)
        return OTA_ERR_RECORD;
    return last->type == OTA_FILE &&
                   ota_path_below(f->path, len, last->path, last_len)
               ? OTA_ERR_PATH
               : OTA_OK;
}

static int check_file(const struct ota_reader *r)
{
    const struct ota_file *f = &r->at.base;

    if (f->type == OTA_SLOT)
        return f->mode == 0 && f->size > 0 ? OTA_OK : OTA_ERR_RECORD;
    if (f->mode > 0777 || f->size > r->space - r->at.space)
        return OTA_ERR_RECORD;
    return OTA_OK;
}

/* What a FILE or SLOT adds: ota-bundle(5), Release digest. */
static void digest_file(struct ota_reader *r, const struct ota_file *f)
{
    uint8_t head[1 + FILE_HEAD + 1];

    head[0] = f->type;
    put16(head + 1, f->mode);
    put32(head + 1 + FILE_SIZE, f->size);
    memcpy(head + 1 + FILE_HASH, f->hash, sizeof(f->hash));
    head[sizeof(head) - 1] = (uint8_t)strlen(f->path);
    ota_hash_update(&r->digest, head, sizeof(head));
    ota_hash_update(&r->digest, (const uint8_t *)f->path, strlen(f->path));
}

static int end_file(struct ota_reader *r)
{
    struct record_parser *p = &r->record;
    int err = check_file(r);

    if (err == OTA_OK)
        err = check_order(r);
    if (err != OTA_OK)
        return err;
    digest_file(r, &r->at.base);
    r->at.file = r->at.base;
    r->at.records++;
    r->at.content = true;
    if (r->at.base.type == OTA_FILE)
        r->at.space += r->at.base.size;
    r->at.open = true;
    r->at.has_base = false;
    r->at.written = 0;
    p->opened = false;
    if (r->at.base.size > 0)
        return next_record(r);
    err = tell_open(r);
    return err == OTA_OK ? content_done(r) : err;
}

static int end_base(struct ota_reader *r)
{
    if (r->at.base.size > 0x7fffffff)
        return OTA_ERR_RECORD;
    r->at.base_pos = 0;
    r->at.has_base = true;
    next_record(r);
    return tell_open(r);
}

static int end_delete(struct ota_reader *r)
{
    const struct ota_sink *s = r->sink;
    int err = check_order(r);

    if (err != OTA_OK)
        return err;
    r->at.file = r->at.base;
    r->at.records++;
    next_record(r);
    return s->remove ? s->remove(s->ctx, r->at.file.path) : OTA_OK;
}

static int end_path(struct ota_reader *r)
{
    struct ota_file *f = &r->at.base;
    size_t len = r->record.need;
    uint16_t most = r->device->path_max;

    /* a zero byte inside is a control character, so path_check sees it */
    f->path[len] = '\0';
    if (ota_path_check(f->path, len) != OTA_OK || (most != 0 && len > most))
        return OTA_ERR_PATH;
    f->type = r->record.type;
    switch (f->type) {
    case OTA_BASE:
        return end_base(r);
    case OTA_DELETE:
        return end_delete(r);
    default:
        return end_file(r);
    }
}

/* One of KEYS' public keys was read. */
static int end_key(struct ota_reader *r)
{
    const struct ota_sink *s = r->sink;
    uint8_t(*keys)[OTA_PUBLIC_KEY] = r->at.keys;
    uint8_t i, n = r->at.key_count;
    bool signer = !r->signer;

    if (keys[n][0] != 'E' || keys[n][1] != 'd')
        return OTA_ERR_RECORD;
    for (i = 0; i < n; i++) {
        if (memcmp(keys[i] + KEY_ID, keys[n] + KEY_ID, OTA_KEY_ID) == 0)
            return OTA_ERR_RECORD;
    }
    r->at.key_count = ++n;
    if (n < r->record.left)
        return next_head(r, OTA_PUBLIC_KEY);
    r->record.left = 0;
    for (i = 0; i < n; i++) {
        if (r->signer && memcmp(keys[i], r->signer, OTA_PUBLIC_KEY) == 0)
            signer = true;
    }
    if (!signer)
        return OTA_ERR_RECORD;
    next_record(r);
    return s->keys ? s->keys(s->ctx, (const uint8_t(*)[OTA_PUBLIC_KEY])keys, n)
                   : OTA_OK;
}

static int keys_count(struct ota_reader *r, uint8_t n)
{
    if (n < 1 || n > OTA_KEYS)
        return OTA_ERR_RECORD;
    r->record.left = n;
    return next_head(r, OTA_PUBLIC_KEY);
}

static int end(struct ota_reader *r)
{
    if (r->at.open || r->at.records != r->records || r->at.space != r->space ||
        (!r->delta && !r->at.content))
        return OTA_ERR_RECORD;
    r->at.done = true;
    return OTA_OK;
}

static int start_base(struct ota_reader *r)
{
    if (!r->delta || !r->at.open || r->record.opened || r->at.has_base)
        return OTA_ERR_RECORD;
    return next_head(r, BASE_HEAD);
}

/* A record's first byte.  What may come where: ota-bundle(5), Order. */
static int start_record(struct ota_reader *r, uint8_t type)
{
    if (r->at.done)
        return OTA_ERR_RECORD;
    r->record.type = type;
    switch (type) {
    case OTA_BASE:
        return start_base(r);
    case OTA_DATA:
        return r->at.open ? next_varint(r, RECORD_N) : OTA_ERR_RECORD;
    case OTA_COPY:
        return r->at.open && r->at.has_base ? next_varint(r, RECORD_SEEK)
                                            : OTA_ERR_RECORD;
    default:
        break;
    }
    if (r->at.open)
        return OTA_ERR_RECORD;
    switch (type) {
    case OTA_END:
        return end(r);
    case OTA_FILE:
    case OTA_SLOT:
        return next_head(r, FILE_HEAD);
    case OTA_DELETE:
        r->record.step = RECORD_PATH_LEN;
        return OTA_OK;
    case OTA_KEYS_RECORD:
        r->record.step = RECORD_COUNT;
        return r->at.records == 0 && r->at.key_count == 0 ? OTA_OK
                                                          : OTA_ERR_RECORD;
    default:
        return OTA_ERR_RECORD;
    }
}

/* A byte of the fixed fields: mode 2 (not in BASE), size 4, hash 32. */
static int head_byte(struct ota_reader *r, uint8_t byte)
{
    struct record_parser *p = &r->record;
    unsigned at = p->have++;

    if (p->type == OTA_KEYS_RECORD) {
        r->at.keys[r->at.key_count][at] = byte;
        return p->have < p->need ? OTA_OK : end_key(r);
    }
    if (at == 0)
        memset(&r->at.base, 0, sizeof(r->at.base));
    if (p->type == OTA_BASE)
        at += FILE_SIZE;
    if (at < FILE_SIZE)
        r->at.base.mode = (uint16_t)(r->at.base.mode | byte << (8 * at));
    else if (at < FILE_HASH)
        r->at.base.size |= (uint32_t)byte << (8 * (at - FILE_SIZE));
    else
        r->at.base.hash[at - FILE_HASH] = byte;
    if (p->have == p->need)
        p->step = RECORD_PATH_LEN;
    return OTA_OK;
}

static int path_len(struct ota_reader *r, uint8_t len)
{
    if (r->record.type == OTA_DELETE)
        memset(&r->at.base, 0, sizeof(r->at.base));
    if (len == 0)
        return OTA_ERR_PATH;
    r->record.have = 0;
    r->record.need = len;
    r->record.step = RECORD_PATH;
    return OTA_OK;
}

static int path_byte(struct ota_reader *r, uint8_t byte)
{
    struct record_parser *p = &r->record;

    r->at.base.path[p->have++] = (char)byte;
    return p->have < p->need ? OTA_OK : end_path(r);
}

static int byte_in(struct ota_reader *r, uint8_t byte)
{
    switch (r->record.step) {
    case RECORD_TYPE:
        return start_record(r, byte);
    case RECORD_HEAD:
        return head_byte(r, byte);
    case RECORD_PATH_LEN:
        return path_len(r, byte);
    case RECORD_PATH:
        return path_byte(r, byte);
    case RECORD_COUNT:
        return keys_count(r, byte);
    default:
        return take_varint(r, byte);
    }
}

static int data_in(struct ota_reader *r, const uint8_t *buf, size_t len)
{
    int err = put(r, buf, len);

    return err == OTA_OK && r->record.left == 0 ? content_done(r) : err;
}

int ota_record_feed(struct ota_reader *r, const uint8_t *buf, size_t len)
{
    int err = OTA_OK;
    size_t n;

    for (; err == OTA_OK && len > 0; buf += n, len -= n) {
        switch (r->record.step) {
        case RECORD_BYTES:
            n = smaller_of(len, r->record.left);
            err = data_in(r, buf, n);
            break;
        case RECORD_DIFF_BYTES:
            n = smaller_of(smaller_of(len, r->record.run), sizeof(r->base));
            err = copy_diff(r, buf, n);
            break;
        default:
            n = 1;
            err = byte_in(r, *buf);
        }
    }
    return err;
}
