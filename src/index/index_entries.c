/* The index in memory: made, looked up, freed. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "index_private.h"

struct index *index_allocate(void)
{
    struct index *x = calloc(1, sizeof *x);

    if (x && !(x->priv = calloc(1, sizeof *x->priv))) {
        free(x);
        x = NULL;
    }
    if (!x)
        diag_no_memory();
    return x;
}

/* One empty shard, and nobody's base. */
static int make_empty(struct index *x)
{
    struct index_private *p = x->priv;

    if (getentropy(x->base_id, sizeof x->base_id) < 0)
        return diag_error(DIAG_FAILED, "the system gives no random bytes");
    p->shard_count = 1;
    p->shards = arena_alloc(&p->arena, sizeof *p->shards);
    p->dirty = arena_alloc(&p->arena, sizeof *p->dirty);
    p->loaded = true;
    return p->shards && p->dirty ? 0 : -1;
}

int index_new(struct index **out)
{
    struct index *x = index_allocate();

    *out = NULL;
    if (!x || make_empty(x) < 0) {
        index_free(x);
        return -1;
    }
    *out = x;
    return 0;
}

static uint32_t higher(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

uint32_t index_highest(const struct index *x)
{
    const struct index_private *p = x->priv;
    uint32_t highest = 0;

    for (size_t i = 0; i < p->release_count; i++) {
        const struct index_release *r = &p->releases[i]->release;

        if (r->version_count)
            highest =
                higher(highest, r->versions[r->version_count - 1].version);
    }
    for (size_t i = 0; i < p->device_count; i++)
        highest = higher(highest, p->order[i]->version);
    for (size_t i = 0; i < x->intent_count; i++)
        highest = higher(highest, x->intents[i].version);
    return highest;
}

struct index_release *index_release(const struct index *x, const char *name)
{
    struct index_release_entry *e = index_find_release(x, name);

    return e ? &e->release : NULL;
}

size_t index_release_count(const struct index *x)
{
    return x->priv->release_count;
}

struct index_release *index_release_at(const struct index *x, size_t i)
{
    return &x->priv->releases[i]->release;
}

size_t index_device_count(const struct index *x)
{
    return x->priv->device_count;
}

static int by_id(const void *a, const void *b)
{
    return device_id_compare(&(*(struct index_device *const *)a)->id,
                             &(*(struct index_device *const *)b)->id);
}

struct index_device *index_device_at(const struct index *x, size_t i)
{
    struct index_private *p = x->priv;

    if (!p->sorted) {
        qsort(p->order, p->device_count, sizeof(struct index_device *), by_id);
        p->sorted = true;
    }
    return p->order[i];
}

size_t index_retired_count(const struct index *x)
{
    return x->priv->retired_count;
}

const struct index_retired *index_retired_at(const struct index *x, size_t i)
{
    return &x->priv->retired[i].retired;
}

struct index_version *index_version(const struct index_release *r,
                                    uint32_t version)
{
    size_t low = 0, high = r ? r->version_count : 0;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (r->versions[mid].version == version)
            return &r->versions[mid];
        if (r->versions[mid].version < version)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

void index_free(struct index *x)
{
    if (!x)
        return;
    index_table_release(x->priv);
    free(x->priv);
    free(x);
}

const struct index_content *index_content_of(const struct index *x,
                                             const struct index_device *d)
{
    const struct index_release *r;
    const struct index_version *v;

    if (d->own)
        return d->own;
    r = index_release(x, d->release);
    v = r ? index_version(r, d->version) : NULL;
    return v ? v->shared : NULL;
}
