/* The files of the memory, one line each: "GENERATION CREATED HASH SERVER",
 * named by the base, and "BASE VERSION KEY SERVER", named by "at-" and the
 * site.  They are no pack/tempfile.h: that one may fail is no
 * error, and the lock makes do with one temporary name. */
#include <dirent.h>
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
#include "base/file.h"
#include "base/hex.h"

#define REPLACED "replaced"

enum {
    TEXT = 512, /* of a file, NUL included */
    NAME = 2 * MEMORY_BASE + sizeof "at-"
};

static bool take_number(const char *text, uint64_t *out)
{
    if (!*text || text[strspn(text, "0123456789")])
        return false;
    errno = 0;
    *out = strtoull(text, NULL, 10);
    return !errno && *out <= INT64_MAX;
}

static bool parse_line(const char *text, struct memory_seen *out)
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

static bool parse_site(const char *text, struct memory_site *out)
{
    char base[2 * MEMORY_BASE + 1], version[24], key[2 * OTA_KEY_ID + 1];
    char space[2];
    uint64_t number;

    if (sscanf(text, "%32[0-9a-f] %20s %16[0-9a-f]%1[ ]%255[^\n]", base,
               version, key, space, out->where) != 5 ||
        !hex_decode(base, MEMORY_BASE, out->base) ||
        !hex_decode(key, OTA_KEY_ID, out->key_id) ||
        !take_number(version, &number) || number > UINT32_MAX)
        return false;
    out->version = (uint32_t)number;
    out->known = true;
    return true;
}

/* The bytes of a file, at most TEXT - 1; -1: more, or no file. */
static ssize_t read_text(int fd, char text[TEXT])
{
    struct stat st;
    ssize_t len;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return -1;
    len = file_read(fd, text, TEXT);
    return len == TEXT ? -1 : len;
}

/* The line of a file.  1; 0 where there is none; -1: it is no such line. */
static int load_line(int folder, const char *name, char text[TEXT])
{
    int fd =
        openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    ssize_t len;

    if (fd < 0)
        return 0;
    len = read_text(fd, text);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    return len > 0 && text[len - 1] == '\n' && strlen(text) == (size_t)len ? 1
                                                                           : -1;
}

static void say_damaged(struct memory *m, const char *name)
{
    if (!m->warned)
        diag_warning("'%s/%s' is damaged: which index this machine has seen "
                     "last is not known",
                     m->folder, name);
    m->warned = true;
}

static void load_head(struct memory *m, int folder, const char *name,
                      struct memory_seen *out)
{
    char text[TEXT] = "";
    int result = load_line(folder, name, text);

    *out = (struct memory_seen){0};
    if (result > 0 && parse_line(text, out))
        return;
    *out = (struct memory_seen){0};
    if (result)
        say_damaged(m, name);
}

static void load_site(struct memory *m, int folder, const char *name,
                      struct memory_site *out)
{
    char text[TEXT] = "";
    int result = load_line(folder, name, text);

    *out = (struct memory_site){0};
    if (result > 0 && parse_site(text, out))
        return;
    *out = (struct memory_site){0};
    if (result)
        say_damaged(m, name);
}

