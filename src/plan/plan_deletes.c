/* What a payload deletes: the configured paths, and all that earlier versions
 * installed and this one does not. */
#include <stdlib.h>
#include <string.h>

#include "plan_private.h"

/* The set's FILE at the first `len` bytes of `path`, or NULL. */
static const struct tree_entry *find_file(const struct tree_set *set,
                                          const char *path, size_t len)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct tree_entry *e = set->entries[mid];
        int order = -1; /* SLOTs come first */

        if (e->type == OTA_FILE)
            order = ota_path_compare(e->path, strlen(e->path), path, len);
        if (order == 0)
            return e;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

/* The set's FILE that `path` lies below, or NULL. */
static const struct tree_entry *find_above(const struct tree_set *set,
                                           const char *path)
{
    for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
        const struct tree_entry *e = find_file(set, path, (size_t)(s - path));

        if (e)
            return e;
    }
    return NULL;
}

static int add_content(struct plan_paths *p, const struct index_content *c,
                       bool installed)
{
    for (uint32_t i = 0; c && i < c->file_count; i++)
        if (c->files[i]->type == OTA_FILE &&
            plan_paths_add(p, c->files[i]->path, installed))
            return -1;
    for (uint32_t i = 0; c && i < c->dropped_count; i++)
        if (plan_paths_add(p, c->dropped[i], false))
            return -1;
    return 0;
}

static int add_history(struct plan_paths *p, const struct index_release *r)
{
    for (uint32_t i = 0; r && i < r->version_count; i++)
        if (add_content(p, r->versions[i].shared, i + 1 == r->version_count))
            return -1;
    return 0;
}

/* What a device has besides its release's history; *seen is the other release
 * that was added last. */
static int add_device(struct plan_paths *p, const struct plan_maker *m,
                      const struct plan_work *w, uint32_t device,
                      const char **seen)
{
    const struct plan_request *r = &m->plan->request;
    const struct device_id *id = &r->config->devices[device].id;
    const struct index_device *e = index_device(r->index, id);
    const struct plan_truth *t = plan_find_truth(m, id);

    if (t && add_content(p, t->found.content, true))
        return -1;
    if (!e)
        return 0;
    if (e->own && add_content(p, e->own, true))
        return -1;
    if (strcmp(e->release, w->config->name.text) == 0 ||
        (*seen && strcmp(e->release, *seen) == 0))
        return 0;
    *seen = e->release;
    return add_history(p, index_release(r->index, e->release));
}

static int refuse_folder(const struct tree_entry *file, const char *path)
{
    return diag_error_at(
        DIAG_CONFIG, file->mark,
        "'%s' cannot become a file in one step: what is published has a file "
        "'%s' in a folder of that name; publish a version without '%s' first, "
        "then one with it",
        file->path, path, file->path);
}

/* A path that an earlier version left where a FILE is to be. */
static int say_folder(const struct tree_entry *file, const struct plan_path *p)
{
    if (p->installed)
        return refuse_folder(file, p->path);
    diag_warning_at(file->mark,
                    "an earlier version installed '%s': a device that still "
                    "has it cannot take '%s'",
                    p->path, file->path);
    return 0;
}

/* Keeps what is not installed; what lies below a FILE cannot be deleted, and is
 * to be once that is gone.  It says one such path for each file, and nothing
 * without `say`. */
static int filter_deletes(struct plan_paths *p, const struct tree_set *set,
                          bool say)
{
    const struct tree_entry *said = NULL;
    size_t kept = 0;
    int result = 0;

    plan_paths_sort(p);
    for (size_t i = 0; i < p->count; i++) {
        const char *path = p->list[i].path;
        const struct tree_entry *above = find_above(set, path);

        if (find_file(set, path, strlen(path)))
            continue;
        p->list[kept] = p->list[i];
        p->list[kept++].below = above != NULL;
        if (above && say && above != said) {
            said = above;
            result |= say_folder(above, &p->list[i]);
        }
    }
    p->count = p->sorted = kept;
    return result;
}

static int copy_paths(const struct plan_paths *p, bool below, const char ***out,
                      uint32_t *count)
{
    *count = 0;
    if (!p->count)
        return 0;
    *out = malloc(p->count * sizeof **out);
    if (!*out)
        return diag_no_memory();
    for (size_t i = 0; i < p->count; i++)
        if (below || !p->list[i].below)
            (*out)[(*count)++] = p->list[i].path;
    return 0;
}

static int add_configured(struct plan_paths *p, const struct config_release *c)
{
    for (size_t i = 0; i < c->delete_count; i++)
        if (plan_paths_add(p, c->deletes[i].text, false))
            return -1;
    plan_paths_sort(p);
    return 0;
}

