/* The installer over littlefs: the power is cut at every program and erase, of
 * which nothing or one half lands, and again at those of what follows. */
#include "lfs_compare.h"
#include "lfs_world.h"
#include "meddle.h"
#include "plan.h"

#include "../unit/tap.h"

#include <string.h>

enum { BLOCKS = 96, BOTH = 3 };

/* Of the first cut's operations and of the second's only each so many'th one;
 * 0: no second one. */
static void one_plan(struct scene *s, const struct plan *p, long first,
                     long second)
{
    struct explore how = {.depth = second > 0 ? 2 : 1,
                          .losses = {BOTH, BOTH},
                          .every = {first, second}};
    struct plan_sums sums = {0};

    plan_explore(s, p, lfs_new(BLOCKS), &how, &sums);
    check(sums.wrong == 0 && sums.stuck == 0, "littlefs, %s, %s: %s", p->name,
          s->name, plan_text(&sums));
}

static struct world *fresh(void *arg)
{
    (void)arg;
    return lfs_new(BLOCKS);
}

static void doings(struct scene *s, bool early, bool soak)
{
    const struct explore how = {
        .depth = 1, .losses = {BOTH}, .every = {soak ? 1 : 29}};
    struct meddle_sums sums = {0};

    meddle_everywhere(s, fresh, NULL, false, early, &how, &sums);
    check(sums.plan.wrong == 0 && sums.plan.stuck == 0 && sums.done > 30,
          "littlefs, the program %s: %s", early ? "before" : "on trial",
          meddle_text(&sums));
}

int main(int argc, char **argv)
{
    struct scene *five = scene_five(), *rich = scene_rich(),
                 *names = scene_case();

    bool soak = tap_soak(argc, argv);

    check(lfs_compare(), "five files of 9 KiB: all old or all new");
    for (int i = 0; i < PLANS; i++) {
        one_plan(five, &plans[i], 1, 0);
        one_plan(rich, &plans[i], 1, 0);
    }
    one_plan(five, &plans[PLAN_INSTALL], 1, 3);
    one_plan(rich, &plans[PLAN_INSTALL], 5, 7);
    for (int i = PLAN_CONFIRM; i < PLANS; i++) {
        if (plans[i].pairs)
            one_plan(five, &plans[i], 1, 1);
    }
    for (int i = PLAN_INSTALL; i <= PLAN_UNDO; i++)
        one_plan(names, &plans[i], soak ? 1 : 3, 0);
    doings(rich, false, soak);
    doings(rich, true, soak);
    scene_free(names);
    scene_free(five);
    scene_free(rich);
    return tap_done();
}
