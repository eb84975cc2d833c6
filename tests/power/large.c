/* A bundle of 1,000 files, of which a tenth is new and a tenth goes: the power
 * is cut at some of the operations. */
#include "plan.h"
#include "simfs.h"

#include "../unit/tap.h"

enum { FILES = 1000, BYTES = 24, EVERY = 199 };

static void one_plan(struct scene *s, const struct plan *p, enum sim_mode mode)
{
    struct explore how = {
        .depth = 1,
        .losses = {1 << SIM_NONE | 1 << SIM_ALL | 1 << SIM_ODD},
        .every = {EVERY}};
    struct plan_sums sums = {0};
    struct world *w = sim_new(mode);

    plan_explore(s, p, w, &how, &sums);
    check(sums.wrong == 0 && sums.stuck == 0 && sums.cuts[0] > 0,
          "%s, %s, %s: %s", p->name, s->name, sim_mode_names[mode],
          plan_text(&sums));
}

int main(void)
{
    struct scene *s = scene_sized("1,000 files", FILES, BYTES);

    for (int mode = 0; mode < SIM_MODES; mode++) {
        one_plan(s, &plans[PLAN_INSTALL], (enum sim_mode)mode);
        one_plan(s, &plans[PLAN_UNDO], (enum sim_mode)mode);
    }
    scene_free(s);
    return tap_done();
}