static int collect_group(struct plan_paths *paths, struct plan_maker *m,
                         struct plan_work *w, const struct plan_group *g)
{
    const struct plan_device *devices = m->plan->devices;
    const char *seen = NULL;

    for (uint32_t i = 0; g->reuse && i < g->reuse->dropped_count; i++)
        if (plan_paths_add(paths, g->reuse->dropped[i], false))
            return -1;
    if (g->reuse)
        return 0;
    if (add_history(paths, w->history))
        return -1;
    for (uint32_t i = g->first; i != PLAN_NONE; i = devices[i].next)
        if (add_device(paths, m, w, devices[i].device, &seen))
            return -1;
    return 0;
}

/* Also for a payload that is reused, should it have to be packed again. */
static int find_deletes(struct plan_maker *m, struct plan_work *w,
                        struct plan_group *g)
{
    struct plan_paths paths = {0};
    int result = -1;

    if (collect_group(&paths, m, w, g) ||
        filter_deletes(&paths, g->content, !g->reuse) ||
        copy_paths(&paths, true, &g->dropped, &g->dropped_count) ||
        add_configured(&paths, w->config) ||
        copy_paths(&paths, false, &g->deletes, &g->delete_count))
        goto out;
    result = 0;
out:
    free(paths.list);
    return result;
}

static bool all_dropped(const struct plan_paths *paths,
                        const struct index_content *c)
{
    struct plan_paths dropped = {0};
    bool all = true;

    for (uint32_t i = 0; i < c->dropped_count && all; i++)
        all = plan_paths_add(&dropped, c->dropped[i], false) == 0;
    plan_paths_sort(&dropped);
    for (size_t i = 0; i < paths->count && all; i++)
        all = plan_paths_has(&dropped, paths->list[i].path);
    free(dropped.list);
    return all;
}

/* The payload of a version gone back to does as it is, unless later ones
 * installed what it does not delete. */
int plan_group_deletes(struct plan_maker *m, struct plan_work *w,
                       struct plan_group *g)
{
    const struct plan_back *back = m->plan->request.back;
    struct plan_paths paths = {0};
    bool all;

    if (find_deletes(m, w, g))
        return -1;
    if (!back || g->reuse)
        return 0;
    for (uint32_t i = 0; i < g->dropped_count; i++)
        if (plan_paths_add(&paths, g->dropped[i], false))
            return -1;
    all = all_dropped(&paths, back->content);
    free(paths.list);
    if (!all)
        return 0;
    free(g->deletes);
    free(g->dropped);
    g->deletes = g->dropped = NULL;
    g->reuse = back->content;
    return find_deletes(m, w, g);
}

int plan_covered(struct plan_maker *m, struct plan_work *w, uint32_t device,
                 bool *covered)
{
    const struct plan_request *r = &m->plan->request;
    const struct device_id *id = &r->config->devices[device].id;
    const struct index_device *e = index_device(r->index, id);
    const char *from = e ? e->release : w->config->name.text, *seen = NULL;
    bool alone = (e && e->own) || plan_find_truth(m, id);
    const struct tree_set *set =
        w->force ? w->force : &w->tree->sets[r->tree->device_set[device]];
    struct plan_paths paths = {0};
    int result = -1;

    if (!alone && w->covered_for && strcmp(w->covered_for, from) == 0) {
        *covered = w->covered;
        return 0;
    }
    if (add_history(&paths, w->history) ||
        add_device(&paths, m, w, device, &seen) ||
        filter_deletes(&paths, set, false))
        goto out;
    *covered = all_dropped(&paths, w->join->shared);
    if (!alone) {
        w->covered_for = from;
        w->covered = *covered;
    }
    result = 0;
out:
    free(paths.list);
    return result;
}

static int check_delete(const struct config_text *path,
                        const struct tree_set *set)
{
    const struct tree_entry *e = find_file(set, path->text, strlen(path->text));

    if (e)
        return diag_error_at(DIAG_CONFIG, path->mark,
                             "'%s' is to be deleted, and 'files' installs it",
                             path->text);
    e = find_above(set, path->text);
    if (e)
        return diag_error_at(DIAG_CONFIG, path->mark,
                             "'%s' is to be deleted, and lies below the file "
                             "'%s'",
                             path->text, e->path);
    return 0;
}

int plan_check_deletes(const struct config *c, const struct tree *t)
{
    int result = 0;

    for (size_t r = 0; r < c->release_count; r++) {
        const struct config_release *release = &c->releases[r];
        const struct tree_release *sets = &t->releases[r];

        for (size_t d = 0; release->selected && d < release->delete_count; d++)
            for (size_t s = 0; s < sets->set_count; s++)
                if (check_delete(&release->deletes[d], &sets->sets[s])) {
                    result = -1;
                    break;
                }
    }
    return result;
}
