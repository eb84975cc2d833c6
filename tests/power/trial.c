/* A release on trial: chances, confirm, undo, what the application does
 * meanwhile, keys, slots, and how often the flash is written. */
#include "explore.h"
#include "simfs.h"

#include "../unit/tap.h"

#include <string.h>

static struct scene *rich, *five;

static struct world *device(struct scene *s, unsigned version)
{
    struct world *w = sim_new(SIM_REPLACES);

    scene_wrong = NULL;
    scene_prepare(s, w, version);
    return w;
}

static void done(struct world *w)
{
    w->type->free(w);
}

static bool at(struct scene *s, struct world *w, int phase, unsigned version)
{
    struct ota_status st = scene_status(s, w);

    return st.phase == phase && st.version == version && scene_whole(s, w, &st);
}

static int undo_by_hand(struct ota_install *i)
{
    return ota_undo(i, OTA_REASON_HAND);
}

/* -- chances ----------------------------------------------------------------
 */

static void test_chances(void)
{
    struct world *w;
    struct ota_status st;

    five->config.chances = 0; /* the default */
    w = device(five, 2);
    for (int n = 2; n >= 0; n--) {
        scene_boot(five, w, &st);
        check(st.phase == OTA_TRIAL && st.chances == n,
              "a boot takes a chance: %d left", n);
    }
    scene_boot(five, w, &st);
    check(at(five, w, OTA_IDLE, 1) && st.failed == 2 &&
              st.reason == OTA_REASON_CHANCES && st.highest == 2,
          "without a chance left it is undone");
    check(scene_stage(five, w, 2) == OTA_ERR_FAILED_BEFORE,
          "what was undone is not taken again");
    check(scene_install(five, w, 3) == OTA_OK && at(five, w, OTA_TRIAL, 3),
          "a later version is");
    done(w);
}

static void test_planned(void)
{
    struct world *w = device(five, 2);
    struct ota_status st;
    int n;

    w->planned = true;
    for (n = 0; n < 100; n++) {
        scene_boot(five, w, &st);
        if (st.phase != OTA_TRIAL || st.chances != 3 || st.wakes != 99 - n)
            break;
    }
    check(n == 100, "a hundred planned wakes take no chance");
    for (n = 0; n < 5; n++)
        scene_call(five, w, ota_poll);
    check(scene_status(five, w).chances == 0 && at(five, w, OTA_TRIAL, 2),
          "polls take chances, and undo nothing");
    scene_boot(five, w, &st);
    check(at(five, w, OTA_IDLE, 1) && st.reason == OTA_REASON_CHANCES,
          "one planned wake more is one too many");
    done(w);
    five->config.chances = 20;
}

/* -- flash writes -----------------------------------------------------------
 */

static long polls(struct scene *s, struct world *w, unsigned version, int count,
                  int want)
{
    struct ota_install *i = scene_start(s, w);
    long before = w->writes;

    for (int n = 0; n < count; n++) {
        ota_poll(i);
        if (scene_feed(i, s->bundle[version], OTA_CHOOSE_INSTALLED) != want)
            printf("# poll %d\n", n);
    }
    scene_end(i);
    return w->writes - before;
}

static void test_writes(void)
{
    struct world *w = device(five, 1);
    long before = w->writes, writes;

    for (int n = 0; n < 1000; n++)
        scene_boot(five, w, NULL);
    check(w->writes == before, "1,000 idle boots: %ld writes",
          w->writes - before);
    writes = polls(five, w, 1, 1000, OTA_CURRENT);
    check(writes == 0, "1,000 polls with what is installed: %ld writes",
          writes);
    scene_install(five, w, 2);
    scene_call(five, w, ota_confirm);
    writes = polls(five, w, 1, 1000, OTA_ERR_VERSION);
    check(writes == 0, "1,000 polls with an older version: %ld writes", writes);
    scene_undo(five, w, NULL);
    writes = polls(five, w, 2, 1000, OTA_ERR_FAILED_BEFORE);
    check(writes == 0, "1,000 polls with one that failed: %ld writes", writes);
    scene_install(five, w, 3);
    before = w->writes;
    scene_call(five, w, ota_poll);
    check(w->writes - before == 4,
          "a poll in a trial: %ld operations (barrier, write, sync, barrier)",
          w->writes - before);
    done(w);
}

/* -- what the application does ----------------------------------------------
 */

