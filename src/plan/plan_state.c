/* What each device has, by the index and by its manifest, against what it is
 * to have. */
#include <stdlib.h>
#include <string.h>

#include "bundle/format.h"
#include "plan_private.h"

const struct index_content *plan_content_of(const struct index *x,
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

bool plan_settings_same(const struct config_release *c,
                        const struct index_version *v)
{
    return v->hardware == c->hardware && v->ram == c->ram && v->flags == 0;
}

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, OTA_HASH);
}

bool plan_is_lost(const struct plan_lost *lost, const struct index_content *c)
{
    for (unsigned i = 0; lost && lost->count && c && i < c->payload_count; i++)
        if (bsearch(c->payloads[i].link + 2, lost->names, lost->count, OTA_HASH,
                    by_name))
            return true;
    return false;
}

static enum plan_why compare(const struct plan_maker *m,
                             const struct plan_work *w, uint32_t device)
{
    const struct plan_request *r = &m->plan->request;
    const struct device *d = &r->config->devices[device];
    const struct index_device *e = index_device(r->index, &d->id);
    const struct tree_set *set;
    const struct index_version *v;

    if (!e)
        return PLAN_NEW;
    if (strcmp(e->release, w->config->name.text) != 0)
        return PLAN_MOVED;
    set = &w->tree->sets[r->tree->device_set[device]];
    v = w->history ? index_version(w->history, e->version) : NULL;
    if (!v || !plan_settings_same(w->config, v) ||
        memcmp(e->digest, set->digest, OTA_DIGEST) != 0 ||
        plan_is_lost(r->lost, plan_content_of(r->index, e)))
        return PLAN_CHANGED;
    if (e->expires && r->now >= plan_refresh_time(e->created, e->expires))
        return PLAN_REFRESH;
    return PLAN_SAME;
}

int plan_states(struct plan_maker *m)
{
    const struct plan_back *back = m->plan->request.back;

    for (size_t i = 0; i < m->work_count; i++) {
        struct plan_work *w = &m->works[i];

        for (uint32_t d = w->device_first; d < w->device_end; d++) {
            m->why[d] = (uint8_t)compare(m, w, d);
            if (back && back->refresh && m->why[d] != PLAN_REFRESH)
                m->why[d] = PLAN_SAME;
        }
    }
    return 0;
}

uint64_t plan_refresh_time(uint64_t created, uint64_t expires)
{
    if (!expires)
        return 0;
    return expires > created ? expires - (expires - created) / 3 : expires;
}

struct plan_truth *plan_find_truth(const struct plan_maker *m,
                                   const struct device_id *id)
{
    size_t low = 0, high = m->truth_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = device_id_compare(&m->truths[mid].found.id, id);

        if (order == 0)
            return &m->truths[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

uint32_t plan_has(const struct plan_maker *m, uint32_t device)
{
    const struct plan_request *r = &m->plan->request;
    const struct device_id *id = &r->config->devices[device].id;
    const struct plan_truth *t = plan_find_truth(m, id);
    const struct index_device *e;

    if (t)
        return t->found.version;
    e = index_device(r->index, id);
    return e ? e->version : 0;
}

/* A manifest with the wanted content may be written again as it is. */
uint32_t plan_floor(const struct plan_maker *m, uint32_t device)
{
    const struct plan_request *r = &m->plan->request;
    const struct plan_truth *t =
        plan_find_truth(m, &r->config->devices[device].id);

    if (t && t->wanted)
        return t->found.version - 1;
    return plan_has(m, device);
}
