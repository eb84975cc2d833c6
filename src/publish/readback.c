/* What devices would get, read back as they read it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "bundle/format.h"
#include "plan/plan.h"
#include "readback.h"
#include "index/served.h"
#include "pack/unpack_error.h"

enum {
    LOOK = 64, /* bad ones, after which the head is looked at again */
    UNREAD = 1 /* verdict: else OTA_OK or an error */
};

/* A payload and what a reader says of it. */
struct verdict {
    uint8_t name[OTA_HASH];
    int error;
    bool asked; /* its bytes are on their way, or were */
};

/* A device on the way. */
struct reading {
    uint8_t *bytes; /* of the manifest; or NULL */
    struct ota_manifest manifest;
    const char *error; /* the first one, as readback_item has it */
    bool failed;       /* it could not be read (reported) */
    char message[256];
};

struct readback {
    const struct readback_options *o;
    struct readback_result *result;
    struct index *index;
    const struct index_device **devices; /* to be read, by id */
    size_t count;
    struct verdict *verdicts; /* of what the index names for them, by name */
    size_t verdict_count, verdict_room;
    struct verdict other; /* the last one that it does not name */
    uint32_t open;        /* highest version of an open intent, 0: none is */
    struct reading window[STORE_AHEAD]; /* devices that are read together, */
    size_t first;                       /* from this one on */
};

/* A payload that the device's manifest names, on the way through a reader. */
struct payload_read {
    const struct ota_manifest *manifest;
    struct ota_alternative a;
    bool full;
};

static bool is_stopped(const struct readback *r)
{
    return r->o->stop && *r->o->stop;
}

static bool is_wanted(const struct index_device *d, const char *word)
{
    struct device_id id;

    if (strcmp(d->release, word) == 0 || (d->name && !strcmp(d->name, word)))
        return true;
    return device_id_parse(word, strlen(word), &id) == 0 &&
           device_id_compare(&id, &d->id) == 0;
}

static bool is_selected(const struct readback *r, const struct index_device *d,
                        bool *used)
{
    bool wanted = r->o->word_count == 0;

    if (gone_has(r->o->gone, d))
        return false;
    for (size_t i = 0; i < r->o->word_count; i++)
        if (is_wanted(d, r->o->words[i]))
            wanted = used[i] = true;
    return wanted;
}

static int say_unused(const struct readback *r, const bool *used)
{
    int result = 0;

    for (size_t i = 0; i < r->o->word_count; i++)
        if (!used[i])
            result = fleet_say_other(r->o->words[i], false)
                         ? -1
                         : diag_error(DIAG_USAGE,
                                      "'%s' has no release or device '%s'",
                                      r->o->store->where, r->o->words[i]);
    return result;
}

/* Any of them is as likely as any other: each k-th, from one at random on. */
static int take_sample(struct readback *r)
{
    size_t want = r->o->sample, count = r->count;
    uint64_t start;

    if (!want || want >= count)
        return 0;
    if (getentropy(&start, sizeof start) < 0)
        return diag_error(DIAG_FAILED, "the system gives no random bytes");
    start %= count;
    for (size_t i = 0; i < want; i++) {
        size_t at = (size_t)((uint64_t)i * count / want);

        r->devices[i] = r->devices[count + (at + start) % count];
    }
    r->count = want;
    return 0;
}

static int choose_devices(struct readback *r)
{
    size_t count = index_device_count(r->index);
    bool *used = calloc(r->o->word_count + 1, sizeof *used);
    int result;

    /* Twice: a sample is taken from the second half. */
    r->devices = calloc(2 * count + 1, sizeof(struct index_device *));
    if (!used || !r->devices) {
        free(used);
        return diag_no_memory();
    }
    for (size_t i = 0; i < count; i++) {
        const struct index_device *d = index_device_at(r->index, i);

        if (is_selected(r, d, used))
            r->devices[r->count++] = d;
    }
    if (r->count)
        memcpy(r->devices + r->count, r->devices,
               r->count * sizeof(struct index_device *));
    result = say_unused(r, used);
    free(used);
    return result ? result : take_sample(r);
}

static int by_name(const void *a, const void *b)
{
    return memcmp(a, b, OTA_HASH);
}

static int list_payloads(struct readback *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->count; i++) {
        const struct index_content *c =
            index_content_of(r->index, r->devices[i]);

        for (size_t k = 0; c && k < c->payload_count; k++) {
            struct verdict *v = r->verdicts;
            const uint8_t *name = c->payloads[k].link + LINK_HASH;

            if (r->verdict_count &&
                memcmp(v[r->verdict_count - 1].name, name, OTA_HASH) == 0)
                continue;
            if (array_grow(&r->verdicts, r->verdict_count, &r->verdict_room,
                           sizeof *v))
                return -1;
            v = &r->verdicts[r->verdict_count++];
            *v = (struct verdict){.error = UNREAD};
            memcpy(v->name, name, OTA_HASH);
        }
    }
    if (r->verdict_count)
        qsort(r->verdicts, r->verdict_count, sizeof *r->verdicts, by_name);
    for (size_t i = 0; i < r->verdict_count; i++)
        if (!kept || by_name(&r->verdicts[kept - 1], &r->verdicts[i]) != 0)
            r->verdicts[kept++] = r->verdicts[i];
    r->verdict_count = kept;
    return 0;
}

