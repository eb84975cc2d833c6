/* The port for POSIX file systems: ota-install(7), POSIX. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "posix.h"

static int unlink_at(int dir, const char *name, int flags)
{
    return unlinkat(dir, name, flags);
}

static int port_remove(void *ctx, const char *path)
{
    return ota_posix_at(ctx, path, unlink_at, 0);
}

/* That a folder is not empty is an answer: it is nothing to complain of. */
static int port_rmdir(void *ctx, const char *path)
{
    struct ota_posix *p = ctx;
    int before = p->error, err = ota_posix_at(p, path, unlink_at, AT_REMOVEDIR);

    if (err != OTA_OK)
        p->error = before;
    return err;
}

static int mkdir_at(int dir, const char *name, int mode)
{
    struct stat st;

    if (mkdirat(dir, name, (mode_t)mode) == 0)
        return 0;
    if (errno != EEXIST || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    if (S_ISDIR(st.st_mode))
        return 0;
    errno = ENOTDIR;
    return -1;
}

static int port_mkdir(void *ctx, const char *path)
{
    bool work = strcmp(path, ".ota") == 0;
    int err = ota_posix_at(ctx, path, mkdir_at, work ? 0700 : 0755);

    if (err == OTA_OK && work && ota_posix_open_work(ctx) != 0)
        err = ota_posix_failed(ctx, path);
    return err;
}

static int port_chmod(void *ctx, const char *path, unsigned mode)
{
    int fd = ota_posix_file_open(ctx, path, OTA_OPEN_READ), err = OTA_OK;

    if (fd < 0)
        return fd;
    if (fchmod(fd, (mode_t)(mode & 0777)) != 0)
        err = ota_posix_failed(ctx, path);
    close(fd);
    return err;
}

static int port_free(void *ctx, uint64_t *bytes, uint32_t *block)
{
    struct ota_posix *p = ctx;
    struct statvfs v;

    if (fstatvfs(p->root, &v) != 0)
        return ota_posix_failed(p, ".");
    *block = v.f_frsize > 0 ? (uint32_t)v.f_frsize : 1;
    *bytes = (uint64_t)v.f_bavail * *block;
    return OTA_OK;
}

static uint64_t port_time(void *ctx)
{
    const struct ota_posix *p = ctx;
    time_t now = time(NULL);

    if (p->has_clock)
        return p->clock;
    return now > 0 ? (uint64_t)now : 0;
}

static bool port_planned_wake(void *ctx)
{
    return ((const struct ota_posix *)ctx)->planned;
}

int ota_posix_open(struct ota_posix *p, const char *root)
{
    memset(p, 0, sizeof(*p));
    p->work = -1;
    p->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return p->root < 0 ? -1 : ota_posix_open_work(p);
}

void ota_posix_close(struct ota_posix *p)
{
    size_t i;

    if (!p)
        return;
    for (i = 0; i < p->slot_count; i++)
        ota_posix_slot_close(&p->slots[i]);
    p->slot_count = 0;
    if (p->work > 0)
        close(p->work);
    if (p->root > 0)
        close(p->root);
    p->root = p->work = -1;
}

struct ota_port ota_posix_port(struct ota_posix *p)
{
    struct ota_port port = {.ctx = p,
                            .open = ota_posix_file_open,
                            .read_at = ota_posix_file_read,
                            .write_at = ota_posix_file_write,
                            .sync = ota_posix_file_sync,
                            .close = ota_posix_file_close,
                            .move = ota_posix_file_move,
                            .remove = port_remove,
                            .mkdir = port_mkdir,
                            .rmdir = port_rmdir,
                            .stat = ota_posix_file_stat,
                            .chmod = port_chmod,
                            .mkdir_as = ota_posix_mkdir_as,
                            .aside = ota_posix_aside,
                            .clear = ota_posix_clear,
                            .free = port_free,
                            .barrier = ota_posix_barrier,
                            .time = port_time,
                            .planned_wake = port_planned_wake};

    if (p->slot_count == 0)
        return port;
    port.slot_active = ota_posix_slot_active;
    port.slot_begin = ota_posix_slot_begin;
    port.slot_write_at = ota_posix_slot_write_at;
    port.slot_read_at = ota_posix_slot_read_at;
    port.slot_switch = ota_posix_slot_switch;
    return port;
}
