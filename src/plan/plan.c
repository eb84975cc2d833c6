/* A plan from its parts: releases, states, versions, what is not listed, and
 * what the index is to say afterwards. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "plan_private.h"

uint32_t plan_rolled_back(const struct plan_request *r, size_t release)
{
    const struct config_release *c = &r->config->releases[release];
    const struct tree_set *set = r->tree->releases[release].sets;
    const struct index_release *history = index_release(r->index, c->name.text);

    for (uint32_t i = history ? history->version_count : 0; i-- > 0;) {
        const struct index_version *v = &history->versions[i];

        if ((v->marks & INDEX_ROLLED_BACK) && v->shared && !set->own &&
            plan_settings_same(c, v) &&
            memcmp(v->shared->digest, set->digest, OTA_DIGEST) == 0)
            return v->version;
    }
    return 0;
}

static bool shared_same(const struct plan_work *w)
{
    return w->settings_same && w->latest->shared && !w->tree->sets[0].own &&
           memcmp(w->latest->shared->digest, w->tree->sets[0].digest,
                  OTA_DIGEST) == 0;
}

static int open_work(struct plan_maker *m, struct plan_work *w, size_t release)
{
    const struct plan_request *r = &m->plan->request;

    w->out = &m->plan->releases[w - m->works];
    w->out->release = (uint32_t)release;
    w->config = w->out->config = &r->config->releases[release];
    w->tree = &r->tree->releases[release];
    w->history = index_release(r->index, w->config->name.text);
    if (w->history && w->history->version_count) {
        w->latest = &w->history->versions[w->history->version_count - 1];
        w->join = w->latest;
        w->out->before = w->highest = w->latest->version;
        w->settings_same = plan_asked_same(w->config, w->latest);
        w->shared_same = shared_same(w);
    }
    plan_asked_hash(r, release, w->out->content);
    if (!r->again && !r->back)
        w->out->rolled_back = plan_rolled_back(r, release);
    if (w->out->rolled_back)
        w->out->back_begun = plan_back_begun(r->index, w->history);
    plan_find_intents(m, w);
    w->set_group = malloc((w->tree->set_count + 1) * sizeof *w->set_group);
    if (!w->set_group)
        return diag_no_memory();
    for (size_t i = 0; i <= w->tree->set_count; i++)
        w->set_group[i] = PLAN_NONE;
    return 0;
}

static void sort_names(struct plan_maker *m)
{
    for (uint32_t i = 0; i < m->work_count; i++) {
        uint32_t k = i;

        while (k > 0 && strcmp(m->works[m->by_name[k - 1]].config->name.text,
                               m->works[i].config->name.text) > 0) {
            m->by_name[k] = m->by_name[k - 1];
            k--;
        }
        m->by_name[k] = i;
    }
}

static void place_devices(struct plan_maker *m)
{
    const struct config *c = m->plan->request.config;
    uint32_t d = 0;

    for (size_t i = 0; i < m->work_count; i++) {
        struct plan_work *w = &m->works[i];

        while (d < c->device_count && c->devices[d].release < w->out->release)
            d++;
        w->device_first = d;
        while (d < c->device_count && c->devices[d].release == w->out->release)
            d++;
        w->device_end = d;
    }
}

static int open_works(struct plan_maker *m)
{
    const struct plan_request *r = &m->plan->request;
    size_t count = r->config->release_count;
    bool forced;

    m->works = calloc(count + 1, sizeof *m->works);
    m->by_name = calloc(count + 1, sizeof *m->by_name);
    m->why = calloc(r->config->device_count + 1, sizeof *m->why);
    m->unread = calloc(r->config->device_count + 1, sizeof *m->unread);
    m->floors = calloc(r->config->device_count + 1, sizeof *m->floors);
    m->left = calloc(r->config->device_count + 1, sizeof *m->left);
    m->plan->releases = calloc(count + 1, sizeof *m->plan->releases);
    m->plan->devices =
        malloc((r->config->device_count + 1) * sizeof *m->plan->devices);
    if (!m->works || !m->by_name || !m->why || !m->unread || !m->left ||
        !m->floors || !m->plan->releases || !m->plan->devices)
        return diag_no_memory();
    for (size_t i = 0; i < count; i++)
        if (r->config->releases[i].selected &&
            open_work(m, &m->works[m->work_count++], i))
            return -1;
    m->plan->release_count = m->work_count;
    forced = r->store && r->store->forced;
    m->doubt = r->index->doubt || forced;
    m->twice = r->index->doubt && !forced;
    for (size_t i = 0; i < r->index->intent_count; i++) {
        const struct index_intent *t = &r->index->intents[i];

        if (plan_intent_open(t) && t->version > m->open)
            m->open = t->version;
        if (t->version > m->burnt)
            m->burnt = t->version;
    }
    sort_names(m);
    place_devices(m);
    return 0;
}

/* Configured devices in the order of their ids. */
static int by_device_id(const void *a, const void *b)
{
    return device_id_compare(&(*(const struct device *const *)a)->id,
                             &(*(const struct device *const *)b)->id);
}

