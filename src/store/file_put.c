/* Objects put into a folder: written under a temporary name and renamed, as
 * durable as their class demands.  A new manifest takes five system calls, and
 * one syncfs serves them all. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/tempfile.h"
#include "file.h"

enum { TEMP_NAME = 48 };

/* One object on its way. */
struct put {
    struct store_file *s;
    const char *name; /* for messages */
    struct store_place place;
    enum store_class class;
    char temp[TEMP_NAME]; /* in .part */
    int watch;            /* of its path: a second signal removes it */
    int fd;
    int parent;    /* not ours to close */
    int dir;       /* the object's folder, or -1: made and not opened */
    bool made_dir; /* by us, just now */
};

static bool is_durable(const struct put *p)
{
    return p->class != STORE_MANIFEST && p->class != STORE_FIRST;
}

static int write_all(int fd, const uint8_t *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

static void watch(struct put *p)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/.part/%s", p->s->folder, p->temp);

    if (len > 0 && (size_t)len < sizeof path)
        p->watch = tempfile_watch(path);
}

static int open_in_part(struct put *p)
{
    int part = store_part(p->s);

    if (part < 0)
        return -1;
    p->fd = openat(part, p->temp,
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                   store_mode(p->s));
    if (p->fd >= 0)
        store_fix_mode(p->s, p->fd);
    return 0;
}

/* Whoever breaks the lock and ends may take .part away: it is made again. */
static int open_temp(struct put *p)
{
    snprintf(p->temp, sizeof p->temp, "%s.%lx", p->s->mark, p->s->next++);
    watch(p);
    if (open_in_part(p) < 0)
        return -1;
    if (p->fd < 0 && errno == ENOENT) {
        close(p->s->part);
        p->s->part = -1;
        if (open_in_part(p) < 0)
            return -1;
    }
    return p->fd < 0 ? store_fail(p->s, "write", p->name) : 0;
}

/* The object's folder, made if it is not there.  One that was just made for a
 * manifest needs no descriptor: it is no link, and nothing is in it. */
static int open_folder(struct put *p)
{
    const struct store_place *place = &p->place;

    p->parent = store_parent(p->s, place, true);
    if (p->parent < 0)
        return -1;
    if (!place->dir) {
        p->dir = p->parent;
        return 0;
    }
    p->made_dir = mkdirat(p->parent, place->dir, store_folder_mode(p->s)) == 0;
    if (!p->made_dir && errno != EEXIST)
        return store_fail(p->s, "write", p->name);
    if (p->made_dir)
        store_fix_folder(p->s, p->parent, place->dir);
    if (p->made_dir && !is_durable(p))
        return 0;
    p->dir = store_dir(p->s, place);
    if (p->dir < 0)
        return p->dir == STORE_ABSENT ? store_fail(p->s, "open", p->name) : -1;
    return 0;
}

/* Servers make ETags of seconds and size: a manifest is to differ from the one
 * that it replaces. */
static int make_newer(struct put *p)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
    struct stat st, mine;

    if (is_durable(p) || p->made_dir)
        return 0;
    if (fstatat(p->dir, p->place.leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -1;
    if (fstat(p->fd, &mine) < 0)
        return -1;
    if (st.st_mtim.tv_sec < mine.st_mtim.tv_sec)
        return 0;
    times[1].tv_sec = st.st_mtim.tv_sec + 1;
    return futimens(p->fd, times);
}

static int close_temp(struct put *p)
{
    int fd = p->fd;

    p->fd = -1;
    return close(fd);
}

static int rename_temp(struct put *p)
{
    char target[STORE_NAME];

    if (p->dir >= 0)
        return renameat(p->s->part, p->temp, p->dir, p->place.leaf);
    snprintf(target, sizeof target, "%s/%s", p->place.dir, p->place.leaf);
    return renameat(p->s->part, p->temp, p->parent, target);
}

static int sync_folders(struct put *p)
{
    if (!is_durable(p))
        return 0;
    return fsync(p->dir) < 0 || (p->made_dir && fsync(p->parent) < 0) ? -1 : 0;
}

static int put_bytes(struct put *p, const uint8_t *bytes, size_t len)
{
    if (open_temp(p) < 0)
        return -1;
    if (write_all(p->fd, bytes, len) < 0)
        return store_fail(p->s, "write", p->name);
    if (open_folder(p) < 0)
        return -1;
    if (make_newer(p) < 0 || (is_durable(p) && fsync(p->fd) < 0) ||
        close_temp(p) < 0)
        return store_fail(p->s, "write", p->name);
    if (p->class == STORE_HEAD && p->s->store.ask &&
        p->s->store.ask(p->s->store.ask_ctx) < 0)
        return -1;
    if (rename_temp(p) < 0)
        return store_fail(p->s, "write", p->name);
    p->temp[0] = '\0';
    if (sync_folders(p) < 0)
        return store_fail(p->s, "write", p->name);
    return 0;
}

/* Nothing half made stays. */
static void undo(struct put *p)
{
    if (p->fd >= 0)
        close(p->fd);
    if (p->temp[0] && p->s->part >= 0)
        unlinkat(p->s->part, p->temp, 0);
    if (p->temp[0] && p->made_dir)
        unlinkat(p->parent, p->place.dir, AT_REMOVEDIR);
}

int store_file_put(struct store *store, const char *name, const uint8_t *bytes,
                   size_t len, enum store_class class)
{
    struct store_file *s = (struct store_file *)store;
    struct put p = {
        .s = s, .name = name, .class = class, .watch = -1, .fd = -1, .dir = -1};
    int result;

    if (store_place(&p.place, s, name) < 0 ||
        (class == STORE_HEAD && store_file_flush(store) < 0))
        return -1;
    result = put_bytes(&p, bytes, len);
    if (result < 0)
        undo(&p);
    tempfile_unwatch(p.watch);
    store_dir_close(&p.place, p.dir);
    if (result == 0 && !is_durable(&p))
        s->unsynced = true;
    return result;
}

int store_file_flush(struct store *store)
{
    struct store_file *s = (struct store_file *)store;

    if (!s->unsynced)
        return 0;
    if (syncfs(s->base) < 0)
        return store_fail(s, "sync", "");
    s->unsynced = false;
    return 0;
}