/* Each kind of thing, to files that the swap touched and to others. */
static void meddle(struct world *w)
{
    world_put(w, "main.py", "print('patched by hand')\n");
    world_put(w, "a/x.py", "");
    world_put(w, "old/gone.py", "back again\n");
    w->type->remove(w, "lib/net.py");
    w->type->remove(w, "run.sh");
    w->type->remove(w, "keep.txt");
}

static void test_meddling(void)
{
    struct explore x = {.scene = rich,
                        .life = life_undo,
                        .depth = 1,
                        .losses = {(1 << SIM_LOSSES) - 1}};
    long cuts = 0, wrong = 0;

    rich->edited = true;
    for (int mode = 0; mode < SIM_MODES; mode++) {
        struct world *w = sim_new((enum sim_mode)mode);

        scene_wrong = NULL;
        scene_prepare(rich, w, 2);
        meddle(w);
        world_put(w, "keep.txt", "it stays as it is\n");
        w->type->put(w, "keep.txt", "it stays as it is\n", 18, 0640);
        explore(&x, w);
        cuts += x.cuts[0];
        wrong += x.wrong + x.stuck;
        done(w);
    }
    rich->edited = false;
    check(wrong == 0,
          "edited, made and removed files, then an undo: %ld cuts, %ld wrong",
          cuts, wrong);
}

static void test_own_files(void)
{
    struct world *w = device(rich, 2);
    struct ota_status st;

    world_put(w, "n/deep/mine.txt", "mine");
    rich->edited = true;
    scene_undo(rich, w, &st);
    check(world_has(w, "n/deep/mine.txt") && !world_has(w, "n/deep/f.py") &&
              world_has(w, "a") && st.version == 1,
          "a file of its own in a new folder outlives an undo");
    done(w);
    w = device(rich, 2);
    world_put(w, "a/mine.txt", "mine");
    check(scene_undo(rich, w, &st) == OTA_OK && at(rich, w, OTA_IDLE, 1) &&
              world_has(w, ".ota/aside/00/00/02/mine.txt"),
          "in the place of an old file it is moved aside with its folder");
    done(w);
    rich->edited = false;
}

/* -- the device's own trouble -----------------------------------------------
 */

/* Between staging and the swap. */
static void test_in_the_way(void)
{
    struct world *w = device(five, 1);
    struct ota_install *i;
    struct ota_status st;

    scene_stage(five, w, 2);
    w->type->remove(w, "c.py");
    w->type->mkdir(w, "c.py");
    scene_wrong = NULL;
    i = scene_start(five, w);
    check(ota_boot(i) == OTA_OK && strcmp(ota_blocked(i), "c.py") == 0 &&
              ota_status(i, &st) == OTA_OK && st.phase == OTA_IDLE &&
              st.version == 1 && st.failed == 0 && world_has(w, "a.py"),
          "a folder where a file is to go: nothing is begun");
    check(scene_feed(i, five->bundle[2], OTA_CHOOSE_INSTALLED) ==
                  OTA_ERR_PATH &&
              strcmp(ota_blocked(i), "c.py") == 0,
          "nor staged: %s is in the way", ota_blocked(i));
    scene_end(i);
    w->port.rmdir(w, "c.py");
    world_put(w, "c.py", five->set[1].item[2].bytes);
    check(scene_install(five, w, 2) == OTA_OK && at(five, w, OTA_TRIAL, 2),
          "once it is gone the version is taken");
    done(w);
}

static const enum sim_fail troubles[] = {FAIL_MOVES, FAIL_PATH, FAIL_FULL};

/* A swap that failed for the device's own trouble, at any operation: it is no
 * reason not to take the version when the trouble is gone. */
static void test_trouble(void)
{
    int wrong = 0, undone = 0;

    for (size_t k = 0; k < sizeof(troubles) / sizeof(*troubles); k++) {
        for (long op = 1; op < 60; op++) {
            struct world *w = sim_new(SIM_COPIES);
            struct ota_status st;
            int err;

            scene_wrong = NULL;
            scene_prepare(five, w, 1);
            scene_stage(five, w, 2);
            sim_fail(w, troubles[k], op);
            err = scene_boot(five, w, &st);
            undone += err == OTA_OK && st.version == 1;
            sim_repair(w);
            if (err != OTA_OK)
                err = scene_boot(five, w, &st);
            if (err != OTA_OK || st.failed != 0 ||
                scene_install(five, w, 2) != OTA_OK ||
                !at(five, w, OTA_TRIAL, 2))
                wrong++;
            done(w);
        }
    }
    check(wrong == 0 && undone > 10,
          "%d swaps went back for the device's trouble: %d not taken again",
          undone, wrong);
}

