/* The installer over FatFs: the power is cut at every write of a sector, and
 * again at those of what follows. */
#include "fat_world.h"
#include "meddle.h"
#include "plan.h"

#include "../unit/tap.h"

#include <string.h>

static const struct {
    const char *name;
    uint32_t sectors;
} disks[] = {{"FAT12", 1000}, {"FAT16", 4400}};

static void one_plan(struct scene *s, const struct plan *p, int disk)
{
    const struct explore twice = {.depth = 2, .losses = {1, 1}};
    struct plan_sums sums = {0};

    plan_explore(s, p, fat_new(disks[disk].sectors), &twice, &sums);
    check(sums.wrong == 0 && sums.stuck == 0, "FatFs, %s, %s, %s: %s",
          disks[disk].name, p->name, s->name, plan_text(&sums));
}

/* An entry of FAT12 has 12 bits, so that of cluster 341 lies in two sectors,
 * which a cut can tear: with a file of so many clusters before it all others,
 * one after the other, come to lie there. */
static void straddle(struct scene *s)
{
    static const uint8_t fill[341 * 512];
    const struct explore once = {.depth = 1, .losses = {1}};
    struct plan_sums sums = {0};

    for (size_t clusters = 290; clusters < 341; clusters++) {
        struct world *w = fat_new(disks[0].sectors);

        w->type->put(w, ".fill", fill, clusters * 512, 0);
        plan_explore(s, &plans[PLAN_INSTALL], w, &once, &sums);
    }
    check(sums.wrong == 0 && sums.stuck == 0,
          "FatFs, an entry in two sectors, an install, %s: %s", s->name,
          plan_text(&sums));
}

static struct world *fresh(void *arg)
{
    (void)arg;
    return fat_new(disks[0].sectors);
}

static void doings(struct scene *s, bool early, bool soak)
{
    const struct explore how = {
        .depth = 1, .losses = {1}, .every = {soak ? 1 : 7}};
    struct meddle_sums sums = {0};

    meddle_everywhere(s, fresh, NULL, false, early, &how, &sums);
    check(sums.plan.wrong == 0 && sums.plan.stuck == 0 && sums.done > 30,
          "FatFs, the program %s: %s", early ? "before" : "on trial",
          meddle_text(&sums));
}

int main(int argc, char **argv)
{
    struct scene *five = scene_five(), *rich = scene_rich(),
                 *names = scene_case();

    bool soak = tap_soak(argc, argv);

    for (int i = PLAN_INSTALL; i <= PLAN_UNDO; i++)
        one_plan(names, &plans[i], 0);
    doings(rich, false, soak);
    doings(rich, true, soak);
    for (int i = 0; i < PLANS; i++) {
        one_plan(five, &plans[i], 0);
        one_plan(five, &plans[i], 1);
        one_plan(rich, &plans[i], 0);
    }
    straddle(five);
    straddle(rich);
    scene_free(names);
    scene_free(five);
    scene_free(rich);
    return tap_done();
}
