/* The folder's lock: an flock, so that a dead holder holds nothing.  Who holds
 * it stands in the file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/diag.h"
#include "file.h"
#include "lock.h"

enum {
    POLL_MS = 50,    /* between two tries */
    NOTICE_MS = 1000 /* of waiting before it is said */
};

#define LOCK_NAME "lock"

/* A power cut may leave zeros. */
static bool read_text(int fd, struct store_lock_text *t)
{
    char text[STORE_LOCK_TEXT] = "";
    bool could = pread(fd, text, sizeof text - 1, 0) >= 0;

    store_lock_parse(text, t);
    return could;
}

/* Whether `lock` is still the file that is open: breaking replaces it. */
static bool is_current(const struct store_file *s, int fd)
{
    struct stat here, there;

    return fstat(fd, &here) == 0 &&
           fstatat(s->base, LOCK_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Whoever may write the folder may have laid a link to another file there, and
 * a person may have a file of that name: it is ours where it is empty or says
 * who holds it. */
static bool is_ours(int fd)
{
    struct store_lock_text t;
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        st.st_size >= STORE_LOCK_TEXT)
        return false;
    return read_text(fd, &t) && !t.foreign;
}

static int refuse_file(const struct store_file *s)
{
    return diag_error(DIAG_SERVER,
                      "'%s/%s' is not a lock that ota-pack made, and is left "
                      "as it is: if it is a file of yours, move it elsewhere; "
                      "that name is needed here",
                      s->folder, LOCK_NAME);
}

/* -1 with errno. */
static int open_or_make(struct store_file *s)
{
    const int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = openat(s->base, LOCK_NAME, flags);

    if (fd >= 0 || errno != ENOENT)
        return fd;
    fd = openat(s->base, LOCK_NAME, flags | O_CREAT | O_EXCL, store_mode(s));
    if (fd >= 0)
        store_fix_mode(s, fd);
    else if (errno == EEXIST) /* another one was faster */
        fd = openat(s->base, LOCK_NAME, flags);
    return fd;
}

/* The open file, or -1 (reported). */
static int open_lock(struct store_file *s)
{
    int fd = open_or_make(s);

    if (fd < 0 && errno != ELOOP && errno != EISDIR && errno != ENXIO)
        return store_fail(s, "lock", LOCK_NAME);
    if (fd >= 0 && is_ours(fd))
        return fd;
    if (fd >= 0)
        close(fd);
    return refuse_file(s);
}

/* The file system has no locks: some on networks, some in user space. */
static bool has_none(int error)
{
    switch (error) {
    case ENOLCK:
    case EOPNOTSUPP:
#if ENOTSUP != EOPNOTSUPP
    case ENOTSUP:
#endif
    case ENOSYS:
    case EINVAL:
        return true;
    default:
        return false;
    }
}

static int refuse_none(const struct store_file *s)
{
    return diag_error(DIAG_LOCK,
                      "cannot lock '%s/%s': its file system has no locks: make "
                      "sure that nobody else publishes there, then run the "
                      "same command with '--break-lock', which goes on without "
                      "one",
                      s->folder, LOCK_NAME);
}

/* A new lock file in the place of the old one, whose holder keeps only that.
 * Without locks it is told from another's all the same. */
static int replace_lock(struct store_file *s, bool has_locks)
{
    char temp[32];
    int part = store_part(s), fd;

    if (part < 0)
        return -1;
    snprintf(temp, sizeof temp, "%s.lock", s->mark);
    unlinkat(part, temp, 0);
    fd = openat(part, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                store_mode(s));
    if (fd < 0 || (has_locks && flock(fd, LOCK_EX | LOCK_NB) < 0) ||
        renameat(part, temp, s->base, LOCK_NAME) < 0) {
        store_fail(s, "lock", LOCK_NAME);
        if (fd >= 0)
            close(fd);
        unlinkat(part, temp, 0);
        return -1;
    }
    store_fix_mode(s, fd);
    s->lock = fd;
    return 0;
}

/* Of a file that has another name, be it a snapshot's or a person's, nothing is
 * written: a file of its own takes its place. */
static int own_lock(struct store_file *s, int fd)
{
    struct stat st;
    int result = 0;

    if (fstat(fd, &st) < 0 || st.st_nlink < 2) {
        s->lock = fd;
        return 0;
    }
    result = replace_lock(s, true);
    close(fd);
    return result;
}

/* One try: 0 and s->lock, 1 if somebody has it, 2 if there are no locks, -1
 * (reported).  *t is set where somebody may have it. */
static int try_lock(struct store_file *s, struct store_lock_text *t)
{
    int fd = open_lock(s), error;
    bool locked;

    if (fd < 0)
        return -1;
    locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    error = errno;
    if (locked && is_current(s, fd))
        return own_lock(s, fd);
    read_text(fd, t);
    close(fd);
    if (!locked && has_none(error))
        return 2;
    errno = error;
    if (!locked && error != EWOULDBLOCK && error != EINTR)
        return store_fail(s, "lock", LOCK_NAME);
    return 1;
}

static int held(const struct store_file *s, const char *holder)
{
    return diag_error(DIAG_LOCK,
                      "'%s' is being published to by %s: try again later, or "
                      "wait longer with '--lock-timeout 2m'",
                      s->folder, holder);
}

static int wait_lock(struct store_file *s, unsigned wait_ms)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    uint64_t start = clock_ms();
    struct store_lock_text t;
    bool told = false;
    int result;

    while ((result = try_lock(s, &t)) == 1) {
        uint64_t waited = clock_ms() - start;

        if (waited >= wait_ms)
            return held(s, t.holder);
        if (!told && waited >= NOTICE_MS) {
            diag_note("waiting for %s, who publishes to '%s'", t.holder,
                      s->folder);
            told = true;
        }
        /* A signal that is to end the run ends the waiting, whenever it came
         * and whichever thread had it. */
        nanosleep(&pause, NULL);
        if (s->store.stop && *s->store.stop)
            return held(s, t.holder);
    }
    return result == 2 ? refuse_none(s) : result;
}

