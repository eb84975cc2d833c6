/* Firmware slots made of two files or block devices, and a small file that
 * says which of them runs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

enum { POINTER_PATH = sizeof(".ota/slot..new") + OTA_POSIX_SLOT_NAME };

int ota_posix_add_slot(struct ota_posix *p, const char *name, const char *a,
                       const char *b)
{
    struct ota_posix_slot *s = &p->slots[p->slot_count];
    size_t i;

    if (p->slot_count == OTA_POSIX_SLOTS ||
        strlen(name) > OTA_POSIX_SLOT_NAME || strchr(name, '/'))
        return -1;
    for (i = 0; i < p->slot_count; i++) {
        if (strcmp(p->slots[i].name, name) == 0)
            return -1;
    }
    snprintf(s->name, sizeof(s->name), "%s", name);
    s->files[0] = a;
    s->files[1] = b;
    s->writing = s->reading[0] = s->reading[1] = -1;
    p->slot_count++;
    return 0;
}

static struct ota_posix_slot *find(struct ota_posix *p, const char *name)
{
    size_t i;

    for (i = 0; i < p->slot_count; i++) {
        if (strcmp(p->slots[i].name, name) == 0)
            return &p->slots[i];
    }
    return NULL;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void ota_posix_slot_close(struct ota_posix_slot *s)
{
    close_one(&s->writing);
    close_one(&s->reading[0]);
    close_one(&s->reading[1]);
}

int ota_posix_slot_active(void *ctx, const char *name)
{
    struct ota_posix *p = ctx;
    char path[POINTER_PATH];
    struct ota_stat st;
    uint8_t letter = 'a';
    int fd, err;

    if (!find(p, name))
        return OTA_ERR_SLOT;
    snprintf(path, sizeof(path), ".ota/slot.%s", name);
    err = ota_posix_file_stat(p, path, &st);
    if (err != OTA_OK || st.kind == OTA_NOTHING)
        return err;
    fd = ota_posix_file_open(p, path, OTA_OPEN_READ);
    if (fd < 0)
        return fd;
    err = ota_posix_file_read(p, fd, 0, &letter, 1);
    ota_posix_file_close(p, fd);
    if (err < 0)
        return err;
    return letter == 'b' ? 1 : 0;
}

/* A block device has a size already; a file gets its own. */
static int fits(int fd, uint32_t size)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return OTA_ERR_IO;
    if (S_ISREG(st.st_mode))
        return ftruncate(fd, 0) == 0 ? OTA_OK : OTA_ERR_IO;
    return lseek(fd, 0, SEEK_END) >= (off_t)size ? OTA_OK : OTA_ERR_SLOT;
}

int ota_posix_slot_begin(void *ctx, const char *name, uint32_t size)
{
    struct ota_posix *p = ctx;
    struct ota_posix_slot *s = find(p, name);
    int active = ota_posix_slot_active(ctx, name), err;
    const char *file;

    if (!s || active < 0)
        return s ? active : OTA_ERR_SLOT;
    ota_posix_slot_close(s);
    s->target = 1 - active;
    file = s->files[s->target];
    s->writing = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (s->writing < 0)
        return ota_posix_failed(p, file);
    err = fits(s->writing, size);
    if (err == OTA_ERR_IO)
        err = ota_posix_failed(p, file);
    if (err != OTA_OK)
        close_one(&s->writing);
    return err;
}

int ota_posix_slot_write_at(void *ctx, const char *name, uint32_t offset,
                            const uint8_t *buf, size_t len)
{
    struct ota_posix *p = ctx;
    struct ota_posix_slot *s = find(p, name);

    if (!s || s->writing < 0)
        return OTA_ERR_SLOT;
    return ota_posix_write(s->writing, offset, buf, len) == 0
               ? OTA_OK
               : ota_posix_failed(p, name);
}

/* What was written is durable before it is read back.  While one image is
 * written, a delta reads the other. */
static int open_to_read(struct ota_posix *p, struct ota_posix_slot *s,
                        int image)
{
    if (s->writing >= 0 && s->target == image) {
        if (fsync(s->writing) != 0)
            return ota_posix_failed(p, s->files[image]);
        close_one(&s->writing);
    }
    if (s->reading[image] < 0)
        s->reading[image] = open(s->files[image], O_RDONLY | O_CLOEXEC);
    return s->reading[image] < 0 ? ota_posix_failed(p, s->files[image])
                                 : OTA_OK;
}

int ota_posix_slot_read_at(void *ctx, const char *name, int image,
                           uint32_t offset, uint8_t *buf, size_t len)
{
    struct ota_posix *p = ctx;
    struct ota_posix_slot *s = find(p, name);
    ssize_t n;
    int err;

    if (!s || image < 0 || image > 1)
        return OTA_ERR_SLOT;
    err = open_to_read(p, s, image);
    if (err != OTA_OK)
        return err;
    n = ota_posix_read(s->reading[image], offset, buf, len);
    if (n < 0)
        return ota_posix_failed(p, s->files[image]);
    memset(buf + n, 0, len - (size_t)n);
    return OTA_OK;
}

/* Written apart and renamed: it is there and whole at any moment. */
int ota_posix_slot_switch(void *ctx, const char *name, int image)
{
    struct ota_posix *p = ctx;
    char path[POINTER_PATH], part[POINTER_PATH];
    const uint8_t letter[2] = {image ? 'b' : 'a', '\n'};
    int fd, err, closed;

    if (!find(p, name))
        return OTA_ERR_SLOT;
    snprintf(path, sizeof(path), ".ota/slot.%s", name);
    snprintf(part, sizeof(part), ".ota/slot.%s.new", name);
    fd = ota_posix_file_open(p, part, OTA_OPEN_NEW);
    if (fd < 0)
        return fd;
    err = ota_posix_file_write(p, fd, 0, letter, sizeof(letter));
    if (err == OTA_OK)
        err = ota_posix_file_sync(p, fd);
    closed = ota_posix_file_close(p, fd);
    if (err == OTA_OK)
        err = closed;
    if (err == OTA_OK)
        err = ota_posix_file_move(p, part, path);
    return err == OTA_OK ? ota_posix_barrier(p) : err;
}
