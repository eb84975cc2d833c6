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

static bool has_delete(const struct config_release *c, const char *path)
{
    for (size_t i = 0; i < c->delete_count; i++)
        if (strcmp(c->deletes[i].text, path) == 0)
            return true;
    return false;
}

bool plan_asked_same(const struct config_release *c,
                     const struct index_version *v)
{
    if (!plan_settings_same(c, v) || c->delete_count != v->delete_count ||
        strcmp(plan_label(c), v->label) != 0)
        return false;
    for (uint32_t i = 0; i < v->delete_count; i++)
        if (!has_delete(c, v->deletes[i]))
            return false;
    return true;
}

/* Due to be signed anew, or with a life that is no longer asked for. */
static bool is_due(const struct plan_maker *m, const struct plan_work *w,
                   const struct index_device *e)
{
    uint64_t life = e->expires > e->created ? e->expires - e->created : 0;
    uint64_t now = m->plan->request.now;

    if (e->expires && (now >= plan_refresh_time(e->created, e->expires) ||
                       e->created > now + PLAN_DAY))
        return true;
    return !m->plan->request.back && life != w->config->expires;
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
    if (!v || e->version < w->config->version ||
        !(v == w->latest ? w->settings_same : plan_asked_same(w->config, v)) ||
        memcmp(e->digest, set->digest, OTA_DIGEST) != 0 ||
        plan_is_lost(r->lost, plan_content_of(r->index, e)))
        return PLAN_CHANGED;
    return is_due(m, w, e) ? PLAN_REFRESH : PLAN_SAME;
}

static bool has_payload(const struct plan_request *r,
                        const struct index_device *e)
{
    const struct index_content *c = plan_content_of(r->index, e);

    return c && c->payload_count;
}

/* A device of a release whose content was rolled back keeps what it has; one
 * that is new there gets what is in force, unless it has files of its own. */
static void leave_device(struct plan_maker *m, struct plan_work *w,
                         uint32_t device)
{
    const struct plan_request *r = &m->plan->request;
    const struct device *d = &r->config->devices[device];
    const struct index_device *e = index_device(r->index, &d->id);
    bool own = w->tree->sets[r->tree->device_set[device]].own;
    bool stays = e && !index_withdrawn(e) &&
                 strcmp(e->release, w->config->name.text) == 0;

    if (m->why[device] == PLAN_SAME || m->why[device] == PLAN_REFRESH)
        return;
    if (!stays && w->force && !own && !w->out->back_begun)
        return;
    m->why[device] = PLAN_SAME;
    w->out->left_count += d->selected;
    m->left[device] = true;
    if (stays && !w->out->back_begun && is_due(m, w, e) && has_payload(r, e))
        m->why[device] = PLAN_REFRESH;
}

static bool has_change(const struct plan_maker *m, const struct plan_work *w)
{
    const struct config *c = m->plan->request.config;

    for (uint32_t d = w->device_first; d < w->device_end; d++)
        if (c->devices[d].selected && m->why[d] != PLAN_SAME &&
            m->why[d] != PLAN_REFRESH)
            return true;
    return false;
}

/* Content that was rolled back is not published again unasked. */
static int leave_alone(struct plan_maker *m, struct plan_work *w)
{
    if (!has_change(m, w)) {
        w->out->rolled_back = 0;
        return 0;
    }
    if (plan_find_force(m, w))
        return -1;
    for (uint32_t d = w->device_first; d < w->device_end; d++)
        leave_device(m, w, d);
    return 0;
}

int plan_states(struct plan_maker *m)
{
    for (size_t i = 0; i < m->work_count; i++) {
        struct plan_work *w = &m->works[i];

        for (uint32_t d = w->device_first; d < w->device_end; d++)
            m->why[d] = (uint8_t)compare(m, w, d);
        if (w->out->rolled_back && leave_alone(m, w))
            return -1;
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
    if (r->new_base)
        return m->floors[device];
    return plan_has(m, device);
}
