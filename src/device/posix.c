/* The port for POSIX file systems.  Every component of a path is opened from
 * the root's descriptor and no link is followed: whatever else writes below
 * the root cannot send the installer elsewhere.  ota-install(7), POSIX. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "posix.h"

#ifdef O_PATH
#define OPEN_FOLDER (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#else
#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#endif

/* A FIFO that somebody put there must not hold us up. */
#define OPEN_FILE (O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

int ota_posix_failed(struct ota_posix *p, const char *path)
{
    p->error = errno;
    snprintf(p->path, sizeof(p->path), "%s", path);
    return errno == ENOSPC || errno == EDQUOT ? OTA_ERR_SPACE : OTA_ERR_IO;
}

/* -- the way to a path ------------------------------------------------------
 */

void ota_posix_leave(const struct ota_posix *p, int dir)
{
    int saved = errno;

    if (dir >= 0 && dir != p->root && dir != p->work)
        close(dir);
    errno = saved;
}

/* Not empty, ".", "..": whoever wrote the path wants out of the root. */
static bool inside(const char *path)
{
    size_t len;

    do {
        len = strcspn(path, "/");
        if (len == 0 ||
            (path[0] == '.' && (len == 1 || (len == 2 && path[1] == '.'))))
            return false;
        path += len;
    } while (*path++ == '/');
    return true;
}

/* The work folder is the one that was checked, whatever has got its name. */
static int start(const struct ota_posix *p, const char **path)
{
    if (p->work < 0 || strncmp(*path, ".ota/", 5) != 0)
        return p->root;
    *path += 5;
    return p->work;
}

int ota_posix_enter(const struct ota_posix *p, const char *path,
                    const char **name)
{
    char part[OTA_PATH + 1];
    const char *slash;
    int dir = start(p, &path), next;

    if (!inside(path)) {
        errno = EPERM;
        return -1;
    }
    while ((slash = strchr(path, '/'))) {
        size_t len = (size_t)(slash - path);

        if (len >= sizeof(part)) {
            ota_posix_leave(p, dir);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, path, len);
        part[len] = '\0';
        next = openat(dir, part, OPEN_FOLDER);
        ota_posix_leave(p, dir);
        if (next < 0)
            return -1;
        dir = next;
        path = slash + 1;
    }
    *name = path;
    return dir;
}

/* An operation on the last component: 0, or -1 with errno. */
typedef int at_fn(int dir, const char *name, int arg);

static int at(struct ota_posix *p, const char *path, at_fn *fn, int arg)
{
    const char *name;
    int dir = ota_posix_enter(p, path, &name), got;

    if (dir < 0)
        return ota_posix_failed(p, path);
    got = fn(dir, name, arg);
    ota_posix_leave(p, dir);
    return got < 0 ? ota_posix_failed(p, path) : got;
}

/* -- files ------------------------------------------------------------------
 */

static int is_regular(int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return -1;
    if (S_ISREG(st.st_mode))
        return 0;
    errno = EINVAL;
    return -1;
}

