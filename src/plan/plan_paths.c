/* Lists of paths in record order (ota-bundle(5), Order), each path once. */
#include <stdlib.h>
#include <string.h>

#include "plan_private.h"

static int by_path(const void *a, const void *b)
{
    const struct plan_path *x = a, *y = b;

    return ota_path_compare(x->path, strlen(x->path), y->path, strlen(y->path));
}

static int by_path_and_age(const void *a, const void *b)
{
    const struct plan_path *x = a, *y = b;
    int order = by_path(a, b);

    return order ? order : (x->added < y->added) - (x->added > y->added);
}

/* A device whose names differ by case has the file under the last one. */
void plan_paths_sort(struct plan_paths *p)
{
    size_t kept = 0;

    if (p->sorted == p->count)
        return;
    qsort(p->list, p->count, sizeof *p->list, by_path_and_age);
    for (size_t i = 0; i < p->count; i++) {
        if (kept && by_path(&p->list[kept - 1], &p->list[i]) == 0)
            p->list[kept - 1].installed |= p->list[i].installed;
        else
            p->list[kept++] = p->list[i];
    }
    p->count = p->sorted = kept;
}

/* A long history names the same paths again and again: they are sorted out
 * before the list grows. */
int plan_paths_add(struct plan_paths *p, const char *path, bool installed)
{
    if (p->count == p->room) {
        plan_paths_sort(p);
        if (p->count > p->room / 2 || !p->room) {
            size_t room = p->room ? 2 * p->room : 64;
            struct plan_path *list = realloc(p->list, room * sizeof *list);

            if (!list)
                return diag_no_memory();
            p->list = list;
            p->room = room;
        }
    }
    p->list[p->count++] = (struct plan_path){
        .path = path, .installed = installed, .added = p->added++};
    p->sorted = 0;
    return 0;
}

bool plan_paths_has(const struct plan_paths *p, const char *path)
{
    struct plan_path key = {.path = path};

    return p->count &&
           bsearch(&key, p->list, p->count, sizeof *p->list, by_path);
}
