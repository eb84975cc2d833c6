/* The files of the memory: one line each, "GENERATION CREATED HASH SERVER",
 * named by the base.  They are no pack/tempfile.h: that one may fail is no
 * error, and the lock makes do with one temporary name. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "object.h"
#include "base/diag.h"

#define REPLACED "replaced"

enum {
    TEXT = 512, /* of a file, NUL included */
    NAME = 2 * MEMORY_BASE + 1
};

static bool take_number(const char *text, uint64_t *out)
{
    if (!*text || text[strspn(text, "0123456789")])
        return false;
    errno = 0;
    *out = strtoull(text, NULL, 10);
    return !errno && *out <= INT64_MAX;
}

static bool parse(const char *text, struct memory_seen *out)
{
    char generation[24], created[24], space[2];

    if (sscanf(text, "%20s %20s %64[0-9a-f]%1[ ]%255[^\n]", generation, created,
               out->head, space, out->where) != 5 ||
        strlen(out->head) != MEMORY_HEAD - 1 ||
        !take_number(created, &out->created))
        return false;
    if (strcmp(generation, REPLACED) == 0)
        out->generation = UINT64_MAX;
    else if (!take_number(generation, &out->generation))
        return false;
    return out->generation > 0;
}

/* The bytes of a file, at most TEXT - 1; -1: more, or no file. */
static ssize_t read_text(int fd, char text[TEXT])
{
    struct stat st;
    ssize_t len;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return -1;
    len = read(fd, text, TEXT);
    return len == TEXT ? -1 : len;
}

static void load(struct memory *m, int folder, const char *name,
                 struct memory_seen *out)
{
    int fd =
        openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    char text[TEXT] = "";
    ssize_t len;

    *out = (struct memory_seen){0};
    if (fd < 0)
        return;
    len = read_text(fd, text);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    if (len > 0 && text[len - 1] == '\n' && strlen(text) == (size_t)len &&
        parse(text, out))
        return;
    *out = (struct memory_seen){0};
    if (!m->warned)
        diag_warning("'%s/%s' is damaged: which index this machine has seen "
                     "last is not known",
                     m->folder, name);
    m->warned = true;
}

void memory_get(struct memory *m, const uint8_t base[MEMORY_BASE],
                struct memory_seen *out)
{
    int folder = m && m->folder
                     ? open(m->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                     : -1;
    char name[NAME];

    *out = (struct memory_seen){0};
    if (folder < 0)
        return;
    object_hex(base, MEMORY_BASE, name);
    load(m, folder, name, out);
    close(folder);
}

/* The folder, made with those above it.  -1 and errno. */
static int open_folder(const char *path)
{
    char *each = strdup(path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (char *p = each; fd < 0 && p && *p; p++) {
        if (*p != '/' || p == each)
            continue;
        *p = '\0';
        mkdir(each, 0700);
        *p = '/';
    }
    free(each);
    if (fd < 0 && (mkdir(path, 0700) == 0 || errno == EEXIST))
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd;
}

/* 0, or -1 and errno. */
static int save(int folder, const char *name, const char *text)
{
    char part[NAME + 5];
    ssize_t len = (ssize_t)strlen(text);
    int fd, failed;

    snprintf(part, sizeof part, "%s.part", name);
    fd = openat(folder, part,
                O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    failed = write(fd, text, (size_t)len) != len || fsync(fd) < 0;
    failed |= close(fd) < 0;
    return failed ? -1 : renameat(folder, part, folder, name);
}

static int write_seen(int folder, const char *name,
                      const struct memory_seen *seen)
{
    char generation[24] = REPLACED, text[TEXT], where[MEMORY_WHERE];

    if (seen->generation != UINT64_MAX)
        snprintf(generation, sizeof generation, "%" PRIu64, seen->generation);
    snprintf(where, sizeof where, "%s", seen->where);
    for (char *p = where; (p = strchr(p, '\n')); p++)
        *p = '?';
    snprintf(text, sizeof text, "%s %" PRIu64 " %s %s\n", generation,
             seen->created, seen->head, where);
    return save(folder, name, text);
}

/* The lock is for others on this machine: what is higher stays.  Where there
 * is none (some network file systems), the last one wins. */
static int keep(struct memory *m, int folder, const char *name,
                const struct memory_seen *seen, bool lower)
{
    struct memory_seen old;

    while (flock(folder, LOCK_EX) < 0 && errno == EINTR)
        ;
    load(m, folder, name, &old);
    if (!lower && old.generation > seen->generation)
        return 0;
    return write_seen(folder, name, seen);
}

void memory_keep(struct memory *m, const uint8_t base[MEMORY_BASE],
                 const struct memory_seen *seen, bool lower, bool tell)
{
    char name[NAME];
    int folder, failed, reason;

    if (!m || !m->folder)
        return;
    object_hex(base, MEMORY_BASE, name);
    folder = open_folder(m->folder);
    failed = folder < 0 || keep(m, folder, name, seen, lower);
    reason = errno;
    if (folder >= 0)
        close(folder);
    if (!failed || !tell || m->warned)
        return;
    m->warned = true;
    diag_warning("cannot write to '%s': %s; an older copy of the index, were "
                 "it put back, would not be noticed here",
                 m->folder, strerror(reason));
}