/* Of a payload that the index names, or NULL. */
static struct verdict *named_verdict(const struct readback *r,
                                     const uint8_t *name)
{
    return r->verdict_count ? bsearch(name, r->verdicts, r->verdict_count,
                                      sizeof *r->verdicts, by_name)
                            : NULL;
}

static struct verdict *find_verdict(struct readback *r, const uint8_t *name)
{
    struct verdict *v = named_verdict(r, name);

    if (v)
        return v;
    if (memcmp(r->other.name, name, OTA_HASH) != 0) {
        memcpy(r->other.name, name, OTA_HASH);
        r->other.error = UNREAD;
    }
    return &r->other;
}

/* A delta needs what it builds on: its bytes alone are checked. */
static int read_payload(struct readback *r, const struct payload_read *p,
                        struct verdict *v)
{
    static const struct ota_sink sink;
    uint8_t *bytes;
    int result = 0;

    if (served_payload(r->o->served, &p->a, &bytes))
        return -1;
    v->error = OTA_ERR_TRUNCATED;
    if (bytes && p->full)
        result =
            served_read(r->o->key, p->manifest, &p->a, bytes, &sink, &v->error);
    else if (bytes)
        v->error = served_is_whole(&p->a, bytes) ? OTA_OK : OTA_ERR_CHUNK;
    if (bytes) {
        r->result->payloads++;
        r->result->bytes += p->a.size;
        meter_count(r->o->meter, 0, p->a.size);
    }
    free(bytes);
    return result;
}

__attribute__((format(printf, 3, 4))) static void
say(struct reading *w, const char *error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(w->message, sizeof w->message, fmt, ap);
    va_end(ap);
    w->error = error;
}

static bool same_payloads(const struct ota_manifest *m,
                          const struct index_content *c)
{
    if (!c || c->payload_count != m->alternatives)
        return false;
    for (unsigned i = 0; i < m->alternatives; i++) {
        const struct ota_alternative *b = &c->payloads[i];
        struct ota_alternative a;

        ota_manifest_alternative(m, i, &a);
        if (memcmp(a.base, b->base, OTA_DIGEST) != 0 || a.size != b->size ||
            a.space != b->space || a.window_bits != b->window_bits ||
            a.chunk_max != b->chunk_max || a.records != b->records ||
            memcmp(a.link, b->link, OTA_LINK) != 0)
            return false;
    }
    return true;
}

bool readback_is_entry(const struct index *x, const struct index_device *d,
                       const struct ota_manifest *m, const char **differs)
{
    const struct index_version *v =
        index_version(index_release(x, d->release), d->version);

    *differs = NULL;
    if (memcmp(m->release, d->digest, OTA_DIGEST) != 0)
        *differs = "its release is not that of the index";
    else if (m->created != d->created || m->expires != d->expires)
        *differs = "its times are not those of the index";
    else if (v &&
             (m->hardware != v->hardware || strcmp(m->label, v->label) != 0))
        *differs = "its hardware or label is not that of the index";
    else if (!same_payloads(m, index_content_of(x, d)))
        *differs = "its payloads are not those of the index";
    return m->version == d->version && !*differs;
}

/* Where a publish was cut short manifests may be newer than the index. */
static void compare(const struct readback *r, const struct index_device *d,
                    struct reading *w)
{
    const struct ota_manifest *m = &w->manifest;
    const char *differs;

    if (m->version > d->version && m->version <= r->open)
        return;
    if (m->version == d->version && r->open && m->created > d->created &&
        memcmp(m->release, d->digest, OTA_DIGEST) == 0)
        return;
    if (readback_is_entry(r->index, d, m, &differs))
        return;
    if (m->version != d->version)
        say(w, "index", "it has version %lu, and the index says %lu",
            (unsigned long)m->version, (unsigned long)d->version);
    else
        say(w, "index", "%s", differs);
}

static void say_expired(const struct readback *r, struct reading *w)
{
    char times[128];

    unpack_expired(w->manifest.expires, r->o->now, times, sizeof times);
    say(w, ota_error_name(OTA_ERR_EXPIRED), "%s (%s)",
        ota_strerror(OTA_ERR_EXPIRED), times);
}

static size_t ask_manifest(void *ctx, size_t i)
{
    const struct readback *r = ctx;

    served_manifest_ahead(r->o->served, &r->devices[i]->id);
    return 0;
}

