/* A folder as a server: every step is taken from an open descriptor, and no
 * link is followed below it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/diag.h"
#include "file.h"

enum { FOLDER = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

int store_fail(const struct store_file *s, const char *verb, const char *name)
{
    const char *reason = strerror(errno), *advice = "";

    if (errno == ENOSPC || errno == EDQUOT)
        advice = ": nothing is half written; make room and publish again";
    else if (errno == ELOOP || errno == ENOTDIR)
        reason = "a part of it is a link, or not a folder";
    return diag_error(DIAG_SERVER, "cannot %s '%s%s%s': %s%s", verb, s->folder,
                      *name ? "/" : "", name, reason, advice);
}

static bool good_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strlen(name);

    if (!len || len >= STORE_NAME)
        return false;
    for (const char *p = name;; p++) {
        size_t part = strspn(p, allowed);

        if (!part || *p == '.')
            return false;
        p += part;
        if (!*p)
            return true;
        if (*p != '/')
            return false;
    }
}

int store_place(struct store_place *p, const struct store_file *s,
                const char *name)
{
    char *slash;

    if (!good_name(name)) {
        diag_error(DIAG_FAILED, "'%s' cannot name an object in '%s'", name,
                   s->folder);
        return -1;
    }
    memcpy(p->text, name, strlen(name) + 1);
    p->parent = "";
    p->dir = NULL;
    p->leaf = p->text;
    if (!(slash = strrchr(p->text, '/')))
        return 0;
    *slash = '\0';
    p->leaf = slash + 1;
    p->dir = p->text;
    if (!(slash = strrchr(p->text, '/')))
        return 0;
    *slash = '\0';
    p->dir = slash + 1;
    p->parent = p->text;
    return 0;
}

/* A new folder is there to be served: the umask says who else may write to it,
 * not who may read. */
static int make_served(const char *path)
{
    struct stat st;

    if (mkdir(path, 0777) < 0)
        return -1;
    if (stat(path, &st) == 0 && (st.st_mode & 0555) != 0555)
        (void)!chmod(path, (st.st_mode & 07777) | 0555);
    return 0;
}

/* mkdir -p */
static int make_base(struct store_file *s)
{
    char *path = strdup(s->folder);
    int result = 0;

    if (!path)
        return diag_no_memory();
    for (char *p = path + 1; result == 0; p++) {
        char c = *p;

        if (c && c != '/')
            continue;
        *p = '\0';
        if (make_served(path) < 0 && errno != EEXIST)
            result = store_fail(s, "make", "");
        *p = c;
        if (!c)
            break;
    }
    free(path);
    return result;
}

int store_base(struct store_file *s, bool create)
{
    if (s->base >= 0)
        return 0;
    s->base = open(s->folder, FOLDER & ~O_NOFOLLOW);
    if (s->base < 0 && errno == ENOENT) {
        if (!create)
            return STORE_ABSENT;
        if (make_base(s) < 0)
            return -1;
        s->base = open(s->folder, FOLDER & ~O_NOFOLLOW);
    }
    if (s->base < 0)
        return store_fail(s, "open", "");
    store_read_mode(s);
    return 0;
}

/* One folder below `above`; `path` is what messages call it. */
static int step(struct store_file *s, int above, const char *name,
                const char *path, bool create)
{
    int fd = openat(above, name, FOLDER);

    if (fd < 0 && errno == ENOENT && !create)
        return STORE_ABSENT;
    if (fd < 0 && errno == ENOENT) {
        if (mkdirat(above, name, store_folder_mode(s)) == 0)
            store_fix_folder(s, above, name);
        else if (errno != EEXIST)
            return store_fail(s, "make", path);
        if (fsync(above) < 0)
            return store_fail(s, "make", path);
        fd = openat(above, name, FOLDER);
    }
    return fd < 0 ? store_fail(s, "open", path) : fd;
}

int store_parent(struct store_file *s, const struct store_place *p, bool create)
{
    char path[STORE_NAME], *next = path;
    int fd, below;

    if ((fd = store_base(s, create)) < 0)
        return fd;
    if (!*p->parent)
        return s->base;
    if (s->parent >= 0 && strcmp(s->parent_name, p->parent) == 0)
        return s->parent;
    memcpy(path, p->parent, strlen(p->parent) + 1);
    for (fd = s->base; next; fd = below) {
        char *name = strsep(&next, "/");

        below = step(s, fd, name, p->parent, create);
        if (fd != s->base)
            close(fd);
        if (below < 0)
            return below;
    }
    if (s->parent >= 0)
        close(s->parent);
    s->parent = fd;
    memcpy(s->parent_name, p->parent, strlen(p->parent) + 1);
    return fd;
}

int store_dir(struct store_file *s, const struct store_place *p)
{
    char path[2 * STORE_NAME];
    int fd = store_parent(s, p, false);

    if (fd < 0 || !p->dir)
        return fd;
    snprintf(path, sizeof path, "%s%s%s", p->parent, *p->parent ? "/" : "",
             p->dir);
    return step(s, fd, p->dir, path, false);
}

void store_dir_close(const struct store_place *p, int fd)
{
    if (fd >= 0 && p->dir)
        close(fd);
}

int store_part(struct store_file *s)
{
    if (store_base(s, true) < 0)
        return -1;
    if (s->part < 0)
        s->part = step(s, s->base, ".part", ".part", true);
    return s->part;
}

