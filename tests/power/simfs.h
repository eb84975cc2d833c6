/* A file system in memory with a block device's manners: what is not synced,
 * and names before a barrier, may be lost at a cut or come without those
 * before them; the write in progress is torn. */
#ifndef SIMFS_H
#define SIMFS_H

#include "world.h"

enum sim_mode {
    SIM_REPLACES, /* rename replaces what is there (POSIX, littlefs) */
    SIM_REFUSES,  /* rename fails where the target exists */
    SIM_COPIES,   /* a move is a copy and a remove (FatFs): both can be left */
    SIM_MODES
};

extern const char *const sim_mode_names[SIM_MODES];

/* What of the pending survives a cut. */
enum sim_loss {
    SIM_NONE,  /* nothing that is not durable */
    SIM_ALL,   /* everything; the write in progress is torn */
    SIM_LAST,  /* only the last name; of contents one half, in place or not */
    SIM_ODD,   /* every other name, no contents */
    SIM_NAMES, /* all names, no contents */
    SIM_KILL,  /* everything, but nothing became durable: a program died */
    SIM_DICE,  /* at random, by sim->seed */
    SIM_LOSSES = SIM_DICE
};

/* Operations that fail, from number `at` on. */
enum sim_fail {
    FAIL_ONCE,  /* one operation */
    FAIL_LATE,  /* one operation, though it was done */
    FAIL_STAYS, /* all */
    FAIL_FULL,  /* all that need room, as OTA_ERR_SPACE */
    FAIL_MOVES, /* all moves (EXDEV) */
    FAIL_PATH,  /* all on the path that was asked for then (EBUSY) */
    FAIL_KINDS
};

struct sim;

struct world *sim_new(enum sim_mode mode);
void sim_fail(struct world *w, enum sim_fail how, long at);
/* True if an operation failed since. */
bool sim_failed(const struct world *w);
void sim_repair(struct world *w);
/* For SIM_DICE. */
void sim_seed(struct world *w, uint32_t seed);
/* Bytes that port.free reports. */
void sim_room(struct world *w, uint64_t bytes);
/* The file is on another file system, or is a link. */
void sim_mount(struct world *w, const char *path);
void sim_link(struct world *w, const char *path);
/* Changes a file in place: an open handle reads the new bytes. */
void sim_edit(struct world *w, const char *path, uint32_t offset,
              const char *text);
/* Of a folder. */
void sim_own(struct world *w, const char *path, unsigned mode, unsigned owner);
bool sim_owned(struct world *w, const char *path, unsigned mode,
               unsigned owner);

#endif
