/* littlefs under the installer, mounted as MicroPython does it: the port's
 * functions are littlefs's own. */
#include "lfs_world.h"
#include "disk.h"
#include "tree.h"

#include <lfs2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096, UNIT = 32, CACHE = 4 * UNIT, LOOKAHEAD = 32, HANDLES = 4 };

struct lfs_world {
    struct world world;
    struct disk disk;
    bool mounted;
    lfs2_t fs;
    struct lfs2_config config;
    uint32_t read_buffer[CACHE / 4], prog_buffer[CACHE / 4];
    uint32_t lookahead[LOOKAHEAD / 4];
    struct {
        bool open;
        lfs2_file_t file;
        struct lfs2_file_config config;
        uint32_t buffer[CACHE / 4];
    } handle[HANDLES];
    uint8_t *found; /* what `get` returned */
};

/* -- flash ------------------------------------------------------------------
 */

static int flash_read(const struct lfs2_config *c, lfs2_block_t block,
                      lfs2_off_t offset, void *buf, lfs2_size_t len)
{
    struct lfs_world *l = c->context;

    disk_get(&l->disk, block, offset, buf, len);
    return 0;
}

static int flash_prog(const struct lfs2_config *c, lfs2_block_t block,
                      lfs2_off_t offset, const void *buf, lfs2_size_t len)
{
    struct lfs_world *l = c->context;

    disk_put(&l->disk, &l->world, block, offset, buf, len);
    return 0;
}

static int flash_erase(const struct lfs2_config *c, lfs2_block_t block)
{
    struct lfs_world *l = c->context;

    disk_put(&l->disk, &l->world, block, 0, NULL, BLOCK);
    return 0;
}

static int flash_sync(const struct lfs2_config *c)
{
    (void)c;
    return 0;
}

static void configure(struct lfs_world *l)
{
    l->config = (struct lfs2_config){.context = l,
                                     .read = flash_read,
                                     .prog = flash_prog,
                                     .erase = flash_erase,
                                     .sync = flash_sync,
                                     .read_size = UNIT,
                                     .prog_size = UNIT,
                                     .block_size = BLOCK,
                                     .block_count = l->disk.count,
                                     .block_cycles = 100,
                                     .cache_size = CACHE,
                                     .lookahead_size = LOOKAHEAD,
                                     .read_buffer = l->read_buffer,
                                     .prog_buffer = l->prog_buffer,
                                     .lookahead_buffer = l->lookahead};
}

/* -- the port ---------------------------------------------------------------
 */

static int result(int err)
{
    if (err >= 0)
        return OTA_OK;
    return err == LFS2_ERR_NOSPC ? OTA_ERR_SPACE : OTA_ERR_IO;
}

static int mount(struct lfs_world *l)
{
    int err;

    if (l->mounted)
        return 0;
    configure(l);
    err = lfs2_mount(&l->fs, &l->config);
    l->mounted = err == 0;
    return err;
}

static int port_open(void *ctx, const char *path, enum ota_open how)
{
    static const int flags[] = {LFS2_O_RDONLY,
                                LFS2_O_RDWR | LFS2_O_CREAT | LFS2_O_TRUNC,
                                LFS2_O_RDWR | LFS2_O_CREAT};
    struct lfs_world *l = ctx;
    int h = 0, err = mount(l);

    while (h < HANDLES && l->handle[h].open)
        h++;
    if (h == HANDLES)
        abort(); /* more than the port must offer */
    memset(&l->handle[h], 0, sizeof(l->handle[h]));
    l->handle[h].config.buffer = l->handle[h].buffer;
    if (err >= 0)
        err = lfs2_file_opencfg(&l->fs, &l->handle[h].file, path, flags[how],
                                &l->handle[h].config);
    l->handle[h].open = err >= 0;
    return err < 0 ? result(err) : h;
}

static lfs2_file_t *file_of(struct lfs_world *l, int h)
{
    if (h < 0 || h >= HANDLES || !l->handle[h].open)
        abort();
    return &l->handle[h].file;
}

static int port_read_at(void *ctx, int h, uint32_t offset, uint8_t *buf,
                        size_t len)
{
    struct lfs_world *l = ctx;
    lfs2_file_t *file = file_of(l, h);
    lfs2_ssize_t n;

    if (offset >= (uint32_t)lfs2_file_size(&l->fs, file))
        return 0;
    n = lfs2_file_seek(&l->fs, file, (lfs2_soff_t)offset, LFS2_SEEK_SET);
    if (n >= 0)
        n = lfs2_file_read(&l->fs, file, buf, (lfs2_size_t)len);
    return n < 0 ? result(n) : n;
}