static int find_not_listed(struct plan *p)
{
    const struct config *c = p->request.config;
    const struct index *x = p->request.index;
    size_t count = index_device_count(x), k = 0;
    const struct device **sorted =
        malloc((c->device_count + 1) * sizeof *sorted);
    size_t room = 0;
    int result = 0;

    if (!sorted)
        return diag_no_memory();
    for (uint32_t i = 0; i < c->device_count; i++)
        sorted[i] = &c->devices[i];
    qsort(sorted, c->device_count, sizeof *sorted, by_device_id);
    for (size_t i = 0; i < count && !result; i++) {
        const struct index_device *e = index_device_at(x, i);

        while (k < c->device_count &&
               device_id_compare(&sorted[k]->id, &e->id) < 0)
            k++;
        if (index_withdrawn(e) ||
            (k < c->device_count &&
             device_id_compare(&sorted[k]->id, &e->id) == 0))
            continue;
        result = array_grow(&p->not_listed, p->not_listed_count, &room,
                            sizeof *p->not_listed);
        if (!result)
            p->not_listed[p->not_listed_count++] = e;
    }
    free(sorted);
    return result;
}

/* Two publishers took no notice of each other: what their devices have is given
 * to them again under a higher number, also where it is as it should be, since
 * one of them may have taken other content under the same one. */
static void give_anew(struct plan_maker *m)
{
    for (size_t i = 0; i < m->work_count; i++) {
        const struct plan_work *w = &m->works[i];

        if (!m->twice || !w->named)
            continue;
        for (uint32_t d = w->device_first; d < w->device_end; d++)
            if (!m->left[d] &&
                (m->why[d] == PLAN_SAME || m->why[d] == PLAN_REFRESH))
                m->why[d] = PLAN_CHANGED;
    }
}

/* The highest version that any device of a release ever had. */
static void find_highest(struct plan_maker *m)
{
    const struct plan_request *r = &m->plan->request;
    const char *name = NULL;
    struct plan_work *w = NULL;

    for (size_t i = 0; i < index_device_count(r->index); i++) {
        const struct index_device *e = index_device_at(r->index, i);

        if (!name || strcmp(name, e->release) != 0) {
            name = e->release;
            w = plan_find_work(m, name);
        }
        if (w && e->version > w->highest)
            w->highest = e->version;
    }
    for (size_t i = 0; i < m->work_count; i++) {
        w = &m->works[i];
        for (uint32_t d = w->device_first; d < w->device_end; d++) {
            uint32_t has = plan_has(m, d);

            if (has < m->floors[d])
                has = m->floors[d];
            if ((r->config->devices[d].selected || r->new_base) &&
                has > w->highest)
                w->highest = has;
        }
    }
}

static int make_versions(struct plan_maker *m)
{
    int result = 0;

    for (size_t i = 0; i < m->work_count; i++)
        result |= plan_versions(m, &m->works[i]);
    return result ? -1 : 0;
}

/* What an interrupted publish wrote for devices that this run leaves alone. */
static int keep_found(struct plan_maker *m)
{
    struct plan *p = m->plan;
    const struct config *c = p->request.config;
    size_t room = 0, replaced_room = 0;

    for (size_t i = 0; m->truth_count && i < p->device_count; i++) {
        struct plan_truth *t =
            plan_find_truth(m, &c->devices[p->devices[i].device].id);

        if (t)
            t->replaced = true;
    }
    for (size_t i = 0; i < m->truth_count; i++) {
        const struct plan_truth *t = &m->truths[i];

        if (t->replaced ? array_grow(&p->replaced, p->replaced_count,
                                     &replaced_room, sizeof *p->replaced)
                        : array_grow(&p->found, p->found_count, &room,
                                     sizeof *p->found))
            return -1;
        if (t->replaced)
            p->replaced[p->replaced_count++] = t->found;
        else
            p->found[p->found_count++] = t->found;
    }
    return 0;
}

static bool is_configured(const struct config *c, const char *release)
{
    for (size_t i = 0; i < c->release_count; i++)
        if (strcmp(c->releases[i].name.text, release) == 0)
            return true;
    return false;
}

/* An intent stays open while its release may still be brought to its end; its
 * number stays used until the history is above it. */
static void keep_intent(const struct plan_maker *m,
                        const struct index_intent *t, struct plan *p)
{
    const struct plan_work *w = plan_find_work(m, t->release);
    struct index_intent *kept = &p->intents[p->intent_count];
    uint32_t latest;

    *kept = *t;
    p->intent_count++;
    if (p->doubt || m->unsure ||
        (w && t == w->match && w->out->pending_count) ||
        (!w && is_configured(p->request.config, t->release)))
        return;
    memset(kept->content, 0, OTA_HASH);
    latest = !w ? 0 : w->out->version ? w->out->version : w->out->before;
    if (latest >= t->version)
        p->intent_count--;
}