/* What a holder that was killed left half made. */
static void empty_part(struct store_file *s)
{
    int fd = openat(s->base, ".part",
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((e = readdir(dir)))
        if (e->d_name[0] != '.')
            unlinkat(fd, e->d_name, 0);
    closedir(dir);
}

/* Takes it whoever holds it. */
static int break_lock(struct store_file *s)
{
    struct store_lock_text t;
    int result = try_lock(s, &t);

    if (result <= 0)
        return result;
    /* Without locks the text alone says whether somebody has it. */
    s->store.forced = result == 1 || strcmp(t.holder, STORE_LOCK_NOBODY) != 0;
    if (result == 2)
        diag_warning("'%s' has no locks: nothing keeps somebody else from "
                     "publishing there at the same time",
                     s->folder);
    return replace_lock(s, result == 1);
}

/* For people alone: on a full disk the lock holds without it. */
static void write_holder(struct store_file *s)
{
    char holder[STORE_LOCK_HOLDER];
    size_t len;

    store_lock_holder(holder, sizeof holder - 1);
    len = strlen(holder);
    holder[len++] = '\n';
    if (ftruncate(s->lock, 0) < 0 ||
        pwrite(s->lock, holder, len, 0) == (ssize_t)len)
        return;
    diag_warning("cannot write who holds '%s/%s': %s", s->folder, LOCK_NAME,
                 strerror(errno));
    (void)!ftruncate(s->lock, 0);
}

int store_file_lock(struct store *store, unsigned wait_ms, bool force)
{
    struct store_file *s = (struct store_file *)store;

    if (s->lock >= 0)
        return 0;
    if (store_base(s, true) < 0)
        return -1;
    if ((force ? break_lock(s) : wait_lock(s, wait_ms)) < 0)
        return -1;
    write_holder(s);
    empty_part(s);
    return 0;
}

bool store_file_lost(struct store *store)
{
    const struct store_file *s = (const struct store_file *)store;

    return s->lock >= 0 && !is_current(s, s->lock);
}

bool store_file_unlock(struct store *store)
{
    struct store_file *s = (struct store_file *)store;
    bool ours;

    if (s->part >= 0) {
        close(s->part);
        s->part = -1;
    }
    if (s->lock < 0)
        return true;
    ours = is_current(s, s->lock);
    if (ours) /* else it was broken, and is another's now */
        unlinkat(s->base, ".part", AT_REMOVEDIR);
    if (ftruncate(s->lock, 0) < 0)
        diag_warning("cannot empty '%s/%s': %s", s->folder, LOCK_NAME,
                     strerror(errno));
    close(s->lock);
    s->lock = -1;
    return ours;
}
