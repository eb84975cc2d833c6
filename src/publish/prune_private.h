/* What the files that prune share. */
#ifndef PUBLISH_PRUNE_PRIVATE_H
#define PUBLISH_PRUNE_PRIVATE_H

#include "prune.h"

/* What becomes of a version. */
enum prune_fate {
    PRUNE_STAYS,
    PRUNE_BARE, /* without its payload: what it says is still needed */
    PRUNE_GOES
};

/* Names of payloads, ascending; `until` is used of those that are retired. */
struct prune_names {
    struct index_retired *list;
    size_t count, room;
};

/* The decisions: a fate for each version, release after release as in the
 * index, and the payloads that go. */
struct prune_plan {
    uint8_t *fates; /* enum prune_fate */
    size_t *first;  /* of each release in fates */
    size_t version_count;
    struct prune_names names;
};

/* Makes it.  0, or -1 (reported); to be released in both cases. */
int prune_decide(const struct index *x, uint64_t now, uint32_t keep,
                 struct prune_plan *out);
void prune_plan_release(struct prune_plan *p);

/* Releases and versions that change. */
bool prune_has_versions(const struct prune_plan *p);

#endif
