/* Which version each device gets, and when that is refused: a number is never
 * used twice for different content. */
#include <string.h>

#include "plan_private.h"

enum { VERSION_MAX = 0x7fffffff }; /* ota-bundle(5), Manifest */

/* Devices that cannot get the latest version as it was published. */
struct need {
    bool any;
    uint32_t floor; /* the new version must be above it */
    uint32_t moved; /* a device from another release, or that was withdrawn, at
                     * `floor`, or PLAN_NONE */
};

static bool is_fixed_below(const struct plan_work *w)
{
    return w->config->version && w->join &&
           w->config->version <= w->join->version;
}

/* What a new version of the device must be above: in doubt all that was begun
 * for it, too, by whoever has it in another release. */
static uint32_t floor_of(const struct plan_maker *m, const struct plan_work *w,
                         uint32_t device)
{
    uint32_t floor = plan_floor(m, device), has = plan_has(m, device);
    bool elsewhere = m->why[device] == PLAN_NEW || m->why[device] == PLAN_MOVED;
    uint32_t used = elsewhere ? w->used_any : w->used;

    if (m->twice && w->named && !(w->match && w->match->version == has))
        floor = has;
    return m->doubt && used > floor ? used : floor;
}

/* Whether the device can get the version to be joined.  *apart: with a payload
 * of its own, since the published one leaves files of its old release behind.
 */
static int joins(struct plan_maker *m, struct plan_work *w, uint32_t device,
                 bool *result, bool *apart)
{
    const struct plan_request *r = &m->plan->request;
    bool own = !w->force && w->tree->sets[r->tree->device_set[device]].own;
    bool fresh = m->why[device] == PLAN_NEW, covered = true;

    *result = *apart = false;
    if (!w->join || w->join->version <= floor_of(m, w, device) ||
        w->join->version < w->begun || w->join->version < w->config->version ||
        !w->settings_same || plan_is_lost(r->lost, w->join->shared))
        return 0;
    if (own) {
        *result = fresh || is_fixed_below(w) ||
                  (w->match && w->match->version == w->join->version);
        return 0;
    }
    if (!w->shared_same)
        return 0;
    if (!fresh && plan_covered(m, w, device, &covered))
        return -1;
    *apart = !covered;
    *result = covered || is_fixed_below(w);
    return 0;
}

static const struct index_device *entry_of(const struct plan_maker *m,
                                           uint32_t device)
{
    const struct plan_request *r = &m->plan->request;

    return index_device(r->index, &r->config->devices[device].id);
}

static bool comes_from_elsewhere(const struct plan_maker *m, uint32_t device)
{
    const struct index_device *e = entry_of(m, device);

    return m->why[device] == PLAN_MOVED || (e && index_withdrawn(e));
}

static int find_need(struct plan_maker *m, struct plan_work *w,
                     struct need *need)
{
    const struct config *c = m->plan->request.config;
    bool joining, apart;

    *need = (struct need){.moved = PLAN_NONE};
    for (uint32_t d = w->device_first; d < w->device_end; d++) {
        uint32_t floor;

        if (!c->devices[d].selected || m->why[d] == PLAN_SAME ||
            m->why[d] == PLAN_REFRESH)
            continue;
        if (joins(m, w, d, &joining, &apart))
            return -1;
        if (joining)
            continue;
        floor = floor_of(m, w, d);
        if (!need->any || floor > need->floor) {
            need->floor = floor;
            need->moved = comes_from_elsewhere(m, d) ? d : PLAN_NONE;
        }
        need->any = true;
    }
    return 0;
}

static int refuse_move(struct plan_maker *m, const struct plan_work *w,
                       const struct need *need, unsigned long next)
{
    const struct device *d = &m->plan->request.config->devices[need->moved];
    const struct index_device *e = entry_of(m, need->moved);
    char id[DEVICE_TEXT];

    device_id_text(&d->id, id);
    if (e && index_withdrawn(e))
        return diag_error_at(DIAG_CONFIG, w->config->version_mark,
                             "'%s' was withdrawn at version %lu and comes "
                             "back to '%s': set 'version: %lu' (or 'version: "
                             "auto')",
                             d->name ? d->name : id, (unsigned long)need->floor,
                             w->config->name.text, next);
    return diag_error_at(
        DIAG_CONFIG, w->config->version_mark,
        "'%s' moves from '%s', where it has version %lu, to '%s': set "
        "'version: %lu' (or 'version: auto')",
        d->name ? d->name : id, e ? e->release : "?",
        (unsigned long)need->floor, w->config->name.text, next);
}

