/* FatFs under the installer.  Its rename can leave two names on one file, so
 * move copies, syncs, closes and removes; each of FatFs's functions leaves
 * nothing unwritten but a file that is open, so barrier does nothing. */
#include "fat_world.h"
#include "disk.h"
#include "tree.h"

#include <ff.h>
#include <diskio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, HANDLES = 6 }; /* two of them for a move */

struct fat_world {
    struct world world;
    struct disk disk;
    FATFS fs;
    bool open[HANDLES];
    FIL file[HANDLES];
    uint8_t *found; /* what `get` returned */
};

/* -- what FatFs asks for ----------------------------------------------------
 */

DRESULT disk_read(void *drv, BYTE *buf, DWORD sector, UINT count)
{
    const struct fat_world *f = drv;

    for (UINT i = 0; i < count; i++)
        disk_get(&f->disk, sector + i, 0, buf + (size_t)i * SECTOR, SECTOR);
    return RES_OK;
}

DRESULT disk_write(void *drv, const BYTE *buf, DWORD sector, UINT count)
{
    struct fat_world *f = drv;

    for (UINT i = 0; i < count; i++)
        disk_put(&f->disk, &f->world, sector + i, 0, buf + (size_t)i * SECTOR,
                 SECTOR);
    return RES_OK;
}

DRESULT disk_ioctl(void *drv, BYTE what, void *out)
{
    const struct fat_world *f = drv;

    if (what == GET_SECTOR_COUNT)
        *(DWORD *)out = f->disk.count;
    if (what == GET_BLOCK_SIZE)
        *(DWORD *)out = 1;
    if (what == IOCTL_INIT || what == IOCTL_STATUS)
        *(DSTATUS *)out = 0;
    return RES_OK;
}

/* -- the port ---------------------------------------------------------------
 */

static int result(FRESULT res)
{
    if (res == FR_OK)
        return OTA_OK;
    return res == FR_DENIED ? OTA_ERR_SPACE : OTA_ERR_IO;
}

static int port_open(void *ctx, const char *path, enum ota_open how)
{
    static const BYTE modes[] = {FA_READ, FA_READ | FA_WRITE | FA_CREATE_ALWAYS,
                                 FA_READ | FA_WRITE | FA_OPEN_ALWAYS};
    struct fat_world *f = ctx;
    FRESULT res;
    int h = 0;

    while (h < HANDLES && f->open[h])
        h++;
    if (h == HANDLES)
        abort(); /* more than the port must offer */
    res = f_open(&f->fs, &f->file[h], path, modes[how]);
    f->open[h] = res == FR_OK;
    return res == FR_OK ? h : result(res);
}

static FIL *file_of(struct fat_world *f, int h)
{
    if (h < 0 || h >= HANDLES || !f->open[h])
        abort();
    return &f->file[h];
}

static int port_read_at(void *ctx, int h, uint32_t offset, uint8_t *buf,
                        size_t len)
{
    FIL *file = file_of(ctx, h);
    FRESULT res;
    UINT n = 0;

    if (offset >= f_size(file))
        return 0;
    res = f_lseek(file, offset);
    if (res == FR_OK)
        res = f_read(file, buf, (UINT)len, &n);
    return res == FR_OK ? (int)n : result(res);
}

static int port_write_at(void *ctx, int h, uint32_t offset, const uint8_t *buf,
                         size_t len)
{
    FIL *file = file_of(ctx, h);
    FRESULT res = f_lseek(file, offset);
    UINT n = 0;

    if (res == FR_OK)
        res = f_write(file, buf, (UINT)len, &n);
    return res == FR_OK && n < len ? OTA_ERR_SPACE : result(res);
}

static int port_sync(void *ctx, int h)
{
    return result(f_sync(file_of(ctx, h)));
}

static int port_close(void *ctx, int h)
{
    struct fat_world *f = ctx;
    FRESULT res = f_close(file_of(f, h));

    f->open[h] = false;
    return result(res);
}

