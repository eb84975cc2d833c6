/* A device with a real file system on a disk in memory: what littlefs and
 * FatFs have in common under the installer. */
#ifndef REAL_H
#define REAL_H

#include "disk.h"
#include "world.h"

struct real {
    struct world world;
    struct disk disk;
    const struct real_type *type;
    uint8_t *found; /* what `get` returned */
};

typedef void real_visit(void *arg, const char *name, bool folder);

/* Each world is a struct that begins with a struct real. */
struct real_type {
    struct world_type world; /* REAL_WORLD, and what the world is named */
    /* open, read_at, write_at, sync, close, move, stat, free, barrier; an aside
     * where folders can be renamed */
    struct ota_port port;
    size_t size; /* bytes of that struct */
    /* A name that is there, a folder without any in it. */
    int (*unlink)(struct real *r, const char *path);
    int (*make_folder)(struct real *r, const char *path);
    /* Every name in the folder `path`, "" for the root, but "." and "..". */
    void (*list)(struct real *r, const char *path, real_visit *each, void *arg);
    /* The power came: nothing is open. */
    void (*start)(struct real *r);
};

/* Started, with a disk that is erased: to be formatted. */
struct real *real_new(const struct real_type *type, uint32_t page,
                      uint32_t pages);

struct world *real_copy(const struct world *w);
void real_free(struct world *w);
void real_crash(struct world *w, int loss); /* loss 1: one half has landed */
uint64_t real_hash(const struct world *w);
const uint8_t *real_get(struct world *w, const char *path, size_t *len,
                        unsigned *mode);
void real_put(struct world *w, const char *path, const void *bytes, size_t len,
              unsigned mode);
void real_remove(struct world *w, const char *path);
void real_mkdir(struct world *w, const char *path);
void real_walk(struct world *w, const char *root,
               void (*each)(void *arg, const char *path, bool folder),
               void *arg);

#define REAL_WORLD                                                             \
    .copy = real_copy, .free = real_free, .crash = real_crash,                 \
    .hash = real_hash, .get = real_get, .put = real_put,                       \
    .remove = real_remove, .mkdir = real_mkdir, .walk = real_walk

#endif
