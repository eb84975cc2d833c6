/* Payloads and manifests onto the server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pack/sign.h"
#include "publish_private.h"

enum {
    BATCH = 256,   /* manifests signed at once */
    HOPELESS = 20, /* so many failures in a row are the server's, not theirs */
    OBJECT_NAME = 96
};

static void payload_object(const struct ota_alternative *a,
                           char out[OBJECT_NAME])
{
    char name[PAYLOAD_NAME];

    payload_name(a, name);
    snprintf(out, OBJECT_NAME, "payloads/%.2s/%s", name, name);
}

/* 1: there with the right size, 0: not, -1: failed. */
static int is_there(struct store *s, const struct ota_alternative *a)
{
    char name[OBJECT_NAME];
    uint64_t size;
    int result;

    payload_object(a, name);
    result = s->ops->size(s, name, &size);
    if (result)
        return result < 0 ? -1 : 0;
    return size == a->size;
}

static int put_payload(struct publish *p, const struct payload *payload)
{
    struct store *s = p->o->store;
    char name[OBJECT_NAME];
    int there = is_there(s, &payload->alt);

    if (there)
        return there < 0 ? -1 : 0;
    payload_object(&payload->alt, name);
    if (s->ops->put(s, name, payload->bytes, payload->alt.size, STORE_PAYLOAD))
        return -1;
    p->result->payloads++;
    p->result->payload_bytes += payload->alt.size;
    return 0;
}

static int pack_payload(struct publish *p, struct plan_group *g)
{
    const struct config_release *c = &p->o->config->releases[g->release];
    const struct tree_set *set = &p->o->tree->releases[g->release].sets[g->set];
    struct payload_shape shape;
    struct payload payload = {0};
    int result;

    if (payload_shape(c->ram, &shape))
        return diag_error_at(DIAG_CONFIG, c->ram_mark,
                             "'ram' is too small: the least is %lu bytes",
                             (unsigned long)payload_least_ram());
    if (payload_pack(set, g->deletes, g->delete_count, shape, p->o->jobs,
                     &payload))
        return -1;
    g->alternative = payload.alt;
    result = put_payload(p, &payload);
    payload_release(&payload);
    return result;
}

/* A version keeps the payload that it was published with, whatever another
 * zlib would make of the same files, as long as it is there. */
static int get_payload(struct publish *p, struct plan_group *g)
{
    const struct index_content *c = g->reuse;
    int there;

    if (!c)
        return pack_payload(p, g);
    g->alternative = c->payloads[c->payload_count - 1];
    there = is_there(p->o->store, &g->alternative);
    if (there)
        return there < 0 ? -1 : 0;
    return pack_payload(p, g);
}

int publish_payloads(struct publish *p)
{
    for (size_t i = 0; i < p->plan.group_count; i++)
        if (publish_stopped(p) || get_payload(p, &p->plan.groups[i]))
            return -1;
    return 0;
}

/* The devices of a group from *next on, at most BATCH: returns how many. */
static size_t next_batch(const struct publish *p, uint32_t *next,
                         uint32_t places[BATCH],
                         const struct device_id *ids[BATCH])
{
    const struct plan_device *devices = p->plan.devices;
    size_t count = 0;

    for (; *next != PLAN_NONE && count < BATCH; *next = devices[*next].next) {
        if (devices[*next].unread)
            continue;
        places[count] = *next;
        ids[count++] = &p->o->config->devices[devices[*next].device].id;
    }
    return count;
}

static void written(struct publish *p, struct plan_device *d, bool ok)
{
    d->done = ok;
    p->result->written += ok;
    p->in_row = ok ? 0 : p->in_row + 1;
    p->tried++;
    if (p->o->progress)
        p->o->progress(p->o->ctx, p->tried, p->total);
}

static void put_manifest(struct publish *p, struct plan_device *d,
                         const struct device_id *id,
                         const struct sign_manifest *m)
{
    struct store *s = p->o->store;
    char name[OBJECT_NAME], hex[DEVICE_HEX];

    device_id_hex(id, hex);
    snprintf(name, sizeof name, "devices/%s/manifest", hex);
    written(p, d, s->ops->put(s, name, m->bytes, m->len, STORE_MANIFEST) == 0);
}

static const struct plan_release *release_of(const struct plan *p,
                                             const struct plan_group *g)
{
    const struct plan_release *r = p->releases;

    while (r->release != g->release)
        r++;
    return r;
}

static void fill_batch(const struct publish *p, const struct plan_group *g,
                       struct sign_batch *b)
{
    const struct plan_release *r = release_of(&p->plan, g);
    const struct tree_set *set = &p->o->tree->releases[g->release].sets[g->set];

    *b = (struct sign_batch){
        .manifest = {.alternatives = 1,
                     .hardware = p->o->config->releases[g->release].hardware,
                     .version = g->version,
                     .created = r->created,
                     .expires = r->expires},
        .alternatives = &g->alternative};
    memcpy(b->manifest.release, set->digest, OTA_DIGEST);
    memcpy(b->manifest.label, g->label, sizeof b->manifest.label);
}

/* 0, 1: it is hopeless, or -1 (reported): not all were tried. */
static int put_group(struct publish *p, const struct plan_group *g,
                     struct sign_manifest *manifests)
{
    const struct device_id *ids[BATCH];
    uint32_t places[BATCH], next = g->first;
    struct sign_batch batch;
    size_t count;

    fill_batch(p, g, &batch);
    while ((count = next_batch(p, &next, places, ids)) > 0) {
        if (publish_stopped(p) ||
            sign_manifests(p->o->signer, &batch, ids, count, manifests))
            return -1;
        for (size_t i = 0; i < count; i++) {
            if (publish_stopped(p))
                return -1;
            put_manifest(p, &p->plan.devices[places[i]], ids[i], &manifests[i]);
            if (p->in_row == HOPELESS)
                return 1;
        }
    }
    return 0;
}

/* Called by the store for what turns out to have failed after its put. */
static void put_failed(void *ctx, const char *name)
{
    struct publish *p = ctx;
    char hex[DEVICE_HEX], object[OBJECT_NAME];

    for (size_t i = 0; i < p->plan.device_count; i++) {
        struct plan_device *d = &p->plan.devices[i];

        device_id_hex(&p->o->config->devices[d->device].id, hex);
        snprintf(object, sizeof object, "devices/%s/manifest", hex);
        if (!d->done || strcmp(name, object) != 0)
            continue;
        d->done = false;
        p->result->written--;
        p->lost++;
    }
}

int publish_manifests(struct publish *p)
{
    struct sign_manifest *manifests = malloc(BATCH * sizeof *manifests);
    struct store *s = p->o->store;
    int result = 0;

    if (!manifests)
        return diag_no_memory();
    s->failed = put_failed;
    s->failed_ctx = p;
    for (size_t i = 0; i < p->plan.group_count && !result; i++)
        result = put_group(p, &p->plan.groups[i], manifests);
    free(manifests);
    if (s->ops->flush(s) && !p->lost)
        result = -1;
    s->failed = NULL;
    return result < 0 ? -1 : 0;
}
