/* What the files that make a plan ask about its releases and devices. */
#include <stdlib.h>
#include <string.h>

#include "plan_private.h"
#include "bundle/format.h"
#include "index/served.h"

const char *plan_label(const struct config_release *c)
{
    return c->label.text ? c->label.text : "";
}

static int compare_names(const struct plan_maker *m, uint32_t a,
                         const char *name)
{
    return strcmp(m->works[a].config->name.text, name);
}

struct plan_work *plan_find_work(const struct plan_maker *m, const char *name)
{
    size_t low = 0, high = m->work_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare_names(m, m->by_name[mid], name);

        if (order == 0)
            return &m->works[m->by_name[mid]];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
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

bool plan_settings_same(const struct config_release *c,
                        const struct index_version *v)
{
    return v->hardware == c->hardware && v->ram == c->ram && v->flags == 0;
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

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, OTA_HASH);
}

bool plan_is_lost(const struct plan_lost *lost, const struct index_content *c)
{
    for (unsigned i = 0; lost && lost->count && c && i < c->payload_count; i++)
        if (bsearch(c->payloads[i].link + LINK_HASH, lost->names, lost->count,
                    OTA_HASH, by_name))
            return true;
    return false;
}

uint64_t plan_refresh_time(uint64_t created, uint64_t expires)
{
    if (!expires)
        return 0;
    return expires > created ? expires - (expires - created) / 3 : expires;
}

int plan_read_manifest(const struct plan_request *r, const struct device_id *id,
                       struct ota_manifest *m, uint8_t **bytes, bool *good)
{
    int error;

    if (served_manifest(r->store, r->key, id, 0, m, bytes, &error))
        return -1;
    *good = error == OTA_OK;
    return 0;
}