static int port_write_at(void *ctx, int h, uint32_t offset, const uint8_t *buf,
                         size_t len)
{
    struct lfs_world *l = ctx;
    lfs2_file_t *file = file_of(l, h);
    lfs2_ssize_t n =
        lfs2_file_seek(&l->fs, file, (lfs2_soff_t)offset, LFS2_SEEK_SET);

    if (n >= 0)
        n = lfs2_file_write(&l->fs, file, buf, (lfs2_size_t)len);
    return result(n);
}

static int port_sync(void *ctx, int h)
{
    struct lfs_world *l = ctx;

    return result(lfs2_file_sync(&l->fs, file_of(l, h)));
}

static int port_close(void *ctx, int h)
{
    struct lfs_world *l = ctx;
    int err = lfs2_file_close(&l->fs, file_of(l, h));

    l->handle[h].open = false;
    return result(err);
}

static int port_move(void *ctx, const char *from, const char *to)
{
    struct lfs_world *l = ctx;
    int err = mount(l);

    return result(err < 0 ? err : lfs2_rename(&l->fs, from, to));
}

static int port_stat(void *ctx, const char *path, struct ota_stat *st)
{
    struct lfs_world *l = ctx;
    struct lfs2_info info = {0};
    int err = mount(l);

    if (err >= 0)
        err = lfs2_stat(&l->fs, path, &info);
    memset(st, 0, sizeof(*st));
    st->kind = err < 0                      ? OTA_NOTHING
               : info.type == LFS2_TYPE_DIR ? OTA_DIRECTORY
                                            : OTA_REGULAR;
    st->size = info.size;
    return err == LFS2_ERR_NOENT || err == LFS2_ERR_NOTDIR ? OTA_OK
                                                           : result(err);
}

/* A folder only if it is empty. */
static int remove_as(struct lfs_world *l, const char *path, int kind)
{
    struct ota_stat st;
    int err = port_stat(l, path, &st);

    if (err == OTA_OK && st.kind != kind)
        err = OTA_ERR_IO;
    return err == OTA_OK ? result(lfs2_remove(&l->fs, path)) : err;
}

static int port_remove(void *ctx, const char *path)
{
    return remove_as(ctx, path, OTA_REGULAR);
}

static int port_rmdir(void *ctx, const char *path)
{
    return remove_as(ctx, path, OTA_DIRECTORY);
}

/* A name in the folder `path`, or "". */
static void first_in(void *ctx, const char *path, char *name, size_t size)
{
    struct lfs_world *l = ctx;
    lfs2_dir_t dir;
    struct lfs2_info info;

    name[0] = '\0';
    if (lfs2_dir_open(&l->fs, &dir, path) < 0)
        return;
    while (lfs2_dir_read(&l->fs, &dir, &info) > 0) {
        if (strcmp(info.name, ".") != 0 && strcmp(info.name, "..") != 0)
            snprintf(name, size, "%s", info.name);
    }
    lfs2_dir_close(&l->fs, &dir);
}

static int port_mkdir(void *ctx, const char *path)
{
    struct lfs_world *l = ctx;
    struct ota_stat st;
    int err = port_stat(l, path, &st);

    if (err != OTA_OK || st.kind == OTA_DIRECTORY)
        return err;
    return result(lfs2_mkdir(&l->fs, path));
}

static int port_aside(void *ctx, const char *from, const char *to)
{
    return port_move(ctx, from, to);
}

static int port_clear(void *ctx, const char *path)
{
    return tree_clear(ctx, &((struct lfs_world *)ctx)->world.port, path,
                      first_in);
}

static int port_free(void *ctx, uint64_t *bytes, uint32_t *block)
{
    struct lfs_world *l = ctx;
    lfs2_ssize_t used = mount(l);

    if (used >= 0)
        used = lfs2_fs_size(&l->fs);
    *block = BLOCK;
    *bytes = used < 0 || (uint32_t)used > l->disk.count
                 ? 0
                 : (uint64_t)(l->disk.count - (uint32_t)used) * BLOCK;
    return result(used);
}

/* What was done is durable.  But after a cut in a rename littlefs 2.11 hides
 * the file that comes after the one that was moved, until it next writes. */
static int port_barrier(void *ctx)
{
    struct lfs_world *l = ctx;
    int err = mount(l);

    return result(err < 0 ? err : lfs2_fs_mkconsistent(&l->fs));
}

/* -- the world --------------------------------------------------------------
 */

static struct world *lfs_copy(const struct world *w)
{
    const struct lfs_world *from = (const struct lfs_world *)w;
    struct lfs_world *l = calloc(1, sizeof(*l));

    if (!l)
        abort();
    l->world = from->world;
    l->world.port.ctx = l;
    l->world.at_op = NULL;
    disk_copy(&l->disk, &from->disk);
    return &l->world;
}

