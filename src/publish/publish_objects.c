/* Payloads and manifests onto the server. */
#include <stdlib.h>
#include <string.h>

#include "group.h"
#include "bundle/format.h"
#include "index/served.h"
#include "publish_private.h"
#include "store/each.h"

enum { BATCH = 256 /* manifests signed at once */ };

/* By content, where that takes no time: store_ops.ahead. */
static int is_whole(struct store *s, const struct ota_alternative *a)
{
    uint8_t *bytes;
    int result = served_payload(s, a, &bytes);

    if (!result)
        result = bytes && served_is_whole(a, bytes);
    free(bytes);
    return result;
}

/* 1: there with the right size (in a folder: the right bytes), 0: not, -1:
 * failed. */
static int is_there(struct store *s, const struct ota_alternative *a)
{
    char name[OBJECT_NAME];
    uint64_t size;
    int result;

    object_payload(a->link + LINK_HASH, name);
    result = s->ops->size(s, name, &size);
    if (result)
        return result < 0 ? -1 : 0;
    return size != a->size ? 0 : s->ops->ahead ? 1 : is_whole(s, a);
}

static int put_payload(struct publish *p, const struct payload *payload)
{
    struct store *s = p->s->store;
    char name[OBJECT_NAME];
    int there = is_there(s, &payload->alt);

    if (there)
        return there < 0 ? -1 : 0;
    object_payload(payload->alt.link + LINK_HASH, name);
    if (s->ops->put(s, name, payload->bytes, payload->alt.size, STORE_PAYLOAD))
        return -1;
    meter_count(p->s->meter, 0, payload->alt.size);
    p->result->payloads++;
    p->result->payload_bytes += payload->alt.size;
    return 0;
}

static int pack_payload(struct publish *p, struct plan_group *g,
                        struct payload_cache *cache)
{
    struct payload payload = {0};
    int result;

    if (group_pack(&p->plan, g, p->o->jobs, cache, &payload))
        return -1;
    g->alternative = payload.alt;
    result = put_payload(p, &payload);
    payload_release(&payload);
    return result;
}

/* A version keeps the payload that it was published with, whatever another
 * zlib would make of the same files, as long as it is there. */
static int get_payload(struct publish *p, struct plan_group *g,
                       struct payload_cache *cache)
{
    const struct index_content *c = g->reuse;
    int there;

    if (!c)
        return pack_payload(p, g, cache);
    g->alternative = c->payloads[c->payload_count - 1];
    there = is_there(p->s->store, &g->alternative);
    if (there)
        return there < 0 ? -1 : 0;
    return pack_payload(p, g, cache);
}

/* As far as it is known before: what is reused is there as a rule. */
static uint64_t bytes_to_pack(const struct publish *p)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < p->plan.group_count; i++) {
        const struct plan_group *g = &p->plan.groups[i];

        if (!g->reuse)
            bytes += p->o->tree->releases[g->release].sets[g->set].bytes;
    }
    return bytes;
}

int publish_payloads(struct publish *p)
{
    struct payload_cache *cache = payload_cache_new();
    int result = cache ? 0 : -1;

    meter_pack(p->s->meter, bytes_to_pack(p));

    for (size_t i = 0; i < p->plan.group_count && !result; i++)
        if (publish_stopped(p) || get_payload(p, &p->plan.groups[i], cache))
            result = -1;
    payload_cache_free(cache);
    meter_pack(p->s->meter, 0);
    return result || p->s->store->ops->flush(p->s->store) ? -1 : 0;
}

/* Manifests that are signed together, whatever groups they are of. */
struct batch {
    size_t count;
    uint32_t places[BATCH]; /* in plan.devices */
    struct sign_request requests[BATCH];
    struct sign_manifest manifests[BATCH];
};

static void written(struct publish *p, struct plan_device *d, bool ok)
{
    d->done = ok;
    p->result->written += ok;
    p->in_row = ok ? 0 : p->in_row + 1;
    meter_count(p->s->meter, 1, 0);
}

static void put_manifest(struct publish *p, struct plan_device *d,
                         const struct sign_manifest *m)
{
    struct store *s = p->s->store;
    char name[OBJECT_NAME];

    object_manifest(&p->o->config->devices[d->device].id, name);
    meter_count(p->s->meter, 0, m->len);
    written(p, d,
            s->ops->put(s, name, m->bytes, m->len,
                        d->why == PLAN_NEW ? STORE_FIRST : STORE_MANIFEST) ==
                0);
}

/* All are signed before it is asked whether nobody else has published: a person
 * at a smart card takes half a minute.  0, 1: it is hopeless, or -1 (reported):
 * not all were tried. */
static int put_batch(struct publish *p, struct batch *b)
{
    if (publish_stopped(p) ||
        sign_manifests(p->s->signer, b->requests, b->count, b->manifests) ||
        index_confirm(p->s->index, p->s->store))
        return -1;
    for (size_t i = 0; i < b->count; i++) {
        if (publish_stopped(p))
            return -1;
        put_manifest(p, &p->plan.devices[b->places[i]], &b->manifests[i]);
        if (p->in_row == STORE_HOPELESS)
            return 1;
    }
    b->count = 0;
    return 0;
}

static int put_devices(struct publish *p, struct batch *b)
{
    const struct plan *plan = &p->plan;
    int result = 0;

    for (uint32_t i = 0; i < plan->device_count && !result; i++) {
        const struct plan_device *d = &plan->devices[i];

        if (d->unread)
            continue;
        b->places[b->count] = i;
        group_request(plan, d, &plan->groups[d->group].alternative,
                      &b->requests[b->count++]);
        if (b->count == BATCH)
            result = put_batch(p, b);
    }
    return result || b->count == 0 ? result : put_batch(p, b);
}

/* Called by the store for what turns out to have failed after its put. */
static void put_failed(void *ctx, const char *name)
{
    struct publish *p = ctx;
    char object[OBJECT_NAME];

    for (size_t i = 0; i < p->plan.device_count; i++) {
        struct plan_device *d = &p->plan.devices[i];

        object_manifest(&p->o->config->devices[d->device].id, object);
        if (!d->done || strcmp(name, object) != 0)
            continue;
        d->done = false;
        p->result->written--;
        p->lost++;
    }
}

int publish_manifests(struct publish *p)
{
    struct batch *b = malloc(sizeof *b);
    struct store *s = p->s->store;
    int result;

    if (!b)
        return diag_no_memory();
    b->count = 0;
    s->failed = put_failed;
    s->failed_ctx = p;
    result = put_devices(p, b);
    free(b);
    if (s->ops->flush(s) && !p->lost)
        result = -1;
    s->failed = NULL;
    /* What was cut is no failure of the server's. */
    return result < 0 || (p->lost && publish_stopped(p)) ? -1 : 0;
}
