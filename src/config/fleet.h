/* Devices: their ids in every spelling, names and values, lists in CSV. */
#ifndef CONFIG_FLEET_H
#define CONFIG_FLEET_H

#include "base/diag.h"

/* A MAC-48 or EUI-64 as in a manifest: a MAC is followed by two zeros. */
struct device_id {
    uint8_t bytes[8];
    uint8_t len; /* 6 or 8 */
};

enum {
    DEVICE_HEX = 17, /* "246f28aabbcc" or 16 digits, and NUL */
    DEVICE_TEXT = 24 /* "24:6f:28:aa:bb:cc" or 8 pairs, and NUL */
};

/* Reads aa:bb.., aa-bb.., aabb.ccdd.eeff (three groups, or four for an
 * EUI-64) or bare hex of `len` bytes.  0, or -1 if it is no id; says nothing.
 */
int device_id_parse(const char *text, size_t len, struct device_id *id);
void device_id_hex(const struct device_id *id, char out[DEVICE_HEX]);
void device_id_text(const struct device_id *id, char out[DEVICE_TEXT]);
/* Orders by bytes, then length: below, equal to, above 0. */
int device_id_compare(const struct device_id *a, const struct device_id *b);

/* A device's own value, for {key} in a `from`. */
struct device_value {
    const char *key, *value;
    struct device_value *next;
};

struct device {
    struct device_id id;
    bool selected;    /* by the command line; all are if nothing narrows */
    uint32_t release; /* index into the configuration's releases */
    const char *name; /* or NULL */
    struct device_value *values; /* besides id and name */
    struct diag_mark mark;       /* where it is listed */
};

/* The value for `{key}`: id (bare hex), name, or one of its own; NULL if it
 * has none.  `hex` is a buffer of DEVICE_HEX bytes for the id. */
const char *device_value(const struct device *d, const char *key, size_t len,
                         char *hex);

/* Says of a word that names no release or device that it is an id in a spelling
 * of its own, or, unless a name is `near`, a file.  False: neither. */
bool fleet_say_other(const char *word, bool near);

#endif
