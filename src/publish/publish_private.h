/* What the files that publish share. */
#ifndef PUBLISH_PUBLISH_PRIVATE_H
#define PUBLISH_PUBLISH_PRIVATE_H

#include "publish.h"

struct publish {
    const struct publish_options *o;
    struct publish_result *result;
    struct index *index;
    struct plan plan;
    size_t total; /* manifests to be written */
    size_t tried;
    size_t lost;     /* were put, and failed after all */
    unsigned in_row; /* failures since the last manifest that was written */
};

/* True, and reported, once the user asked to stop. */
bool publish_stopped(const struct publish *p);

/* publish_objects.c: payloads, then manifests.  0, or -1 (reported): the
 * publish ends here.  A device that fails is not `done`, and the others go on,
 * until it is clear that the server fails. */
int publish_payloads(struct publish *p);
int publish_manifests(struct publish *p);

/* publish_index.c */
int publish_begin(struct publish *p);  /* the head with the intents */
int publish_finish(struct publish *p); /* the index as it is now */

#endif
