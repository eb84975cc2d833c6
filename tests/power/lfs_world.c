/* littlefs under the installer, mounted as MicroPython does it: the port's
 * functions are littlefs's own. */
#include "lfs_world.h"
#include "real.h"

#include <lfs2.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096, UNIT = 32, CACHE = 4 * UNIT, LOOKAHEAD = 32, HANDLES = 4 };

struct lfs_world {
    struct real real;
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
};

/* -- flash ------------------------------------------------------------------
 */

static int flash_read(const struct lfs2_config *c, lfs2_block_t block,
                      lfs2_off_t offset, void *buf, lfs2_size_t len)
{
    struct lfs_world *l = c->context;

    disk_get(&l->real.disk, block, offset, buf, len);
    return 0;
}

static int flash_prog(const struct lfs2_config *c, lfs2_block_t block,
                      lfs2_off_t offset, const void *buf, lfs2_size_t len)
{
    struct lfs_world *l = c->context;

    disk_put(&l->real.disk, &l->real.world, block, offset, buf, len);
    return 0;
}

static int flash_erase(const struct lfs2_config *c, lfs2_block_t block)
{
    struct lfs_world *l = c->context;

    disk_put(&l->real.disk, &l->real.world, block, 0, NULL, BLOCK);
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
                                     .block_count = l->real.disk.count,
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

static int port_free(void *ctx, uint64_t *bytes, uint32_t *block)
{
    struct lfs_world *l = ctx;
    lfs2_ssize_t used = mount(l);

    if (used >= 0)
        used = lfs2_fs_size(&l->fs);
    *block = BLOCK;
    *bytes = used < 0 || (uint32_t)used > l->real.disk.count
                 ? 0
                 : (uint64_t)(l->real.disk.count - (uint32_t)used) * BLOCK;
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

static int lfs_unlink(struct real *r, const char *path)
{
    return result(lfs2_remove(&((struct lfs_world *)r)->fs, path));
}

static int lfs_make_folder(struct real *r, const char *path)
{
    return result(lfs2_mkdir(&((struct lfs_world *)r)->fs, path));
}

static void lfs_list(struct real *r, const char *path, real_visit *each,
                     void *arg)
{
    struct lfs_world *l = (struct lfs_world *)r;
    lfs2_dir_t dir;
    struct lfs2_info info;

    if (mount(l) < 0 || lfs2_dir_open(&l->fs, &dir, *path ? path : "/") < 0)
        return;
    while (lfs2_dir_read(&l->fs, &dir, &info) > 0)
        if (strcmp(info.name, ".") != 0 && strcmp(info.name, "..") != 0)
            each(arg, info.name, info.type == LFS2_TYPE_DIR);
    lfs2_dir_close(&l->fs, &dir);
}

static void lfs_start(struct real *r)
{
    struct lfs_world *l = (struct lfs_world *)r;

    l->mounted = false;
    memset(l->handle, 0, sizeof(l->handle));
}

struct world *lfs_new(uint32_t blocks)
{
    static const struct real_type type = {
        .world = {.name = "littlefs", .losses = 1, REAL_WORLD},
        .port = {.open = port_open,
                 .read_at = port_read_at,
                 .write_at = port_write_at,
                 .sync = port_sync,
                 .close = port_close,
                 .move = port_move,
                 .aside = port_move,
                 .stat = port_stat,
                 .free = port_free,
                 .barrier = port_barrier},
        .size = sizeof(struct lfs_world),
        .unlink = lfs_unlink,
        .make_folder = lfs_make_folder,
        .list = lfs_list,
        .start = lfs_start};
    struct real *r = real_new(&type, BLOCK, blocks);
    struct lfs_world *l = (struct lfs_world *)r;

    configure(l);
    if (lfs2_format(&l->fs, &l->config) < 0)
        abort();
    return &r->world;
}