static int keep_intents(struct plan_maker *m)
{
    const struct index *x = m->plan->request.index;

    m->intent_room = x->intent_count + 1;
    m->plan->intents = calloc(m->intent_room, sizeof *x->intents);
    if (!m->plan->intents)
        return diag_no_memory();
    for (size_t i = 0; i < x->intent_count; i++)
        keep_intent(m, &x->intents[i], m->plan);
    return plan_keep_used(m);
}

static void find_refresh(struct plan_maker *m)
{
    struct plan *p = m->plan;
    const struct plan_request *r = &p->request;
    const struct plan_release *out = p->releases; /* they ascend */
    size_t next = 0;

    for (uint32_t d = 0; d < r->config->device_count; d++) {
        const struct device *device = &r->config->devices[d];
        const struct index_device *e = index_device(r->index, &device->id);
        uint64_t when = e ? plan_refresh_time(e->created, e->expires) : 0;

        if (next < p->device_count && p->devices[next].device == d) {
            while (out->release != device->release)
                out++;
            if (p->devices[next].why != PLAN_SAME)
                when = plan_refresh_time(out->created, out->expires);
            next++;
        }
        if (when && (!p->refresh || when < p->refresh))
            p->refresh = when;
    }
}

static int make(struct plan_maker *m)
{
    struct plan *p = m->plan;
    const struct config *c = p->request.config;

    if (plan_check_deletes(c, p->request.tree) || open_works(m) ||
        find_not_listed(p) || plan_states(m) || plan_read_manifests(m))
        return -1;
    give_anew(m);
    find_highest(m);
    plan_find_old_highest(m);
    for (size_t i = 0; i < c->device_count; i++)
        p->narrowed |= !c->devices[i].selected;
    p->doubt = m->doubt && (p->narrowed || p->request.back || m->unread_count);
    p->doubt |= p->request.index->doubt && !m->twice;
    if (make_versions(m) || plan_check_times(p) || keep_found(m) ||
        keep_intents(m))
        return -1;
    find_refresh(m);
    plan_wanted(c, p->request.tree, p->wanted);
    return 0;
}

int plan_make(const struct plan_request *request, struct plan *out)
{
    struct plan_maker m = {.plan = out};
    int result;

    *out = (struct plan){.request = *request};
    diag_gather();
    result = make(&m);
    diag_gathered();
    for (size_t i = 0; i < m.work_count; i++)
        free(m.works[i].set_group);
    free(m.works);
    free(m.by_name);
    free(m.why);
    free(m.unread);
    free(m.floors);
    free(m.left);
    free(m.truths);
    if (result)
        plan_release(out);
    return result;
}

void plan_release(struct plan *p)
{
    for (size_t i = 0; i < p->group_count; i++) {
        free(p->groups[i].deletes);
        free(p->groups[i].dropped);
    }
    free(p->groups);
    free(p->releases);
    free(p->devices);
    free(p->not_listed);
    free(p->found);
    free(p->replaced);
    free(p->intents);
    arena_release(&p->memory);
    *p = (struct plan){.request = p->request};
}

size_t plan_changes(const struct plan *p)
{
    size_t count = 0;

    for (size_t i = 0; i < p->device_count; i++)
        count += p->devices[i].why != PLAN_SAME;
    return count;
}

static bool names_differ(const struct plan *p)
{
    const struct config *c = p->request.config;

    for (size_t i = 0; i < c->device_count; i++) {
        const struct device *d = &c->devices[i];
        const struct index_device *e = index_device(p->request.index, &d->id);

        if (d->selected && e &&
            strcmp(d->name ? d->name : "", e->name ? e->name : "") != 0)
            return true;
    }
    return false;
}

bool plan_index_differs(const struct plan *p)
{
    const struct index *x = p->request.index;

    if (p->found_count || p->intent_count != x->intent_count ||
        p->doubt != x->doubt || names_differ(p))
        return true;
    for (size_t i = 0; i < p->intent_count; i++)
        if (plan_intent_open(&p->intents[i]) !=
            plan_intent_open(&x->intents[i]))
            return true;
    return !p->narrowed && (memcmp(p->wanted, x->wanted, OTA_HASH) != 0 ||
                            p->refresh != x->refresh);
}

bool plan_writes(const struct plan *p)
{
    const struct plan_request *r = &p->request;

    if (!r->again && !r->back && !r->new_base &&
        plan_nothing(r->config, r->tree, r->index, r->now))
        return false;
    for (size_t i = 0; i < p->release_count; i++)
        if (p->releases[i].back_begun)
            return true;
    return plan_changes(p) > 0 || plan_index_differs(p);
}