static int port_stat(void *ctx, const char *path, struct ota_stat *st)
{
    struct fat_world *f = ctx;
    FILINFO info;
    FRESULT res = f_stat(&f->fs, path, &info);

    memset(st, 0, sizeof(*st));
    if (res == FR_NO_FILE || res == FR_NO_PATH)
        return OTA_OK;
    if (res != FR_OK)
        return result(res);
    st->kind = info.fattrib & AM_DIR ? OTA_DIRECTORY : OTA_REGULAR;
    st->size = info.fsize;
    return OTA_OK;
}

/* A folder only if it is empty. */
static int remove_as(struct fat_world *f, const char *path, int kind)
{
    struct ota_stat st;
    int err = port_stat(f, path, &st);

    if (err == OTA_OK && st.kind != kind)
        err = OTA_ERR_IO;
    if (err == OTA_OK && f_unlink(&f->fs, path) != FR_OK)
        err = OTA_ERR_IO;
    return err;
}

static int port_remove(void *ctx, const char *path)
{
    return remove_as(ctx, path, OTA_REGULAR);
}

static int port_rmdir(void *ctx, const char *path)
{
    return remove_as(ctx, path, OTA_DIRECTORY);
}

static int port_mkdir(void *ctx, const char *path)
{
    struct fat_world *f = ctx;
    struct ota_stat st;
    int err = port_stat(f, path, &st);

    if (err != OTA_OK || st.kind == OTA_DIRECTORY)
        return err;
    return result(f_mkdir(&f->fs, path));
}

static int copy_all(struct fat_world *f, int in, int out)
{
    uint8_t buf[SECTOR];
    uint32_t at = 0;
    int n, err = OTA_OK;

    while (err == OTA_OK && (n = port_read_at(f, in, at, buf, SECTOR)) != 0) {
        err = n < 0 ? n : port_write_at(f, out, at, buf, (size_t)n);
        at += n > 0 ? (uint32_t)n : 0;
    }
    return err == OTA_OK ? port_sync(f, out) : err;
}

static int port_move(void *ctx, const char *from, const char *to)
{
    int in = port_open(ctx, from, OTA_OPEN_READ), out, err, closed;

    if (in < 0)
        return in;
    out = port_open(ctx, to, OTA_OPEN_NEW);
    err = out < 0 ? out : copy_all(ctx, in, out);
    closed = out < 0 ? OTA_OK : port_close(ctx, out);
    port_close(ctx, in);
    if (err == OTA_OK)
        err = closed;
    return err == OTA_OK ? port_remove(ctx, from) : err;
}

/* A name in the folder `path`, or "". */
static void first_in(void *ctx, const char *path, char *name, size_t size)
{
    struct fat_world *f = ctx;
    FF_DIR dir;
    FILINFO info;

    name[0] = '\0';
    if (f_opendir(&f->fs, &dir, path) != FR_OK)
        return;
    if (f_readdir(&dir, &info) == FR_OK)
        snprintf(name, size, "%s", info.fname);
    f_closedir(&dir);
}

static int port_aside(void *ctx, const char *from, const char *to)
{
    return tree_move(ctx, &((struct fat_world *)ctx)->world.port, from, to,
                     first_in);
}

static int port_clear(void *ctx, const char *path)
{
    return tree_clear(ctx, &((struct fat_world *)ctx)->world.port, path,
                      first_in);
}

static int port_free(void *ctx, uint64_t *bytes, uint32_t *block)
{
    struct fat_world *f = ctx;
    DWORD clusters = 0;
    FRESULT res = f_getfree(&f->fs, &clusters);

    *block = (uint32_t)f->fs.csize * SECTOR;
    *bytes = (uint64_t)clusters * *block;
    return result(res);
}

static int port_barrier(void *ctx)
{
    (void)ctx;
    return OTA_OK;
}

/* -- the world --------------------------------------------------------------
 */

static void mount(struct fat_world *f)
{
    memset(&f->fs, 0, sizeof(f->fs)); /* the first call reads the disk */
    f->fs.drv = f;
    memset(f->open, 0, sizeof(f->open));
}

static struct world *fat_copy(const struct world *w)
{
    const struct fat_world *from = (const struct fat_world *)w;
    struct fat_world *f = calloc(1, sizeof(*f));

    if (!f)
        abort();
    f->world = from->world;
    f->world.port.ctx = f;
    f->world.at_op = NULL;
    disk_copy(&f->disk, &from->disk);
    mount(f);
    return &f->world;
}

