/* Each payload once, packed or taken from the server, then a file a device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "build.h"
#include "group.h"
#include "index/served.h"

enum {
    BATCH = 256,    /* bundles signed at once; */
    HELD = 16 << 20 /* fewer where their payloads are longer than this */
};

/* 1: taken from the store, 0: it is not there or not whole, -1: failed. */
static int take_payload(struct store *s, const struct index_content *c,
                        struct payload *out)
{
    if (!s || !c)
        return 0;
    out->alt = c->payloads[c->payload_count - 1];
    if (served_payload(s, &out->alt, &out->bytes))
        return -1;
    if (out->bytes && served_is_whole(&out->alt, out->bytes))
        return 1;
    payload_release(out);
    return 0;
}

static int get_payload(const struct build_options *o,
                       const struct plan_group *g, struct payload_cache *cache,
                       struct payload *out)
{
    int taken = take_payload(o->plan->request.store, g->reuse, out);

    if (taken)
        return taken < 0 ? -1 : 0;
    return group_pack(o->plan, g, o->jobs, cache, out);
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

static int write_device(const struct build_options *o,
                        const struct sign_request *request,
                        const struct sign_manifest *manifest,
                        const struct payload *payload,
                        struct build_result *result)
{
    size_t len = strlen(o->folder) + 64;
    char hex[DEVICE_HEX], *path = malloc(len);
    int failed = 0;

    if (!path)
        return diag_no_memory();
    device_id_hex(request->id, hex);
    snprintf(path, len, "%s/%s/%lu.otab", o->folder, hex,
             (unsigned long)request->manifest.version);
    if (is_up_to_date(path, manifest, payload)) {
        result->same++;
    } else {
        failed = sign_write_otab(path, manifest, payload);
        result->written += failed == 0;
    }
    free(path);
    return failed;
}

static bool stopped(const struct build_options *o)
{
    if (!o->stop || !*o->stop)
        return false;
    diag_error(DIAG_FAILED,
               "stopped: the bundles in '%s' are whole, the others are not "
               "written yet",
               o->folder);
    return true;
}

/* Bundles that are signed together, and then written. */
struct batch {
    size_t count, payload_count;
    uint64_t held; /* bytes of the payloads */
    struct payload payloads[BATCH];
    uint16_t payload_of[BATCH];
    struct sign_request requests[BATCH];
    struct sign_manifest manifests[BATCH];
    struct payload_cache *cache;
};

static int write_batch(const struct build_options *o, struct batch *b,
                       struct build_result *result)
{
    if (stopped(o) ||
        sign_manifests(o->signer, b->requests, b->count, b->manifests))
        return -1;
    for (size_t i = 0; i < b->count; i++)
        if (stopped(o) || write_device(o, &b->requests[i], &b->manifests[i],
                                       &b->payloads[b->payload_of[i]], result))
            return -1;
    b->count = 0;
    return 0;
}

/* All payloads, or all but the last. */
static void drop_payloads(struct batch *b, bool all)
{
    struct payload last = {0};

    if (!all)
        last = b->payloads[--b->payload_count];
    while (b->payload_count)
        payload_release(&b->payloads[--b->payload_count]);
    if (!all)
        b->payloads[b->payload_count++] = last;
    b->held = last.alt.size;
}

static int add_payload(const struct build_options *o,
                       const struct plan_group *g, struct batch *b)
{
    struct payload payload = {0};

    if (get_payload(o, g, b->cache, &payload)) {
        payload_release(&payload);
        stopped(o);
        return -1;
    }
    b->payloads[b->payload_count++] = payload;
    b->held += payload.alt.size;
    return 0;
}

/* Leaves room in the batch for another group. */
static int build_group(const struct build_options *o,
                       const struct plan_group *g, struct batch *b,
                       struct build_result *result)
{
    const struct plan *p = o->plan;

    if (stopped(o) || add_payload(o, g, b))
        return -1;
    for (uint32_t i = g->first; i != PLAN_NONE; i = p->devices[i].next) {
        if (b->count == BATCH) {
            if (write_batch(o, b, result))
                return -1;
            drop_payloads(b, false);
        }
        b->payload_of[b->count] = (uint16_t)(b->payload_count - 1);
        group_request(p, &p->devices[i], &b->payloads[b->payload_count - 1].alt,
                      &b->requests[b->count++]);
    }
    if (b->count < BATCH && b->held < HELD)
        return 0;
    if (write_batch(o, b, result))
        return -1;
    drop_payloads(b, true);
    return 0;
}

int build_run(const struct build_options *options, struct build_result *result)
{
    const struct plan *p = options->plan;
    struct batch *b = calloc(1, sizeof *b);
    int failed = 0;

    *result = (struct build_result){0};
    if (!b)
        return diag_no_memory();
    b->cache = payload_cache_new();
    if (!b->cache)
        failed = -1;
    for (size_t i = 0; i < p->group_count && !failed; i++)
        failed = build_group(options, &p->groups[i], b, result);
    if (!failed && b->count)
        failed = write_batch(options, b, result);
    drop_payloads(b, true);
    payload_cache_free(b->cache);
    free(b);
    return failed;
}
