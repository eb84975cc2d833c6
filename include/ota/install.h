/* The installer: files are staged, swapped in as one step, and swapped back
 * if they do not prove good.  ota-reader(3).
 *
 * Every call is made of single durable steps.  A cut of the power, or a caller
 * that throws an exception through it, at any point leaves something from
 * which the next ota_boot() goes on: afterwards the device has all of the old
 * files or all of the new ones.  Not to be called from two threads at once. */
#ifndef OTA_INSTALL_H
#define OTA_INSTALL_H

#include "bundle.h"

/* How a file is opened. */
enum ota_open {
    OTA_OPEN_READ,
    OTA_OPEN_NEW,   /* created, or emptied if it is there */
    OTA_OPEN_UPDATE /* as it is; created if it is not there */
};

enum { OTA_ENTRIES = 32767 }; /* most records of a bundle */

enum ota_kind { OTA_NOTHING, OTA_REGULAR, OTA_DIRECTORY, OTA_OTHER };

struct ota_stat {
    uint8_t kind;  /* enum ota_kind; a link is OTA_OTHER */
    uint32_t size; /* bytes of a regular file */
    uint32_t fs;   /* tells file systems apart */
    /* Of a folder, where the port has mkdir_as; else 0. */
    uint16_t mode; /* permissions, 07777 */
    uint32_t uid, gid;
};

/* The way to files, slots and time.  Paths are relative to the device's root;
 * none leads through a link, and a port that is asked for one with ".." or from
 * outside must fail.  Where nothing else is said a function returns OTA_OK,
 * OTA_ERR_SPACE (the disk is full) or OTA_ERR_IO; what failed may have happened
 * in part.  mkdir_as, chmod, free, yield, time, planned_wake and the slots' may
 * be NULL; so may aside and clear, but then an undo has to wait for what stands
 * in its way. */
struct ota_port {
    void *ctx;
    bool move_copies; /* move needs room for the file once more */
    /* A handle, 0 or more.  At most four are open at once. */
    int (*open)(void *ctx, const char *path, enum ota_open how);
    /* The number of bytes, fewer than `len` only at the end of the file. */
    int (*read_at)(void *ctx, int file, uint32_t offset, uint8_t *buf,
                   size_t len);
    int (*write_at)(void *ctx, int file, uint32_t offset, const uint8_t *buf,
                    size_t len);
    /* Content and mode are durable, and where it costs nothing the name.  Also
     * of a file that was opened to read. */
    int (*sync)(void *ctx, int file);
    int (*close)(void *ctx, int file);
    /* After a cut either `from` is whole, or only `to` is there and whole; so
     * where a rename replaces nothing or can leave both, copy over what `to`
     * holds, sync, close, then remove `from`.  `to` is rarely there, its
     * folder is. */
    int (*move)(void *ctx, const char *from, const char *to);
    int (*remove)(void *ctx, const char *path); /* a file that is there */
    int (*mkdir)(void *ctx, const char *path);  /* OTA_OK if it is there */
    int (*rmdir)(void *ctx, const char *path);  /* fails if not empty */
    /* OTA_NOTHING also where a folder above is missing or is none. */
    int (*stat)(void *ctx, const char *path, struct ota_stat *st);
    int (*chmod)(void *ctx, const char *path, unsigned mode);
    /* Makes a folder with the mode and owner of `as`, as one step.  NULL: the
     * file system knows neither. */
    int (*mkdir_as)(void *ctx, const char *path, const struct ota_stat *as);
    /* Moves whatever is at `from`, a folder with all in it too, to `to`, where
     * nothing is and the folder above is there; a person is told both names.
     * After a cut what is not whole below `to` is whole at `from`. */
    int (*aside)(void *ctx, const char *from, const char *to);
    /* Removes whatever is at `path`, with all in it.  OTA_OK if nothing is. */
    int (*clear)(void *ctx, const char *path);
    /* Bytes that can still be written, and how many a block has. */
    int (*free)(void *ctx, uint64_t *bytes, uint32_t *block);
    /* All that was done before, content and names, also by a program that has
     * ended since, is durable before all that comes, and can be seen.  On
     * littlefs call lfs_fs_mkconsistent(): after a cut in a rename 2.9.1 to
     * 2.11 hide another file of the same folder until they next write. */
    int (*barrier)(void *ctx);
    int (*yield)(void *ctx);         /* for watchdogs */
    uint64_t (*time)(void *ctx);     /* seconds since 1970, 0: not set */
    bool (*planned_wake)(void *ctx); /* this boot was asked for */
    /* Firmware slots by name, on a device whose bootloader goes back by itself
     * from an image that does not confirm.  All but confirm go together.
     * active: which of the images runs, 0 or 1; OTA_ERR_SLOT: no such slot. */
    int (*slot_active)(void *ctx, const char *name);
    /* Opens the image that does not run; OTA_ERR_SLOT: it is too small. */
    int (*slot_begin)(void *ctx, const char *name, uint32_t size);
    int (*slot_write_at)(void *ctx, const char *name, uint32_t offset,
                         const uint8_t *buf, size_t len);
    int (*slot_read_at)(void *ctx, const char *name, int image, uint32_t offset,
                        uint8_t *buf, size_t len);
    /* From the next start on this image runs.  Asked again for what is so
     * already it changes nothing; of an image that ran before the bootloader
     * wants no proof. */
    int (*slot_switch)(void *ctx, const char *name, int image);
    int (*slot_confirm)(void *ctx, const char *name); /* what runs is good */
};

