/* Devices that nobody waits for any more. */
#ifndef PUBLISH_GONE_H
#define PUBLISH_GONE_H

#include "index/index.h"

struct gone {
    struct device_id *listed; /* those of the configuration, sorted */
    size_t count;
    uint64_t now;
};

/* `now` is in seconds since 1970, 0: there is no clock, and nothing expires.
 * 0, or -1 (reported); to be released in both cases. */
int gone_init(struct gone *g, const struct config *c, uint64_t now);
void gone_release(struct gone *g);

/* Whether the configuration has it. */
bool gone_lists(const struct gone *g, const struct device_id *id);

/* Whether what the index says of it binds nobody: it was withdrawn, or it is
 * not listed any more and its manifest has expired. */
bool gone_has(const struct gone *g, const struct index_device *d);

#endif
