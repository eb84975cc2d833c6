/* See meddle.h. */
#include "meddle.h"
#include "simfs.h"

#include <stdio.h>
#include <string.h>

/* Targets of the rich scene's second release and all above them. */
static const char *const paths[] = {
    "a",      "a/x.py",      "empty",  "lib", "lib/net.py",  "main.py", "n",
    "n/deep", "n/deep/f.py", "n/void", "old", "old/gone.py", "run.sh"};

static const char mine[] = "the program's own, and of no release\n";

static int kind_of(struct world *w, const char *path)
{
    struct ota_stat st;

    memset(&st, 0, sizeof(st));
    return w->port.stat(w, path, &st) == OTA_OK ? st.kind : OTA_NOTHING;
}

/* Is what the program would need for it there? */
static bool possible(struct world *w, const char *path, enum meddle kind)
{
    char folder[64];
    const char *slash = strrchr(path, '/');
    bool there = kind_of(w, path) != OTA_NOTHING;

    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 0,
             path);
    if (slash && kind_of(w, folder) != OTA_DIRECTORY)
        return false;
    if (kind == MEDDLE_GONE)
        return there;
    return kind != MEDDLE_INSIDE || kind_of(w, path) == OTA_DIRECTORY;
}

/* True if a file of its own lies there now. */
static bool meddle(struct world *w, const char *path, enum meddle kind)
{
    char inside[64];

    snprintf(inside, sizeof(inside), "%s/mine.txt", path);
    if (kind != MEDDLE_INSIDE)
        w->port.clear(w, path);
    if (kind == MEDDLE_FOLDER || kind == MEDDLE_EMPTY)
        w->type->mkdir(w, path);
    if (kind == MEDDLE_LINK)
        sim_link(w, path);
    if (kind == MEDDLE_FILE)
        world_put(w, path, mine);
    if (kind == MEDDLE_FOLDER || kind == MEDDLE_INSIDE)
        world_put(w, inside, mine);
    w->port.barrier(w);
    return kind == MEDDLE_FILE || kind == MEDDLE_FOLDER ||
           kind == MEDDLE_INSIDE;
}

/* -- is it lost? ------------------------------------------------------------
 */

struct search {
    struct world *w;
    bool found;
};

static void each_file(void *arg, const char *path, bool folder)
{
    struct search *s = arg;
    const uint8_t *bytes;
    size_t len;
    unsigned mode;

    if (folder || s->found)
        return;
    bytes = s->w->type->get(s->w, path, &len, &mode);
    s->found =
        bytes && len == sizeof(mine) - 1 && memcmp(bytes, mine, len) == 0;
}

static bool lost(struct world *w)
{
    struct search s = {w, false};

    w->type->walk(w, "", each_file, &s);
    w->type->walk(w, ".ota", each_file, &s);
    return !s.found;
}

static bool left_something;
static long times_lost;

/* The backup comes back or, of what was staged, nothing is begun or all is
 * undone. */
static int life_back(const struct scene *s, struct world *w)
{
    struct ota_status st;
    int err = scene_boot(s, w, &st);

    if (err == OTA_OK && st.version == 2)
        err = scene_undo(s, w, &st);
    if (err == OTA_OK && (st.phase != OTA_IDLE || st.version != 1))
        err = OTA_ERR_STATE;
    if (err == OTA_OK && left_something && lost(w)) {
        times_lost++;
        scene_wrong = "the program's own is lost";
    }
    return err;
}

static struct world *begin(struct scene *s, struct world *w, bool early)
{
    s->loader = LOADER_PATIENT;
    s->config.chances = 20;
    s->edited = s->edited_early = false;
    scene_wrong = NULL;
    scene_prepare(s, w, early ? 1 : 2);
    if (early)
        scene_stage(s, w, 2);
    return w;
}

static void one(struct scene *s, struct world *w, const struct explore *how,
                struct meddle_sums *sums)
{
    struct explore x = *how;

    times_lost = 0;
    x.scene = s;
    x.life = life_back;
    explore(&x, w);
    x.stuck += scene_call(s, w, ota_reset) != OTA_OK;
    sums->done++;
    sums->lost += times_lost;
    sums->plan.wrong += x.wrong;
    sums->plan.stuck += x.stuck;
    for (int n = 0; n < EXPLORE_DEPTH; n++)
        sums->plan.cuts[n] += x.cuts[n];
}

void meddle_everywhere(struct scene *s, struct world *(*fresh)(void *arg),
                       void *arg, bool links, bool early,
                       const struct explore *how, struct meddle_sums *sums)
{
    struct world *start = begin(s, fresh(arg), early), *w;
    int kinds = links ? MEDDLE_KINDS : MEDDLE_LINK;

    s->edited = true;
    s->edited_early = early;
    for (size_t n = 0; n < sizeof(paths) / sizeof(*paths); n++) {
        for (int kind = 0; kind < kinds; kind++) {
            if (!possible(start, paths[n], (enum meddle)kind))
                continue;
            w = start->type->copy(start);
            left_something = meddle(w, paths[n], (enum meddle)kind);
            one(s, w, how, sums);
            w->type->free(w);
        }
    }
    start->type->free(start);
    s->edited = s->edited_early = false;
}

const char *meddle_text(const struct meddle_sums *sums)
{
    static char text[200];

    snprintf(text, sizeof(text),
             "%ld doings, %ld cuts, %ld pairs: %ld mixed, %ld stuck, %ld lost",
             sums->done, sums->plan.cuts[0], sums->plan.cuts[1],
             sums->plan.wrong, sums->plan.stuck, sums->lost);
    return text;
}