static void lfs_free(struct world *w)
{
    struct lfs_world *l = (struct lfs_world *)w;

    disk_release(&l->disk);
    free(l->found);
    free(l);
}

static void lfs_crash(struct world *w, int loss)
{
    struct lfs_world *l = (struct lfs_world *)w;

    w->at_op = NULL;
    w->ops = 0;
    disk_cut(&l->disk, loss == 1);
    l->mounted = false;
    memset(l->handle, 0, sizeof(l->handle));
    world_start(w);
}

static uint64_t lfs_hash(const struct world *w)
{
    const struct lfs_world *l = (const struct lfs_world *)w;

    return world_mix(disk_hash(&l->disk), &w->slot, sizeof(w->slot));
}

static const uint8_t *lfs_get(struct world *w, const char *path, size_t *len,
                              unsigned *mode)
{
    struct lfs_world *l = (struct lfs_world *)w;
    struct ota_stat st;
    int h, n;

    if (port_stat(l, path, &st) != OTA_OK || st.kind != OTA_REGULAR)
        return NULL;
    h = port_open(l, path, OTA_OPEN_READ);
    if (h < 0)
        return NULL;
    free(l->found);
    l->found = malloc(st.size + 1);
    if (!l->found)
        abort();
    n = port_read_at(l, h, 0, l->found, st.size);
    port_close(l, h);
    *len = st.size;
    *mode = 0;
    return n == (int)st.size ? l->found : NULL;
}

static void lfs_put(struct world *w, const char *path, const void *bytes,
                    size_t len, unsigned mode)
{
    int h = port_open(w, path, OTA_OPEN_NEW);

    (void)mode;
    if (h < 0 || port_write_at(w, h, 0, bytes, len) != OTA_OK ||
        port_close(w, h) != OTA_OK)
        abort();
}

static void lfs_remove(struct world *w, const char *path)
{
    port_remove(w, path);
}

static void lfs_mkdir(struct world *w, const char *path)
{
    if (port_mkdir(w, path) != OTA_OK)
        abort();
}

static void walk_folder(struct lfs_world *l, char *path, size_t len,
                        void (*each)(void *arg, const char *path, bool folder),
                        void *arg)
{
    lfs2_dir_t dir;
    struct lfs2_info info;

    if (lfs2_dir_open(&l->fs, &dir, len > 0 ? path : "/") < 0)
        return;
    while (lfs2_dir_read(&l->fs, &dir, &info) > 0) {
        size_t at = len;

        if (info.name[0] == '.')
            continue; /* itself, above, .ota */
        if (len > 0)
            path[at++] = '/';
        if (at + strlen(info.name) > OTA_PATH)
            abort();
        memcpy(path + at, info.name, strlen(info.name) + 1);
        each(arg, path, info.type == LFS2_TYPE_DIR);
        if (info.type == LFS2_TYPE_DIR)
            walk_folder(l, path, strlen(path), each, arg);
        path[len] = '\0';
    }
    lfs2_dir_close(&l->fs, &dir);
}

static void lfs_walk(struct world *w, const char *root,
                     void (*each)(void *arg, const char *path, bool folder),
                     void *arg)
{
    struct lfs_world *l = (struct lfs_world *)w;
    char path[OTA_PATH + 1];

    snprintf(path, sizeof(path), "%s", root);
    if (mount(l) >= 0)
        walk_folder(l, path, strlen(path), each, arg);
}

struct world *lfs_new(uint32_t blocks)
{
    static const struct world_type type = {.name = "littlefs",
                                           .losses = 1,
                                           .copy = lfs_copy,
                                           .free = lfs_free,
                                           .crash = lfs_crash,
                                           .hash = lfs_hash,
                                           .get = lfs_get,
                                           .put = lfs_put,
                                           .remove = lfs_remove,
                                           .mkdir = lfs_mkdir,
                                           .walk = lfs_walk};
    static const struct ota_port port = {.open = port_open,
                                         .read_at = port_read_at,
                                         .write_at = port_write_at,
                                         .sync = port_sync,
                                         .close = port_close,
                                         .move = port_move,
                                         .remove = port_remove,
                                         .mkdir = port_mkdir,
                                         .rmdir = port_rmdir,
                                         .aside = port_aside,
                                         .clear = port_clear,
                                         .stat = port_stat,
                                         .free = port_free,
                                         .barrier = port_barrier};
    struct lfs_world *l = calloc(1, sizeof(*l));

    if (!l)
        abort();
    l->world.port = port;
    world_init(&l->world, &type);
    disk_init(&l->disk, BLOCK, blocks);
    configure(l);
    if (lfs2_format(&l->fs, &l->config) < 0)
        abort();
    return &l->world;
}
