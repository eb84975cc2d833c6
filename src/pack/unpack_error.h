/* What to add for people to the reader's error. */
#ifndef PACK_UNPACK_ERROR_H
#define PACK_UNPACK_ERROR_H

#include "unpack.h"

/* The path that is dealt with, "" for none. */
void unpack_error_at(struct unpack_result *result, const char *path);

/* The payload is not at `path`, the last place that was looked at. */
void unpack_error_missing(struct unpack_result *result, const char *path,
                          bool given);

/* Fills in result->detail once the reading came to its end. */
void unpack_error_explain(struct unpack_result *result,
                          const struct ota_device *device);

/* Both times, for people, of what has expired; seconds since 1970. */
void unpack_expired(uint64_t expires, uint64_t now, char *out, size_t size);

#endif
