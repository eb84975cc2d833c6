/* What a cut leaves of other ways to update files, and of ours. */
#include "lfs_compare.h"
#include "lfs_world.h"
#include "scene.h"

#include <stdio.h>
#include <string.h>

enum { BLOCKS = 128, FILES = 5, BYTES = 9 * 1024, PIECE = 512, HALF = 1 };
enum { OLD, NEW, MIXED, MISSING, OUTCOMES };

struct way {
    const char *name;
    void (*update)(const struct scene *s, struct world *w);
    bool installer;   /* prepares and boots */
    bool bare_rename; /* a barrier that does nothing */
};

struct tally {
    const struct scene *s;
    const struct way *way;
    long cuts, count[OUTCOMES];
};

/* -- the ways ---------------------------------------------------------------
 */

static void write_file(struct world *w, const char *path, const char *bytes)
{
    const struct ota_port *p = &w->port;
    int file = p->open(p->ctx, path, OTA_OPEN_NEW);

    if (file < 0)
        return;
    for (uint32_t at = 0; at < BYTES; at += PIECE)
        p->write_at(p->ctx, file, at, (const uint8_t *)bytes + at, PIECE);
    p->close(p->ctx, file);
}

static void in_place(const struct scene *s, struct world *w)
{
    for (int i = 0; i < FILES; i++)
        write_file(w, s->set[2].item[i].path, s->set[2].item[i].bytes);
}

static void each_renamed(const struct scene *s, struct world *w)
{
    for (int i = 0; i < FILES; i++) {
        write_file(w, "x.tmp", s->set[2].item[i].bytes);
        w->port.move(w, "x.tmp", s->set[2].item[i].path);
    }
}

static void each_kept(const struct scene *s, struct world *w)
{
    for (int i = 0; i < FILES; i++) {
        write_file(w, "x.tmp", s->set[2].item[i].bytes);
        w->port.move(w, s->set[2].item[i].path, "x.bak");
        w->port.move(w, "x.tmp", s->set[2].item[i].path);
    }
}

static void install(const struct scene *s, struct world *w)
{
    scene_install(s, w, 2);
}

static const struct way ways[] = {
    {"overwritten in place", in_place, false, false},
    {"written and renamed, file by file", each_renamed, false, false},
    {"OTA.py: x to x.bak, x.tmp to x", each_kept, false, false},
    {"this installer", install, true, false},
    {"this installer, a barrier that does nothing", install, true, true}};

/* -- what is left -----------------------------------------------------------
 */

static bool is(struct world *w, const struct item *f)
{
    size_t len;
    unsigned mode;
    const uint8_t *bytes = w->type->get(w, f->path, &len, &mode);

    return bytes && len == BYTES && memcmp(bytes, f->bytes, BYTES) == 0;
}

static int outcome(const struct scene *s, struct world *w)
{
    int old = 0, new = 0;

    for (int i = 0; i < FILES; i++) {
        if (!world_has(w, s->set[1].item[i].path))
            return MISSING;
        old += is(w, &s->set[1].item[i]);
        new += is(w, &s->set[2].item[i]);
    }
    return old == FILES ? OLD : new == FILES ? NEW : MIXED;
}

static void at_op(struct world *w, void *arg)
{
    struct tally *t = arg;
    struct world *copy = w->type->copy(w);
    int left;

    copy->type->crash(copy, HALF);
    if (t->way->installer && scene_boot(t->s, copy, NULL) != OTA_OK)
        left = MISSING;
    else
        left = outcome(t->s, copy);
    t->cuts++;
    t->count[left]++;
    copy->type->free(copy);
}

static int no_barrier(void *ctx)
{
    (void)ctx;
    return OTA_OK;
}

static bool one_way(const struct scene *s, const struct way *way)
{
    struct tally t = {.s = s, .way = way};
    struct world *w = lfs_new(BLOCKS), *start;

    if (way->installer)
        scene_prepare(s, w, 1);
    for (int i = 0; i < FILES && !way->installer; i++)
        write_file(w, s->set[1].item[i].path, s->set[1].item[i].bytes);
    start = w->type->copy(w);
    if (way->bare_rename)
        start->port.barrier = no_barrier;
    start->at_op = at_op;
    start->at_arg = &t;
    way->update(s, start);
    start->at_op = NULL;
    printf("# %s: %ld cuts: %ld all old, %ld all new, %ld mixed, "
           "%ld a file missing\n",
           way->name, t.cuts, t.count[OLD], t.count[NEW], t.count[MIXED],
           t.count[MISSING]);
    w->type->free(w);
    start->type->free(start);
    return t.count[MIXED] == 0 && t.count[MISSING] == 0 && t.count[NEW] > 0;
}

bool lfs_compare(void)
{
    struct scene *s = scene_sized("five large files", FILES, BYTES);
    bool good = true;

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        bool whole = one_way(s, &ways[i]);

        if (ways[i].installer && !ways[i].bare_rename)
            good = whole;
    }
    scene_free(s);
    return good;
}
