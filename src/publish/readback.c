/* What devices would get, read back as they read it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan_private.h"
#include "readback.h"
#include "served.h"

enum {
    HOPELESS = 20, /* so many in a row that cannot be read are the server's */
    LOOK = 64,     /* bad ones, after which the head is looked at again */
    UNREAD = 1     /* verdict: else OTA_OK or an error */
};

/* A payload and what a reader says of it. */
struct verdict {
    uint8_t name[OTA_HASH];
    int error;
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
    char message[256];
};

/* A payload that the device's manifest names, on the way through a reader. */
struct payload_read {
    const struct ota_manifest *manifest;
    struct ota_alternative a;
    bool full;
};

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

    if (index_withdrawn(d))
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
            result =
                diag_error(DIAG_USAGE, "'%s' has no release or device '%s'",
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

static int choose(struct readback *r)
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
            plan_content_of(r->index, r->devices[i]);

        for (size_t k = 0; c && k < c->payload_count; k++) {
            struct verdict *v = r->verdicts;
            const uint8_t *name = c->payloads[k].link + 2;

            if (r->verdict_count &&
                memcmp(v[r->verdict_count - 1].name, name, OTA_HASH) == 0)
                continue;
            if (plan_grow(&r->verdicts, r->verdict_count, &r->verdict_room,
                          sizeof *v))
                return -1;
            v = &r->verdicts[r->verdict_count++];
            memcpy(v->name, name, OTA_HASH);
            v->error = UNREAD;
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

static struct verdict *find_verdict(struct readback *r, const uint8_t *name)
{
    struct verdict *v =
        r->verdict_count
            ? bsearch(name, r->verdicts, r->verdict_count, sizeof *v, by_name)
            : NULL;

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
    }
    free(bytes);
    return result;
}

__attribute__((format(printf, 3, 4))) static const char *
say(struct readback *r, const char *error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->message, sizeof r->message, fmt, ap);
    va_end(ap);
    return error;
}

/* All payloads that the manifest names.  0, or -1 (reported); *error is NULL or
 * the first one. */
static int check_payloads(struct readback *r, const struct ota_manifest *m,
                          const char **error)
{
    struct payload_read p = {.manifest = m};

    for (unsigned i = 0; i < m->alternatives && !*error; i++) {
        struct verdict *v;

        ota_manifest_alternative(m, i, &p.a);
        p.full = i + 1u == m->alternatives;
        v = find_verdict(r, p.a.link + 2);
        if (v->error == UNREAD && read_payload(r, &p, v))
            return -1;
        if (v->error)
            *error = say(r, ota_error_name(v->error), "%s (its payload)",
                         ota_strerror(v->error));
    }
    return 0;
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

/* Where a publish was cut short manifests may be newer than the index. */
static const char *compare(struct readback *r, const struct index_device *d,
                           const struct ota_manifest *m)
{
    const struct index_version *v =
        index_version(index_release(r->index, d->release), d->version);

    if (m->version > d->version && m->version <= r->open)
        return NULL;
    if (m->version != d->version)
        return say(r, "index", "it has version %lu, and the index says %lu",
                   (unsigned long)m->version, (unsigned long)d->version);
    if (memcmp(m->release, d->digest, OTA_DIGEST) != 0)
        return say(r, "index", "its release is not the one of the index");
    if ((m->created != d->created || m->expires != d->expires) &&
        !(r->open && m->created > d->created))
        return say(r, "index", "its times are not those of the index");
    if (v && (m->hardware != v->hardware || strcmp(m->label, v->label) != 0))
        return say(r, "index",
                   "its hardware or label is not the one of the "
                   "index");
    if (!same_payloads(m, plan_content_of(r->index, d)))
        return say(r, "index", "its payloads are not those of the index");
    return NULL;
}

static int read_device(struct readback *r, const struct index_device *d,
                       const char **error)
{
    struct ota_manifest m;
    uint8_t *bytes;
    int said, result = 0;

    *error = NULL;
    if (served_manifest(r->o->served, r->o->key, &d->id, r->o->now, &m, &bytes,
                        &said))
        return -1;
    if (!bytes)
        *error = say(r, "missing", "it has no manifest");
    else if (said)
        *error = say(r, ota_error_name(said), "%s", ota_strerror(said));
    else
        *error = compare(r, d, &m);
    if (!*error)
        result = check_payloads(r, &m, error);
    free(bytes);
    return result;
}

/* What looks bad may be somebody who publishes just now. */
static int look_again(const struct readback *r)
{
    struct index *now;
    bool moved;

    if (index_read_head(r->o->store, r->o->key, &now))
        return -1;
    moved = now->generation != r->index->generation ||
            memcmp(now->run_id, r->index->run_id, sizeof now->run_id) != 0;
    index_free(now);
    return moved ? diag_error(DIAG_SERVER,
                              "somebody publishes to '%s' just now: run it "
                              "again",
                              r->o->store->where)
                 : 0;
}

/* The next devices, from `first` on. */
static void ask_ahead(const struct readback *r, size_t first)
{
    const struct device_id *ids[STORE_AHEAD];
    size_t count = 0;

    for (size_t i = first; i < r->count && count < STORE_AHEAD; i++)
        ids[count++] = &r->devices[i]->id;
    served_ahead(r->o->served, ids, count);
}

static int read_devices(struct readback *r)
{
    unsigned in_row = 0;

    for (size_t i = 0; i < r->count; i++) {
        struct readback_item item = {.device = r->devices[i],
                                     .message = r->message};

        if (i % STORE_AHEAD == 0)
            ask_ahead(r, i);
        if (r->o->stop && *r->o->stop)
            return diag_error(DIAG_FAILED, "stopped after %zu of %zu devices",
                              i, r->count);
        if (read_device(r, item.device, &item.error)) {
            r->result->failed++;
            if (++in_row == HOPELESS)
                return -1;
            continue;
        }
        in_row = 0;
        if (item.error && r->result->bad++ % LOOK == 0 && look_again(r))
            return -1;
        r->result->devices++;
        r->o->each(r->o->ctx, &item);
    }
    return r->result->failed ? -1 : 0;
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
    struct readback r = {.o = options, .result = result};
    int failed = -1;

    *result = (struct readback_result){0};
    if (index_read_head(options->store, options->key, &r.index) ||
        index_read_shards(r.index, options->store))
        goto out;
    find_open(&r);
    if (choose(&r) || list_payloads(&r))
        goto out;
    failed = read_devices(&r);
out:
    free(r.devices);
    free(r.verdicts);
    index_free(r.index);
    return failed ? -1 : 0;
}
