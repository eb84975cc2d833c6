/* The files of a release: patterns matched, names mapped to the device's,
 * contents hashed.  No content is kept. */
#ifndef PACK_TREE_H
#define PACK_TREE_H

#include "config/config.h"
#include <ota/bundle.h>

/* One FILE or SLOT that a device is to have. */
struct tree_entry {
    const char *path;     /* on the device, or the slot's name; checked */
    const char *source;   /* the file to open on this machine, or */
    const uint8_t *bytes; /* its content, where that is in memory; else NULL */
    uint8_t type;         /* OTA_FILE or OTA_SLOT */
    uint16_t mode;
    uint32_t size;
    uint8_t hash[OTA_HASH];
    struct diag_mark mark; /* the item of `files:` that brought it */
    bool own;              /* and its `from` has a {value} */
};

/* What one device has: all devices with the same content share one set. */
struct tree_set {
    const struct tree_entry **entries; /* as in ota-bundle(5), Order */
    size_t count;
    uint64_t bytes;             /* of all entries */
    uint32_t space;             /* of the FILEs: at most 2^32 - 1 */
    uint8_t digest[OTA_DIGEST]; /* ota-bundle(5), Release digest */
    bool own; /* made of at least one file whose name has a {value} */
};

/* The sets of one release.  Set 0 is the shared one where any device of the
 * release has no {value} files, or the first device's. */
struct tree_release {
    struct tree_set *sets;
    size_t set_count;
};

struct tree {
    struct tree_release *releases; /* as in the configuration */
    /* For each device: index into its release's sets, UINT32_MAX where the
     * release is not selected. */
    uint32_t *device_set;
    struct tree_private *priv;
};

/* Looks up, checks and hashes the files of every selected release (all
 * devices of it).  Every mistake is reported.  0, or -1 if there was any; the
 * tree is then not complete and *out is NULL. */
int tree_load(const struct config *c, struct tree **out);
void tree_free(struct tree *t);

/* Refuses a server's folder in which the secret key or the configuration lies;
 * tree_load() does, and looks for what is packed.  0, or -1 (reported). */
int tree_served_keys(const struct config *c,
                     const struct config_server *server);

/* The hash over everything that the tree of one release holds: its sets'
 * digest where all devices share one, else ids and digests in the order of its
 * devices.  For the index's intent. */
void tree_content_hash(const struct config *c, const struct tree *t,
                       size_t release, uint8_t hash[OTA_HASH]);

/* `path` against a pattern of ota-pack.yml(5): `*` and `?` stop at '/', a
 * component of two stars spans folders, [...] is a class.  Both relative. */
bool tree_match(const char *pattern, const char *path);

#endif
