/* A new base forgets what was published; devices do not.  What they were given
 * before, by the old index, by their manifests and by what this machine
 * remembers, is what new versions are above. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "plan_private.h"
#include "index/served.h"

enum { OTHERS = 4096 /* bytes of names of releases that are not listed */ };

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

/* The highest version of a release before, as far as it is known. */
static uint32_t old_version(const struct index_old *old, const char *name)
{
    const struct index_release *r =
        old->index ? index_release(old->index, name) : NULL;
    uint32_t version = old->above;

    if (r && r->version_count)
        raise_to(&version, r->versions[r->version_count - 1].version);
    for (size_t i = 0; old->index && i < old->index->intent_count; i++)
        if (strcmp(old->index->intents[i].release, name) == 0)
            raise_to(&version, old->index->intents[i].version);
    return version;
}

void plan_find_old_highest(struct plan_maker *m)
{
    const struct index_old *old = m->plan->request.old;

    for (size_t i = 0; old && i < m->work_count; i++)
        raise_to(&m->works[i].highest,
                 old_version(old, m->works[i].config->name.text));
}

/* -- numbers that are passed later ------------------------------------------
 */

/* Notes that what a release gets has to be above `version`, unless it is. */
static int keep_used(struct plan_maker *m, const char *release,
                     uint32_t version)
{
    struct plan *p = m->plan;
    const struct plan_work *w = plan_find_work(m, release);
    size_t i = 0;

    if (!version || (w && w->out->version >= version) ||
        (w && w->out->before >= version))
        return 0;
    while (i < p->intent_count && strcmp(p->intents[i].release, release) != 0)
        i++;
    if (i == p->intent_count) {
        if (array_grow(&p->intents, i, &m->intent_room, sizeof *p->intents))
            return -1;
        p->intents[p->intent_count++] =
            (struct index_intent){.release = release};
    }
    if (p->intents[i].version < version)
        p->intents[i] =
            (struct index_intent){.release = release, .version = version};
    return 0;
}

static int keep_listed(struct plan_maker *m)
{
    const struct plan_request *r = &m->plan->request;
    const struct config *c = r->config;
    uint32_t d = 0;

    for (size_t i = 0; i < c->release_count; i++) {
        const char *name = c->releases[i].name.text;
        uint32_t version = old_version(r->old, name);

        for (; d < c->device_count && c->devices[d].release == i; d++)
            raise_to(&version, m->floors[d]);
        if (keep_used(m, name, version))
            return -1;
    }
    return 0;
}

/* What is not listed now may come back.  A head has room for as many as a fleet
 * has as a rule: the others count as new then. */
static int keep_others(struct plan_maker *m)
{
    const struct index_old *old = m->plan->request.old;
    const struct index *x = old->index;
    size_t room = OTHERS;

    for (size_t i = 0; x && i < index_release_count(x); i++) {
        const char *name = index_release_at(x, i)->name;

        if (strlen(name) > room)
            break;
        room -= strlen(name);
        if (keep_used(m, name, old_version(old, name)))
            return -1;
    }
    for (size_t i = 0; x && i < index_device_count(x); i++) {
        const struct index_device *e = index_device_at(x, i);
        const struct index_release *r = index_release(x, e->release);

        if ((!r->version_count ||
             e->version > r->versions[r->version_count - 1].version) &&
            keep_used(m, e->release, e->version))
            return -1;
    }
    return 0;
}

int plan_keep_used(struct plan_maker *m)
{
    if (!m->plan->request.old)
        return 0;
    return keep_listed(m) || keep_others(m) ? -1 : 0;
}
