/* The installer's port for POSIX file systems, and for firmware slots that
 * are made of two files or block devices. */
#ifndef DEVICE_POSIX_H
#define DEVICE_POSIX_H

#include <ota/install.h>
#include <sys/types.h>

enum {
    OTA_POSIX_SLOTS = 4,
    OTA_POSIX_SLOT_NAME = 32 /* longest slot name in bytes */
};

/* Which of its files runs is in .ota/slot.NAME: "a" or "b", no file: "a".
 * Whatever starts the firmware reads that file, and writes it to roll back. */
struct ota_posix_slot {
    char name[OTA_POSIX_SLOT_NAME + 1];
    const char *files[2]; /* borrowed */
    int target;           /* which of them is written */
    int writing;          /* its descriptor, or -1 */
    int reading[2];       /* of those that are read, or -1 */
};

/* Why .ota cannot be believed: who wrote it could lead a user with more rights
 * out of the root. */
enum ota_posix_doubt {
    OTA_POSIX_TRUSTED,
    OTA_POSIX_NO_FOLDER, /* a link, a file */
    OTA_POSIX_STRANGER   /* it, or something in it, is another user's */
};

struct ota_posix {
    int root;                   /* descriptor of the device's root folder */
    int work;                   /* of .ota in it, -1: not there yet */
    enum ota_posix_doubt doubt; /* about `path` */
    unsigned long owner;        /* the other user */
    /* Something of the device's own was moved aside; may be NULL. */
    void (*told)(void *arg, const char *from, const char *to);
    void *told_arg;
    struct ota_posix_slot slots[OTA_POSIX_SLOTS];
    size_t slot_count;
    bool planned;   /* this boot was asked for */
    bool has_clock; /* `clock` instead of the system's */
    uint64_t clock; /* seconds since 1970, 0: not set */
    /* The last operation that failed, for messages. */
    int error;               /* its errno, 0: none did */
    char path[OTA_PATH + 1]; /* what it was about */
};

/* Opens the root folder, and .ota where it is: a folder of mode 0700 that
 * belongs, with all that the installer made in it, to the effective user.  0,
 * or -1 with errno and, where that is the reason, a doubt. */
int ota_posix_open(struct ota_posix *p, const char *root);

/* Takes NULL, and what was never opened but is all zeros. */
void ota_posix_close(struct ota_posix *p);

/* One installer at a time: until it is closed, or unlocked.  0, or -1 with
 * errno (EWOULDBLOCK: somebody else has it, and we do not wait).  What is
 * locked is .ota, which nobody else can open; it is made for that, except where
 * nothing can be written. */
int ota_posix_lock(struct ota_posix *p, bool wait);
void ota_posix_unlock(struct ota_posix *p);

/* Adds a slot.  0, or -1: too many, the name too long or there already. */
int ota_posix_add_slot(struct ota_posix *p, const char *name, const char *a,
                       const char *b);

/* The port; `p` is borrowed. */
struct ota_port ota_posix_port(struct ota_posix *p);

/* -- posix_file.c: as in the port, `ctx` is the ota_posix --------------------
 */

/* The folder that `path` lies in, to be left with ota_posix_leave(); *name is
 * the path's last component.  -1 with errno: there is none, or the path leads
 * through a link, up, or from the outside. */
int ota_posix_enter(const struct ota_posix *p, const char *path,
                    const char **name);
void ota_posix_leave(const struct ota_posix *p, int dir);

/* An operation on the last component: 0 or a descriptor, or -1 with errno. */
typedef int ota_posix_at_fn(int dir, const char *name, int arg);

/* What `fn` returns there; OTA_ERR_IO or OTA_ERR_SPACE for its -1. */
int ota_posix_at(struct ota_posix *p, const char *path, ota_posix_at_fn *fn,
                 int arg);
int ota_posix_file_open(void *ctx, const char *path, enum ota_open how);
int ota_posix_file_read(void *ctx, int file, uint32_t offset, uint8_t *buf,
                        size_t len);
int ota_posix_file_write(void *ctx, int file, uint32_t offset,
                         const uint8_t *buf, size_t len);
int ota_posix_file_sync(void *ctx, int file);
int ota_posix_file_close(void *ctx, int file);
int ota_posix_file_move(void *ctx, const char *from, const char *to);
int ota_posix_file_stat(void *ctx, const char *path, struct ota_stat *st);
int ota_posix_barrier(void *ctx);

/* Notes errno and the path; returns OTA_ERR_SPACE or OTA_ERR_IO. */
int ota_posix_failed(struct ota_posix *p, const char *path);

/* All of buf at `offset`: 0, or -1 with errno. */
int ota_posix_write(int fd, uint32_t offset, const uint8_t *buf, size_t len);

/* The number of bytes, fewer than `len` only at the end; -1 with errno. */
ssize_t ota_posix_read(int fd, uint32_t offset, uint8_t *buf, size_t len);

/* -- posix_work.c: .ota and what only it is for -------------------------------
 */

/* Opens and checks .ota if it is there.  0, or -1 with errno. */
int ota_posix_open_work(struct ota_posix *p);
int ota_posix_aside(void *ctx, const char *from, const char *to);
int ota_posix_clear(void *ctx, const char *path);
int ota_posix_mkdir_as(void *ctx, const char *path, const struct ota_stat *as);

/* -- posix_slot.c ------------------------------------------------------------
 */

int ota_posix_slot_active(void *ctx, const char *name);
int ota_posix_slot_begin(void *ctx, const char *name, uint32_t size);
int ota_posix_slot_write_at(void *ctx, const char *name, uint32_t offset,
                            const uint8_t *buf, size_t len);
int ota_posix_slot_read_at(void *ctx, const char *name, int image,
                           uint32_t offset, uint8_t *buf, size_t len);
int ota_posix_slot_switch(void *ctx, const char *name, int image);
void ota_posix_slot_close(struct ota_posix_slot *s);

#endif