/* What the device's program knows; borrowed. */
struct ota_install_config {
    struct ota_device device;   /* id, keys, device key, hardware, path_max */
    const char *const *protect; /* files and folders that no bundle changes;
                                 * ASCII case ignored */
    size_t protect_count;
    const char *const *boot_paths; /* the same, that refuse the bundle: what
                                    * runs before ota_boot() has returned */
    size_t boot_path_count;
    uint16_t entries_max; /* records of a bundle, up to OTA_ENTRIES; 0: that */
    uint8_t chances;      /* boots of a trial; 0: 3 */
    uint16_t wakes;       /* planned wakes of a trial; 0: 100 */
    uint32_t lowest;      /* no version up to this one is ever taken */
};

enum ota_phase {
    OTA_IDLE,
    OTA_STAGING,
    OTA_READY,
    OTA_OUT,
    OTA_IN,
    OTA_TRIAL,
    OTA_UOUT,
    OTA_UIN
};

/* Why a version was undone: the numbers that a poll reports. */
enum ota_reason {
    OTA_REASON_CHANCES = 64,
    OTA_REASON_HAND = 65,
    OTA_REASON_SLOT = 66,
    OTA_REASON_COMMAND = 67
};

/* Results above 0. */
enum {
    OTA_CURRENT = 1, /* the manifest is of what is installed: nothing to do */
    OTA_RESTART = 2  /* a slot was switched: restart now */
};

struct ota_status {
    uint8_t phase;   /* enum ota_phase */
    uint8_t chances; /* of a trial */
    uint16_t wakes;
    bool can_undo;
    bool installed_any;
    uint32_t version, previous, highest, failed; /* 0: none */
    uint8_t reason; /* of `failed`: enum ota_reason or an error's number */
    uint8_t release[OTA_DIGEST];
};

/* What the installer keeps besides the reader: the same on all machines. */
#define OTA_INSTALL_STATE 2048

#define OTA_INSTALL_MEMORY(w, c) (OTA_INSTALL_STATE + OTA_READER_MEMORY(w, c))

struct ota_install;

/* Sets up an installer in `arena` (aligned to 8).  For ota_stage() it has to
 * have OTA_INSTALL_MEMORY() bytes, for all else OTA_INSTALL_STATE.  Returns it,
 * or NULL where the arena is too small or not aligned. */
