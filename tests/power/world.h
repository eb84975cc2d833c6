/* A device under test: a file system, two firmware images and a bootloader,
 * behind an ota_port.  Each operation that changes something is announced
 * before it takes effect, so that a test can copy the device as it is then and
 * let the copy's power go. */
#ifndef WORLD_H
#define WORLD_H

#include <ota/install.h>

enum { WORLD_IMAGE = 1024, WORLD_LIST = 1 << 16 };

/* What a bootloader does with an image that is started for the first time. */
enum world_loader {
    LOADER_PATIENT, /* starts it again and again */
    LOADER_STRICT   /* ESP-IDF: once; if it does not confirm, goes back */
};

struct world_slot {
    uint8_t image[2][WORLD_IMAGE];
    int runs, next; /* image that runs; that the next start runs */
    bool fresh[2];  /* written since it last ran */
    bool on_trial;  /* what runs was started once and did not confirm */
    enum world_loader loader;
};

struct world;

struct world_type {
    const char *name;
    int losses; /* ways in which a cut can lose what is not durable */
    bool modes; /* files have permissions */
    struct world *(*copy)(const struct world *w);
    void (*free)(struct world *w);
    /* The power goes and comes back. */
    void (*crash)(struct world *w, int loss);
    /* Of all that counts for what happens next. */
    uint64_t (*hash)(const struct world *w);
    /* A file's bytes, or NULL; valid until the next call. */
    const uint8_t *(*get)(struct world *w, const char *path, size_t *len,
                          unsigned *mode);
    /* Writes a file, durably; it replaces what is there. */
    void (*put)(struct world *w, const char *path, const void *bytes,
                size_t len, unsigned mode);
    void (*remove)(struct world *w, const char *path);
    void (*mkdir)(struct world *w, const char *path);
    /* Calls `each` for every name below the folder `root`; of all, "", those
     * outside .ota. */
    void (*walk)(struct world *w, const char *root,
                 void (*each)(void *arg, const char *path, bool folder),
                 void *arg);
};

struct world {
    const struct world_type *type;
    struct ota_port port; /* its ctx is the world */
    struct world_slot slot;
    bool planned;        /* this boot was asked for */
    unsigned restarts;   /* that an installer asked for */
    unsigned lives;      /* for tests */
    long ops;            /* operations so far */
    long writes, yields; /* that reached the medium; calls of yield */
    void (*at_op)(struct world *w, void *arg); /* before each, if not NULL */
    void *at_arg;
};

/* What all worlds share: port.yield, planned_wake and the slot "app". */
void world_init(struct world *w, const struct world_type *type);
/* An operation is about to take effect. */
void world_op(struct world *w);
/* The bootloader's part of a start. */
void world_start(struct world *w);

/* Writes a file of text, durably. */
void world_put(struct world *w, const char *path, const char *text);
bool world_has(struct world *w, const char *path); /* a file */

/* All names outside .ota, sorted, one a line, folders with a '/'; to be freed
 * by nobody: valid until the next call. */
const char *world_list(struct world *w);

uint64_t world_mix(uint64_t hash, const void *bytes, size_t len);

#endif