static int refuse_content(const struct plan_work *w, const char *what,
                          unsigned long next)
{
    return diag_error_at(DIAG_CONFIG, w->config->version_mark,
                         "version %lu of '%s' is already %s with other "
                         "content: set 'version: %lu' (or 'version: auto')",
                         (unsigned long)w->config->version,
                         w->config->name.text, what, next);
}

/* No publish can be gone on with that begun it. */
static int refuse_used(const struct plan_work *w, unsigned long next)
{
    return diag_error_at(DIAG_CONFIG, w->config->version_mark,
                         "versions of '%s' up to %lu may have been given to "
                         "devices before: set 'version: %lu' (or 'version: "
                         "auto')",
                         w->config->name.text, (unsigned long)w->begun, next);
}

/* What devices had before a new base. */
static int refuse_low(const struct plan_work *w, const struct need *need)
{
    return diag_error_at(DIAG_CONFIG, w->config->version_mark,
                         "devices of '%s' were given versions up to %lu "
                         "before, and take none that is not above: set "
                         "'version: %lu' (or 'version: auto')",
                         w->config->name.text, (unsigned long)need->floor,
                         (unsigned long)need->floor + 1);
}

static int check_fixed(struct plan_maker *m, struct plan_work *w,
                       const struct need *need)
{
    uint32_t version = w->config->version;
    bool own = w->tree->sets[0].own;
    uint32_t highest = need->floor > w->highest ? need->floor : w->highest;
    unsigned long next = (unsigned long)highest + 1;

    if (w->latest && w->latest->version >= version &&
        !(w->settings_same && (own || w->shared_same)))
        return refuse_content(w, "published", next);
    if (need->floor >= version ||
        (w->latest && w->latest->version >= version)) {
        if (m->plan->request.new_base)
            return refuse_low(w, need);
        if (need->moved != PLAN_NONE)
            return refuse_move(m, w, need, next);
        return refuse_content(w, "published", next);
    }
    if (w->begun >= version && w->begun_shut)
        return refuse_used(w, next);
    if (w->begun >= version)
        return refuse_content(w, "begun by a publish that was cut short", next);
    return 0;
}

/* The run's new version for this release. */
static int choose_version(struct plan_maker *m, struct plan_work *w,
                          const struct need *need)
{
    const uint32_t *others = m->plan->request.at_least;
    uint32_t latest = w->latest ? w->latest->version : 0;
    uint32_t highest = need->floor > w->highest ? need->floor : w->highest;

    if (w->match && w->match->version > latest &&
        w->match->version > need->floor) {
        w->out->version = w->match->version;
        return 0;
    }
    if (w->config->version) {
        w->out->version = w->config->version;
        return check_fixed(m, w, need);
    }
    if (highest >= VERSION_MAX)
        return diag_error_at(DIAG_CONFIG, w->config->version_mark,
                             "there is no version left above %lu for '%s'",
                             (unsigned long)highest, w->config->name.text);
    w->out->version = highest + 1;
    if (others && others[w->out->release] > w->out->version)
        w->out->version = others[w->out->release];
    return 0;
}

/* What is published for it, for a manifest of the same version. */
static void pick_published(struct plan_maker *m, struct plan_work *w,
                           uint32_t device, struct plan_pick *pick)
{
    const struct index_device *e = entry_of(m, device);
    const struct index_content *content =
        index_content_of(m->plan->request.index, e);
    const struct index_version *v = index_version(w->history, e->version);

    pick->version = e->version;
    pick->own = e->own != NULL;
    pick->reuse = content && content->payload_count ? content : NULL;
    if (v) {
        pick->label = v->label;
        pick->hardware = v->hardware;
        pick->ram = v->ram;
    }
    if (!m->left[device])
        return;
    pick->set = (uint32_t)w->tree->set_count;
    pick->source = content;
    pick->content = NULL;
}

