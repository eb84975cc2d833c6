/* Groups of a release mostly change the same files: these are found in the list
 * of what is known, and only what is new is put aside, to be sorted into it
 * once that is worthwhile. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "plan_lines.h"

enum { ASIDE = 256 /* lines that are put aside at least */ };

static int compare_files(const struct plan_file *a, const struct plan_file *b)
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

static int by_file(const void *a, const void *b)
{
    return compare_files(&((const struct plan_line *)a)->file,
                         &((const struct plan_line *)b)->file);
}

/* Lines are known up to `known`, in order, and aside after it. */
struct merge {
    struct plan_lines *lines;
    size_t known, room;
    size_t next;         /* where the group's next file is to be expected */
    size_t device_count; /* of the group */
    bool failed;
};

static void widen(struct plan_line *l, const struct plan_line *by)
{
    if (by->file.before < l->file.before)
        l->file.before = by->file.before;
    if (by->file.after < l->file.after)
        l->file.after = by->file.after;
    if (by->before_most > l->before_most)
        l->before_most = by->before_most;
    if (by->after_most > l->after_most)
        l->after_most = by->after_most;
    l->device_count += by->device_count;
}

static void sort_in(struct merge *m)
{
    struct plan_line *list = m->lines->list;
    size_t count = 0;

    if (m->lines->count > m->known)
        qsort(list, m->lines->count, sizeof *list, by_file);
    for (size_t i = 0; i < m->lines->count; i++) {
        if (count && by_file(&list[count - 1], &list[i]) == 0)
            widen(&list[count - 1], &list[i]);
        else
            list[count++] = list[i];
    }
    m->known = m->lines->count = count;
}

static void put_aside(struct merge *m, const struct plan_line *l)
{
    struct plan_lines *lines = m->lines;

    if (array_grow(&lines->list, lines->count, &m->room, sizeof *lines->list)) {
        m->failed = true;
        return;
    }
    lines->list[lines->count++] = *l;
    if (lines->count - m->known >= m->known + ASIDE)
        sort_in(m);
}

static void merge(void *ctx, const struct plan_file *f)
{
    struct merge *m = ctx;
    const struct plan_lines known = {m->lines->list, m->known};
    struct plan_line l = {.file = *f,
                          .before_most = f->before,
                          .after_most = f->after,
                          .device_count = m->device_count};
    struct plan_line *same = plan_lines_find(&known, f, m->next);

    if (!same) {
        put_aside(m, &l);
        return;
    }
    widen(same, &l);
    m->next = (size_t)(same - known.list) + 1;
}

int plan_lines_make(const struct plan *p, const struct plan_release *r,
                    struct plan_lines *out)
{
    struct merge m = {.lines = out};

    *out = (struct plan_lines){.list = NULL};
    for (uint32_t k = 0; k < r->group_count && !m.failed; k++) {
        const struct plan_group *g = &p->groups[r->group_first + k];

        m.next = 0;
        m.device_count = g->device_count;
        plan_each_file(g, merge, &m);
    }
    sort_in(&m);
    return m.failed ? -1 : 0;
}

void plan_lines_release(struct plan_lines *l)
{
    free(l->list);
    *l = (struct plan_lines){.list = NULL};
}

struct plan_line *plan_lines_find(const struct plan_lines *l,
                                  const struct plan_file *f, size_t hint)
{
    const struct plan_line key = {.file = *f};

    if (hint < l->count && compare_files(&l->list[hint].file, f) == 0)
        return &l->list[hint];
    return l->count ? bsearch(&key, l->list, l->count, sizeof *l->list, by_file)
                    : NULL;
}

bool plan_line_shared(const struct plan_line *l, const struct plan_release *r)
{
    return l->device_count == r->device_count &&
           l->file.before == l->before_most && l->file.after == l->after_most;
}
