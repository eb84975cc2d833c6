/* Groups of a release mostly change the same files: a list in their order,
 * walked along with each group. */
#include <string.h>

#include "plan_lines.h"

static int order(const struct plan_file *a, const struct plan_file *b)
{
    int o;

    if (a->type != b->type)
        return a->type == OTA_SLOT ? -1 : 1;
    o = ota_path_compare(a->path, strlen(a->path), b->path, strlen(b->path));
    if (o == 0)
        o = a->sign - b->sign;
    if (o == 0)
        o = (int)a->mode_before - (int)b->mode_before;
    return o ? o : (int)a->mode_after - (int)b->mode_after;
}

struct merge {
    struct plan_lines *lines;
    struct plan_line **at;
    size_t device_count; /* of the group */
    bool failed;
};

static void widen(struct plan_line *l, const struct plan_file *f)
{
    if (f->before < l->file.before)
        l->file.before = f->before;
    if (f->after < l->file.after)
        l->file.after = f->after;
    if (f->before > l->before_most)
        l->before_most = f->before;
    if (f->after > l->after_most)
        l->after_most = f->after;
}

static void insert(struct merge *m, const struct plan_file *f)
{
    struct plan_line *l = arena_alloc(&m->lines->arena, sizeof *l);

    if (!l) {
        m->failed = true;
        return;
    }
    *l = (struct plan_line){.next = *m->at,
                            .file = *f,
                            .before_most = f->before,
                            .after_most = f->after,
                            .device_count = m->device_count};
    *m->at = l;
}

static void merge(void *ctx, const struct plan_file *f)
{
    struct merge *m = ctx;

    if (*m->at && order(&(*m->at)->file, f) > 0)
        m->at = &m->lines->first;
    while (*m->at && order(&(*m->at)->file, f) < 0)
        m->at = &(*m->at)->next;
    if (*m->at && order(&(*m->at)->file, f) == 0) {
        widen(*m->at, f);
        (*m->at)->device_count += m->device_count;
    } else {
        insert(m, f);
    }
}

int plan_lines_make(const struct plan *p, const struct plan_release *r,
                    struct plan_lines *out)
{
    struct merge m = {.lines = out};

    *out = (struct plan_lines){.first = NULL};
    for (uint32_t k = 0; k < r->group_count && !m.failed; k++) {
        const struct plan_group *g = &p->groups[r->group_first + k];

        m.at = &out->first;
        m.device_count = g->device_count;
        plan_each_file(g, merge, &m);
    }
    return m.failed ? -1 : 0;
}

void plan_lines_release(struct plan_lines *l)
{
    arena_release(&l->arena);
    l->first = NULL;
}

const struct plan_line *plan_lines_find(const struct plan_lines *l,
                                        const struct plan_line **at,
                                        const struct plan_file *f)
{
    if (!*at || order(&(*at)->file, f) > 0)
        *at = l->first;
    while (*at && order(&(*at)->file, f) < 0)
        *at = (*at)->next;
    return *at;
}

bool plan_line_shared(const struct plan_line *l, const struct plan_release *r)
{
    return l->device_count == r->device_count &&
           l->file.before == l->before_most && l->file.after == l->after_most;
}
