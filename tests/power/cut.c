/* The power is cut at every operation of what a device does with the
 * installer, and again at every operation of what it does then: afterwards all
 * is old or all is new, the state says which, and going on to the end works.
 * ota-install(7), What may be cut.  With `soak` deeper, and with bundles made
 * by chance. */
#include "plan.h"
#include "simfs.h"

#include "../unit/tap.h"

#include <string.h>

enum { ALL = (1 << SIM_LOSSES) - 1 };

static void say(const struct plan_sums *sums, const char *what,
                const char *scene)
{
    check(sums->wrong == 0 && sums->stuck == 0, "%s, %s: %s", what, scene,
          plan_text(sums));
}

static void all_modes(struct scene *s, const struct plan *p,
                      const struct explore *how, struct plan_sums *sums)
{
    for (int mode = 0; mode < SIM_MODES; mode++) {
        struct world *w = sim_new((enum sim_mode)mode);

        sim_seed(w, how->seed);
        plan_explore(s, p, w, how, sums);
    }
}

static void one_plan(struct scene *s, const struct plan *p,
                     const struct explore *how)
{
    struct plan_sums sums = {0};

    all_modes(s, p, how, &sums);
    say(&sums, p->name, s->name);
}

static void by_chance(int count, const struct explore *how)
{
    struct plan_sums sums = {0};

    for (int seed = 1; seed <= count; seed++) {
        struct scene *s = scene_random((uint32_t)seed);

        all_modes(s, &plans[seed % 2 ? PLAN_INSTALL : PLAN_UNDO], how, &sums);
        scene_free(s);
    }
    say(&sums, "installs and undos", "by chance");
}

/* Three cuts, each with what it loses by chance. */
static void triples(struct scene *s, int seeds)
{
    struct explore how = {
        .depth = 3,
        .losses = {1 << SIM_DICE, 1 << SIM_DICE, 1 << SIM_DICE},
        .every = {11, 7, 5}};
    struct plan_sums sums = {0};

    for (int seed = 1; seed <= seeds; seed++) {
        how.seed = (uint32_t)seed;
        all_modes(s, &plans[PLAN_INSTALL], &how, &sums);
    }
    say(&sums, "an install, contents lost by chance", s->name);
}

int main(int argc, char **argv)
{
    bool soak = tap_soak(argc, argv);
    const struct explore
        once = {.depth = 1, .losses = {ALL}},
        twice = {.depth = 2, .losses = {ALL, ALL}},
        often = {.depth = 2, .losses = {ALL, ALL}, .every = {5, 3}},
        thrice = {.depth = 3, .losses = {ALL, ALL, ALL}, .every = {17, 11, 7}},
        closer = {.depth = 3, .losses = {ALL, ALL, ALL}, .every = {3, 3, 2}};
    struct scene *rich = scene_rich(), *five = scene_five(),
                 *names = scene_case();

    for (int i = 0; i < PLANS; i++) {
        one_plan(five, &plans[i], &once);
        if (soak || plans[i].pairs)
            one_plan(five, &plans[i], soak ? &twice : &often);
        one_plan(rich, &plans[i], soak ? &twice : &once);
        if (soak)
            one_plan(rich, &plans[i],
                     plans[i].version == 2 && plans[i].pairs ? &closer
                                                             : &thrice);
    }
    for (int i = PLAN_INSTALL; i <= PLAN_UNDO; i++)
        one_plan(names, &plans[i], soak ? &twice : &once);
    if (soak)
        triples(rich, 8);
    triples(five, soak ? 20 : 1);
    by_chance(soak ? 5 : 2, soak ? &twice : &once);
    scene_free(names);
    scene_free(rich);
    scene_free(five);
    return tap_done();
}
