/* An operation fails, once, or from then on until it is repaired or the power
 * goes: nothing is lost, and afterwards it goes on.  ota-install(7), Errors. */
#include "simfs.h"

#include "scene.h"

#include "../unit/tap.h"

#include <string.h>

static const char *const kinds[FAIL_KINDS] = {
    "one operation fails", "one that was done fails", "all fail",
    "the disk is full",    "no move works",           "one file is busy"};

struct tally {
    long points, lost, stuck, undone, open;
};

static void show(const char *wrong, const char *what, int loss, int err,
                 const struct ota_status *st)
{
    printf("# %s: %s, loss %d: %s, phase %d version %u failed %u\n", wrong,
           what, loss, ota_error_name(err), st->phase, (unsigned)st->version,
           (unsigned)st->failed);
}

static int status_of(const struct scene *s, struct world *w,
                     struct ota_status *st)
{
    struct ota_install *i = scene_start(s, w);
    int err = ota_status(i, st);

    scene_end(i);
    return err;
}

/* Staging that was given up for lack of room leaves nothing there. */
static bool staging_gone(struct world *w)
{
    char path[] = ".ota/new/00/00/00";
    size_t len;
    unsigned mode;

    for (int n = 0; n < 32; n++) {
        snprintf(path + 15, 3, "%02x", n);
        if (w->type->get(w, path, &len, &mode))
            return false;
    }
    return true;
}

/* What must hold while it still fails: at rest all is whole; in the middle of
 * a swap nothing can be promised but that it goes on. */
static void during(const struct scene *s, struct world *w, int kind, int err,
                   struct tally *t)
{
    struct ota_status st;
    int failed;

    scene_wrong = NULL;
    failed = scene_boot(s, w, &st);
    if (scene_wrong)
        t->lost++;
    if (failed != OTA_OK)
        t->open++;
    else if (kind == FAIL_FULL && err == OTA_ERR_SPACE &&
             st.phase != OTA_STAGING && st.version == 1 && !staging_gone(w))
        t->lost++;
}

/* Version 2, or it was undone for the error, and then version 3 can come. */
static int finish(const struct scene *s, struct world *w, scene_life *life,
                  struct ota_status *st)
{
    int err = life(s, w), n = 0;

    while (err != OTA_OK && err != OTA_ERR_FAILED_BEFORE && n++ < 3)
        err = life(s, w);
    status_of(s, w, st);
    if (err == OTA_ERR_FAILED_BEFORE && st->failed == 2 && st->version == 1)
        err = scene_install(s, w, 3);
    return err;
}

/* It is repaired (loss -1), or the power goes first. */
static void after(const struct scene *s, const struct world *failed, int loss,
                  const char *what, struct tally *t)
{
    struct world *w = failed->type->copy(failed);
    struct ota_status st;
    int err;

    sim_repair(w);
    if (loss >= 0)
        w->type->crash(w, loss);
    scene_wrong = NULL;
    err = finish(s, w, life_install, &st);
    if (scene_wrong && t->lost++ < 5)
        show(scene_wrong, what, loss, err, &st);
    if (err != OTA_OK && t->stuck++ < 5)
        show("stuck", what, loss, err, &st);
    if (st.failed != 0)
        t->undone++;
    t->points++;
    w->type->free(w);
}

static void one(const struct scene *s, const struct world *start, int mode,
                int kind, long at, struct tally *t)
{
    struct world *w = start->type->copy(start);
    char what[80];
    int err;

    snprintf(what, sizeof(what), "%s, %s at %ld", sim_mode_names[mode],
             kinds[kind], at);
    scene_wrong = NULL;
    sim_fail(w, (enum sim_fail)kind, at);
    err = life_install(s, w);
    if (scene_wrong)
        t->lost++;
    during(s, w, kind, err, t);
    after(s, w, -1, what, t);
    if (kind > FAIL_LATE) {
        after(s, w, SIM_NONE, what, t);
        after(s, w, SIM_LAST, what, t);
    }
    w->type->free(w);
}

/* At each so many'th operation. */
static void everywhere(const struct scene *s, int kind, long each)
{
    struct tally t = {0};

    for (int mode = 0; mode < SIM_MODES; mode++) {
        struct world *w = sim_new((enum sim_mode)mode), *last;
        long ops;

        scene_wrong = NULL;
        scene_prepare(s, w, 1);
        last = w->type->copy(w);
        life_install(s, last);
        ops = last->ops;
        last->type->free(last);
        for (long at = 1; at <= ops; at += each)
            one(s, w, mode, kind, at, &t);
        w->type->free(w);
    }
    check(t.lost == 0 && t.stuck == 0 &&
              (kind > FAIL_LATE || (t.undone == 0 && t.open == 0)),
          "%s, %s: %ld points: %ld lost, %ld stuck, %ld undone, %ld in the "
          "middle while it lasts",
          s->name, kinds[kind], t.points, t.lost, t.stuck, t.undone, t.open);
}

int main(int argc, char **argv)
{
    long each = tap_soak(argc, argv) ? 1 : 4;
    struct scene *rich = scene_rich(), *five = scene_five();

    for (int kind = 0; kind < FAIL_KINDS; kind++) {
        everywhere(five, kind, 1);
        everywhere(rich, kind, each);
    }
    scene_free(rich);
    scene_free(five);
    return tap_done();
}