static int open_at(int dir, const char *name, int how)
{
    static const int flags[] = {O_RDONLY, O_RDWR | O_CREAT | O_TRUNC,
                                O_RDWR | O_CREAT};
    int fd = openat(dir, name, flags[how] | OPEN_FILE, 0644), saved;

    if (fd >= 0 && is_regular(fd) != 0) {
        saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static int port_open(void *ctx, const char *path, enum ota_open how)
{
    return at(ctx, path, open_at, (int)how);
}

ssize_t ota_posix_read(int fd, uint32_t offset, uint8_t *buf, size_t len)
{
    size_t have = 0;
    ssize_t n;

    while (have < len) {
        n = pread(fd, buf + have, len - have, (off_t)offset + (off_t)have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    return (ssize_t)have;
}

int ota_posix_write(int fd, uint32_t offset, const uint8_t *buf, size_t len)
{
    size_t done = 0;
    ssize_t n;

    while (done < len) {
        n = pwrite(fd, buf + done, len - done, (off_t)offset + (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

static int port_read_at(void *ctx, int file, uint32_t offset, uint8_t *buf,
                        size_t len)
{
    ssize_t n = ota_posix_read(file, offset, buf, len);

    return n < 0 ? ota_posix_failed(ctx, "") : (int)n;
}

static int port_write_at(void *ctx, int file, uint32_t offset,
                         const uint8_t *buf, size_t len)
{
    return ota_posix_write(file, offset, buf, len) == 0
               ? OTA_OK
               : ota_posix_failed(ctx, "");
}

static int port_sync(void *ctx, int file)
{
    return fsync(file) == 0 ? OTA_OK : ota_posix_failed(ctx, "");
}

static int port_close(void *ctx, int file)
{
    return close(file) == 0 ? OTA_OK : ota_posix_failed(ctx, "");
}

/* -- names ------------------------------------------------------------------
 */

static int port_move(void *ctx, const char *from, const char *to)
{
    struct ota_posix *p = ctx;
    const char *old_name, *new_name;
    int old_dir = ota_posix_enter(p, from, &old_name), new_dir, err = OTA_OK;

    if (old_dir < 0)
        return ota_posix_failed(p, from);
    new_dir = ota_posix_enter(p, to, &new_name);
    if (new_dir < 0 || renameat(old_dir, old_name, new_dir, new_name) != 0)
        err = ota_posix_failed(p, to);
    ota_posix_leave(p, new_dir);
    ota_posix_leave(p, old_dir);
    return err;
}

static int unlink_at(int dir, const char *name, int flags)
{
    return unlinkat(dir, name, flags);
}

static int port_remove(void *ctx, const char *path)
{
    return at(ctx, path, unlink_at, 0);
}

/* That a folder is not empty is an answer: it is nothing to complain of. */
static int port_rmdir(void *ctx, const char *path)
{
    struct ota_posix *p = ctx;
    int before = p->error, err = at(p, path, unlink_at, AT_REMOVEDIR);

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
    int err = at(ctx, path, mkdir_at, work ? 0700 : 0755);

    if (err == OTA_OK && work && ota_posix_open_work(ctx) != 0)
        err = ota_posix_failed(ctx, path);
    return err;
}

static int chmod_at(int dir, const char *name, int mode)
{
    int fd = open_at(dir, name, OTA_OPEN_READ), got, saved;

    if (fd < 0)
        return -1;
    got = fchmod(fd, (mode_t)mode);
    saved = errno;
    close(fd);
    errno = saved;
    return got;
}

static int port_chmod(void *ctx, const char *path, unsigned mode)
{
    return at(ctx, path, chmod_at, (int)(mode & 0777));
}

static enum ota_kind kind_of(mode_t mode)
{
    if (S_ISREG(mode))
        return OTA_REGULAR;
    return S_ISDIR(mode) ? OTA_DIRECTORY : OTA_OTHER;
}

/* A name that is too long for this file system is the path's fault; a file or
 * a link in the place of a folder means that there is nothing below it. */
static int stat_failed(struct ota_posix *p, const char *path,
                       struct ota_stat *st)
{
    st->kind = OTA_NOTHING;
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
        return OTA_OK;
    if (errno != ENAMETOOLONG)
        return ota_posix_failed(p, path);
    ota_posix_failed(p, path);
    return OTA_ERR_PATH;
}

static int port_stat(void *ctx, const char *path, struct ota_stat *st)
{
    struct ota_posix *p = ctx;
    const char *name;
    struct stat s;
    int dir = ota_posix_enter(p, path, &name), got;

    memset(st, 0, sizeof(*st));
    if (dir < 0)
        return stat_failed(p, path, st);
    got = fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW);
    ota_posix_leave(p, dir);
    if (got != 0)
        return stat_failed(p, path, st);
    st->kind = (uint8_t)kind_of(s.st_mode);
    st->size = s.st_size > (off_t)UINT32_MAX ? UINT32_MAX : (uint32_t)s.st_size;
    st->fs = (uint32_t)s.st_dev ^ (uint32_t)((uint64_t)s.st_dev >> 32);
    st->mode = (uint16_t)(s.st_mode & 07777);
    st->uid = (uint32_t)s.st_uid;
    st->gid = (uint32_t)s.st_gid;
    return OTA_OK;
}

/* -- the whole --------------------------------------------------------------
 */

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

static int port_barrier(void *ctx)
{
#ifdef __linux__
    struct ota_posix *p = ctx;

    return syncfs(p->root) == 0 ? OTA_OK : ota_posix_failed(p, ".");
#else
    (void)ctx;
    sync();
    return OTA_OK;
#endif
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
                            .open = port_open,
                            .read_at = port_read_at,
                            .write_at = port_write_at,
                            .sync = port_sync,
                            .close = port_close,
                            .move = port_move,
                            .remove = port_remove,
                            .mkdir = port_mkdir,
                            .rmdir = port_rmdir,
                            .stat = port_stat,
                            .chmod = port_chmod,
                            .mkdir_as = ota_posix_mkdir_as,
                            .aside = ota_posix_aside,
                            .clear = ota_posix_clear,
                            .free = port_free,
                            .barrier = port_barrier,
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