/* -- keys, ETag, highest ----------------------------------------------------
 */

static void test_keys(void)
{
    static struct bundle by_second;
    struct bundle_options o = {
        .version = 9, .signer = 1, .base_set = &rich->set[1]};
    struct world *w = device(rich, 1);
    struct bundle *third = rich->bundle[3];

    bundle_make(&by_second, &rich->set[3], &o);
    rich->bundle[3] = &by_second;
    check(scene_stage(rich, w, 3) == OTA_ERR_UNKNOWN_KEY,
          "a key that nobody vouched for");
    scene_install(rich, w, 2);
    scene_undo(rich, w, NULL);
    check(scene_stage(rich, w, 3) == OTA_ERR_UNKNOWN_KEY,
          "nor after an undo from trial");
    done(w);
    w = device(rich, 2);
    scene_call(rich, w, ota_confirm);
    check(scene_stage(rich, w, 3) == OTA_OK, "new keys come with confirm");
    done(w);
    w = device(rich, 2);
    scene_call(rich, w, ota_confirm);
    scene_undo(rich, w, NULL);
    check(scene_stage(rich, w, 3) == OTA_OK, "and outlive an undo by hand");
    scene_call(rich, w, ota_stage_drop);
    done(w);
    w = device(rich, 2);
    scene_call(rich, w, ota_confirm);
    scene_call(rich, w, ota_reset);
    check(scene_stage(rich, w, 3) == OTA_OK, "and a reset");
    done(w);
    rich->bundle[3] = third;
}

static void test_etag(void)
{
    struct world *w = device(five, 1);

    world_put(w, ".ota/etag", "tag");
    scene_boot(five, w, NULL);
    polls(five, w, 1, 1, OTA_CURRENT);
    scene_stage(five, w, 2);
    scene_boot(five, w, NULL);
    check(world_has(w, ".ota/etag"), "boots and polls keep the ETag");
    scene_call(five, w, ota_confirm);
    check(!world_has(w, ".ota/etag"), "confirm removes it");
    world_put(w, ".ota/etag", "tag");
    scene_undo(five, w, NULL);
    check(!world_has(w, ".ota/etag"), "undo does");
    world_put(w, ".ota/etag", "tag");
    scene_call(five, w, ota_reset);
    check(!world_has(w, ".ota/etag"), "reset does");
    done(w);
}

static void test_highest(void)
{
    struct world *w = device(five, 2);
    struct ota_status st;

    scene_call(five, w, ota_confirm);
    check(scene_stage(five, w, 1) == OTA_ERR_VERSION, "no way to older ones");
    scene_undo(five, w, &st);
    check(st.version == 1 && st.previous == 1 && st.highest == 2,
          "highest does not go back");
    check(scene_stage(five, w, 1) == OTA_CURRENT, "what is there is no news");
    scene_stage(five, w, 3);
    five->config.lowest = 3;
    scene_boot(five, w, &st);
    check(st.phase == OTA_IDLE && st.version == 1 && st.highest == 3,
          "a version ruled out since it was staged is dropped");
    five->config.lowest = 0;
    done(w);
}

/* -- slots ------------------------------------------------------------------
 */

static void test_strict(void)
{
    struct world *w;
    struct ota_status st;

    rich->loader = LOADER_STRICT;
    w = device(rich, 2);
    check(at(rich, w, OTA_TRIAL, 2) && w->restarts == 2,
          "a slot asks for a restart");
    scene_restart(w);
    scene_boot(rich, w, &st);
    check(at(rich, w, OTA_IDLE, 1) && st.reason == OTA_REASON_SLOT &&
              st.failed == 2,
          "a bootloader that went back: the files follow at once");
    done(w);
    w = device(rich, 2);
    scene_call(rich, w, ota_confirm);
    scene_restart(w);
    scene_boot(rich, w, &st);
    check(at(rich, w, OTA_IDLE, 2), "confirmed, it stays");
    scene_undo(rich, w, &st);
    scene_restart(w);
    scene_boot(rich, w, &st);
    check(at(rich, w, OTA_IDLE, 1), "the image before it needs no proof");
    done(w);
    rich->loader = LOADER_PATIENT;
}

