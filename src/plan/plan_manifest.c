/* Manifests read back: what an interrupted publish got done, and whether the
 * index is older than what devices were given. */
#include <stdlib.h>
#include <string.h>

#include "plan_private.h"
#include "index/served.h"

enum {
    HOPELESS = 20, /* so many that cannot be read are the server's fault */
    SAMPLE = 100   /* where nothing is open: ota-publish(7), Steps 4 */
};

int plan_read_manifest(const struct plan_request *r, const struct device_id *id,
                       struct ota_manifest *m, uint8_t **bytes, bool *good)
{
    int error;

    if (served_manifest(r->store, r->key, id, 0, m, bytes, &error))
        return -1;
    *good = error == OTA_OK;
    return 0;
}

static bool has_wanted(const struct plan_maker *maker, uint32_t device,
                       const struct ota_manifest *m)
{
    const struct plan_request *r = &maker->plan->request;
    const struct device *d = &r->config->devices[device];
    const struct plan_work *w =
        plan_find_work(maker, r->config->releases[d->release].name.text);
    const struct config_release *c = w ? w->config : NULL;
    const struct tree_set *set;
    struct payload_shape shape;
    struct ota_alternative a;

    if (!c || payload_shape(c->ram, &shape))
        return false;
    set = w->force ? w->force : &w->tree->sets[r->tree->device_set[device]];
    ota_manifest_alternative(m, m->alternatives - 1u, &a);
    return memcmp(m->release, set->digest, OTA_DIGEST) == 0 &&
           m->hardware == c->hardware && m->flags == 0 &&
           strcmp(m->label, plan_label(c)) == 0 &&
           a.window_bits == shape.window_bits && a.chunk_max <= shape.chunk_max;
}

static int refuse_old_index(const struct plan_maker *m,
                            const struct device_id *id, uint32_t has,
                            uint32_t version)
{
    char text[DEVICE_TEXT];

    device_id_text(id, text);
    return diag_error(DIAG_SERVER,
                      "the index in '%s' is older than its manifests: '%s' was "
                      "given version %lu, the index says %lu; " INDEX_OLD_CURE,
                      m->plan->request.store->where, text,
                      (unsigned long)version, (unsigned long)has);
}

static int refuse_no_index(const struct plan_maker *m)
{
    return diag_error(DIAG_SERVER,
                      "'%s' has manifests of devices and no index: " INDEX_CURE,
                      m->plan->request.store->where);
}

/* One device that cannot be read is no reason to leave the others alone; all
 * of the first ones are. */
static int look_failed(struct plan_maker *m, uint32_t device)
{
    const struct config *c = m->plan->request.config;

    if (++m->unread_count == HOPELESS)
        return -1;
    if (device != PLAN_NONE)
        m->unread[device] = true;
    if (device == PLAN_NONE || !c->devices[device].selected ||
        m->why[device] == PLAN_SAME)
        m->unsure = true;
    return 0;
}

static int add_truth(struct plan_maker *m, const struct device_id *id,
                     uint32_t device, const struct ota_manifest *manifest)
{
    struct ota_alternative a;
    struct plan_truth *t;

    if (plan_grow(&m->truths, m->truth_count, &m->truth_room,
                  sizeof *m->truths))
        return -1;
    t = &m->truths[m->truth_count++];
    *t = (struct plan_truth){.found = {.id = *id,
                                       .device = device,
                                       .version = manifest->version,
                                       .created = manifest->created,
                                       .expires = manifest->expires}};
    memcpy(t->found.digest, manifest->release, OTA_DIGEST);
    ota_manifest_alternative(manifest, manifest->alternatives - 1u, &a);
    memcpy(t->link, a.link, OTA_LINK);
    t->wanted = device != PLAN_NONE && has_wanted(m, device, manifest);
    return 0;
}

/* Where there is doubt, an equal number may stand for other content, too. */
static bool is_news(const struct plan_maker *m, const struct index_device *e,
                    const struct ota_manifest *manifest)
{
    uint32_t has = e ? e->version : 0;

    return manifest->version > has ||
           (m->doubt && e && manifest->version == has && !index_withdrawn(e) &&
            memcmp(manifest->release, e->digest, OTA_DIGEST) != 0);
}

/* What the entry says of a device is not there, or something older is: it is
 * written again. */
static void note_behind(struct plan_maker *m, const struct index_device *e,
                        uint32_t device, const struct ota_manifest *manifest)
{
    if (m->doubt && e && device != PLAN_NONE && m->why[device] == PLAN_SAME &&
        (!manifest || manifest->version < e->version))
        m->why[device] = PLAN_REFRESH;
}

