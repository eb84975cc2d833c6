/* How the files of a group differ from what its devices have. */
#include <string.h>

#include "plan_private.h"

struct walk {
    const struct plan_group *group;
    void (*each)(void *ctx, const struct plan_file *f);
    void *ctx;
};

static int compare_paths(const struct index_file *a, const struct tree_entry *b)
{
    if (a->type != b->type)
        return a->type == OTA_SLOT ? -1 : 1;
    return ota_path_compare(a->path, strlen(a->path), b->path, strlen(b->path));
}

static void added(const struct walk *w, const struct tree_entry *e)
{
    struct plan_file f = {.sign = '+',
                          .path = e->path,
                          .type = e->type,
                          .before = UINT64_MAX,
                          .after = e->size,
                          .mode_after = e->mode};

    w->each(w->ctx, &f);
}

static void removed(const struct walk *w, const struct index_file *b)
{
    struct plan_file f = {.sign = '-',
                          .path = b->path,
                          .type = b->type,
                          .before = b->size,
                          .after = UINT64_MAX,
                          .mode_before = b->mode};

    w->each(w->ctx, &f);
}

static void changed(const struct walk *w, const struct index_file *b,
                    const struct tree_entry *e)
{
    struct plan_file f = {.sign = '~',
                          .path = e->path,
                          .type = e->type,
                          .before = b->size,
                          .after = e->size,
                          .mode_before = b->mode,
                          .mode_after = e->mode};

    if (b->size != e->size || b->mode != e->mode ||
        memcmp(b->hash, e->hash, OTA_HASH) != 0)
        w->each(w->ctx, &f);
}

/* Names that differ by case alone are two, wherever files are kept by case. */
static void note_match(const struct walk *w, const struct index_file *b,
                       const struct tree_entry *e)
{
    if (strcmp(b->path, e->path) == 0) {
        changed(w, b, e);
        return;
    }
    removed(w, b);
    added(w, e);
}

/* Files are in record order: slots, then by path. */
static bool had(const struct index_content *before, const char *path)
{
    uint32_t low = 0, high = before ? before->file_count : 0;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct index_file *f = before->files[mid];
        int o = f->type == OTA_SLOT ? -1
                                    : ota_path_compare(f->path, strlen(f->path),
                                                       path, strlen(path));

        if (o == 0)
            return true;
        if (o < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

static void deleted(const struct walk *w)
{
    const struct plan_group *g = w->group;

    for (uint32_t i = 0; !g->reuse && i < g->delete_count; i++) {
        struct plan_file f = {.sign = '-',
                              .path = g->deletes[i],
                              .type = OTA_FILE,
                              .before = UINT64_MAX,
                              .after = UINT64_MAX};

        if (!had(g->before, g->deletes[i]))
            w->each(w->ctx, &f);
    }
}

void plan_each_file(const struct plan_group *g,
                    void (*each)(void *ctx, const struct plan_file *f),
                    void *ctx)
{
    const struct tree_set *set = g->content;
    struct walk w = {g, each, ctx};
    size_t old_count = g->before ? g->before->file_count : 0, i = 0, k = 0;

    while (i < old_count || k < set->count) {
        int o = i == old_count ? 1
                : k == set->count
                    ? -1
                    : compare_paths(g->before->files[i], set->entries[k]);

        if (o < 0)
            removed(&w, g->before->files[i++]);
        else if (o > 0)
            added(&w, set->entries[k++]);
        else
            note_match(&w, g->before->files[i++], set->entries[k++]);
    }
    deleted(&w);
}