static int look_into(const struct memory *m)
{
    return m && m->folder ? open(m->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                          : -1;
}

void memory_get(struct memory *m, const uint8_t base[MEMORY_BASE],
                struct memory_seen *out)
{
    int folder = look_into(m);
    char name[NAME];

    *out = (struct memory_seen){0};
    if (folder < 0)
        return;
    hex_encode(base, MEMORY_BASE, name);
    load_head(m, folder, name, out);
    close(folder);
}

static void name_site(const uint8_t site[STORE_SITE], char name[NAME])
{
    memcpy(name, "at-", 3);
    hex_encode(site, STORE_SITE, name + 3);
}

void memory_get_site(struct memory *m, const uint8_t site[STORE_SITE],
                     struct memory_site *out)
{
    int folder = look_into(m);
    char name[NAME];

    *out = (struct memory_site){0};
    if (folder < 0)
        return;
    name_site(site, name);
    load_site(m, folder, name, out);
    close(folder);
}

void memory_each_site(struct memory *m,
                      void (*each)(void *ctx, const struct memory_site *site),
                      void *ctx)
{
    int folder = look_into(m);
    DIR *dir = folder < 0 ? NULL : fdopendir(folder);
    struct memory_site site;
    struct dirent *e;

    if (!dir && folder >= 0)
        close(folder);
    while (dir && (e = readdir(dir))) {
        if (strncmp(e->d_name, "at-", 3) != 0 ||
            strlen(e->d_name) != NAME - 1 ||
            !hex_decode(e->d_name + 3, STORE_SITE, site.site))
            continue;
        load_site(m, folder, e->d_name, &site);
        hex_decode(e->d_name + 3, STORE_SITE, site.site);
        if (site.known)
            each(ctx, &site);
    }
    if (dir)
        closedir(dir);
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
    int fd, failed;

    snprintf(part, sizeof part, "%s.part", name);
    fd = openat(folder, part,
                O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    failed = file_write(fd, text, strlen(text)) < 0 || fsync(fd) < 0;
    failed |= close(fd) < 0;
    return failed ? -1 : renameat(folder, part, folder, name);
}

/* A server as it is told, on one line. */
static void tell_where(const char *from, char out[MEMORY_WHERE])
{
    snprintf(out, MEMORY_WHERE, "%s", *from ? from : "?");
    for (char *p = out; (p = strchr(p, '\n')); p++)
        *p = '?';
}

static int write_seen(int folder, const char *name,
                      const struct memory_seen *seen)
{
    char generation[24] = REPLACED, text[TEXT], where[MEMORY_WHERE];

    if (seen->generation != UINT64_MAX)
        snprintf(generation, sizeof generation, "%" PRIu64, seen->generation);
    tell_where(seen->where, where);
    snprintf(text, sizeof text, "%s %" PRIu64 " %s %s\n", generation,
             seen->created, seen->head, where);
    return save(folder, name, text);
}

/* For others on this machine: what is higher stays.  Where there is no lock
 * (some network file systems), the last one wins. */
static void lock_folder(int folder)
{
    while (flock(folder, LOCK_EX) < 0 && errno == EINTR)
        ;
}

static int keep(struct memory *m, int folder, const char *name,
                const struct memory_seen *seen, bool lower)
{
    struct memory_seen old;

    lock_folder(folder);
    load_head(m, folder, name, &old);
    if (!lower && old.generation > seen->generation)
        return 0;
    return write_seen(folder, name, seen);
}

/* That it failed, once. */
static void say_unwritable(struct memory *m, int reason)
{
    if (m->warned)
        return;
    m->warned = true;
    diag_warning("cannot write to '%s': %s; an older copy of the index, were "
                 "it put back, would not be noticed here",
                 m->folder, strerror(reason));
}

void memory_keep(struct memory *m, const uint8_t base[MEMORY_BASE],
                 const struct memory_seen *seen, bool lower, bool tell)
{
    char name[NAME];
    int folder, failed, reason;

    if (!m || !m->folder)
        return;
    hex_encode(base, MEMORY_BASE, name);
    folder = open_folder(m->folder);
    failed = folder < 0 || keep(m, folder, name, seen, lower);
    reason = errno;
    if (folder >= 0)
        close(folder);
    if (failed && tell)
        say_unwritable(m, reason);
}

/* Never a lower version: a number that was given out stays used. */
static int keep_site(struct memory *m, int folder,
                     const struct memory_site *site)
{
    char name[NAME], base[2 * MEMORY_BASE + 1], key[2 * OTA_KEY_ID + 1];
    char where[MEMORY_WHERE], text[TEXT];
    struct memory_site old;
    uint32_t version = site->version;

    lock_folder(folder);
    name_site(site->site, name);
    load_site(m, folder, name, &old);
    if (old.version > version)
        version = old.version;
    hex_encode(site->base, MEMORY_BASE, base);
    hex_encode(site->key_id, OTA_KEY_ID, key);
    tell_where(site->where, where);
    if (old.known && old.version == version &&
        memcmp(old.base, site->base, MEMORY_BASE) == 0 &&
        memcmp(old.key_id, site->key_id, OTA_KEY_ID) == 0)
        return 0;
    snprintf(text, sizeof text, "%s %" PRIu32 " %s %s\n", base, version, key,
             where);
    return save(folder, name, text);
}

void memory_keep_site(struct memory *m, const struct memory_site *site,
                      bool tell)
{
    int folder, failed, reason;

    if (!m || !m->folder)
        return;
    folder = open_folder(m->folder);
    failed = folder < 0 || keep_site(m, folder, site);
    reason = errno;
    if (folder >= 0)
        close(folder);
    if (failed && tell)
        say_unwritable(m, reason);
}
