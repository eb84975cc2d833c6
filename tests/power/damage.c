/* What is kept in .ota comes back damaged: nothing crashes, no live file is
 * touched but for a whole version, and what is refused leaves all as it was.
 * ota-install(7), What is kept. */
#include "scene.h"
#include "simfs.h"

#include "../unit/tap.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES = 400, ROOM = 8192 };

static struct scene *rich, *five;
static uint32_t dice = 1;

static unsigned roll(unsigned below)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 16) % below;
}

/* -- devices at rest --------------------------------------------------------
 */

/* All but the end of version 2. */
static void stage_part(const struct scene *s, struct world *w)
{
    struct ota_install *i = scene_start(s, w);
    const struct bundle *b = s->bundle[2];

    ota_stage(i, OTA_CHOOSE_FULL);
    ota_stage_feed(i, b->manifest, b->manifest_len);
    ota_stage_feed(i, b->payload[1], b->payload_len[1] - 1);
    scene_end(i);
    w->type->crash(w, SIM_ALL);
}

enum rest { NEW, STAGING, READY, TRIAL, CONFIRMED, FORGOTTEN, UNDONE, RESTS };

static const char *const rests[RESTS] = {
    "version 1", "staging",         "ready", "on trial",
    "confirmed", "backup given up", "undone"};

static struct world *device(struct scene *s, enum rest rest)
{
    struct world *w = sim_new(SIM_REPLACES);

    scene_wrong = NULL;
    scene_prepare(s, w, rest >= TRIAL ? 2 : 1);
    if (rest == STAGING)
        stage_part(s, w);
    if (rest == READY)
        scene_stage(s, w, 2);
    if (rest == CONFIRMED || rest == FORGOTTEN)
        scene_call(s, w, ota_confirm);
    if (rest == FORGOTTEN)
        scene_call(s, w, ota_forget_backup);
    if (rest == UNDONE)
        scene_undo(s, w, NULL);
    return w;
}

/* -- damage -----------------------------------------------------------------
 */

static const char *const kept[] = {".ota/state0", ".ota/state1", ".ota/journal",
                                   ".ota/files",  ".ota/keys0",  ".ota/etag"};

enum { KEPT = sizeof(kept) / sizeof(*kept) };

static void spoil(uint8_t *bytes, size_t *len)
{
    size_t at = *len ? roll((unsigned)*len) : 0;
    size_t n = *len ? 1 + roll((unsigned)(*len - at)) : 0;

    switch (roll(6)) {
    case 0:
        bytes[at] ^= (uint8_t)(1U << roll(8));
        break;
    case 1:
        *len = at;
        break;
    case 2: /* a block that was erased */
        memset(bytes + at, 0xff, n);
        break;
    case 3:
        memset(bytes + at, 0, n);
        break;
    case 4:
        for (; n > 0; n--)
            bytes[at++] = (uint8_t)roll(256);
        break;
    default:
        memset(bytes + *len, (int)roll(256), 64);
        *len += 64;
    }
}

static void damage(struct world *w, const char *path)
{
    uint8_t bytes[ROOM] = {0};
    size_t len;
    unsigned mode;
    const uint8_t *was = w->type->get(w, path, &len, &mode);

    if (!was || len > ROOM - 64)
        return;
    memcpy(bytes, was, len);
    spoil(bytes, &len);
    w->type->put(w, path, bytes, len, mode);
}

/* -- what must hold ---------------------------------------------------------
 */

/* Of all live names and contents. */
static uint64_t live(struct world *w)
{
    const char *line = world_list(w);
    uint64_t hash = world_mix(w->slot.runs, line, strlen(line));
    char path[256];

    for (; *line; line += strlen(path) + 1) {
        size_t len = strcspn(line, "\n");
        const uint8_t *bytes;
        unsigned mode = 0;

        snprintf(path, sizeof(path), "%.*s", (int)len, line);
        bytes = w->type->get(w, path, &len, &mode);
        if (bytes)
            hash = world_mix(hash ^ mode, bytes, len);
    }
    return hash;
}

