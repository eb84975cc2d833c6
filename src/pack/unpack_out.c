/* The folder that a bundle is unpacked into.  Everything goes from directory
 * descriptor to directory descriptor, so that a link put in the way leads
 * nowhere. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/file.h"
#include "unpack_out.h"

static int fail_on(const struct unpack_out *out, const char *what,
                   const char *path)
{
    return diag_error(DIAG_FAILED, "cannot %s '%s/%s': %s", what, out->folder,
                      path, strerror(errno));
}

/* 1 if the folder is empty, 0 if not, -1 with errno. */
static int is_empty(int root)
{
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), empty = 1;
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            empty = 0;
    closedir(dir);
    return empty;
}

int unpack_out_begin(struct unpack_out *out, const char *folder)
{
    int empty;

    memset(out, 0, sizeof *out);
    out->folder = folder;
    out->fd = -1;
    out->made = mkdir(folder, 0777) == 0;
    out->root = out->made || errno == EEXIST
                    ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                    : -1;
    empty = out->root < 0 ? -1 : is_empty(out->root);
    if (empty < 0)
        diag_error(DIAG_FAILED, "cannot use the folder '%s': %s", folder,
                   strerror(errno));
    else if (!empty)
        diag_error(DIAG_FAILED,
                   "the folder '%s' is not empty: name an empty or a new one",
                   folder);
    if (empty == 1)
        return 0;
    unpack_out_release(out, false);
    return -1;
}

/* One component down; closes `dir`. */
static int descend(int dir, const char *name, bool make)
{
    int fd = -1, reason = 0;

    if (make && mkdirat(dir, name, 0777) != 0 && errno != EEXIST)
        reason = errno;
    else
        fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && !reason)
        reason = errno;
    close(dir);
    errno = reason;
    return fd;
}

int unpack_out_parent(int root, const char *path, bool make, const char **name)
{
    char part[UNPACK_OUT_PATH];
    const char *slash;
    int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);

    for (; dir >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        size_t len = (size_t)(slash - path);

        if (len >= sizeof part) {
            close(dir);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, path, len);
        part[len] = '\0';
        dir = descend(dir, part, make);
    }
    *name = path;
    return dir;
}

static int remember(struct unpack_out *out, const char *path)
{
    size_t size = strlen(path) + 1;
    struct unpack_out_file *file = malloc(sizeof *file + size);

    if (!file)
        return diag_no_memory();
    memcpy(file->path, path, size);
    file->made = false;
    file->before = out->last;
    out->last = file;
    return 0;
}

/* Remembered before it is made: also its folders are to be removed. */
int unpack_out_open(struct unpack_out *out, const char *path, unsigned mode)
{
    const char *name;
    int dir;

    if (remember(out, path))
        return -1;
    dir = unpack_out_parent(out->root, path, true, &name);
    if (dir < 0)
        return fail_on(out, "make the folder of", path);
    out->fd =
        openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
               mode ? 0600 : 0666);
    close(dir);
    if (out->fd < 0)
        return fail_on(out, "create", path);
    out->last->made = true;
    out->mode = mode;
    out->buffered = 0;
    return 0;
}

static int flush(struct unpack_out *out)
{
    if (file_write(out->fd, out->buffer, out->buffered) < 0)
        return fail_on(out, "write", out->last->path);
    out->buffered = 0;
    return 0;
}

int unpack_out_write(struct unpack_out *out, const uint8_t *buf, size_t len)
{
    while (len) {
        size_t n = sizeof out->buffer - out->buffered;

        if (n == 0) {
            if (flush(out))
                return -1;
            continue;
        }
        n = n < len ? n : len;
        memcpy(out->buffer + out->buffered, buf, n);
        out->buffered += n;
        buf += n;
        len -= n;
    }
    return 0;
}

int unpack_out_close(struct unpack_out *out)
{
    int fd = out->fd, status = flush(out);

    if (status == 0 && out->mode && fchmod(fd, (mode_t)out->mode) != 0)
        status = fail_on(out, "set the mode of", out->last->path);
    out->fd = -1;
    if (close(fd) != 0 && status == 0)
        status = fail_on(out, "write", out->last->path);
    return status;
}

/* A file and then its folders, from the lowest, where nothing else is left in
 * them; the root itself is not ours to remove here. */
static void remove_path(int root, char *path, bool made)
{
    const char *name;
    char *slash;
    int dir, flags = 0;

    do {
        dir = unpack_out_parent(root, path, false, &name);
        if (dir >= 0) {
            if (made)
                unlinkat(dir, name, flags);
            close(dir);
        }
        made = true;
        flags = AT_REMOVEDIR;
        slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
    } while (slash);
}

static void forget(struct unpack_out *out)
{
    struct unpack_out_file *file = out->last;

    out->last = file->before;
    free(file);
}

void unpack_out_undo(struct unpack_out *out)
{
    if (out->fd >= 0)
        close(out->fd);
    out->fd = -1;
    for (; out->last; forget(out))
        remove_path(out->root, out->last->path, out->last->made);
}

void unpack_out_release(struct unpack_out *out, bool keep)
{
    if (out->fd >= 0)
        close(out->fd);
    if (out->root >= 0)
        close(out->root);
    if (!keep && out->made)
        rmdir(out->folder);
    while (out->last)
        forget(out);
    out->root = out->fd = -1;
    out->made = false;
}
