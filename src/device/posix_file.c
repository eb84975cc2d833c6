/* Files below the root of a POSIX file system.  Every component of a path is
 * opened from the root's descriptor and no link is followed: whatever else
 * writes below the root cannot send the installer elsewhere.  install.md, the
 * port. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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

int ota_posix_at(struct ota_posix *p, const char *path, ota_posix_at_fn *fn,
                 int arg)
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

int ota_posix_file_open(void *ctx, const char *path, enum ota_open how)
{
    return ota_posix_at(ctx, path, open_at, (int)how);
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

int ota_posix_file_read(void *ctx, int file, uint32_t offset, uint8_t *buf,
                        size_t len)
{
    ssize_t n = ota_posix_read(file, offset, buf, len);

    return n < 0 ? ota_posix_failed(ctx, "") : (int)n;
}

int ota_posix_file_write(void *ctx, int file, uint32_t offset,
                         const uint8_t *buf, size_t len)
{
    return ota_posix_write(file, offset, buf, len) == 0
               ? OTA_OK
               : ota_posix_failed(ctx, "");
}

int ota_posix_file_sync(void *ctx, int file)
{
    return fsync(file) == 0 ? OTA_OK : ota_posix_failed(ctx, "");
}

int ota_posix_file_close(void *ctx, int file)
{
    return close(file) == 0 ? OTA_OK : ota_posix_failed(ctx, "");
}

int ota_posix_file_move(void *ctx, const char *from, const char *to)
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

int ota_posix_file_stat(void *ctx, const char *path, struct ota_stat *st)
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

int ota_posix_barrier(void *ctx)
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
