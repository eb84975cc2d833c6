/* Files and slots that are read again: what a delta builds on, and what was
 * written, from the medium.  The reader's buffer for base bytes is free then.
 */
#include "stage.h"

#include <string.h>

/* Reads `len` bytes of a file, or of an image of slot `name`, into a hash. */
static int hash_bytes(struct ota_install *i, int file, const char *name,
                      int image, uint32_t len, uint8_t hash[OTA_HASH])
{
    const struct ota_port *p = i->port;
    /* while nothing is staged the name of a DELETE is not needed */
    uint8_t *buf = i->reader ? i->reader->base : (uint8_t *)i->deleted;
    struct ota_hash h;
    uint32_t at = 0, n;
    int got, err = OTA_OK;

    ota_hash_init(&h);
    while (err == OTA_OK && at < len) {
        n = len - at < sizeof(i->reader->base) ? len - at
                                               : sizeof(i->reader->base);
        got = name ? p->slot_read_at(p->ctx, name, image, at, buf, n)
                   : p->read_at(p->ctx, file, at, buf, n);
        if (got < 0)
            return got;
        if (!name && (uint32_t)got != n)
            return OTA_ERR_TRUNCATED;
        ota_hash_update(&h, buf, n);
        at += n;
        if (at % YIELD_EVERY < n && p->yield)
            err = p->yield(p->ctx);
    }
    ota_hash_final(&h, hash, OTA_HASH);
    return err;
}

static int compare(int err, const uint8_t *hash, const struct ota_file *f,
                   int wrong)
{
    if (err != OTA_OK)
        return err == OTA_ERR_TRUNCATED ? wrong : err;
    return memcmp(hash, f->hash, OTA_HASH) == 0 ? OTA_OK : wrong;
}

/* Opens a file that is there and as large as it should be. */
static int open_sized(struct ota_install *i, const char *path,
                      const struct ota_file *f, int wrong)
{
    const struct ota_port *p = i->port;
    struct ota_stat st;
    int err;

    memset(&st, 0, sizeof(st));
    err = p->stat(p->ctx, path, &st);
    if (err != OTA_OK)
        return err;
    if (st.kind != OTA_REGULAR || st.size != f->size)
        return wrong;
    return p->open(p->ctx, path, OTA_OPEN_READ);
}

int ota_hash_check(struct ota_install *i, const char *path,
                   const struct ota_file *f, int wrong)
{
    const struct ota_port *p = i->port;
    uint8_t hash[OTA_HASH];
    int file = open_sized(i, path, f, wrong), err;

    if (file < 0)
        return file;
    err = hash_bytes(i, file, NULL, 0, f->size, hash);
    p->close(p->ctx, file);
    return compare(err, hash, f, wrong);
}

int ota_file_finish(struct ota_install *i, const char *path,
                    const struct ota_file *f)
{
    const struct ota_port *p = i->port;
    uint8_t hash[OTA_HASH];
    int file = open_sized(i, path, f, OTA_ERR_CONTENT), err, closed;

    if (file < 0)
        return file;
    err = hash_bytes(i, file, NULL, 0, f->size, hash);
    err = compare(err, hash, f, OTA_ERR_CONTENT);
    if (err == OTA_OK && p->chmod && f->mode != 0) {
        err = p->chmod(p->ctx, path, f->mode);
        if (err == OTA_OK)
            err = p->sync(p->ctx, file);
    }
    closed = p->close(p->ctx, file);
    return err == OTA_OK ? closed : err;
}

int ota_base_open(struct ota_install *i, const struct ota_file *base)
{
    const struct ota_port *p = i->port;
    int err = ota_hash_check(i, base->path, base, OTA_ERR_BASE);

    if (err != OTA_OK)
        return err;
    i->base = p->open(p->ctx, base->path, OTA_OPEN_READ);
    return i->base < 0 ? i->base : OTA_OK;
}

void ota_base_close(struct ota_install *i)
{
    if (i->base >= 0)
        i->port->close(i->port->ctx, i->base);
    i->base = -1;
}

static int image_check(struct ota_install *i, const char *name, int image,
                       const struct ota_file *f, int wrong)
{
    uint8_t hash[OTA_HASH];
    int err = hash_bytes(i, -1, name, image, f->size, hash);

    return compare(err, hash, f, wrong);
}

int ota_slot_open(struct ota_install *i, const struct ota_file *f,
                  const struct ota_file *base)
{
    const struct ota_port *p = i->port;
    bool slots = p->slot_active && p->slot_begin && p->slot_write_at &&
                 p->slot_read_at && p->slot_switch;
    int image = slots ? p->slot_active(p->ctx, f->path) : OTA_ERR_SLOT;
    int err = OTA_OK;

    if (image < 0)
        return image;
    if (base)
        err = image_check(i, f->path, image, base, OTA_ERR_BASE);
    return err == OTA_OK ? p->slot_begin(p->ctx, f->path, f->size) : err;
}

int ota_slot_other(struct ota_install *i, const char *name)
{
    int image = i->port->slot_active(i->port->ctx, name);

    return image < 0 ? image : 1 - image;
}

int ota_slot_check(struct ota_install *i, const struct ota_file *f)
{
    int image = ota_slot_other(i, f->path);

    return image < 0 ? image
                     : image_check(i, f->path, image, f, OTA_ERR_CONTENT);
}

int ota_slot_running(struct ota_install *i, const struct ota_file *f)
{
    const struct ota_port *p = i->port;
    int image = p->slot_active && p->slot_read_at
                    ? p->slot_active(p->ctx, f->path)
                    : OTA_ERR_SLOT;

    return image < 0 ? OTA_ERR_BASE
                     : image_check(i, f->path, image, f, OTA_ERR_BASE);
}