static int read_manifest(void *ctx, size_t i)
{
    struct readback *r = ctx;
    const struct index_device *d = r->devices[i];
    struct reading *w = &r->window[i - r->first];
    int said;

    *w = (struct reading){0};
    if (served_manifest(r->o->served, r->o->key, &d->id, r->o->now,
                        &w->manifest, &w->bytes, &said))
        w->failed = true;
    else if (!w->bytes)
        say(w, "missing", "it has no manifest");
    else if (said == OTA_ERR_EXPIRED)
        say_expired(r, w);
    else if (said)
        say(w, ota_error_name(said), "%s", ota_strerror(said));
    else
        compare(r, d, w);
    return w->failed;
}

/* Begins to read what the device's manifest names and was not read yet. */
static size_t ask_payloads(void *ctx, size_t i)
{
    struct readback *r = ctx;
    const struct reading *w = &r->window[i - r->first];
    unsigned count = w->failed || w->error ? 0 : w->manifest.alternatives;
    size_t bytes = 0;

    for (unsigned k = 0; k < count; k++) {
        struct ota_alternative a;
        struct verdict *v;

        ota_manifest_alternative(&w->manifest, k, &a);
        v = named_verdict(r, a.link + LINK_HASH);
        if (!v || v->error != UNREAD || v->asked)
            continue;
        served_payload_ahead(r->o->served, &a);
        v->asked = true;
        bytes += a.size;
    }
    return bytes;
}

/* All payloads that the manifest names, also after an error: they were asked
 * for. */
static void check_payloads(struct readback *r, struct reading *w)
{
    struct payload_read p = {.manifest = &w->manifest};
    unsigned count = w->failed || w->error ? 0 : w->manifest.alternatives;

    for (unsigned i = 0; i < count; i++) {
        struct verdict *v;

        ota_manifest_alternative(&w->manifest, i, &p.a);
        p.full = i + 1u == count;
        v = find_verdict(r, p.a.link + LINK_HASH);
        if (v->error == UNREAD && read_payload(r, &p, v))
            w->failed = true;
        else if (v->error && !w->error)
            say(w, ota_error_name(v->error), "%s (its payload)",
                ota_strerror(v->error));
    }
}

/* What looks bad may be somebody who publishes just now. */
static int look_again(const struct readback *r)
{
    int ours = index_is_ours(r->index, r->o->store);

    if (ours)
        return ours < 0 ? -1 : 0;
    return diag_error(DIAG_SERVER,
                      "somebody publishes to '%s' just now: run it again",
                      r->o->store->where);
}

static int conclude(void *ctx, size_t i)
{
    struct readback *r = ctx;
    struct reading *w = &r->window[i - r->first];
    struct readback_item item = {r->devices[i], NULL, w->message};

    check_payloads(r, w);
    if (is_stopped(r))
        return -1;
    meter_count(r->o->meter, 1, 0);
    if (w->failed) {
        r->result->failed++;
        return 1;
    }
    item.error = w->error;
    if (item.error && r->result->bad++ % LOOK == 0 && look_again(r))
        return -1;
    r->result->devices++;
    r->o->each(r->o->ctx, &item);
    return 0;
}

static void free_window(struct readback *r)
{
    for (size_t i = 0; i < STORE_AHEAD; i++)
        free(r->window[i].bytes);
    memset(r->window, 0, sizeof r->window);
}

static int read_payloads(void *ctx, size_t first, size_t end)
{
    struct readback *r = ctx;
    const struct store_each each = {.ask = ask_payloads,
                                    .take = conclude,
                                    .ctx = r,
                                    .objects = OTA_ALTERNATIVES};
    int result = store_each(&each, first, end);

    free_window(r);
    r->first = end;
    return result;
}

static int read_devices(struct readback *r)
{
    const struct store_each each = {.ask = ask_manifest,
                                    .take = read_manifest,
                                    .taken = read_payloads,
                                    .ctx = r};
    int result;

    meter_begin(r->o->meter, r->o->served, r->count);
    result = store_each(&each, 0, r->count);
    if (result > 0)
        r->result->failed += STORE_HOPELESS;
    free_window(r);
    return result || r->result->failed ? -1 : 0;
}

static void find_open(struct readback *r)
{
    for (size_t i = 0; i < r->index->intent_count; i++)
        if (plan_intent_open(&r->index->intents[i]) &&
            r->index->intents[i].version > r->open)
            r->open = r->index->intents[i].version;
}

int readback_run(const struct readback_options *options,
                 struct readback_result *result)
{
    struct readback *r = calloc(1, sizeof *r);
    int failed = -1;

    *result = (struct readback_result){0};
    if (!r)
        return diag_no_memory();
    r->o = options;
    r->result = result;
    if (index_read_head(options->store, options->key, &r->index) == 0 &&
        index_read_shards(r->index, options->store) == 0) {
        find_open(r);
        if (choose_devices(r) == 0 && list_payloads(r) == 0)
            failed = read_devices(r);
    }
    if (failed && is_stopped(r))
        diag_error(DIAG_FAILED, "stopped after %zu device%s", result->devices,
                   result->devices == 1 ? "" : "s");
    meter_end(options->meter);
    free(r->devices);
    free(r->verdicts);
    index_free(r->index);
    free(r);
    return failed ? -1 : 0;
}
