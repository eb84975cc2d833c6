/* What the index names and the server has lost or damaged is put again, byte
 * for byte: payloads from the sources or from other payloads, manifests signed
 * again.  Nothing that is whole is written.  ota-publish(7), Repair. */
#ifndef PUBLISH_REPAIR_H
#define PUBLISH_REPAIR_H

#include "plan/plan.h"
#include "session.h"

struct repair_options {
    const struct config *config;
    /* The files of the configuration: called once, where payloads are to be
     * packed.  NULL: they could not be had (reported). */
    const struct tree *(*sources)(void *ctx);
    void *ctx;
    unsigned jobs;
};

/* A device whose payload, or what its manifest says, cannot be had again. */
struct repair_lost {
    struct device_id id;
    const char *release; /* the index's */
    uint32_t version;
};

struct repair_result {
    size_t payloads, manifests; /* put again */
    uint64_t bytes;             /* of these payloads */
    size_t failed;              /* could not be read or put (reported) */
    struct repair_lost *lost;   /* by id */
    size_t lost_count, lost_room;
    struct plan_lost payload_list; /* names of lost payloads, sorted */
    const struct tree *sources;    /* as they were had, or NULL */
    size_t past; /* versions that no device has and that cannot be gone back
                  * to: a warning was given */
};

/* Reads everything that the session's index names, and mends it; the lock is
 * held.  0, also where something is lost or failed; -1 (reported):
 * it ends here.  `result` is to be released in both cases. */
int repair_objects(const struct session *s, const struct repair_options *o,
                   struct repair_result *result);

/* Says of each device of the list that has in the index still what is lost,
 * what to do (DIAG_VERIFY).  again: the command that gives new versions has
 * run. Returns how many there are. */
size_t repair_say_lost(const struct session *s, const struct repair_options *o,
                       const struct repair_result *result, bool again);

/* Locks, reads the index, mends and says what is lost.  0, or -1 (reported). */
int repair_run(struct session *s, const struct repair_options *o,
               struct repair_result *result);
void repair_release(struct repair_result *result);

#endif
