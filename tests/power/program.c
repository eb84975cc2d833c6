/* What the program does while it is updated, at any target and at any folder
 * above one: on trial, between staging and boot, and between two tries after a
 * cut.  Whatever it is, all comes back, and nothing of its own is lost. */
#include "meddle.h"
#include "simfs.h"

#include "../unit/tap.h"

#include <string.h>

enum { ALL = (1 << SIM_LOSSES) - 1 };

static struct scene *rich, *five;

static struct world *fresh(void *arg)
{
    return sim_new(*(enum sim_mode *)arg);
}

static void doings(bool early, const struct explore *how)
{
    for (int n = 0; n < SIM_MODES; n++) {
        enum sim_mode mode = (enum sim_mode)n;
        struct meddle_sums sums = {0};

        meddle_everywhere(rich, fresh, &mode, mode != SIM_COPIES, early, how,
                          &sums);
        check(sums.plan.wrong == 0 && sums.plan.stuck == 0 && sums.done > 30,
              "%s, %s: %s", early ? "staged" : "on trial", sim_mode_names[n],
              meddle_text(&sums));
    }
}

/* -- between two tries ------------------------------------------------------
 */

/* After a cut the program runs before the installer goes on, and where a file
 * of its own lacks it makes one. */
static int life_stubs(const struct scene *s, struct world *w)
{
    struct ota_status st;
    int err = OTA_OK;

    if (w->lives++ == 1) {
        for (size_t n = 0; n < s->set[1].count; n++) {
            if (!world_has(w, s->set[1].item[n].path))
                world_put(w, s->set[1].item[n].path, "mine");
        }
    }
    err = scene_boot(s, w, &st);
    if (err == OTA_OK && st.version == 2)
        err = scene_undo(s, w, &st);
    if (err == OTA_OK && st.phase == OTA_READY)
        err = OTA_ERR_STATE;
    return err;
}

static void test_stubs(void)
{
    struct explore x = {
        .scene = five, .life = life_stubs, .depth = 1, .losses = {ALL}};
    long cuts = 0, wrong = 0;

    for (int mode = SIM_REPLACES; mode <= SIM_REFUSES; mode++) {
        struct world *w = sim_new((enum sim_mode)mode);

        scene_wrong = NULL;
        scene_prepare(five, w, 1);
        scene_stage(five, w, 2);
        five->edited = true;
        explore(&x, w);
        five->edited = false;
        cuts += x.cuts[0];
        wrong += x.wrong + x.stuck;
        w->type->free(w);
    }
    check(wrong == 0 && cuts > 100,
          "files that it makes after a cut hide no old one: %ld cuts, %ld "
          "wrong",
          cuts, wrong);
}

/* -- folders ----------------------------------------------------------------
 */

static bool as_it_was(struct world *w)
{
    return sim_owned(w, "old", 0700, 7) && sim_owned(w, "lib", 0750, 8);
}

static struct world *owned(void)
{
    struct world *w = sim_new(SIM_REPLACES);

    scene_wrong = NULL;
    scene_prepare(rich, w, 1);
    sim_own(w, "old", 0700, 7);
    sim_own(w, "lib", 0750, 8);
    scene_install(rich, w, 2);
    return w;
}

static void test_folders(void)
{
    struct explore x = {
        .scene = rich, .life = life_undo, .depth = 1, .losses = {ALL}};
    struct world *w = owned();

    scene_call(rich, w, ota_confirm);
    check(!sim_owned(w, "old", 0700, 7), "confirmed: the empty folder is gone");
    scene_undo(rich, w, NULL);
    check(!scene_wrong && as_it_was(w), "undone: it is back as it was");
    w->type->free(w);
    w = owned();
    w->port.clear(w, "lib");
    w->port.clear(w, "old");
    rich->edited = true;
    scene_undo(rich, w, NULL);
    rich->edited = false;
    check(!scene_wrong && as_it_was(w),
          "so it is where the program removed it");
    w->type->free(w);
    w = owned();
    scene_call(rich, w, ota_confirm);
    explore(&x, w);
    check(x.wrong + x.stuck == 0, "cut: %ld cuts", x.cuts[0]);
    w->type->free(w);
    w = owned();
    w->type->remove(w, ".ota/folders");
    scene_call(rich, w, ota_confirm);
    check(scene_undo(rich, w, NULL) == OTA_OK && !scene_wrong,
          "without a list of them, as of an older installer, all the same");
    w->type->free(w);
}

