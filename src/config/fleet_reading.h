/* A fleet while it is being read: for config*.c and fleet*.c alone. */
#ifndef CONFIG_FLEET_READING_H
#define CONFIG_FLEET_READING_H

#include "base/arena.h"
#include "fleet.h"

enum {
    FLEET_NAME = 64,  /* longest name of a device, bytes */
    FLEET_KEY = 64,   /* longest name of a value */
    FLEET_VALUE = 255 /* longest value */
};

/* A hash table of indices + 1, 0 for a free slot; at most half full. */
struct fleet_table {
    uint32_t *slots;
    size_t mask, used;
};

struct fleet {
    struct device *devices; /* owned */
    size_t count, room;
    struct fleet_table ids, names;
    struct arena *arena;   /* for names and values; borrowed */
    const char **releases; /* names for messages, by device.release */
};

/* Adds a device, whose strings are the arena's.  A device that is there
 * already, or whose name is, is reported with both places and left out.
 * 0 also then; -1: out of memory. */
int fleet_add(struct fleet *f, const struct device *d);

/* NULL if it is not there. */
struct device *fleet_by_id(const struct fleet *f, const struct device_id *id);
struct device *fleet_by_name(const struct fleet *f, const char *name);

void fleet_release(struct fleet *f);

/* An id that a device can have.  0, or -1 (reported at the mark). */
int fleet_take_id(struct diag_mark mark, const char *text, size_t len,
                  struct device_id *id);

/* What is wrong with a name, value or value's name of `len` bytes, as words
 * that go behind it ("is longer than 64 bytes"), or NULL. */
const char *fleet_wrong_name(const char *text, size_t len,
                             const struct device_id *id);
const char *fleet_wrong_value(const char *text, size_t len);
const char *fleet_wrong_key(const char *text, size_t len);

/* Prepends a value: copies nothing.  -1: out of memory. */
int fleet_add_value(struct fleet *f, struct device_value **list,
                    const char *key, const char *value);

/* Reads a list of devices in CSV for release `release`.  Every mistake is
 * reported; devices without one are added.  `source` must stay: marks point
 * into it.  -1: out of memory. */
int fleet_csv_load(struct fleet *f, const struct diag_source *source,
                   uint32_t release);

#endif
