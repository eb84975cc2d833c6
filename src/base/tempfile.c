/* Temporary files: beside the final name, registered for removal by a signal
 * handler, synced and renamed. */
#include "file.h"
#include "tempfile.h"
#include "diag.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The names lie in static memory, so that a handler that runs in one thread
 * never reads what another one has freed. */
enum { SLOTS = 64, ATTEMPTS = 100 };
enum slot_state { SLOT_FREE, SLOT_TAKEN, SLOT_LIVE };

static struct slot {
    atomic_int state;
    char path[PATH_MAX];
} slots[SLOTS];

static int slot_take(void)
{
    for (int i = 0; i < SLOTS; i++) {
        int expected = SLOT_FREE;
        if (atomic_compare_exchange_strong(&slots[i].state, &expected,
                                           SLOT_TAKEN))
            return i;
    }
    errno = EMFILE;
    return -1;
}

static void slot_give(int slot)
{
    if (slot >= 0)
        atomic_store(&slots[slot].state, SLOT_FREE);
}

static int cannot_write(const char *path)
{
    return diag_error(DIAG_FAILED, "cannot write '%s': %s", path,
                      strerror(errno));
}

/* Another process may have the same id in a container of its own, or have
 * left a file behind when it was killed: then the next number is taken. */
static int create(int slot, const char *path, unsigned number, mode_t mode)
{
    struct slot *s = &slots[slot];
    int len, fd;

    len = number == 0 ? snprintf(s->path, sizeof s->path, "%s.part%ld", path,
                                 (long)getpid())
                      : snprintf(s->path, sizeof s->path, "%s.part%ld-%u", path,
                                 (long)getpid(), number);
    if (len < 0 || (size_t)len >= sizeof s->path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    /* Live before it exists: no moment at which a signal would leave it. */
    atomic_store(&s->state, SLOT_LIVE);
    fd = open(s->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        atomic_store(&s->state, SLOT_TAKEN);
    return fd;
}

int tempfile_open(struct tempfile *t, const char *path, mode_t mode)
{
    *t = TEMPFILE_NONE;
    t->path = strdup(path);
    if (t->path == NULL)
        return diag_no_memory();
    t->slot = slot_take();
    for (unsigned i = 0; t->slot >= 0 && i < ATTEMPTS; i++) {
        t->fd = create(t->slot, path, i, mode);
        if (t->fd >= 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    cannot_write(path);
    slot_give(t->slot);
    free(t->path);
    *t = TEMPFILE_NONE;
    return -1;
}

int tempfile_write(struct tempfile *t, const void *buf, size_t len)
{
    return file_write(t->fd, buf, len) == 0 ? 0 : cannot_write(t->path);
}

/* Some file systems cannot sync a folder, and say EINVAL. */
static int sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char dir[PATH_MAX] = ".";
    int fd, result;

    if (slash == path)
        strcpy(dir, "/");
    else if (slash != NULL)
        snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? 0 : -1;
    result = fsync(fd);
    if (result != 0 && (errno == EINVAL || errno == EROFS))
        result = 0;
    close(fd);
    return result;
}

/* Where there are no hard links (FAT), the name is first taken by an empty
 * file of ours, which the rename replaces. */
static int name_new(const char *temporary, const char *path)
{
    int fd;

    if (link(temporary, path) == 0) {
        unlink(temporary);
        return 0;
    }
    if (errno != EPERM && errno != ENOTSUP && errno != ENOSYS)
        return -1;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    close(fd);
    if (rename(temporary, path) == 0)
        return 0;
    unlink(path);
    return -1;
}

static int commit(struct tempfile *t,
                  int (*give_name)(const char *, const char *))
{
    const char *temporary = slots[t->slot].path;
    int result = fsync(t->fd);

    if (close(t->fd) != 0)
        result = -1;
    t->fd = -1;
    if (result == 0)
        result = give_name(temporary, t->path);
    if (result == 0)
        result = sync_folder_of(t->path);
    if (result != 0)
        cannot_write(t->path);
    tempfile_discard(t);
    return result;
}

int tempfile_commit(struct tempfile *t)
{
    return commit(t, rename);
}

int tempfile_commit_new(struct tempfile *t)
{
    return commit(t, name_new);
}

void tempfile_discard(struct tempfile *t)
{
    if (t->fd >= 0)
        close(t->fd);
    if (t->slot >= 0) {
        unlink(slots[t->slot].path);
        slot_give(t->slot);
    }
    free(t->path);
    *t = TEMPFILE_NONE;
}

int tempfile_watch(const char *path)
{
    size_t len = strlen(path);
    int slot = len < PATH_MAX ? slot_take() : -1;

    if (slot < 0)
        return -1;
    memcpy(slots[slot].path, path, len + 1);
    atomic_store(&slots[slot].state, SLOT_LIVE);
    return slot;
}

void tempfile_unwatch(int slot)
{
    slot_give(slot);
}

void tempfile_cleanup(void)
{
    for (int i = 0; i < SLOTS; i++)
        if (atomic_load(&slots[i].state) == SLOT_LIVE)
            unlink(slots[i].path);
}
