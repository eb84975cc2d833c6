/* What the files that publish share. */
#ifndef PUBLISH_PUBLISH_PRIVATE_H
#define PUBLISH_PUBLISH_PRIVATE_H

#include "publish.h"

struct publish {
    struct session *s;
    const struct publish_options *o;
    struct publish_result *result;
    const char *command; /* that goes on with it */
    struct plan plan;
    const struct plan_back *back; /* a rollback, or NULL */
    const struct plan_lost *gone; /* is not to be had again, or NULL */
    size_t total;                 /* manifests to be written */
    size_t lost;                  /* were put, and failed after all */
    unsigned in_row; /* failures since the last manifest that was written */
    bool begun;      /* something may have been changed on the server */
    bool told;       /* that it was stopped */
};

/* publish_stop.c: true, and reported once, when the user asked to stop. */
bool publish_stopped(struct publish *p);

/* publish_plan.c: 0, or -1 (reported). */
int publish_make_plan(struct publish *p);
/* Makes the plan and carries it out.  0, or -1 (reported). */
int publish_planned(struct publish *p);

/* publish_move.c: before the first head of a new place. */
void publish_warn_move(const struct publish *p);

/* publish_back.c: what rollbacks have left to do that were cut short.  0, or
 * -1 (reported). */
int publish_take_up(struct publish *p);

/* publish_marks.c: marks what a rollback leaves, and takes the mark from what
 * is published again.  0, or -1 (reported). */
int publish_mark(struct publish *p);

/* publish_objects.c: payloads, then manifests.  0, or -1 (reported): the
 * publish ends here.  A device that fails is not `done`, and the others go on,
 * until it is clear that the server fails. */
int publish_payloads(struct publish *p);
int publish_manifests(struct publish *p);

/* publish_index.c */
int publish_begin(struct publish *p);  /* the head with the intents */
int publish_finish(struct publish *p); /* the index as it is now */

#endif
