/* The folder's lock: an flock, so that a dead holder holds nothing.  Who holds
 * it stands in the file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/diag.h"
#include "file.h"

enum {
    HOLDER = 320,    /* bytes of holder text, NUL included */
    POLL_MS = 50,    /* between two tries */
    NOTICE_MS = 1000 /* of waiting before it is said */
};

#define LOCK_NAME "lock"

static void say_holder(char out[HOLDER])
{
    const struct passwd *pw = getpwuid(geteuid());
    char host[128] = "", when[32];
    time_t now = time(NULL);
    struct tm tm;

    gethostname(host, sizeof host - 1);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    snprintf(out, HOLDER, "%.64s on %.127s, process %ld, since %s\n",
             pw ? pw->pw_name : "somebody", host, (long)getpid(), when);
}

/* The text may be anybody's: a line of plain characters is taken. */
static void read_holder(int fd, char out[HOLDER])
{
    ssize_t n = pread(fd, out, HOLDER - 1, 0);
    size_t len = 0;

    while (n > 0 && len < (size_t)n && out[len] >= ' ' && out[len] <= '~')
        len++;
    out[len] = '\0';
    if (!len)
        snprintf(out, HOLDER, "somebody");
}

/* Whether `lock` is still the file that is open: breaking replaces it. */
static bool current(const struct store_file *s, int fd)
{
    struct stat here, there;

    return fstat(fd, &here) == 0 &&
           fstatat(s->base, LOCK_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static int open_lock(struct store_file *s)
{
    int fd =
        openat(s->base, LOCK_NAME,
               O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);

    return fd < 0 ? store_fail(s, "lock", LOCK_NAME) : fd;
}

/* One try: 0 and s->lock, 1 if somebody has it, -1 (reported). */
static int try_lock(struct store_file *s, char holder[HOLDER])
{
    int fd = open_lock(s);
    bool locked;

    if (fd < 0)
        return -1;
    locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (locked && current(s, fd)) {
        s->lock = fd;
        return 0;
    }
    if (!locked && errno != EWOULDBLOCK && errno != EINTR) {
        store_fail(s, "lock", LOCK_NAME);
        close(fd);
        return -1;
    }
    read_holder(fd, holder);
    close(fd);
    return 1;
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
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
    uint64_t start = now_ms();
    char holder[HOLDER];
    bool told = false;
    int result;

    while ((result = try_lock(s, holder)) == 1) {
        uint64_t waited = now_ms() - start;

        if (waited >= wait_ms)
            return held(s, holder);
        if (!told && waited >= NOTICE_MS) {
            diag_note("waiting for %s, who publishes to '%s'", holder,
                      s->folder);
            told = true;
        }
        /* A signal that is to end the run ends the waiting. */
        if (nanosleep(&pause, NULL) < 0 && s->store.stop && *s->store.stop)
            return held(s, holder);
    }
    return result;
}

/* A new lock file in the place of the old one, whose holder keeps only that. */
static int replace_lock(struct store_file *s)
{
    char temp[32];
    int part = store_part(s), fd;

    if (part < 0)
        return -1;
    snprintf(temp, sizeof temp, "%ld.lock", (long)getpid());
    unlinkat(part, temp, 0);
    fd = openat(part, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                0644);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 ||
        renameat(part, temp, s->base, LOCK_NAME) < 0) {
        store_fail(s, "lock", LOCK_NAME);
        if (fd >= 0)
            close(fd);
        unlinkat(part, temp, 0);
        return -1;
    }
    s->lock = fd;
    return 0;
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

int store_file_lock(struct store *store, unsigned wait_ms, bool break_lock)
{
    struct store_file *s = (struct store_file *)store;
    char holder[HOLDER];
    int result;

    if (s->lock >= 0)
        return 0;
    if (store_base(s, true) < 0)
        return -1;
    if (break_lock) {
        result = try_lock(s, holder);
        if (result == 1)
            result = replace_lock(s);
    } else {
        result = wait_lock(s, wait_ms);
    }
    if (result < 0)
        return -1;
    say_holder(holder);
    /* For people alone: on a full disk the lock holds without it. */
    if (ftruncate(s->lock, 0) == 0 &&
        pwrite(s->lock, holder, strlen(holder), 0) < 0)
        diag_warning("cannot write who holds '%s/%s': %s", s->folder, LOCK_NAME,
                     strerror(errno));
    empty_part(s);
    return 0;
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
    ours = current(s, s->lock);
    if (ours) /* else it was broken, and is another's now */
        unlinkat(s->base, ".part", AT_REMOVEDIR);
    if (ftruncate(s->lock, 0) < 0)
        diag_warning("cannot empty '%s/%s': %s", s->folder, LOCK_NAME,
                     strerror(errno));
    close(s->lock);
    s->lock = -1;
    return ours;
}
