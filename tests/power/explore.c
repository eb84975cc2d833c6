/* Cutting everywhere: see explore.h.  A state that was there before, and from
 * which at least as many cuts followed, is not looked at again: what happens
 * next depends on nothing else. */
#include "explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 5 };

/* True if it was there; else now it is. */
static bool seen(struct explore *x, uint64_t key)
{
    size_t i;

    if (x->seen_count * 2 >= x->seen_space) {
        uint64_t *old = x->seen;
        size_t space = x->seen_space;

        x->seen_space = space ? space * 4 : 1 << 12;
        x->seen = calloc(x->seen_space, sizeof(*x->seen));
        if (!x->seen)
            abort();
        x->seen_count = 0;
        for (i = 0; i < space; i++) {
            if (old[i])
                seen(x, old[i]);
        }
        free(old);
    }
    key |= 1;
    for (i = key % x->seen_space; x->seen[i]; i = (i + 1) % x->seen_space) {
        if (x->seen[i] == key)
            return true;
    }
    x->seen[i] = key;
    x->seen_count++;
    return false;
}

/* With `left` cuts to follow it is new, and then so it is with fewer. */
static bool is_new(struct explore *x, const struct world *w, int left)
{
    uint64_t hash = world_mix(w->type->hash(w), &w->lives, sizeof(w->lives));
    bool any = false;

    if (seen(x, world_mix(hash, &left, sizeof(left))))
        return false;
    for (int n = left - 1; n >= 0; n--)
        any = !seen(x, world_mix(hash, &n, sizeof(n))) || any;
    x->states += left == 0 || any;
    return true;
}

static void show(const struct explore *x, struct world *w, const char *what,
                 int err)
{
    struct ota_install *i = scene_start(x->scene, w);
    struct ota_status st;
    int failed = ota_status(i, &st);

    printf("# %s: %s (%s) after", x->scene->name, what, ota_error_name(err));
    for (int n = 0; n < x->level; n++)
        printf(" %ld/%d", x->trail[n].op, x->trail[n].loss);
    printf(": status %d phase %d version %u failed %u image %d\n", failed,
           st.phase, (unsigned)st.version, (unsigned)st.failed, w->slot.runs);
    for (const char *line = world_list(w); *line;) {
        const char *end = strchr(line, '\n');

        printf("#   %.*s\n", (int)(end - line), line);
        line = end + 1;
    }
    scene_end(i);
}

static void at_op(struct world *w, void *arg);

static void run(struct explore *x, struct world *w)
{
    int err;

    if (x->level < x->depth) {
        w->at_op = at_op;
        w->at_arg = x;
    }
    w->ops = 0;
    scene_wrong = NULL;
    err = x->life(x->scene, w);
    w->at_op = NULL;
    if (scene_wrong && x->wrong++ < SHOWN)
        show(x, w, scene_wrong, err);
    if (err != OTA_OK && x->stuck++ < SHOWN)
        show(x, w, "stuck", err);
    if (x->level == 0)
        x->operations = w->ops;
}

static void cut(struct explore *x, const struct world *w, int loss)
{
    struct world *copy = w->type->copy(w);
    const char *wrong = scene_wrong;
    int level = x->level;

    x->trail[level].op = w->ops;
    x->trail[level].loss = loss;
    x->cuts[level]++;
    w->type->crash(copy, loss);
    x->level++;
    if (is_new(x, copy, x->depth - x->level))
        run(x, copy);
    x->level = level;
    scene_wrong = wrong;
    w->type->free(copy);
}

static void at_op(struct world *w, void *arg)
{
    struct explore *x = arg;
    long every = x->every[x->level];

    if (every > 1 && w->ops % every != 0)
        return;
    for (int loss = 0; loss <= w->type->losses; loss++) {
        if (x->losses[x->level] >> loss & 1)
            cut(x, w, loss);
    }
}

void explore(struct explore *x, const struct world *start)
{
    struct world *w = start->type->copy(start);

    x->operations = x->states = x->wrong = x->stuck = 0;
    memset(x->cuts, 0, sizeof(x->cuts));
    x->level = 0;
    x->seen = NULL;
    x->seen_count = x->seen_space = 0;
    run(x, w);
    free(x->seen);
    w->type->free(w);
}
