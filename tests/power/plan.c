/* What a device is doing while its power is cut: see plan.h. */
#include "plan.h"

#include <stdio.h>

const struct plan plans[PLANS] = {
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

static void begin(struct scene *s, const struct plan *p, struct world *w)
{
    s->loader = p->loader;
    s->forgets = false;
    s->config.chances = p->life == life_chances ? 2 : 20;
    scene_wrong = NULL;
    scene_prepare(s, w, p->version);
    if (p->confirmed)
        life_confirm(s, w);
    s->forgets = p->forgets;
}

void plan_explore(struct scene *s, const struct plan *p, struct world *fresh,
                  const struct explore *how, struct plan_sums *sums)
{
    struct explore x = *how;
    long resumed = scene_resumed;

    begin(s, p, fresh);
    x.scene = s;
    x.life = p->life;
    explore(&x, fresh);
    fresh->type->free(fresh);
    for (int n = 0; n < EXPLORE_DEPTH; n++)
        sums->cuts[n] += x.cuts[n];
    sums->states += x.states;
    sums->wrong += x.wrong;
    sums->stuck += x.stuck;
    sums->resumed += scene_resumed - resumed;
}

const char *plan_text(const struct plan_sums *sums)
{
    static char text[200];

    snprintf(text, sizeof(text),
             "%ld cuts, %ld pairs, %ld triples, %ld states: %ld mixed, "
             "%ld stuck, %ld resumed",
             sums->cuts[0], sums->cuts[1], sums->cuts[2], sums->states,
             sums->wrong, sums->stuck, sums->resumed);
    return text;
}
