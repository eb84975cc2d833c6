/* Devices that get the same version with the same payload, brought together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "plan_private.h"

static bool same_payload(const struct index_content *a,
                         const struct index_content *b)
{
    if (a == b)
        return true;
    return a && b && a->payload_count && b->payload_count &&
           memcmp(a->payloads[a->payload_count - 1].link,
                  b->payloads[b->payload_count - 1].link, OTA_LINK) == 0;
}

static uint32_t find_group(const struct plan *p, uint32_t first,
                           const struct plan_pick *pick)
{
    for (uint32_t i = first; i != PLAN_NONE; i = p->groups[i].sibling) {
        const struct plan_group *g = &p->groups[i];

        if (g->version == pick->version && g->own == pick->own &&
            g->source == pick->source && same_payload(g->reuse, pick->reuse))
            return i;
    }
    return PLAN_NONE;
}

static uint32_t new_group(struct plan_maker *m, struct plan_work *w,
                          const struct plan_pick *pick)
{
    struct plan *p = m->plan;
    const struct tree_set *content = pick->content;
    struct plan_group *g;

    if (!content)
        content = plan_content_set(&p->memory, pick->source);
    if (!content)
        return PLAN_NONE;
    if (array_grow(&p->groups, p->group_count, &m->group_room,
                   sizeof *p->groups))
        return PLAN_NONE;
    g = &p->groups[p->group_count];
    *g = (struct plan_group){.release = w->out->release,
                             .set = pick->set,
                             .version = pick->version,
                             .own = pick->own,
                             .content = content,
                             .source = pick->source,
                             .hardware = pick->hardware,
                             .ram = pick->ram,
                             .reuse = pick->reuse,
                             .first = PLAN_NONE,
                             .last = PLAN_NONE,
                             .sibling = w->set_group[pick->set]};
    snprintf(g->label, sizeof g->label, "%s", pick->label);
    if (!pick->own && w->join)
        g->before = w->join->shared;
    w->set_group[pick->set] = (uint32_t)p->group_count;
    w->out->group_count++;
    return (uint32_t)p->group_count++;
}

int plan_add_device(struct plan_maker *m, struct plan_work *w, uint32_t device,
                    const struct plan_pick *pick)
{
    struct plan *p = m->plan;
    const struct device_id *id = &p->request.config->devices[device].id;
    const struct index_device *e = index_device(p->request.index, id);
    uint32_t at = find_group(p, w->set_group[pick->set], pick);
    uint32_t place = (uint32_t)p->device_count;
    struct plan_group *g;

    if (at == PLAN_NONE)
        at = new_group(m, w, pick);
    if (at == PLAN_NONE)
        return -1;
    g = &p->groups[at];
    if (!g->before && e)
        g->before = index_content_of(p->request.index, e);
    p->devices[place] = (struct plan_device){.device = device,
                                             .group = at,
                                             .next = PLAN_NONE,
                                             .before = plan_has(m, device),
                                             .why = m->why[device],
                                             .unread = m->unread[device]};
    if (g->first == PLAN_NONE)
        g->first = place;
    else
        p->devices[g->last].next = place;
    g->last = place;
    g->device_count++;
    w->out->counts[m->why[device]]++;
    w->out->device_count++;
    p->device_count++;
    return 0;
}
