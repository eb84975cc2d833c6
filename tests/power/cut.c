/* The power is cut at every operation of what a device does with the
 * installer, and again at every operation of what it does then: afterwards all
 * is old or all is new, the state says which, and going on to the end works.
 * install.md, States.  With `soak` deeper, and with bundles made by chance. */
#include "explore.h"
#include "simfs.h"

#include "../unit/tap.h"

#include <string.h>

enum { ALL = (1 << SIM_LOSSES) - 1 };

struct plan {
    const char *name;
    scene_life *life;
    unsigned version; /* that is there */
    bool confirmed;   /* 2, and it is no longer on trial */
    bool forgets;
    enum world_loader loader;
    bool pairs; /* of five files in `make check` too */
};

static const struct plan plans[] = {
    {"an install", life_install, 1, false, false, LOADER_PATIENT, true},
    {"a first install", life_first, 0, false, false, LOADER_PATIENT, false},
    {"a confirm", life_confirm, 2, false, false, LOADER_PATIENT, true},
    {"an undo in trial", life_undo, 2, false, false, LOADER_PATIENT, true},
    {"an undo by hand", life_undo, 2, true, false, LOADER_PATIENT, true},
    {"chances that run out", life_chances, 2, false, false, LOADER_PATIENT,
     true},
    {"a backup given up", life_forget, 2, true, false, LOADER_PATIENT, true},
    {"a reset", life_reset, 2, true, true, LOADER_PATIENT, false},
    {"a bootloader that goes back", life_strict, 1, false, false, LOADER_STRICT,
     false}};

static struct world *device(struct scene *s, const struct plan *p,
                            enum sim_mode mode)
{
    struct world *w = sim_new(mode), *copy;

    s->loader = p->loader;
    s->forgets = false;
    s->config.chances = p->life == life_chances ? 2 : 20;
    scene_wrong = NULL;
    scene_prepare(s, w, p->version);
    if (p->confirmed)
        life_confirm(s, w);
    s->forgets = p->forgets;
    copy = w->type->copy(w);
    w->type->free(w);
    return copy;
}

struct sums {
    long cuts[EXPLORE_DEPTH], states, wrong, stuck;
};

static void explore_one(struct scene *s, const struct plan *p,
                        enum sim_mode mode, const struct explore *how,
                        struct sums *sums)
{
    struct explore x = *how;
    struct world *w = device(s, p, mode);

    x.scene = s;
    x.life = p->life;
    sim_seed(w, how->seed);
    explore(&x, w);
    w->type->free(w);
    for (int n = 0; n < EXPLORE_DEPTH; n++)
        sums->cuts[n] += x.cuts[n];
    sums->states += x.states;
    sums->wrong += x.wrong;
    sums->stuck += x.stuck;
}

static void say(const struct sums *t, const char *what, const char *scene,
                long resumed)
{
    check(t->wrong == 0 && t->stuck == 0,
          "%s, %s: %ld cuts, %ld pairs, %ld triples, %ld states: %ld mixed, "
          "%ld stuck, %ld resumed",
          what, scene, t->cuts[0], t->cuts[1], t->cuts[2], t->states, t->wrong,
          t->stuck, resumed);
}

static void all_modes(struct scene *s, const struct plan *p,
                      const struct explore *how)
{
    struct sums sums = {0};
    long resumed = scene_resumed;

    for (int mode = 0; mode < SIM_MODES; mode++)
        explore_one(s, p, (enum sim_mode)mode, how, &sums);
    say(&sums, p->name, s->name, scene_resumed - resumed);
}

static void by_chance(int count, const struct explore *how)
{
    struct sums sums = {0};

    for (int seed = 1; seed <= count; seed++) {
        struct scene *s = scene_random((uint32_t)seed);

        for (int mode = 0; mode < SIM_MODES; mode++)
            explore_one(s, &plans[seed % 2 ? 0 : 3], (enum sim_mode)mode, how,
                        &sums);
        scene_free(s);
    }
    say(&sums, "installs and undos", "by chance", 0);
}

/* Three cuts, each with what it loses by chance. */
static void triples(struct scene *s, int seeds)
{
    struct explore how = {
        .depth = 3,
        .losses = {1 << SIM_DICE, 1 << SIM_DICE, 1 << SIM_DICE},
        .every = {11, 7, 5}};
    struct sums sums = {0};

    for (int seed = 1; seed <= seeds; seed++) {
        how.seed = (uint32_t)seed;
        for (int mode = 0; mode < SIM_MODES; mode++)
            explore_one(s, &plans[0], (enum sim_mode)mode, &how, &sums);
    }
    say(&sums, "an install, contents lost by chance", s->name, 0);
}

int main(int argc, char **argv)
{
    bool soak = argc > 1 && strcmp(argv[1], "soak") == 0;
    const struct explore once = {.depth = 1, .losses = {ALL}},
                         twice = {.depth = 2, .losses = {ALL, ALL}},
                         thrice = {.depth = 3,
                                   .losses = {ALL, ALL, ALL},
                                   .every = {7, 5, 3}};
    struct scene *rich = scene_rich(), *five = scene_five();

    for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); i++) {
        all_modes(five, &plans[i], soak || plans[i].pairs ? &twice : &once);
        all_modes(rich, &plans[i], soak ? &twice : &once);
        if (soak)
            all_modes(rich, &plans[i], &thrice);
    }
    triples(rich, soak ? 40 : 1);
    triples(five, soak ? 40 : 1);
    by_chance(soak ? 60 : 4, soak ? &twice : &once);
    scene_free(rich);
    scene_free(five);
    return tap_done();
}
