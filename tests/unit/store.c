/* The folder store: names, durability's side effects, links, the lock, and
 * what is left after a failure. */
#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "keys_help.h"
#include "store/store.h"

static struct store *s;

static int put(const char *name, const char *text, enum store_class class)
{
    return s->ops->put(s, name, (const uint8_t *)text, strlen(text), class);
}

static bool holds(const char *name, const char *text)
{
    uint8_t *bytes;
    size_t len;
    bool same;

    if (s->ops->get(s, name, 1000, &bytes, &len) != 0)
        return false;
    same = len == strlen(text) && memcmp(bytes, text, len) == 0;
    free(bytes);
    return same;
}

static bool exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static size_t entries(const char *path)
{
    DIR *dir = opendir(path);
    size_t count = 0;

    while (dir && readdir(dir))
        count++;
    if (dir)
        closedir(dir);
    return count < 2 ? 0 : count - 2;
}

static time_t mtime(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? st.st_mtime : 0;
}

/* Its clock goes on between a put's write and its rename. */
static bool slow;

int mkdirat(int fd, const char *path, mode_t mode)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t = (struct timespec){.tv_nsec = 999999999 - t.tv_nsec};
    if (slow)
        nanosleep(&t, NULL);
    t.tv_nsec = 20000000;
    if (slow)
        nanosleep(&t, NULL);
    return (int)syscall(SYS_mkdirat, fd, path, mode);
}

static void test_open(void)
{
    uint64_t size;

    check(store_file_open("none", false, &s) == -1 && !s, "no folder");
    check(heard("cannot open 'none': No such file or directory") &&
              said_kind == DIAG_SERVER,
          "and says so");
    put_text("file", "x", 0644);
    check(store_file_open("file", true, &s) == -1 && heard("not a folder"),
          "a file for a folder");
    check(store_file_open("new/public//", true, &s) == 0, "opened");
    check(!exists("new"), "not made before it is needed");
    check(strcmp(s->where, "new/public") == 0, "where: %s", s->where);
    check(!holds("index/head", "") &&
              s->ops->size(s, "index/head", &size) == STORE_MISSING,
          "nothing is there");
    check(s->ops->remove(s, "index/head") == 0, "nothing to remove");
}