/* -- aside ------------------------------------------------------------------
 */

static void test_aside(void)
{
    struct world *w = sim_new(SIM_REPLACES);

    scene_wrong = NULL;
    scene_prepare(five, w, 2);
    world_put(w, "a.py", "mine");
    five->edited = true;
    scene_undo(five, w, NULL);
    five->edited = false;
    check(!scene_wrong && world_has(w, ".ota/aside/00/00/01"),
          "an edited file is kept aside");
    check(scene_stage(five, w, 3) == OTA_OK &&
              !world_has(w, ".ota/aside/00/00/01"),
          "until the next install begins");
    w->type->free(w);
    w = sim_new(SIM_REPLACES);
    scene_prepare(five, w, 2);
    w->port.aside = NULL;
    w->port.clear = NULL;
    world_put(w, "a.py", "mine");
    five->edited = true;
    check(scene_undo(five, w, NULL) == OTA_ERR_IO,
          "a port that cannot: the undo waits");
    w->type->remove(w, "a.py");
    check(scene_boot(five, w, NULL) == OTA_OK && !scene_wrong,
          "until what is in the way is gone");
    five->edited = false;
    w->type->free(w);
}

static int (*readable)(void *ctx, const char *path, enum ota_open how);

static int open_unreadable(void *ctx, const char *path, enum ota_open how)
{
    return strcmp(path, "a.py") == 0 ? OTA_ERR_IO : readable(ctx, path, how);
}

/* The program took its mode away, or the disk is damaged there. */
static void test_unreadable(void)
{
    for (int mode = SIM_REPLACES; mode <= SIM_REFUSES; mode++) {
        struct world *w = sim_new((enum sim_mode)mode);
        int err;

        scene_wrong = NULL;
        scene_prepare(five, w, 2);
        readable = w->port.open;
        w->port.open = open_unreadable;
        err = scene_undo(five, w, NULL);
        w->port.open = readable;
        check(err == OTA_OK && !scene_wrong &&
                  world_has(w, ".ota/aside/00/00/01"),
              "a file that cannot be read is kept aside, too");
        w->type->free(w);
    }
}

/* A swap that cannot end: an old file's place cannot be written. */
static void test_reset(void)
{
    struct world *w = sim_new(SIM_REPLACES);
    struct ota_status st;
    int err;

    scene_wrong = NULL;
    scene_prepare(five, w, 2);
    five->edited = true;
    w->port.aside = NULL;
    w->port.clear(w, "a.py");
    w->type->mkdir(w, "a.py");
    err = scene_undo(five, w, NULL);
    check(err != OTA_OK && scene_call(five, w, ota_reset) == OTA_OK,
          "a reset ends where an undo does not");
    st = scene_status(five, w);
    check(st.phase == OTA_IDLE && st.version == 0 &&
              world_has(w, ".ota/old/00/00/01"),
          "and keeps what is not back");
    w->port.rmdir(w, "a.py");
    five->edited = false;
    check(scene_stage(five, w, 3) == OTA_OK &&
              !world_has(w, ".ota/old/00/00/01"),
          "until the next install begins");
    w->type->free(w);
}

int main(int argc, char **argv)
{
    bool soak = tap_soak(argc, argv);
    const struct explore trial = {.depth = 1,
                                  .losses = {ALL},
                                  .every = {soak ? 1 : 5}},
                         early = {.depth = 1,
                                  .losses = {ALL},
                                  .every = {soak ? 1 : 11}};

    rich = scene_rich();
    five = scene_five();
    doings(false, &trial);
    doings(true, &early);
    test_stubs();
    test_folders();
    test_aside();
    test_unreadable();
    test_reset();
    scene_free(rich);
    scene_free(five);
    return tap_done();
}