static void fat_free(struct world *w)
{
    struct fat_world *f = (struct fat_world *)w;

    disk_release(&f->disk);
    free(f->found);
    free(f);
}

static void fat_crash(struct world *w, int loss)
{
    struct fat_world *f = (struct fat_world *)w;

    (void)loss;
    w->at_op = NULL;
    w->ops = 0;
    disk_cut(&f->disk, false);
    mount(f);
    world_start(w);
}

static uint64_t fat_hash(const struct world *w)
{
    const struct fat_world *f = (const struct fat_world *)w;

    return world_mix(disk_hash(&f->disk), &w->slot, sizeof(w->slot));
}

static const uint8_t *fat_get(struct world *w, const char *path, size_t *len,
                              unsigned *mode)
{
    struct fat_world *f = (struct fat_world *)w;
    struct ota_stat st;
    int h, n;

    if (port_stat(f, path, &st) != OTA_OK || st.kind != OTA_REGULAR)
        return NULL;
    h = port_open(f, path, OTA_OPEN_READ);
    if (h < 0)
        return NULL;
    free(f->found);
    f->found = malloc(st.size + 1);
    if (!f->found)
        abort();
    n = port_read_at(f, h, 0, f->found, st.size);
    port_close(f, h);
    *len = st.size;
    *mode = 0;
    return n == (int)st.size ? f->found : NULL;
}

static void fat_put(struct world *w, const char *path, const void *bytes,
                    size_t len, unsigned mode)
{
    int h = port_open(w, path, OTA_OPEN_NEW);

    (void)mode;
    if (h < 0 || port_write_at(w, h, 0, bytes, len) != OTA_OK ||
        port_close(w, h) != OTA_OK)
        abort();
}

static void fat_remove(struct world *w, const char *path)
{
    port_remove(w, path);
}

static void fat_mkdir(struct world *w, const char *path)
{
    if (port_mkdir(w, path) != OTA_OK)
        abort();
}

static void walk_folder(struct fat_world *f, char *path, size_t len,
                        void (*each)(void *arg, const char *path, bool folder),
                        void *arg)
{
    FF_DIR dir;
    FILINFO info;

    if (f_opendir(&f->fs, &dir, path) != FR_OK)
        return;
    while (f_readdir(&dir, &info) == FR_OK && info.fname[0]) {
        size_t at = len;

        if (info.fname[0] == '.')
            continue; /* .ota */
        if (len > 0)
            path[at++] = '/';
        if (at + strlen(info.fname) > OTA_PATH)
            abort();
        memcpy(path + at, info.fname, strlen(info.fname) + 1);
        each(arg, path, info.fattrib & AM_DIR);
        if (info.fattrib & AM_DIR)
            walk_folder(f, path, strlen(path), each, arg);
        path[len] = '\0';
    }
    f_closedir(&dir);
}

static void fat_walk(struct world *w, const char *root,
                     void (*each)(void *arg, const char *path, bool folder),
                     void *arg)
{
    char path[OTA_PATH + 1];

    snprintf(path, sizeof(path), "%s", root);
    walk_folder((struct fat_world *)w, path, strlen(path), each, arg);
}

struct world *fat_new(uint32_t sectors)
{
    static const struct world_type type = {.name = "FatFs",
                                           .copy = fat_copy,
                                           .free = fat_free,
                                           .crash = fat_crash,
                                           .hash = fat_hash,
                                           .get = fat_get,
                                           .put = fat_put,
                                           .remove = fat_remove,
                                           .mkdir = fat_mkdir,
                                           .walk = fat_walk};
    static const struct ota_port port = {.move_copies = true,
                                         .open = port_open,
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
    struct fat_world *f = calloc(1, sizeof(*f));
    uint8_t work[SECTOR];

    if (!f)
        abort();
    f->world.port = port;
    world_init(&f->world, &type);
    disk_init(&f->disk, SECTOR, sectors);
    mount(f);
    if (f_mkfs(&f->fs, FM_FAT | FM_SFD, SECTOR, work, sizeof(work)) != FR_OK)
        abort();
    mount(f);
    return &f->world;
}