static void test_names(void)
{
    static const char *const bad[] = {
        "",     "/",    "/index",         "index/",  "a//b", "..",      "a/..",
        "../a", ".",    "a/./b",          ".part/x", "a/.b", "A",       "a b",
        "a:b",  "a\\b", "index/\xc3\xa4", "a\n",     "a/*",  "index/~", NULL};
    char big[300];
    uint64_t size;

    for (size_t i = 0; bad[i]; i++)
        check(put(bad[i], "x", STORE_HEAD) == -1 && heard("cannot name"),
              "refused: name %zu", i);
    memset(big, 'a', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    check(s->ops->size(s, big, &size) == -1 && heard("cannot name"),
          "too long");
    check(!exists("new"), "still nothing made");
}

static void test_objects(void)
{
    struct stat st;
    uint64_t size = 0;
    uint8_t *bytes;
    size_t len;

    check(
        put("payloads/ab/abcd", "payload", STORE_PAYLOAD) == 0 &&
            put("index/0123", "shard", STORE_SHARD) == 0 &&
            put("devices/246f28aabbcc/manifest", "one", STORE_MANIFEST) == 0 &&
            put("index/head", "head", STORE_HEAD) == 0 && s->ops->flush(s) == 0,
        "put");
    check(holds("payloads/ab/abcd", "payload") &&
              holds("index/0123", "shard") &&
              holds("devices/246f28aabbcc/manifest", "one") &&
              holds("index/head", "head"),
          "got");
    check(put("index/empty", "", STORE_HEAD) == 0 && holds("index/empty", ""),
          "an empty one");
    check(s->ops->size(s, "payloads/ab/abcd", &size) == 0 && size == 7,
          "its size");
    check(stat("new/public/index/head", &st) == 0 &&
              (st.st_mode & 07777) == 0644,
          "mode of a file");
    check(stat("new/public/devices/246f28aabbcc", &st) == 0 &&
              (st.st_mode & 07777) == 0755,
          "mode of a folder");
    check(s->ops->get(s, "index/head", 3, &bytes, &len) == STORE_LONG && !bytes,
          "larger than it may be");
    check(store_get(s, "index/head", 3, &bytes, &len) == -1 && !bytes &&
              heard("'new/public/index/head' is not one of ours: it has more "
                    "than 3 bytes"),
          "and says so");
    check(s->ops->get(s, "index", 99, &bytes, &len) == -1 &&
              heard("not one of ours"),
          "a folder is no object");
    check(entries("new/public/.part") == 0, "no temporary file is left");
    check(s->ops->remove(s, "devices/246f28aabbcc/manifest") == 0 &&
              !exists("new/public/devices/246f28aabbcc") &&
              exists("new/public/devices"),
          "removed with its folder");
}

static void test_mtime(void)
{
    static const char name[] = "devices/010203040506/manifest";
    static const char path[] = "new/public/devices/010203040506/manifest";
    struct timespec late[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
    time_t before;

    put(name, "one", STORE_MANIFEST);
    before = mtime(path);
    put(name, "two", STORE_MANIFEST);
    check(mtime(path) > before && holds(name, "two"),
          "another second for another manifest");
    late[1].tv_sec = before + 1000;
    late[1].tv_nsec = 999999999;
    utimensat(AT_FDCWD, path, late, 0);
    put(name, "six", STORE_MANIFEST);
    check(mtime(path) == before + 1001, "also after one from the future");
    late[1].tv_sec = 1000;
    utimensat(AT_FDCWD, path, late, 0);
    put(name, "ten", STORE_MANIFEST);
    check(mtime(path) >= before && mtime(path) < before + 1000,
          "else the time that it is");
    utimensat(AT_FDCWD, path, NULL, 0);
    before = mtime(path);
    slow = true;
    put(name, "five", STORE_MANIFEST);
    slow = false;
    check(mtime(path) > before, "also where the second ends meanwhile");
}

static void test_links(void)
{
    uint8_t *bytes;
    size_t len;

    mkdir("outside", 0755);
    put_text("secret", "secret", 0644);
    check(symlink("../../../outside", "new/public/devices/aa") == 0 &&
              symlink("../../secret", "new/public/index/link") == 0 &&
              symlink("../outside", "new/public/linked") == 0,
          "links");
    check(put("devices/aa/manifest", "x", STORE_MANIFEST) == -1 &&
              heard("cannot open 'new/public/devices/aa': a part of it is a "),
          "a linked folder is not followed");
    check(put("linked/a/b", "x", STORE_PAYLOAD) == -1 && heard("is a link"),
          "nor one above it");
    check(s->ops->get(s, "index/link", 99, &bytes, &len) == -1 &&
              heard("is a link"),
          "nor a linked file");
    check(put("index/link", "mine", STORE_HEAD) == 0 &&
              holds("index/link", "mine"),
          "which is replaced");
    check(entries("outside") == 0 && exists("secret"), "nothing outside");
    check(mkfifo("new/public/index/pipe", 0644) == 0 &&
              s->ops->get(s, "index/pipe", 99, &bytes, &len) == -1 &&
              heard("not one of ours"),
          "a pipe does not hang");
}

/* A limit on files stands in for a full disk. */
static void test_full(void)
{
    struct rlimit old, small = {.rlim_cur = 16};
    char big[100];

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    put("index/head", "before", STORE_HEAD);
    getrlimit(RLIMIT_FSIZE, &old);
    small.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    check(put("index/head", big, STORE_HEAD) == -1 &&
              heard("cannot write 'new/public/index/head': ") &&
              said_kind == DIAG_SERVER,
          "no room for a head");
    check(put("devices/ffffffffffff/manifest", big, STORE_MANIFEST) == -1 &&
              heard("cannot write"),
          "nor for a manifest");
    setrlimit(RLIMIT_FSIZE, &old);
    check(holds("index/head", "before"), "what was there is there");
    check(!exists("new/public/devices/ffffffffffff") &&
              entries("new/public/.part") == 0,
          "nothing half made");
    check(mkdir("new/public/devices/eeeeeeeeeeee", 0755) == 0 &&
              mkdir("new/public/devices/eeeeeeeeeeee/manifest", 0755) == 0 &&
              put("devices/eeeeeeeeeeee/manifest", "x", STORE_MANIFEST) == -1 &&
              heard("cannot write") && entries("new/public/.part") == 0,
          "a folder in its place");
}

/* Takes the lock in another process, which says so and then waits. */
static pid_t hold(int *done, int temps)
{
    struct store *other;
    int ready[2], stop[2];
    char c = 0;
    pid_t pid;

    if (pipe(ready) < 0 || pipe(stop) < 0 || (pid = fork()) < 0)
        exit(1);
    if (pid == 0) {
        close(stop[1]);
        if (store_file_open("new/public", false, &other) < 0 ||
            other->ops->lock(other, 0, false) < 0)
            _exit(1);
        for (int i = 0; i < temps; i++) {
            mkdir("new/public/.part", 0755);
            put_text("new/public/.part/99.left", "half", 0644);
        }
        if (write(ready[1], "", 1) != 1 || read(stop[0], &c, 1) < 0)
            _exit(1);
        other->ops->close(other);
        _exit(0);
    }
    close(stop[0]);
    close(ready[1]);
    if (read(ready[0], &c, 1) != 1)
        exit(1);
    close(ready[0]);
    *done = stop[1];
    return pid;
}

static size_t lock_text(char *text, size_t room)
{
    int fd = open("new/public/lock", O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, room - 1);

    text[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return strlen(text);
}

static void test_lock(void)
{
    char text[400], want[64];
    int done;
    pid_t pid = hold(&done, 0);

    snprintf(want, sizeof want, ", process %ld, since 20", (long)pid);
    check(s->ops->lock(s, 0, false) == -1 && said_kind == DIAG_LOCK &&
              strstr(said, "'new/public' is being published to by ") &&
              strstr(said, "--lock-timeout") && heard(want),
          "held: refused, naming the holder");
    check(s->ops->lock(s, 60, false) == -1 && heard(want), "after a while too");
    close(done);
    check(s->ops->lock(s, 30000, false) == 0, "taken when it is free");
    waitpid(pid, NULL, 0);
    snprintf(want, sizeof want, ", process %ld, ", (long)getpid());
    check(lock_text(text, sizeof text) && strstr(text, want), "ours: %s", text);
    check(s->ops->lock(s, 0, false) == 0, "ours already");
    s->ops->unlock(s);
    check(lock_text(text, sizeof text) == 0, "nobody's");
    pid = hold(&done, 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(done);
    check(exists("new/public/.part/99.left"), "a holder is killed");
    check(s->ops->lock(s, 0, false) == 0, "its lock is free at once");
    check(entries("new/public/.part") == 0, "what it left is removed");
    s->ops->unlock(s);
    check(!exists("new/public/.part"), "and the folder for it");
}

static void test_break(void)
{
    char text[400], want[64];
    int done, status = 1;
    pid_t pid = hold(&done, 0);

    check(s->ops->lock(s, 0, true) == 0, "broken");
    close(done);
    waitpid(pid, &status, 0);
    check(status == 0, "the old holder ends in peace");
    snprintf(want, sizeof want, ", process %ld, ", (long)getpid());
    check(lock_text(text, sizeof text) && strstr(text, want),
          "and leaves the new one alone: %s", text);
    s->ops->unlock(s);
    check(s->ops->lock(s, 0, true) == 0, "nothing to break");
    s->ops->unlock(s);
    pid = hold(&done, 0);
    check(s->ops->lock(s, 0, false) == -1 && heard("being published"),
          "the next one holds as ever");
    close(done);
    waitpid(pid, NULL, 0);
}

int main(void)
{
    begin();
    test_open();
    test_names();
    test_objects();
    test_mtime();
    test_links();
    test_full();
    test_lock();
    test_break();
    s->ops->close(s);
    check(!exists("new/public/.part"), "no temporary folder is left");
    return end();
}
