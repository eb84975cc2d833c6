/* .ota on a POSIX file system: whose it is, the lock, and what is moved into
 * it, out of it and made like what was there.  ota-install(7), POSIX and
 * Owners. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"

#define READ_FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const char work_folder[] = ".ota";
static const char aside[] = "aside", half_made[] = "folder.new";

/* -- whose it is --------------------------------------------------------------
 */

static int doubt(struct ota_posix *p, enum ota_posix_doubt what,
                 const char *path, const struct stat *st)
{
    p->doubt = what;
    p->owner = (unsigned long)st->st_uid;
    snprintf(p->path, sizeof(p->path), "%s", path);
    errno = EPERM;
    return -1;
}

enum { LEVELS = 3 }; /* of folders above what is kept: new/hh/hh/hh */

static int check_owners(struct ota_posix *p, int dir, const char *path,
                        int level);

/* A cut leaves another user's folders in two places, from which nothing ever
 * comes back: the one that was made for him, and at any level what stood in the
 * way. */
static int check_owner(struct ota_posix *p, int dir, const char *path,
                       const char *name, int level)
{
    char below[OTA_PATH + 1];
    struct stat st;
    int fd;

    if (level == 0 && strcmp(name, half_made) == 0)
        return 0;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : -1;
    snprintf(below, sizeof(below), "%.200s/%.50s", path, name);
    if (st.st_uid != geteuid())
        return doubt(p, OTA_POSIX_STRANGER, below, &st);
    if (!S_ISDIR(st.st_mode) || (level == 0 && strcmp(name, aside) == 0))
        return 0;
    fd = openat(dir, name, READ_FOLDER);
    return fd < 0 ? -1 : check_owners(p, fd, below, level + 1);
}

/* What a file was before it was moved here it stays: below the last level all
 * may be the program's.  Closes `dir`. */
static int check_owners(struct ota_posix *p, int dir, const char *path,
                        int level)
{
    DIR *d = level < LEVELS ? fdopendir(dir) : NULL;
    const struct dirent *e;
    int result = 0, saved;

    if (!d) {
        close(dir);
        return level < LEVELS ? -1 : 0;
    }
    while (result == 0 && (e = readdir(d))) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            result = check_owner(p, dirfd(d), path, e->d_name, level);
    }
    saved = errno;
    closedir(d);
    errno = saved;
    return result;
}

/* Not for others to read; on a file system without modes it stays as it is. */
static int check_folder(struct ota_posix *p, int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return -1;
    if (st.st_uid != geteuid())
        return doubt(p, OTA_POSIX_STRANGER, work_folder, &st);
    if ((st.st_mode & 077) != 0)
        (void)!fchmod(fd, 0700);
    fd = openat(fd, ".", READ_FOLDER);
    return fd < 0 ? -1 : check_owners(p, fd, work_folder, 0);
}