struct ota_install *ota_install_init(void *arena, size_t arena_len,
                                     const struct ota_port *port,
                                     const struct ota_install_config *config);

/* The first call of every boot, before the program that is updated: finishes
 * what was begun, counts a trial's chances, undoes it when none is left.
 * OTA_OK, and ota_status() says the chances left; OTA_RESTART; or an error:
 * OTA_ERR_STATE (damaged: nothing was touched), OTA_ERR_SLOT (the port does not
 * know a slot of what is staged or on trial: nothing was begun), OTA_ERR_IO
 * (the next boot tries again). */
int ota_boot(struct ota_install *i);

int ota_status(struct ota_install *i, struct ota_status *status);

/* A poll begins: in a trial it uses up a chance.  OTA_OK or an error. */
int ota_poll(struct ota_install *i);

/* Begins or goes on staging: what is fed next is a manifest.  `choose` as for
 * ota_reader_init().  OTA_OK, or OTA_ERR_STATE in any phase but idle and
 * staging. */
int ota_stage(struct ota_install *i, int choose);

/* Feeds the manifest, then the payload from ota_stage_offset() on.  OTA_OK,
 * OTA_CURRENT, or an error; after `base` begin again with OTA_CHOOSE_FULL. */
int ota_stage_feed(struct ota_install *i, const uint8_t *buf, size_t len);

/* Gives up a staging: there is no such payload.  OTA_OK or an error. */
int ota_stage_drop(struct ota_install *i);

/* True once the manifest was taken; then the payload's name (the hash of its
 * first chunk), its size, and where to go on. */
bool ota_stage_wants_payload(const struct ota_install *i);
const uint8_t *ota_stage_payload(const struct ota_install *i);
uint32_t ota_stage_size(const struct ota_install *i);
uint32_t ota_stage_offset(const struct ota_install *i);

/* There are no more bytes.  OTA_OK: all is staged, the next ota_boot() swaps.
 * After an error the payload can be gone on with where that is of use; else
 * what was staged is gone. */
int ota_stage_finish(struct ota_install *i);

/* After OTA_ERR_PATH of staging, and after an ota_boot() that dropped what was
 * staged or undid it at once: the path where something of the device's own is
 * in the way, else NULL.  Such a version is taken when the way is free. */
const char *ota_blocked(const struct ota_install *i);

/* After OTA_ERR_SPACE: free bytes that the bundle needs, 0 if not known. */
uint64_t ota_stage_space(const struct ota_install *i);

/* After OTA_ERR_MEMORY: bytes of arena that the bundle needs, 0 if it is not
 * the arena that is too small for it. */
size_t ota_stage_memory(const struct ota_install *i);

/* Records that were left alone: protected, or not ours to delete. */
unsigned ota_stage_skipped(const struct ota_install *i);

/* The program proved good.  OTA_OK or an error; OTA_ERR_STATE if no trial, or
 * if a slot that belongs to it does not run; OTA_ERR_SLOT as above. */
int ota_confirm(struct ota_install *i);

/* Back to what was before: from a trial, or by hand while there is a backup.
 * `reason` as in enum ota_reason.  OTA_OK, OTA_RESTART, or an error, of which
 * OTA_ERR_SLOT is as above. */
int ota_undo(struct ota_install *i, enum ota_reason reason);

/* Gives up the backup, for its room: no undo from here.  OTA_OK or an error;
 * OTA_ERR_STATE unless idle. */
int ota_forget_backup(struct ota_install *i);

/* Forgets what is installed, staged and backed up, whatever the state: the
 * files stay, version 0 is installed.  Of a state that could be read, highest
 * and failed version and the keys stay, and a swap that was begun comes to its
 * end first; of one that cannot, what did not get back stays in .ota/old until
 * the next install begins.  OTA_OK or an error. */
int ota_reset(struct ota_install *i);

#endif
