/* Files of this machine: each is opened and hashed once, however many releases
 * and devices have it. */
#include "tree_internal.h"
#include "base/compose.h"
#include "base/stop.h"
#include "keys/keys_text.h"
#include "secret.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ = 64 * 1024 };

struct reading {
    struct tree_job *job;
    const struct tree_origin *origin;
    struct diag_mark mark;
    const char *path;
};

static int read_failed(const struct reading *r, const char *what)
{
    return tree_fail(r->job, DIAG_INPUT, r->mark, "cannot %s '%s': %s", what,
                     r->path, strerror(errno));
}

static int has_changed(const struct reading *r)
{
    return tree_fail(r->job, DIAG_INPUT, r->mark,
                     "'%s' changed while it was read: run again when nothing "
                     "writes to it",
                     r->path);
}

static int is_stopped(const struct reading *r)
{
    r->job->failed = true;
    return -1;
}

static int check_kind(const struct reading *r, const struct stat *st)
{
    if (S_ISDIR(st->st_mode))
        return tree_fail(r->job, DIAG_CONFIG, r->mark,
                         "'%s' is a folder: '%s/**' has all files in it",
                         r->path, r->path);
    if (!S_ISREG(st->st_mode))
        return tree_fail(r->job, DIAG_CONFIG, r->mark,
                         "'%s' is not a regular file", r->path);
    if (st->st_size > INT32_MAX)
        return tree_fail(r->job, DIAG_CONFIG, r->mark,
                         "'%s' has %lld bytes: a file has at most 2147483647",
                         r->path, (long long)st->st_size);
    return 0;
}