/* It came to a whole version, or it was refused and nothing changed. */
static bool sound(int err, uint64_t before, struct world *w)
{
    return err == OTA_OK ? !scene_wrong : live(w) == before;
}

static int install_third(const struct scene *s, struct world *w)
{
    int err = scene_stage(s, w, 3);

    return err == OTA_OK ? scene_boot(s, w, NULL) : err;
}

/* What a device then does, each from what the damage left; its number, or 0. */
static int wrong_after(const struct scene *s, const struct world *damaged)
{
    int wrong = 0;

    for (int n = 1; n <= 4 && !wrong; n++) {
        struct world *w = damaged->type->copy(damaged);
        uint64_t before = live(w);
        int err;

        scene_wrong = NULL;
        err = n == 1   ? scene_boot(s, w, NULL)
              : n == 2 ? install_third(s, w)
              : n == 3 ? scene_undo(s, w, NULL)
                       : scene_call(s, w, ota_confirm);
        wrong = sound(err, before, w) ? 0 : n;
        before = live(w);
        if (scene_call(s, w, ota_reset) != OTA_OK || live(w) != before)
            wrong = 10 + n;
        w->type->free(w);
    }
    return wrong;
}

static void at_rest(struct scene *s, enum rest rest)
{
    struct world *start = device(s, rest);
    int wrong = 0;

    start->type->put(start, ".ota/etag", "u\nt\n", 4, 0644);
    for (int n = 0; n < TRIES; n++) {
        struct world *w = start->type->copy(start);
        uint32_t seed = dice;
        int found, files = 1 + (int)roll(2);

        for (int k = 0; k < files; k++)
            damage(w, kept[roll(KEPT)]);
        found = wrong_after(s, w);
        if (found && wrong++ < 3)
            printf("# seed %u: step %d\n", (unsigned)seed, found);
        w->type->free(w);
    }
    check(wrong == 0, "%s, %s: %d times damaged, %d wrong", s->name,
          rests[rest], TRIES, wrong);
    start->type->free(start);
}

/* -- a reset in the middle --------------------------------------------------
 */

struct middle {
    const struct scene *scene;
    uint64_t is_old, is_new;
    long cuts, wrong, left;
};

static void reset_here(struct world *w, void *arg)
{
    struct middle *m = arg;
    struct world *copy = w->type->copy(w);
    uint64_t hash;

    copy->type->crash(copy, SIM_ALL);
    m->cuts++;
    if (scene_call(m->scene, copy, ota_reset) != OTA_OK)
        m->left++;
    copy->type->crash(copy, SIM_ALL);
    hash = live(copy);
    m->wrong += hash != m->is_old && hash != m->is_new;
    copy->type->free(copy);
}

static void swap(struct scene *s, enum rest rest, struct middle *m)
{
    struct world *w = device(s, rest);

    m->is_old = live(w);
    w->at_op = m->scene ? reset_here : NULL;
    w->at_arg = m;
    if (rest == READY)
        scene_boot(s, w, NULL);
    else
        scene_undo(s, w, NULL);
    w->at_op = NULL;
    m->is_new = live(w);
    w->type->free(w);
}

/* The files stay: those of one version, also where a swap was cut. */
static void reset_in(struct scene *s, enum rest rest)
{
    struct middle m = {0};

    swap(s, rest, &m);
    m.scene = s;
    swap(s, rest, &m);
    check(m.wrong == 0 && m.left == 0,
          "%s, %s, cut, then reset: %ld cuts, %ld mixed, %ld not forgotten",
          s->name, rests[rest], m.cuts, m.wrong, m.left);
}

int main(void)
{
    rich = scene_rich();
    five = scene_five();
    for (int rest = 0; rest < RESTS; rest++) {
        at_rest(five, (enum rest)rest);
        at_rest(rich, (enum rest)rest);
    }
    reset_in(five, READY);
    reset_in(rich, READY);
    reset_in(five, CONFIRMED);
    reset_in(rich, CONFIRMED);
    scene_free(rich);
    scene_free(five);
    return tap_done();
}
