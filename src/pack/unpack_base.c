/* The folder that stands for what a device has installed: deltas build on it,
 * and what they leave alone is copied from it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sodium.h>

#include "base/diag.h"
#include "base/file.h"
#include "unpack_base.h"

int unpack_base_begin(struct unpack_base *base, const char *folder)
{
    base->folder = folder;
    base->fd = -1;
    base->root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (base->root < 0)
        return diag_error(DIAG_INPUT, "cannot open the folder '%s': %s", folder,
                          strerror(errno));
    return 0;
}

void unpack_base_release(struct unpack_base *base)
{
    unpack_base_close(base);
    if (base->root >= 0)
        close(base->root);
    base->root = -1;
}

void unpack_base_close(struct unpack_base *base)
{
    if (base->fd >= 0)
        close(base->fd);
    base->fd = -1;
}

/* A file below the base, reached through no link; -1 with errno. */
static int open_file(int root, const char *path, struct stat *st)
{
    const char *name;
    int dir = unpack_out_parent(root, path, false, &name), fd;

    if (dir < 0)
        return -1;
    fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    close(dir);
    if (fd >= 0 && fstat(fd, st) == 0 && S_ISREG(st->st_mode))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static int read_at(int fd, uint64_t offset, uint8_t *buf, size_t len)
{
    return file_read_at(fd, offset, buf, len) == (ssize_t)len ? OTA_OK
                                                              : OTA_ERR_BASE;
}

/* The first `size` bytes have the hash of ota-bundle(5), Description. */
static int check_hash(int fd, uint32_t size, const uint8_t *hash)
{
    crypto_hash_sha512_state state;
    uint8_t buf[16384], full[crypto_hash_sha512_BYTES];
    uint32_t done = 0;

    crypto_hash_sha512_init(&state);
    while (done < size) {
        size_t n = size - done < sizeof buf ? size - done : sizeof buf;

        if (read_at(fd, done, buf, n) != OTA_OK)
            return OTA_ERR_BASE;
        crypto_hash_sha512_update(&state, buf, n);
        done += (uint32_t)n;
    }
    crypto_hash_sha512_final(&state, full);
    return memcmp(full, hash, OTA_HASH) == 0 ? OTA_OK : OTA_ERR_BASE;
}

int unpack_base_open(struct unpack_base *base, uint8_t type,
                     const struct ota_file *file)
{
    char path[sizeof file->path + sizeof ".ota/slot/"];
    struct stat st;
    bool fits;

    snprintf(path, sizeof path, "%s%s", type == OTA_SLOT ? ".ota/slot/" : "",
             file->path);
    unpack_base_close(base);
    base->fd = base->root < 0 ? -1 : open_file(base->root, path, &st);
    if (base->fd < 0)
        return OTA_ERR_BASE;
    fits = type == OTA_SLOT ? st.st_size >= (off_t)file->size
                            : st.st_size == (off_t)file->size;
    return fits ? check_hash(base->fd, file->size, file->hash) : OTA_ERR_BASE;
}

int unpack_base_read(const struct unpack_base *base, uint32_t offset,
                     uint8_t *buf, size_t len)
{
    return read_at(base->fd, offset, buf, len);
}

/* One walk over the base. */
struct copy {
    struct unpack_base *base;
    struct unpack_out *out;
    const struct unpack_entry *entries; /* FILEs and DELETEs, ascending */
    size_t count;
    char path[UNPACK_OUT_PATH]; /* of the folder, then of what is in it */
};

static bool is_named(const struct copy *c)
{
    size_t low = 0, high = c->count, len = strlen(c->path);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *path = c->entries[middle].file.path;
        int order = ota_path_compare(c->path, len, path, strlen(path));

        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static int fail(const struct copy *c)
{
    return diag_error(DIAG_INPUT, "cannot read '%s/%s': %s", c->base->folder,
                      c->path, strerror(errno));
}

static bool stopped(const struct copy *c)
{
    return c->base->stop && *c->base->stop;
}

static int copy_bytes(const struct copy *c, int fd)
{
    uint8_t buf[16384];
    ssize_t n;

    while ((n = read(fd, buf, sizeof buf)) != 0) {
        if (stopped(c))
            return -1;
        if (n < 0 && errno != EINTR)
            return fail(c);
        if (n > 0 && unpack_out_write(c->out, buf, (size_t)n))
            return -1;
    }
    return 0;
}

static int copy_file(const struct copy *c, int dir, const char *name)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    int status;

    if (fd < 0)
        return fail(c);
    status = fstat(fd, &st) ? fail(c) : 0;
    if (status == 0)
        status = unpack_out_open(c->out, c->path, st.st_mode & 0777);
    if (status == 0)
        status = copy_bytes(c, fd);
    if (status == 0)
        status = unpack_out_close(c->out);
    close(fd);
    return status;
}

static int copy_folder(struct copy *c, int fd);

/* The folder that is written to may lie in the base. */
static bool is_out(const struct copy *c, const struct stat *st)
{
    struct stat out;

    return fstat(c->out->root, &out) == 0 && out.st_dev == st->st_dev &&
           out.st_ino == st->st_ino;
}

static int copy_entry(struct copy *c, int dir, const char *name)
{
    struct stat st;
    int fd;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(c);
    if (S_ISREG(st.st_mode))
        return is_named(c) ? 0 : copy_file(c, dir, name);
    if (!S_ISDIR(st.st_mode)) {
        diag_warning("'%s/%s' is not a file: left out", c->base->folder,
                     c->path);
        return 0;
    }
    if (is_out(c, &st))
        return 0;
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? fail(c) : copy_folder(c, fd);
}

static bool is_left_out(const struct copy *c, const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           (!*c->path && strcasecmp(name, ".ota") == 0);
}

/* Takes the descriptor. */
static int copy_folder(struct copy *c, int fd)
{
    DIR *dir = fdopendir(fd);
    size_t len = strlen(c->path);
    const struct dirent *entry;
    int status = 0;

    if (!dir) {
        fail(c);
        close(fd);
        return -1;
    }
    while (status == 0 && (entry = readdir(dir))) {
        if (is_left_out(c, entry->d_name))
            continue;
        if ((size_t)snprintf(c->path + len, sizeof c->path - len, "%s%s",
                             len ? "/" : "",
                             entry->d_name) >= sizeof c->path - len) {
            errno = ENAMETOOLONG;
            status = fail(c);
        } else {
            status = copy_entry(c, dirfd(dir), entry->d_name);
        }
        c->path[len] = '\0';
    }
    closedir(dir);
    return status;
}

int unpack_base_copy(struct unpack_base *base, struct unpack_out *out,
                     const struct unpack_entry *entries, size_t count)
{
    struct copy c = {.base = base, .out = out};
    int fd = openat(base->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    while (count && entries->file.type == OTA_SLOT) {
        entries++;
        count--;
    }
    c.entries = entries;
    c.count = count;
    return fd < 0 ? fail(&c) : copy_folder(&c, fd);
}
