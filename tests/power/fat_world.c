/* FatFs under the installer.  Its rename can leave two names on one file, so
 * move copies, syncs, closes and removes; each of FatFs's functions leaves
 * nothing unwritten but a file that is open, so barrier does nothing. */
#include "fat_world.h"
#include "real.h"
#include "tree.h"

#include <ff.h>
#include <diskio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, HANDLES = 6 }; /* two of them for a move */

struct fat_world {
    struct real real;
    FATFS fs;
    bool open[HANDLES];
    FIL file[HANDLES];
};

/* -- what FatFs asks for ----------------------------------------------------
 */

DRESULT disk_read(void *drv, BYTE *buf, DWORD sector, UINT count)
{
    const struct fat_world *f = drv;

    for (UINT i = 0; i < count; i++)
        disk_get(&f->real.disk, sector + i, 0, buf + (size_t)i * SECTOR,
                 SECTOR);
    return RES_OK;
}

DRESULT disk_write(void *drv, const BYTE *buf, DWORD sector, UINT count)
{
    struct fat_world *f = drv;

    for (UINT i = 0; i < count; i++)
        disk_put(&f->real.disk, &f->real.world, sector + i, 0,
                 buf + (size_t)i * SECTOR, SECTOR);
    return RES_OK;
}

DRESULT disk_ioctl(void *drv, BYTE what, void *out)
{
    const struct fat_world *f = drv;

    if (what == GET_SECTOR_COUNT)
        *(DWORD *)out = f->real.disk.count;
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

static int port_move(void *ctx, const char *from, const char *to)
{
    return tree_copy(ctx, &((struct fat_world *)ctx)->real.world.port, from,
                     to);
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

static int fat_unlink(struct real *r, const char *path)
{
    struct fat_world *f = (struct fat_world *)r;

    return f_unlink(&f->fs, path) == FR_OK ? OTA_OK : OTA_ERR_IO;
}

static int fat_make_folder(struct real *r, const char *path)
{
    return result(f_mkdir(&((struct fat_world *)r)->fs, path));
}

static void fat_list(struct real *r, const char *path, real_visit *each,
                     void *arg)
{
    struct fat_world *f = (struct fat_world *)r;
    FF_DIR dir;
    FILINFO info;

    if (f_opendir(&f->fs, &dir, path) != FR_OK)
        return;
    while (f_readdir(&dir, &info) == FR_OK && info.fname[0])
        each(arg, info.fname, info.fattrib & AM_DIR);
    f_closedir(&dir);
}

static void fat_start(struct real *r)
{
    struct fat_world *f = (struct fat_world *)r;

    memset(&f->fs, 0, sizeof(f->fs)); /* the first call reads the disk */
    f->fs.drv = f;
    memset(f->open, 0, sizeof(f->open));
}

struct world *fat_new(uint32_t sectors)
{
    static const struct real_type type = {
        .world = {.name = "FatFs", REAL_WORLD},
        .port = {.move_copies = true,
                 .open = port_open,
                 .read_at = port_read_at,
                 .write_at = port_write_at,
                 .sync = port_sync,
                 .close = port_close,
                 .move = port_move,
                 .stat = port_stat,
                 .free = port_free,
                 .barrier = port_barrier},
        .size = sizeof(struct fat_world),
        .unlink = fat_unlink,
        .make_folder = fat_make_folder,
        .list = fat_list,
        .start = fat_start};
    struct real *r = real_new(&type, SECTOR, sectors);
    uint8_t work[SECTOR];

    if (f_mkfs(&((struct fat_world *)r)->fs, FM_FAT | FM_SFD, SECTOR, work,
               sizeof(work)) != FR_OK)
        abort();
    fat_start(r);
    return &r->world;
}
