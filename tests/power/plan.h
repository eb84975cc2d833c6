/* What a device is doing while its power is cut, and what came of it. */
#ifndef PLAN_H
#define PLAN_H

#include "explore.h"

struct plan {
    const char *name;
    scene_life *life;
    unsigned version; /* that is there */
    bool confirmed;   /* 2, and it is no longer on trial */
    bool forgets;
    enum world_loader loader;
    bool pairs; /* of five files in `make check` too */
};

enum { PLAN_INSTALL, PLAN_FIRST, PLAN_CONFIRM, PLAN_UNDO, PLANS = 9 };

extern const struct plan plans[PLANS];

/* Of several explorations. */
struct plan_sums {
    long cuts[EXPLORE_DEPTH], states, wrong, stuck, resumed;
};

/* Brings the empty device to where the plan begins and cuts its power as `how`
 * says.  Takes `fresh`. */
void plan_explore(struct scene *s, const struct plan *p, struct world *fresh,
                  const struct explore *how, struct plan_sums *sums);
/* "3 cuts, ...": valid until the next call. */
const char *plan_text(const struct plan_sums *sums);

#endif