/* device PLAN_NONE: one that is not listed.  A device without an entry is no
 * sign of an old index: one that only a cut publish knew looks the same. */
static int look(struct plan_maker *m, const struct device_id *id,
                uint32_t device)
{
    const struct plan_request *r = &m->plan->request;
    const struct index_device *e = index_device(r->index, id);
    struct ota_manifest manifest;
    uint8_t *bytes = NULL;
    int result = 0;
    bool good;

    if (plan_read_manifest(r, id, &manifest, &bytes, &good))
        return look_failed(m, device);
    if (bytes && !r->index->exists)
        result = refuse_no_index(m);
    else if (!good || !is_news(m, e, &manifest))
        note_behind(m, e, device, good ? &manifest : NULL);
    else if (e && !m->open && !m->doubt && manifest.version > m->burnt)
        result = refuse_old_index(m, id, e->version, manifest.version);
    else
        result = add_truth(m, id, device, &manifest);
    free(bytes);
    return result;
}

/* An interrupted publish may have been about any device: it may have moved
 * one to a release that it is no longer in.  But it gave none a version that
 * is not above the one before. */
static bool may_be_news(const struct plan_maker *m, const struct device_id *id)
{
    const struct index_device *e = index_device(m->plan->request.index, id);

    return m->doubt || (m->open && (!e || e->version < m->open));
}

/* Devices that are looked at together: each takes a round trip. */
struct window {
    size_t count;
    uint32_t devices[STORE_AHEAD]; /* or PLAN_NONE */
    const struct device_id *ids[STORE_AHEAD];
};

static int look_window(struct plan_maker *m, struct window *w)
{
    for (size_t i = 0; i < w->count; i++)
        served_manifest_ahead(m->plan->request.store, w->ids[i]);
    for (size_t i = 0; i < w->count; i++)
        if (look(m, w->ids[i], w->devices[i]))
            return -1;
    w->count = 0;
    return 0;
}

static int add_to(struct plan_maker *m, struct window *w,
                  const struct device_id *id, uint32_t device)
{
    w->ids[w->count] = id;
    w->devices[w->count++] = device;
    return w->count == STORE_AHEAD ? look_window(m, w) : 0;
}

/* Whether the device is one to look at.  Where there is no index, a sample of
 * all: it may be gone, and those about to change may have come since. */
static bool is_of_interest(const struct plan_maker *m, uint32_t d)
{
    const struct plan_request *r = &m->plan->request;
    const struct device *device = &r->config->devices[d];

    if (!r->index->exists && !r->index->intent_count)
        return d % (r->config->device_count / SAMPLE + 1) == 0;
    return (device->selected && m->why[d] != PLAN_SAME) ||
           may_be_news(m, &device->id);
}

/* Where nothing is open or in doubt, a sample of what is about to change. */
static int look_listed(struct plan_maker *m, struct window *w)
{
    const struct config *c = m->plan->request.config;
    unsigned budget = SAMPLE;

    for (uint32_t d = 0; d < c->device_count; d++) {
        if (!is_of_interest(m, d))
            continue;
        if (!m->open && !m->doubt && !budget--)
            break;
        if (add_to(m, w, &c->devices[d].id, d))
            return -1;
    }
    return look_window(m, w);
}

static int look_not_listed(struct plan_maker *m, struct window *w)
{
    const struct plan *p = m->plan;

    for (size_t i = 0; i < p->not_listed_count; i++) {
        const struct device_id *id = &p->not_listed[i]->id;

        if (may_be_news(m, id) && add_to(m, w, id, PLAN_NONE))
            return -1;
    }
    return look_window(m, w);
}

static int by_id(const void *a, const void *b)
{
    const struct plan_truth *x = a, *y = b;

    return device_id_compare(&x->found.id, &y->found.id);
}

int plan_read_manifests(struct plan_maker *m)
{
    const struct plan_request *r = &m->plan->request;
    struct window window = {0};

    if (r->new_base)
        return plan_read_floors(m);
    if (!r->store)
        return 0;
    if (look_listed(m, &window) || look_not_listed(m, &window))
        return -1;
    if (!m->truth_count)
        return 0;
    if (plan_read_contents(m))
        return -1;
    qsort(m->truths, m->truth_count, sizeof *m->truths, by_id);
    for (size_t i = 0; i < m->work_count; i++) {
        struct plan_work *w = &m->works[i];

        for (uint32_t d = w->device_first; d < w->device_end; d++)
            if ((m->why[d] == PLAN_SAME || m->why[d] == PLAN_REFRESH) &&
                plan_find_truth(m, &r->config->devices[d].id))
                m->why[d] = m->left[d] ? PLAN_SAME : PLAN_CHANGED;
    }
    return 0;
}
