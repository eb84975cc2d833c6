/* A new base forgets what was published; devices do not.  What they were given
 * before, by the old index, by their manifests and by what this machine
 * remembers, is what new versions are above. */
#include <stdlib.h>
#include <string.h>

#include "plan_private.h"
#include "index/served.h"

static void raise_to(uint32_t *version, uint32_t to)
{
    if (*version < to)
        *version = to;
}

static size_t ask_floor(void *ctx, size_t device)
{
    const struct plan_maker *m = ctx;
    const struct plan_request *r = &m->plan->request;

    served_manifest_ahead(r->store, &r->config->devices[device].id);
    return 0;
}

static int read_floor(void *ctx, size_t device)
{
    struct plan_maker *m = ctx;
    const struct plan_request *r = &m->plan->request;
    struct ota_manifest manifest;
    uint8_t *bytes;
    bool good;

    if (plan_read_manifest(r, &r->config->devices[device].id, &manifest, &bytes,
                           &good))
        return -1;
    if (good)
        raise_to(&m->floors[device], manifest.version);
    free(bytes);
    return 0;
}

static void take_old(struct plan_maker *m, uint32_t device)
{
    const struct plan_request *r = &m->plan->request;
    const struct index_device *e =
        r->old->index
            ? index_device(r->old->index, &r->config->devices[device].id)
            : NULL;

    raise_to(&m->floors[device], r->old->above);
    if (e)
        raise_to(&m->floors[device], e->version);
}

int plan_read_floors(struct plan_maker *m)
{
    const struct plan_request *r = &m->plan->request;
    const struct store_each each = {
        .ask = ask_floor, .take = read_floor, .ctx = m};

    for (uint32_t d = 0; r->old && d < r->config->device_count; d++)
        take_old(m, d);
    return r->store ? store_each(&each, 0, r->config->device_count) : 0;
}

static void find_old_release(struct plan_work *w, const struct index *old)
{
    const char *name = w->config->name.text;
    const struct index_release *r = index_release(old, name);

    if (r && r->version_count)
        raise_to(&w->highest, r->versions[r->version_count - 1].version);
    for (size_t i = 0; i < old->intent_count; i++)
        if (strcmp(old->intents[i].release, name) == 0)
            raise_to(&w->highest, old->intents[i].version);
}

void plan_find_old_highest(struct plan_maker *m)
{
    const struct index_old *old = m->plan->request.old;

    for (size_t i = 0; old && i < m->work_count; i++) {
        raise_to(&m->works[i].highest, old->above);
        if (old->index)
            find_old_release(&m->works[i], old->index);
    }
}