static int pick_version(struct plan_maker *m, struct plan_work *w,
                        uint32_t device, struct plan_pick *pick)
{
    bool own = !w->force && w->tree->sets[pick->set].own, joining, apart;

    if (m->why[device] == PLAN_SAME || m->why[device] == PLAN_REFRESH) {
        pick_published(m, w, device, pick);
        return 0;
    }
    if (joins(m, w, device, &joining, &apart))
        return -1;
    if (w->force) {
        pick->set = (uint32_t)w->tree->set_count;
        pick->content = w->force;
        pick->source = w->join->shared;
    }
    pick->own = own || (joining && apart);
    pick->version = joining ? w->join->version : w->out->version;
    if (joining && !pick->own && w->join->shared->payload_count)
        pick->reuse = w->join->shared;
    return 0;
}

/* What is asked for, until it is known better. */
static struct plan_pick pick_asked(const struct plan_maker *m,
                                   const struct plan_work *w, uint32_t device)
{
    const struct plan_request *r = &m->plan->request;
    uint32_t set = r->tree->device_set[device];

    return (struct plan_pick){.set = set,
                              .content = &w->tree->sets[set],
                              .source = r->back ? r->back->content : NULL,
                              .label = plan_label(w->config),
                              .hardware = w->config->hardware,
                              .ram = w->config->ram};
}

/* Whether the device gets a manifest, or a group all the same. */
static bool is_added(const struct plan_maker *m, uint32_t device)
{
    const struct plan_request *r = &m->plan->request;

    if (m->why[device] != PLAN_SAME)
        return true;
    return r->all && !m->left[device];
}

static int add_devices(struct plan_maker *m, struct plan_work *w)
{
    const struct plan_request *r = &m->plan->request;

    for (uint32_t d = w->device_first; d < w->device_end; d++) {
        struct plan_pick pick;

        if (!r->config->devices[d].selected) {
            w->out->pending_count += m->why[d] != PLAN_SAME;
            continue;
        }
        w->out->same_count += m->why[d] == PLAN_SAME && !m->left[d];
        if (!is_added(m, d))
            continue;
        pick = pick_asked(m, w, d);
        if (pick_version(m, w, d, &pick) || plan_add_device(m, w, d, &pick))
            return -1;
    }
    return 0;
}

static int refuse_below(const struct plan_work *w, uint32_t highest)
{
    return diag_error_at(DIAG_CONFIG, w->config->version_mark,
                         "version %lu of '%s' is below %lu, which its devices "
                         "have: set 'version: %lu' (or 'version: auto')",
                         (unsigned long)w->config->version,
                         w->config->name.text, (unsigned long)highest,
                         (unsigned long)highest);
}

/* A number below the one that devices have, or would get, is not done. */
static int check_lowered(struct plan_maker *m, const struct plan_work *w)
{
    const struct config *c = m->plan->request.config;
    uint32_t highest = 0;

    for (uint32_t d = w->device_first; d < w->device_end; d++) {
        uint32_t version = m->why[d] == PLAN_SAME || m->why[d] == PLAN_REFRESH
                               ? plan_has(m, d)
                           : w->latest ? w->latest->version
                                       : 0;

        if (c->devices[d].selected && !m->left[d] && version > highest)
            highest = version;
    }
    return w->config->version && w->config->version < highest
               ? refuse_below(w, highest)
               : 0;
}

int plan_versions(struct plan_maker *m, struct plan_work *w)
{
    struct plan *p = m->plan;
    struct need need;

    w->out->group_first = (uint32_t)p->group_count;
    w->out->device_first = (uint32_t)p->device_count;
    if (find_need(m, w, &need) || (need.any && choose_version(m, w, &need)) ||
        check_lowered(m, w) || add_devices(m, w))
        return -1;
    for (size_t i = w->out->group_first; i < p->group_count; i++)
        if (plan_group_deletes(m, w, &p->groups[i]))
            return -1;
    return 0;
}
