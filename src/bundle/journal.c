/* Records with a running CRC-32, for the journal and the list of installed
 * files.  ota-install(7), Journal: each record's CRC goes on from the record
 * before it, and the first bad one ends the file.
 *
 * File: magic "OTA" and a letter, format 1, three zeros; then records of body
 * length (2), type (1), body, CRC-32 over all of it (4). */
#include "format.h"
#include "install.h"

#include <string.h>

enum { HEAD = 8, RECORD_HEAD_LEN = 3, CRC_LEN = 4, FILE_FIXED = 40 };

/* Four bits at a time: 64 bytes of table. */
uint32_t ota_crc32(uint32_t crc, const uint8_t *buf, size_t len)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};

    crc = ~crc;
    for (; len > 0; buf++, len--) {
        crc = table[(crc ^ *buf) & 15] ^ crc >> 4;
        crc = table[(crc ^ (uint32_t)*buf >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

static int read_full(const struct ota_port *p, int file, uint32_t at,
                     uint8_t *buf, size_t len)
{
    int n = p->read_at(p->ctx, file, at, buf, len);

    if (n < 0)
        return n;
    return (size_t)n == len ? OTA_OK : OTA_ERR_TRUNCATED;
}

void ota_journal_rewind(struct ota_journal *j, char letter)
{
    uint8_t head[HEAD] = {'O', 'T', 'A', (uint8_t)letter, 1};

    j->at = HEAD;
    j->crc = ota_crc32(0, head, sizeof(head));
}

int ota_journal_open(const struct ota_port *p, struct ota_journal *j,
                     const char *path, char letter, enum ota_open how)
{
    uint8_t head[HEAD] = {'O', 'T', 'A', (uint8_t)letter, 1}, found[HEAD];
    int err;

    memset(j, 0, sizeof(*j));
    j->file = p->open(p->ctx, path, how);
    if (j->file < 0)
        return j->file;
    ota_journal_rewind(j, letter);
    if (how == OTA_OPEN_NEW) {
        err = p->write_at(p->ctx, j->file, 0, head, sizeof(head));
    } else {
        err = read_full(p, j->file, 0, found, sizeof(found));
        if (err == OTA_ERR_TRUNCATED ||
            (err == OTA_OK && memcmp(head, found, sizeof(head)) != 0))
            err = OTA_ERR_STATE;
    }
    if (err != OTA_OK)
        ota_journal_close(p, j);
    return err;
}

int ota_journal_close(const struct ota_port *p, struct ota_journal *j)
{
    int err = j->file < 0 ? OTA_OK : p->close(p->ctx, j->file);

    j->file = -1;
    return err;
}

int ota_journal_next(const struct ota_port *p, struct ota_journal *j)
{
    uint8_t buf[64];
    uint32_t crc, at = j->at, len;
    int err = read_full(p, j->file, at, buf, RECORD_HEAD_LEN);

    if (err != OTA_OK)
        return err == OTA_ERR_TRUNCATED ? JOURNAL_END_OF_FILE : err;
    len = get16(buf);
    j->type = buf[2];
    crc = ota_crc32(j->crc, buf, RECORD_HEAD_LEN);
    j->body = at + RECORD_HEAD_LEN;
    j->end = j->body + len;
    for (at = j->body; at < j->end && err == OTA_OK;) {
        uint32_t n = j->end - at < sizeof(buf) ? j->end - at : sizeof(buf);

        err = read_full(p, j->file, at, buf, n);
        crc = ota_crc32(crc, buf, n);
        at += n;
    }
    if (err == OTA_OK)
        err = read_full(p, j->file, at, buf, CRC_LEN);
    if (err == OTA_ERR_TRUNCATED || (err == OTA_OK && get32(buf) != crc))
        return JOURNAL_END_OF_FILE;
    if (err != OTA_OK)
        return err;
    if (j->type < JOURNAL_MANIFEST || j->type > JOURNAL_RESUME)
        return OTA_ERR_STATE;
    j->crc = crc;
    j->at = at + CRC_LEN;
    return j->type;
}

size_t ota_journal_left(const struct ota_journal *j)
{
    return j->end - j->body;
}

int ota_journal_get(const struct ota_port *p, struct ota_journal *j,
                    uint8_t *buf, size_t len)
{
    int err;

    if (len > ota_journal_left(j))
        return OTA_ERR_STATE;
    err = read_full(p, j->file, j->body, buf, len);
    j->body += (uint32_t)len;
    return err == OTA_ERR_TRUNCATED ? OTA_ERR_STATE : err;
}

int ota_journal_get_path(const struct ota_port *p, struct ota_journal *j,
                         char path[OTA_PATH + 1], size_t len)
{
    int err = len > OTA_PATH ? OTA_ERR_STATE
                             : ota_journal_get(p, j, (uint8_t *)path, len);

    if (err != OTA_OK)
        return err;
    path[len] = '\0';
    return ota_path_check(path, len) == OTA_OK ? OTA_OK : OTA_ERR_STATE;
}

int ota_journal_put(const struct ota_port *p, struct ota_journal *j,
                    const uint8_t *buf, size_t len)
{
    int err = p->write_at(p->ctx, j->file, j->body, buf, len);

    j->body += (uint32_t)len;
    j->run = ota_crc32(j->run, buf, len);
    return err;
}

int ota_journal_begin(const struct ota_port *p, struct ota_journal *j,
                      enum journal_type type, size_t len)
{
    uint8_t head[RECORD_HEAD_LEN];

    put16(head, (uint16_t)len);
    head[2] = (uint8_t)type;
    j->body = j->at;
    j->run = j->crc;
    return ota_journal_put(p, j, head, sizeof(head));
}

int ota_journal_commit(const struct ota_port *p, struct ota_journal *j)
{
    uint8_t crc[CRC_LEN];
    int err;

    put32(crc, j->run);
    err = p->write_at(p->ctx, j->file, j->body, crc, sizeof(crc));
    if (err != OTA_OK)
        return err;
    j->crc = j->run;
    j->at = j->body + CRC_LEN;
    return OTA_OK;
}

/* -- files, entries, checkpoints --------------------------------------------
 */

static size_t file_len(const struct ota_file *f)
{
    return FILE_FIXED + strlen(f->path);
}

/* type 1, mode 2, size 4, hash 32, path: length 1 and bytes. */
static int put_file(const struct ota_port *p, struct ota_journal *j,
                    const struct ota_file *f)
{
    uint8_t b[FILE_FIXED];
    int err;

    b[0] = f->type;
    put16(b + 1, f->mode);
    put32(b + 3, f->size);
    memcpy(b + 7, f->hash, sizeof(f->hash));
    b[39] = (uint8_t)strlen(f->path);
    err = ota_journal_put(p, j, b, sizeof(b));
    return err == OTA_OK
               ? ota_journal_put(p, j, (const uint8_t *)f->path, b[39])
               : err;
}

static int get_file(const struct ota_port *p, struct ota_journal *j,
                    struct ota_file *f)
{
    uint8_t b[FILE_FIXED];
    int err = ota_journal_get(p, j, b, sizeof(b));

    if (err != OTA_OK)
        return err;
    memset(f, 0, sizeof(*f));
    f->type = b[0];
    f->mode = get16(b + 1);
    f->size = get32(b + 3);
    memcpy(f->hash, b + 7, sizeof(f->hash));
    if (f->type == 0 && b[39] == 0)
        return OTA_OK; /* a checkpoint between records */
    return ota_journal_get_path(p, j, f->path, b[39]);
}

/* With a number of its own it makes the CRC of all that follows another: what
 * an earlier try wrote there is never taken for this one's. */
int ota_journal_put_resume(const struct ota_port *p, struct ota_journal *j,
                           uint32_t number)
{
    uint8_t b[4];
    int err = ota_journal_begin(p, j, JOURNAL_RESUME, sizeof(b));

    put32(b, number);
    if (err == OTA_OK)
        err = ota_journal_put(p, j, b, sizeof(b));
    if (err == OTA_OK)
        err = ota_journal_commit(p, j);
    return err == OTA_OK ? p->sync(p->ctx, j->file) : err;
}

int ota_journal_put_entry(const struct ota_port *p, struct ota_journal *j,
                          const struct ota_entry *e)
{
    uint8_t b[3];
    int err =
        ota_journal_begin(p, j, JOURNAL_ENTRY, sizeof(b) + file_len(&e->file));

    b[0] = e->flags;
    put16(b + 1, e->number);
    if (err == OTA_OK)
        err = ota_journal_put(p, j, b, sizeof(b));
    if (err == OTA_OK)
        err = put_file(p, j, &e->file);
    return err == OTA_OK ? ota_journal_commit(p, j) : err;
}

static bool entry_ok(const struct ota_entry *e)
{
    const struct ota_file *f = &e->file;

    return e->number <= OTA_ENTRIES &&
           (f->type == OTA_FILE || f->type == OTA_DELETE ||
            (f->type == OTA_SLOT && f->mode <= 1)); /* the image */
}

int ota_journal_get_entry(const struct ota_port *p, struct ota_journal *j,
                          struct ota_entry *e)
{
    uint8_t b[3];
    int err = ota_journal_get(p, j, b, sizeof(b));

    if (err != OTA_OK)
        return err;
    e->flags = b[0];
    e->number = get16(b + 1);
    err = get_file(p, j, &e->file);
    if (err == OTA_OK && !entry_ok(e))
        err = OTA_ERR_STATE;
    return err;
}

enum { CHECKPOINT_FIXED = OTA_LINK + 24, OPEN = 1, HAS_BASE = 2, CONTENT = 4 };

int ota_journal_put_checkpoint(const struct ota_port *p, struct ota_journal *j,
                               const struct ota_checkpoint *at)
{
    uint8_t b[CHECKPOINT_FIXED];
    size_t keys = (size_t)at->key_count * OTA_PUBLIC_KEY;
    int err = ota_journal_begin(p, j, JOURNAL_CHECKPOINT,
                                sizeof(b) + keys + file_len(&at->file) +
                                    (at->has_base ? file_len(&at->base) : 0));

    memcpy(b, at->link, OTA_LINK);
    put32(b + OTA_LINK, at->offset);
    put32(b + OTA_LINK + 4, at->chunk);
    put32(b + OTA_LINK + 8, at->space);
    put32(b + OTA_LINK + 12, at->written);
    put32(b + OTA_LINK + 16, at->base_pos);
    put16(b + OTA_LINK + 20, at->records);
    b[OTA_LINK + 22] = at->key_count;
    b[OTA_LINK + 23] =
        (uint8_t)((at->open ? OPEN : 0) | (at->has_base ? HAS_BASE : 0) |
                  (at->content ? CONTENT : 0));
    if (err == OTA_OK)
        err = ota_journal_put(p, j, b, sizeof(b));
    if (err == OTA_OK)
        err = ota_journal_put(p, j, at->keys[0], keys);
    if (err == OTA_OK)
        err = put_file(p, j, &at->file);
    if (err == OTA_OK && at->has_base)
        err = put_file(p, j, &at->base);
    return err == OTA_OK ? ota_journal_commit(p, j) : err;
}

int ota_journal_get_checkpoint(const struct ota_port *p, struct ota_journal *j,
                               struct ota_checkpoint *at)
{
    uint8_t b[CHECKPOINT_FIXED];
    int err = ota_journal_get(p, j, b, sizeof(b));

    if (err != OTA_OK)
        return err;
    memset(at, 0, sizeof(*at));
    memcpy(at->link, b, OTA_LINK);
    at->offset = get32(b + OTA_LINK);
    at->chunk = get32(b + OTA_LINK + 4);
    at->space = get32(b + OTA_LINK + 8);
    at->written = get32(b + OTA_LINK + 12);
    at->base_pos = get32(b + OTA_LINK + 16);
    at->records = get16(b + OTA_LINK + 20);
    at->key_count = b[OTA_LINK + 22];
    at->open = (b[OTA_LINK + 23] & OPEN) != 0;
    at->has_base = (b[OTA_LINK + 23] & HAS_BASE) != 0;
    at->content = (b[OTA_LINK + 23] & CONTENT) != 0;
    if (at->key_count > OTA_KEYS)
        return OTA_ERR_STATE;
    err = ota_journal_get(p, j, at->keys[0],
                          (size_t)at->key_count * OTA_PUBLIC_KEY);
    if (err == OTA_OK)
        err = get_file(p, j, &at->file);
    return err == OTA_OK && at->has_base ? get_file(p, j, &at->base) : err;
}
