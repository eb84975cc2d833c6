/* What devices would get, read back as they read it and held against the
 * index. */
#ifndef PUBLISH_READBACK_H
#define PUBLISH_READBACK_H

#include <signal.h>
#include "gone.h"
#include "meter.h"

/* One device. */
struct readback_item {
    const struct index_device *device;
    const char *error;   /* a name of ota-bundle(5), Refusals, "missing" or
                          * "index"; NULL: all is well */
    const char *message; /* what it is, for people */
};

struct readback_options {
    struct store *store;  /* that has the index */
    struct store *served; /* that devices read: the same one, unless they read
                           * elsewhere than is published to */
    const uint8_t *key;   /* OTA_PUBLIC_KEY bytes, also of the index */
    uint64_t now;         /* seconds since 1970, 0: nothing expires */
    const struct gone *gone; /* these devices are left out */
    size_t sample;           /* so many of the devices at random, 0: all */
    char *const *words;      /* releases, ids, names: these alone; none: all */
    size_t word_count;
    volatile const sig_atomic_t *stop; /* not 0: stop at the next device */
    void (*each)(void *ctx, const struct readback_item *item);
    void *ctx;
    struct meter *meter; /* of devices, or NULL */
};

struct readback_result {
    size_t devices;  /* read */
    size_t bad;      /* of them */
    size_t failed;   /* could not be read (reported) */
    size_t payloads; /* distinct ones, each read once */
    uint64_t bytes;  /* of those */
};

/* Reads.  Of payloads 32 MiB are in memory, or those of one device.  0, also
 * where some are bad; or -1 (reported). */
int readback_run(const struct readback_options *options,
                 struct readback_result *result);

/* Whether the manifest, which verifies, is what the index says of the device;
 * where it has that version and is not, *differs says in what. */
bool readback_is_entry(const struct index *x, const struct index_device *d,
                       const struct ota_manifest *m, const char **differs);

#endif