static void test_restart_due(void)
{
    struct world *w = device(rich, 1);
    struct ota_install *i;

    scene_stage(rich, w, 2);
    i = scene_start(rich, w);
    check(ota_boot(i) == OTA_RESTART && ota_boot(i) == OTA_RESTART,
          "a restart is asked for until it comes");
    check(ota_confirm(i) == OTA_ERR_STATE,
          "nothing is confirmed that does not run");
    check(ota_undo(i, OTA_REASON_HAND) == OTA_OK &&
              w->slot.next == w->slot.runs,
          "an undo before it: the old image stays the next");
    scene_end(i);
    scene_restart(w);
    check(at(rich, w, OTA_IDLE, 1), "and all is old");
    done(w);
}

static void test_no_slot(void)
{
    struct world *w = sim_new(SIM_REPLACES);
    struct ota_status st;

    w->port.slot_begin = NULL;
    check(scene_stage(rich, w, 1) == OTA_ERR_SLOT, "no slots: slot");
    st = scene_status(rich, w);
    check(st.phase == OTA_IDLE && st.failed == 0 &&
              !world_has(w, ".ota/journal"),
          "and nothing is left of it");
    done(w);
}

/* The port does not know the slot of what is staged or on trial: a caller that
 * forgot to say so.  Nothing is touched, and with it all goes on. */
static void test_forgotten_slot(void)
{
    struct world *w = device(rich, 1);
    int (*active)(void *ctx, const char *name) = w->port.slot_active;
    struct ota_status st;

    scene_stage(rich, w, 2);
    w->port.slot_active = NULL;
    check(scene_call(rich, w, ota_boot) == OTA_ERR_SLOT &&
              at(rich, w, OTA_READY, 1),
          "ready: no swap without the slot");
    w->port.slot_active = active;
    scene_boot(rich, w, &st);
    check(at(rich, w, OTA_TRIAL, 2), "a swap with it");
    w->port.slot_active = NULL;
    check(scene_call(rich, w, ota_boot) == OTA_ERR_SLOT &&
              scene_call(rich, w, ota_confirm) == OTA_ERR_SLOT &&
              scene_call(rich, w, undo_by_hand) == OTA_ERR_SLOT &&
              at(rich, w, OTA_TRIAL, 2) &&
              scene_status(rich, w).chances == st.chances,
          "trial: nothing happens");
    w->port.slot_active = active;
    check(scene_undo(rich, w, NULL) == OTA_OK && at(rich, w, OTA_IDLE, 1),
          "and with it it is undone");
    done(w);
}

/* -- phases -----------------------------------------------------------------
 */

static void test_phases(void)
{
    struct world *w = device(five, 1);

    check(scene_call(five, w, ota_confirm) == OTA_ERR_STATE,
          "no confirm without a trial");
    scene_stage(five, w, 2);
    check(scene_stage(five, w, 3) == OTA_ERR_STATE &&
              scene_call(five, w, undo_by_hand) == OTA_ERR_STATE &&
              scene_call(five, w, ota_stage_drop) == OTA_ERR_STATE,
          "ready: nothing but a boot");
    scene_boot(five, w, NULL);
    check(scene_stage(five, w, 3) == OTA_ERR_STATE &&
              scene_call(five, w, ota_forget_backup) == OTA_ERR_STATE,
          "trial: nothing is staged, the backup stays");
    scene_call(five, w, ota_confirm);
    check(scene_call(five, w, ota_forget_backup) == OTA_OK &&
              scene_call(five, w, undo_by_hand) == OTA_ERR_STATE,
          "without a backup no undo");
    scene_stage(five, w, 3);
    check(!scene_status(five, w).can_undo, "nor after staging began");
    done(w);
}

int main(void)
{
    rich = scene_rich();
    five = scene_five();
    test_chances();
    test_planned();
    test_writes();
    test_meddling();
    test_own_files();
    test_in_the_way();
    test_trouble();
    test_keys();
    test_etag();
    test_highest();
    test_strict();
    test_restart_due();
    test_no_slot();
    test_forgotten_slot();
    test_phases();
    scene_free(rich);
    scene_free(five);
    return tap_done();
}