int ota_posix_open_work(struct ota_posix *p)
{
    struct stat st;
    int fd, saved;

    if (p->work >= 0)
        return 0;
    if (fstatat(p->root, work_folder, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISDIR(st.st_mode))
        return doubt(p, OTA_POSIX_NO_FOLDER, work_folder, &st);
    if (st.st_uid != geteuid())
        return doubt(p, OTA_POSIX_STRANGER, work_folder, &st);
    fd = openat(p->root, work_folder, READ_FOLDER);
    if (fd >= 0 && check_folder(p, fd) == 0) {
        p->work = fd;
        return 0;
    }
    saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return -1;
}

/* -- the lock -----------------------------------------------------------------
 */

/* Where .ota is not there and cannot be made there is nothing to be locked. */
int ota_posix_lock(struct ota_posix *p, bool wait)
{
    if (p->work < 0 && mkdirat(p->root, work_folder, 0700) != 0 &&
        errno != EEXIST)
        return 0;
    if (ota_posix_open_work(p) != 0)
        return -1;
    return flock(p->work, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
}

void ota_posix_unlock(struct ota_posix *p)
{
    if (p->work >= 0)
        flock(p->work, LOCK_UN);
}

/* -- moved aside --------------------------------------------------------------
 */

int ota_posix_aside(void *ctx, const char *from, const char *to)
{
    struct ota_posix *p = ctx;
    int err = ota_posix_port(p).move(p, from, to);

    if (err == OTA_OK && p->told)
        p->told(p->told_arg, from, to);
    return err;
}

/* -- emptied ------------------------------------------------------------------
 */

/* However deep a tree is, two folders are open: what lies deeper comes up to
 * the top first.  Names there: ".N", which none has that we made. */
static int bring_up(int top, int from, const char *name)
{
    static unsigned number;
    char to[32];
    int got;

    do {
        snprintf(to, sizeof(to), ".%u", number++);
        got = renameat(from, name, top, to);
    } while (got != 0 && (errno == EEXIST || errno == ENOTEMPTY));
    return got;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool remove_name(int dir, const char *name)
{
    return unlinkat(dir, name, 0) == 0 ||
           unlinkat(dir, name, AT_REMOVEDIR) == 0;
}

/* All in the folder `name` of `top`.  True if a folder came up from there. */
static bool empty_folder(int top, const char *name)
{
    int fd = openat(top, name, READ_FOLDER);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    bool came = false;

    while (d && (e = readdir(d))) {
        if (!is_dots(e->d_name) && !remove_name(fd, e->d_name))
            came = bring_up(top, fd, e->d_name) == 0 || came;
    }
    if (d)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    return came;
}

/* Passes until no more folders come up. */
static void clear_all(int top)
{
    const struct dirent *e;
    bool came;

    do {
        int fd = openat(top, ".", READ_FOLDER);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);

        came = false;
        while (d && (e = readdir(d))) {
            if (is_dots(e->d_name) || remove_name(top, e->d_name))
                continue;
            came = empty_folder(top, e->d_name) || came;
            remove_name(top, e->d_name);
        }
        if (d)
            closedir(d);
        else if (fd >= 0)
            close(fd);
    } while (came);
}

int ota_posix_clear(void *ctx, const char *path)
{
    struct ota_posix *p = ctx;
    const char *name;
    int dir = ota_posix_enter(p, path, &name), fd, err = OTA_OK;

    if (dir < 0)
        return errno == ENOENT ? OTA_OK : ota_posix_failed(p, path);
    fd = openat(dir, name, READ_FOLDER);
    if (fd >= 0) {
        clear_all(fd);
        close(fd);
    }
    if (unlinkat(dir, name, fd >= 0 ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
        err = ota_posix_failed(p, path);
    ota_posix_leave(p, dir);
    return err;
}

/* -- made as it was -----------------------------------------------------------
 */

/* Made in .ota, and moved when it is as it should be.  What a cut left of the
 * last one may be as that should be, and no longer ours. */
static int make_as(struct ota_posix *p, int dir, const char *name,
                   const struct ota_stat *as)
{
    int fd, result;

    (void)remove_name(p->work, half_made);
    if (mkdirat(p->work, half_made, 0700) != 0)
        return -1;
    fd = openat(p->work, half_made, READ_FOLDER);
    if (fd < 0)
        return -1;
    if (as->uid != geteuid() || as->gid != getegid())
        (void)!fchown(fd, (uid_t)as->uid, (gid_t)as->gid);
    result = fchmod(fd, (mode_t)(as->mode & 07777));
    close(fd);
    return result == 0 ? renameat(p->work, half_made, dir, name) : -1;
}

int ota_posix_mkdir_as(void *ctx, const char *path, const struct ota_stat *as)
{
    struct ota_posix *p = ctx;
    const char *name;
    int dir = ota_posix_enter(p, path, &name), err = OTA_OK;

    if (dir < 0)
        return ota_posix_failed(p, path);
    if (make_as(p, dir, name, as) != 0)
        err = ota_posix_failed(p, path);
    ota_posix_leave(p, dir);
    return err;
}
