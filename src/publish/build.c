/* Each payload once, packed or taken from the server, then a file a device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "build.h"
#include "bundle/crypto.h"
#include "bundle/format.h"
#include "pack/sign.h"

enum { BATCH = 64 }; /* manifests signed at once */

/* Whether the bytes are those that the alternative names: format.md, Payload.
 */
static bool chain_is_whole(const struct ota_alternative *a,
                           const uint8_t *bytes, size_t len)
{
    uint8_t link[OTA_LINK], hash[OTA_HASH];
    struct ota_hash h;
    size_t n;

    if (len != a->size)
        return false;
    memcpy(link, a->link, OTA_LINK);
    while ((n = get16(link) & LINK_LENGTH) != 0) {
        if (n < OTA_CHUNK_MIN || n > a->chunk_max || n > len)
            return false;
        ota_hash_init(&h);
        ota_hash_update(&h, bytes, n);
        ota_hash_final(&h, hash, OTA_HASH);
        if (memcmp(hash, link + LINK_HASH, OTA_HASH) != 0)
            return false;
        memcpy(link, bytes + n - OTA_LINK, OTA_LINK);
        bytes += n;
        len -= n;
    }
    return len == 0;
}

/* 1: taken from the store, 0: it is not there or not whole, -1: failed. */
static int take_payload(struct store *s, const struct index_content *c,
                        struct payload *out)
{
    char hex[PAYLOAD_NAME], name[96];
    size_t len = 0;
    int result;

    if (!s || !c)
        return 0;
    out->alt = c->payloads[c->payload_count - 1];
    payload_name(&out->alt, hex);
    snprintf(name, sizeof name, "payloads/%.2s/%s", hex, hex);
    result = s->ops->get(s, name, out->alt.size, &out->bytes, &len);
    if (result)
        return result < 0 ? -1 : 0;
    if (chain_is_whole(&out->alt, out->bytes, len))
        return 1;
    payload_release(out);
    return 0;
}

static int get_payload(const struct build_options *o,
                       const struct plan_group *g, struct payload *out)
{
    const struct plan_request *r = &o->plan->request;
    const struct config_release *c = &r->config->releases[g->release];
    struct payload_shape shape;
    int taken = take_payload(r->store, g->reuse, out);

    if (taken)
        return taken < 0 ? -1 : 0;
    if (payload_shape(c->ram, &shape))
        return diag_error_at(DIAG_CONFIG, c->ram_mark,
                             "'ram' is too small: the least is %lu bytes",
                             (unsigned long)payload_least_ram());
    return payload_pack(&r->tree->releases[g->release].sets[g->set], g->deletes,
                        g->delete_count, shape, o->jobs, out);
}

static bool reads(FILE *f, const uint8_t *want, size_t len)
{
    uint8_t buf[16384];

    while (len) {
        size_t n = len < sizeof buf ? len : sizeof buf;

        if (fread(buf, 1, n, f) != n || memcmp(buf, want, n) != 0)
            return false;
        want += n;
        len -= n;
    }
    return true;
}

static bool is_up_to_date(const char *path, const struct sign_manifest *m,
                          const struct payload *p)
{
    FILE *f = fopen(path, "rb");
    bool same;

    if (!f)
        return false;
    same = reads(f, m->bytes, m->len) && reads(f, p->bytes, p->alt.size) &&
           getc(f) == EOF;
    fclose(f);
    return same;
}

static int write_device(const struct build_options *o, uint32_t version,
                        const struct sign_manifest *manifest,
                        const struct payload *payload,
                        const struct device_id *id, struct build_result *result)
{
    size_t len = strlen(o->folder) + 64;
    char hex[DEVICE_HEX], *path = malloc(len);
    int failed = 0;

    if (!path)
        return diag_no_memory();
    device_id_hex(id, hex);
    snprintf(path, len, "%s/%s/%lu.otab", o->folder, hex,
             (unsigned long)version);
    if (is_up_to_date(path, manifest, payload)) {
        result->same++;
    } else {
        failed = sign_write_otab(path, manifest, payload);
        result->written += failed == 0;
    }
    free(path);
    return failed;
}

static void fill_batch(const struct plan *p, const struct plan_group *g,
                       const struct ota_alternative *a, struct sign_batch *b)
{
    const struct plan_request *r = &p->request;
    const struct plan_release *release = p->releases;
    const struct tree_set *set = &r->tree->releases[g->release].sets[g->set];

    while (release->release != g->release)
        release++;
    *b = (struct sign_batch){
        .manifest = {.alternatives = 1,
                     .hardware = r->config->releases[g->release].hardware,
                     .version = g->version,
                     .created = release->created,
                     .expires = release->expires},
        .alternatives = a};
    memcpy(b->manifest.release, set->digest, OTA_DIGEST);
    memcpy(b->manifest.label, g->label, sizeof b->manifest.label);
}

static bool stopped(const struct build_options *o)
{
    if (!o->stop || !*o->stop)
        return false;
    diag_error(DIAG_FAILED,
               "stopped: the bundles in '%s' are whole, others "
               "are not there yet",
               o->folder);
    return true;
}

/* Signs and writes all devices of a group, BATCH at once. */
static int write_group(const struct build_options *o,
                       const struct plan_group *g,
                       const struct payload *payload,
                       struct sign_manifest *manifests,
                       struct build_result *result)
{
    const struct plan *p = o->plan;
    const struct device_id *ids[BATCH];
    uint32_t next = g->first;
    struct sign_batch batch;
    size_t count;

    fill_batch(p, g, &payload->alt, &batch);
    while (next != PLAN_NONE) {
        for (count = 0; next != PLAN_NONE && count < BATCH;
             next = p->devices[next].next)
            ids[count++] =
                &p->request.config->devices[p->devices[next].device].id;
        if (stopped(o) ||
            sign_manifests(o->signer, &batch, ids, count, manifests))
            return -1;
        for (size_t i = 0; i < count; i++)
            if (stopped(o) || write_device(o, g->version, &manifests[i],
                                           payload, ids[i], result))
                return -1;
    }
    return 0;
}

static int build_group(const struct build_options *o,
                       const struct plan_group *g, struct build_result *result)
{
    struct sign_manifest *manifests;
    struct payload payload = {0};
    int failed;

    if (stopped(o))
        return -1;
    manifests = malloc(BATCH * sizeof *manifests);
    if (!manifests)
        return diag_no_memory();
    failed = get_payload(o, g, &payload) ||
             write_group(o, g, &payload, manifests, result);
    payload_release(&payload);
    free(manifests);
    return failed ? -1 : 0;
}

int build_run(const struct build_options *options, struct build_result *result)
{
    *result = (struct build_result){0};
    for (size_t i = 0; i < options->plan->group_count; i++)
        if (build_group(options, &options->plan->groups[i], result))
            return -1;
    return 0;
}