/* Reads until `max` + 1 bytes or the end. */
static int read_all(struct store_file *s, int fd, const char *name, size_t max,
                    uint8_t **bytes, size_t *len)
{
    struct stat st;
    size_t room;
    ssize_t n = 1;

    if (fstat(fd, &st) < 0)
        return store_fail(s, "read", name);
    if (!S_ISREG(st.st_mode))
        return diag_error(DIAG_SERVER, "'%s/%s' is not one of ours: no file",
                          s->folder, name);
    if ((uintmax_t)st.st_size > max)
        return STORE_LONG;
    room = (size_t)st.st_size;
    if (!(*bytes = malloc(room + 1)))
        return diag_no_memory();
    for (*len = 0; *len < room && n; *len += (size_t)n) {
        n = read(fd, *bytes + *len, room - *len);
        if (n < 0 && errno == EINTR) {
            n = 1;
            *len -= 1;
        } else if (n < 0) {
            free(*bytes);
            *bytes = NULL;
            return store_fail(s, "read", name);
        }
    }
    return 0;
}

static int file_get(struct store *store, const char *name, size_t max,
                    uint8_t **bytes, size_t *len)
{
    struct store_file *s = (struct store_file *)store;
    struct store_place p;
    int dir, fd, result;

    *bytes = NULL;
    *len = 0;
    if (store_place(&p, s, name) < 0)
        return -1;
    if ((dir = store_dir(s, &p)) < 0)
        return dir == STORE_ABSENT ? STORE_MISSING : -1;
    fd = openat(dir, p.leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        result = read_all(s, fd, name, max, bytes, len);
        close(fd);
    } else {
        result = errno == ENOENT ? STORE_MISSING : store_fail(s, "open", name);
    }
    store_dir_close(&p, dir);
    return result;
}

/* The lock was written by the same clock as the object, just now. */
static uint64_t age_of(const struct store_file *s, const struct stat *object)
{
    struct stat lock;
    time_t now = time(NULL);

    if (s->lock >= 0 &&
        fstatat(s->base, "lock", &lock, AT_SYMLINK_NOFOLLOW) == 0)
        now = lock.st_mtime;
    return now > object->st_mtime ? (uint64_t)(now - object->st_mtime) : 0;
}

static int file_size(struct store *store, const char *name, uint64_t *size)
{
    struct store_file *s = (struct store_file *)store;
    struct store_place p;
    struct stat st;
    int dir, result = 0;

    *size = 0;
    if (store_place(&p, s, name) < 0)
        return -1;
    if ((dir = store_dir(s, &p)) < 0)
        return dir == STORE_ABSENT ? STORE_MISSING : -1;
    if (fstatat(dir, p.leaf, &st, AT_SYMLINK_NOFOLLOW) < 0)
        result = errno == ENOENT ? STORE_MISSING : store_fail(s, "open", name);
    else if (!S_ISREG(st.st_mode))
        result = diag_error(DIAG_SERVER, "'%s/%s' is not one of ours: no file",
                            s->folder, name);
    else
        *size = (uint64_t)st.st_size;
    store->age = result ? UINT64_MAX : age_of(s, &st);
    store_dir_close(&p, dir);
    return result;
}

static int file_remove(struct store *store, const char *name)
{
    struct store_file *s = (struct store_file *)store;
    struct store_place p;
    int dir, result = 0;

    if (store_place(&p, s, name) < 0)
        return -1;
    if ((dir = store_dir(s, &p)) < 0)
        return dir == STORE_ABSENT ? 0 : -1;
    if (unlinkat(dir, p.leaf, 0) < 0 && errno != ENOENT)
        result = store_fail(s, "remove", name);
    else if (strncmp(name, "devices/", 8) == 0)
        s->unsynced = true; /* the next head says that it is gone */
    store_dir_close(&p, dir);
    /* A device's folder goes with its last file. */
    if (result == 0 && p.dir && *p.parent)
        unlinkat(s->parent, p.dir, AT_REMOVEDIR);
    return result;
}

static void file_close(struct store *store)
{
    struct store_file *s = (struct store_file *)store;

    if (!s)
        return;
    store_file_unlock(store);
    if (s->parent >= 0)
        close(s->parent);
    if (s->part >= 0)
        close(s->part);
    if (s->base >= 0)
        close(s->base);
    free(s->folder);
    free(s);
}

static const struct store_ops file_ops = {.get = file_get,
                                          .size = file_size,
                                          .put = store_file_put,
                                          .flush = store_file_flush,
                                          .remove = file_remove,
                                          .lock = store_file_lock,
                                          .lost = store_file_lost,
                                          .unlock = store_file_unlock,
                                          .close = file_close};

/* "/" is a folder, too. */
static char *trimmed(const char *folder)
{
    const char *bare = folder + strspn(folder, "/");

    return *bare ? store_trimmed(folder) : strdup(*folder ? "/" : ".");
}

int store_file_open(const char *folder, bool create, struct store **out)
{
    struct store_file *s = calloc(1, sizeof *s);
    int result;

    *out = NULL;
    if (!s || !(s->folder = trimmed(folder))) {
        free(s);
        return diag_no_memory();
    }
    s->base = s->part = s->lock = s->parent = -1;
    s->store.ops = &file_ops;
    s->store.where = s->folder;
    store_dice(s->mark, (sizeof s->mark - 1) / 2);
    result = store_base(s, false);
    if (result == STORE_ABSENT && !create) {
        errno = ENOENT;
        result = store_fail(s, "open", "");
    }
    if (result == -1) {
        file_close((struct store *)s);
        return -1;
    }
    *out = (struct store *)s;
    return 0;
}