static int not_hidden(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* The nearest of the names in `folder`; to be freed. */
static char *suggest_in(const char *folder, const char *name)
{
    struct dirent **list = NULL;
    int n = scandir(folder, &list, not_hidden, NULL), i;
    const char **names = n > 0 ? calloc((size_t)n, sizeof *names) : NULL;
    const char *near = NULL;
    char *copy;

    for (i = 0; names && i < n; i++)
        names[i] = list[i]->d_name;
    if (names)
        near = diag_suggest(name, names, (size_t)n);
    if (near && !strcmp(near, name))
        near = NULL; /* it is there, and leads nowhere */
    copy = near ? strdup(near) : NULL;
    for (i = 0; i < n; i++)
        free(list[i]);
    free(list);
    free(names);
    return copy;
}

static char *suggest(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder, *near;

    if (!slash)
        return suggest_in(".", path);
    folder = strndup(path, (size_t)(slash - path) + 1);
    near = folder ? suggest_in(folder, slash + 1) : NULL;
    free(folder);
    return near;
}

static int missing(const struct reading *r)
{
    int err = errno, link = tree_link_missing(r->job, r->origin);
    char *near;

    if (link <= 0)
        return link;
    near = err == ENOENT ? compose_twin(r->path) : NULL;
    if (near) {
        tree_fail(r->job, DIAG_INPUT, r->mark, COMPOSE_TWIN, r->path, near,
                  compose_form(near));
        free(near);
        return -1;
    }
    near = err == ENOENT && !r->job->device ? suggest(r->path) : NULL;
    errno = err;
    if (!near)
        return read_failed(r, "open");
    tree_fail(r->job, DIAG_INPUT, r->mark,
              "cannot open '%s': %s (did you mean '%s'?)", r->path,
              strerror(err), near);
    free(near);
    return -1;
}

/* The stat before the open keeps devices and pipes from being opened. */
static int open_file(const struct reading *r, struct stat *st)
{
    int fd;

    if (stat(r->path, st))
        return missing(r);
    if (check_kind(r, st))
        return -1;
    fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return read_failed(r, "open");
    if (fstat(fd, st)) {
        read_failed(r, "read");
    } else if (check_kind(r, st) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

/* Takes at most one byte more than `size`, so a file that grows for ever ends
 * as well. */
static int hash_bytes(const struct reading *r, int fd, uint32_t size,
                      uint8_t hash[OTA_HASH])
{
    uint8_t buf[READ], full[crypto_hash_sha512_BYTES];
    crypto_hash_sha512_state sha;
    uint32_t seen = 0;
    ssize_t n;

    crypto_hash_sha512_init(&sha);
    if (tree_secret_begin(r->job->sources, r->job->config))
        return -1;
    while ((n = read(fd, buf, sizeof buf)) != 0) {
        if (stop_asked())
            return is_stopped(r);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return read_failed(r, "read");
        if ((size_t)n > size - seen)
            return has_changed(r);
        crypto_hash_sha512_update(&sha, buf, (size_t)n);
        secret_feed(r->job->sources->scan, buf, (size_t)n, false);
        seen += (uint32_t)n;
    }
    secret_feed(r->job->sources->scan, buf, 0, true);
    crypto_hash_sha512_final(&sha, full);
    memcpy(hash, full, OTA_HASH);
    return seen == size ? 0 : has_changed(r);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int check_content(const struct reading *r,
                         const struct tree_source *source)
{
    if (tree_secret_check(r->job, r->origin))
        return -1;
    tree_secret_warn(r->job, r->origin, source->size);
    return 0;
}

/* The real path is to be freed; NULL: the file will say what is wrong. */
static char *find_real(const struct reading *r)
{
    struct stat st;

    return stat(r->path, &st) == 0 ? realpath(r->path, NULL) : NULL;
}

static int read_source(const struct reading *r, struct tree_source *source)
{
    struct stat before, after;
    int fd = stop_asked() ? is_stopped(r) : open_file(r, &before), err;

    if (fd < 0)
        return -1;
    source->size = (uint32_t)before.st_size;
    err = hash_bytes(r, fd, source->size, source->hash);
    if (err == 0 && fstat(fd, &after))
        err = read_failed(r, "read");
    if (err == 0 && !same_file(&before, &after))
        err = has_changed(r);
    if (err == 0)
        err = check_content(r, source);
    close(fd);
    return err;
}

/* FNV-1a: the names are the user's own. */
static uint64_t hash_path(const char *s)
{
    uint64_t h = 0xcbf29ce484222325u;

    while (*s)
        h = (h ^ (uint8_t)*s++) * 0x100000001b3u;
    return h ^ h >> 32;
}

static uint64_t hash_source(const void *thing)
{
    return hash_path(((const struct tree_source *)thing)->path);
}

static bool is_at(const void *thing, const void *path)
{
    return strcmp(((const struct tree_source *)thing)->path, path) == 0;
}

static void **find_source(const struct tree_sources *s, const char *path)
{
    return table_find(&s->table, hash_path(path), is_at, path);
}

static struct tree_source *keep(struct tree_sources *s,
                                const struct tree_source *source)
{
    struct tree_source *kept = arena_alloc(&s->arena, sizeof *kept);

    if (!kept)
        return NULL;
    *kept = *source;
    kept->path = arena_text(&s->arena, source->path, strlen(source->path));
    kept->real = arena_text(&s->arena, source->real, strlen(source->real));
    if (!kept->path || !kept->real)
        return NULL;
    /* What another release may not have is looked at again there. */
    if (s->excused)
        return kept;
    *find_source(s, kept->path) = kept;
    s->table.count++;
    return kept;
}

/* The link is looked at first: what it leads to is not even read. */
static const struct tree_source *take(const struct reading *r)
{
    struct tree_source source = {.path = r->path};
    const struct tree_source *kept = NULL;
    char *real = find_real(r);

    r->job->sources->excused = false;
    if (real && tree_link_check(r->job, r->origin, real)) {
        free(real);
        return NULL;
    }
    source.real = real ? real : r->path;
    if (read_source(r, &source) == 0)
        kept = keep(r->job->sources, &source);
    free(real);
    return kept;
}

const struct tree_source *tree_source_get(struct tree_job *job,
                                          const struct tree_origin *o)
{
    struct tree_sources *s = job->sources;
    struct reading r = {job, o, o->mark, o->path};
    const struct tree_source *kept;

    if (table_grow(&s->table, hash_source) < 0)
        return NULL;
    kept = *find_source(s, o->path);
    return kept ? kept : take(&r);
}

void tree_sources_release(struct tree_sources *s)
{
    table_release(&s->table);
    arena_release(&s->arena);
    keys_text_free(s->scan);
    memset(s, 0, sizeof *s);
}
