/* What each device has, by the index and by its manifest, against what it is
 * to have. */
#include <stdlib.h>
#include <string.h>

#include "bundle/format.h"
#include "plan_private.h"

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

static enum plan_why compare_device(const struct plan_maker *m,
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
        plan_is_lost(r->lost, index_content_of(r->index, e)))
        return PLAN_CHANGED;
    return is_due(m, w, e) ? PLAN_REFRESH : PLAN_SAME;
}

static bool has_payload(const struct plan_request *r,
                        const struct index_device *e)
{
    const struct index_content *c = index_content_of(r->index, e);

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
    if (stays && !w->out->back_begun && is_due(m, w, e) && has_payload(r, e) &&
        !plan_is_lost(r->lost, index_content_of(r->index, e)))
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
            m->why[d] = (uint8_t)compare_device(m, w, d);
        if (w->out->rolled_back && leave_alone(m, w))
            return -1;
    }
    return 0;
}
