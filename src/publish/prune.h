/* What is on the server and no device needs: payloads that no manifest names,
 * and versions that nobody goes back to.  ota-publish(7), Pruning. */
#ifndef PUBLISH_PRUNE_H
#define PUBLISH_PRUNE_H

#include "session.h"

/* Seconds for which a payload stays after the last manifest that named it: a
 * device may be reading it still. */
enum { PRUNE_AGE = 30 * 86400 };

/* A version that goes from the history, or an object. */
struct prune_item {
    const char *release; /* NULL: an object */
    uint32_t version;
    bool whole;         /* the version; else its payload alone */
    const char *object; /* NULL: a version */
    uint64_t size;      /* of the object, in bytes */
    bool failed;        /* it could not be removed (reported) */
};

struct prune_options {
    uint32_t keep; /* versions of each release, at least 1 */
    /* Called for each thing that goes (or would go); or NULL. */
    void (*each)(void *ctx, const struct prune_item *item);
    void *ctx;
};

struct prune_result {
    size_t versions; /* gone from the history */
    size_t payloads; /* removed */
    size_t failed;   /* not removed */
    uint64_t bytes;  /* of those removed */
};

/* Prunes; the meter counts payloads.  Cut at any point it leaves what the next
 * call completes.  0, or -1 (reported). */
int prune_run(struct session *s, const struct prune_options *options,
              struct prune_result *result);

#endif
