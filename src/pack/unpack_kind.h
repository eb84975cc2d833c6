/* What a file is that is no bundle. */
#ifndef PACK_UNPACK_KIND_H
#define PACK_UNPACK_KIND_H

#include <stdbool.h>
#include <ota/bundle.h>

/* Of the `len` first bytes of `file`, which is open as `fd`: "a payload, not a
 * bundle: give public/devices/ID".  False: it begins as a bundle does, or is
 * nothing that is known. */
bool unpack_kind(const char *file, int fd, const uint8_t *head, size_t len,
                 char *out, size_t size);

#endif
