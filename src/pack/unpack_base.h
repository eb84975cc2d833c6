/* The folder that stands for what a device has installed: deltas build on it.
 */
#ifndef PACK_UNPACK_BASE_H
#define PACK_UNPACK_BASE_H

#include "unpack.h"
#include "unpack_out.h"

struct unpack_base {
    const char *folder;
    int root;                          /* its descriptor, -1: none */
    int fd;                            /* the base of the open file, -1: none */
    const volatile sig_atomic_t *stop; /* not 0: end, or NULL */
};

/* 0, or -1 (reported). */
int unpack_base_begin(struct unpack_base *base, const char *folder);
void unpack_base_release(struct unpack_base *base);

/* The file that one of `type` (OTA_FILE or OTA_SLOT) is built from: OTA_OK, or
 * OTA_ERR_BASE if it is missing or different. */
int unpack_base_open(struct unpack_base *base, uint8_t type,
                     const struct ota_file *file);
/* OTA_OK or OTA_ERR_BASE. */
int unpack_base_read(const struct unpack_base *base, uint32_t offset,
                     uint8_t *buf, size_t len);
void unpack_base_close(struct unpack_base *base);

/* Copies what none of the entries (in record order) names; .ota and what is no
 * file stay behind.  0, or -1 (reported, or stopped). */
int unpack_base_copy(struct unpack_base *base, struct unpack_out *out,
                     const struct unpack_entry *entries, size_t count);

#endif
