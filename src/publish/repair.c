/* What is lost or damaged on the server is put again: payloads, then the
 * manifests that name them. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "bundle/format.h"
#include "index/served.h"
#include "pack/sign.h"
#include "plan/plan.h"
#include "readback.h"
#include "repair_private.h"

enum {
    NAMED = 3, /* devices that a message names */
    CURE = 160
};

/* -- manifests --------------------------------------------------------------
 */

/* Devices that are looked at together. */
struct window {
    struct repair *r;
    size_t bad;
    struct sign_request requests[STORE_AHEAD]; /* of the bad ones */
    enum store_class classes[STORE_AHEAD];
    struct sign_manifest manifests[STORE_AHEAD];
};

static bool is_lost(const struct repair *r, const struct index_device *d)
{
    const struct index_content *c = index_content_of(r->x, d);

    if (!c || !c->payload_count ||
        !index_version(index_release(r->x, d->release), d->version))
        return true;
    for (unsigned i = 0; i < c->payload_count; i++) {
        const struct repair_payload *p =
            repair_find(r, c->payloads[i].link + LINK_HASH);

        if (!p || p->bad)
            return true;
    }
    return false;
}

static int add_lost(struct repair *r, const struct index_device *d)
{
    struct repair_result *result = r->result;

    if (array_grow(&result->lost, result->lost_count, &result->lost_room,
                   sizeof *result->lost))
        return -1;
    result->lost[result->lost_count++] = (struct repair_lost){
        .id = d->id, .release = d->release, .version = d->version};
    return 0;
}

/* By the index alone, which has all of it: signed again it is the same. */
static void make_request(const struct repair *r, const struct index_device *d,
                         struct sign_request *out)
{
    const struct index_version *v =
        index_version(index_release(r->x, d->release), d->version);
    const struct index_content *c = index_content_of(r->x, d);

    *out = (struct sign_request){.manifest = {.flags = v->flags,
                                              .alternatives = c->payload_count,
                                              .hardware = v->hardware,
                                              .version = d->version,
                                              .created = d->created,
                                              .expires = d->expires},
                                 .alternatives = c->payloads,
                                 .id = &d->id};
    memcpy(out->manifest.release, d->digest, OTA_DIGEST);
    memcpy(out->manifest.label, v->label, sizeof out->manifest.label);
}

/* What verifies and is not what the entry says is an older one, which was put
 * back, or somebody's news: that is left to publish. */
static bool is_news(const struct index_device *d, const struct ota_manifest *m)
{
    if (m->version != d->version)
        return m->version > d->version;
    return memcmp(m->release, d->digest, OTA_DIGEST) != 0 ||
           m->created > d->created;
}

static size_t ask_device(void *ctx, size_t i)
{
    const struct repair *r = ((const struct window *)ctx)->r;
    const struct index_device *d = index_device_at(r->x, i);

    if (!gone_has(&r->gone, d))
        served_manifest_ahead(r->s->store, &d->id);
    return 0;
}

static int look_at_device(void *ctx, size_t i)
{
    struct window *w = ctx;
    struct repair *r = w->r;
    const struct index_device *d = index_device_at(r->x, i);
    struct ota_manifest m;
    uint8_t *bytes;
    const char *differs;
    bool well;
    int error;

    if (session_stopped(r->s))
        return -1;
    meter_count(r->s->meter, 1, 0);
    if (gone_has(&r->gone, d))
        return 0;
    if (served_manifest(r->s->store, signer_public(r->s->signer), &d->id, 0, &m,
                        &bytes, &error)) {
        r->result->failed++;
        return 1;
    }
    well = bytes && !error &&
           (readback_is_entry(r->x, d, &m, &differs) || is_news(d, &m));
    if (is_lost(r, d)) {
        free(bytes);
        return add_lost(r, d);
    }
    if (!well && !(d->expires && r->s->now >= d->expires)) {
        w->classes[w->bad] = bytes ? STORE_MANIFEST : STORE_FIRST;
        make_request(r, d, &w->requests[w->bad++]);
    }
    free(bytes);
    return 0;
}

/* Somebody who publishes all the same may have put newer ones. */
static int put_window(void *ctx, size_t first, size_t end)
{
    struct window *w = ctx;
    struct repair *r = w->r;
    struct store *s = r->s->store;
    char name[OBJECT_NAME];

    (void)first;
    (void)end;
    if (!w->bad)
        return 0;
    if (session_stopped(r->s) ||
        sign_manifests(r->s->signer, w->requests, w->bad, w->manifests) ||
        index_confirm(r->x, s))
        return -1;
    for (size_t i = 0; i < w->bad; i++) {
        object_manifest(w->requests[i].id, name);
        r->result->manifests++;
        if (s->ops->put(s, name, w->manifests[i].bytes, w->manifests[i].len,
                        w->classes[i])) {
            r->result->manifests--;
            r->result->failed++;
        }
    }
    w->bad = 0;
    return 0;
}

/* Called by the store for what turns out to have failed after its put. */
static void put_failed(void *ctx, const char *name)
{
    struct repair_result *result = ctx;

    (void)name;
    result->manifests--;
    result->failed++;
}

static int repair_manifests(struct repair *r)
{
    struct store *s = r->s->store;
    struct window *w = calloc(1, sizeof *w);
    const struct store_each each = {.ask = ask_device,
                                    .take = look_at_device,
                                    .taken = put_window,
                                    .ctx = w};
    int result;

    if (!w)
        return diag_no_memory();
    w->r = r;
    s->failed = put_failed;
    s->failed_ctx = r->result;
    result = store_each(&each, 0, index_device_count(r->x));
    if (s->ops->flush(s) && !r->result->failed)
        result = -1;
    s->failed = NULL;
    free(w);
    return result;
}

/* -- all of it --------------------------------------------------------------
 */

int repair_objects(const struct session *s, const struct repair_options *o,
                   struct repair_result *result)
{
    struct repair r = {.s = s, .o = o, .x = s->index, .result = result};
    int failed;

    *result = (struct repair_result){0};
    meter_begin(s->meter, s->store, index_device_count(s->index));
    failed = gone_init(&r.gone, o->config, s->now) || repair_payloads(&r) ||
             repair_manifests(&r);
    if (failed && session_stopped(s))
        diag_error(DIAG_FAILED,
                   "stopped: what was put again is whole, and nothing else "
                   "was changed");
    meter_end(s->meter);
    gone_release(&r.gone);
    free(r.list);
    free(r.sources);
    return failed ? -1 : 0;
}

/* -- what is lost -----------------------------------------------------------
 */

/* A lost device as it is told of. */
struct telling {
    const struct repair_lost *lost;
    const char *name; /* or NULL */
    bool listed;      /* in the configuration */
};

static int by_group(const void *a, const void *b)
{
    const struct telling *x = a, *y = b;
    int order = strcmp(x->lost->release, y->lost->release);

    if (!order)
        order = (x->lost->version > y->lost->version) -
                (x->lost->version < y->lost->version);
    if (!order)
        order = (int)y->listed - (int)x->listed;
    return order ? order : device_id_compare(&x->lost->id, &y->lost->id);
}

static bool same_group(const struct telling *x, const struct telling *y)
{
    return strcmp(x->lost->release, y->lost->release) == 0 &&
           x->lost->version == y->lost->version && x->listed == y->listed;
}

static void name_some(const struct telling *list, size_t count, char *out,
                      size_t size)
{
    size_t len = 0;

    for (size_t i = 0; i < count && i < NAMED; i++) {
        char id[DEVICE_TEXT];

        device_id_text(&list[i].lost->id, id);
        len += (size_t)snprintf(out + len, size - len, "%s'%s'", i ? ", " : "",
                                list[i].name ? list[i].name : id);
    }
    if (count > NAMED)
        snprintf(out + len, size - len, ", ...");
}

/* Where the sources are what was rolled back, publish leaves them alone. */
static bool leaves_alone(const struct repair_options *o, const struct index *x,
                         const struct repair_result *result,
                         const char *release)
{
    struct plan_request request = {
        .config = o->config, .tree = result->sources, .index = x};

    for (size_t i = 0; result->sources && i < o->config->release_count; i++)
        if (strcmp(o->config->releases[i].name.text, release) == 0 &&
            plan_rolled_back(&request, i))
            return true;
    return false;
}

static void find_cure(const struct repair_options *o, const struct index *x,
                      const struct repair_result *result,
                      const struct telling *first, const char *it, bool again,
                      char out[CURE])
{
    if (!first->listed)
        snprintf(out, CURE,
                 "list %s again and run 'ota-pack publish --repair', or "
                 "withdraw %s",
                 it, it);
    else if (again || leaves_alone(o, x, result, first->lost->release))
        snprintf(out, CURE,
                 "change the sources and publish, or run 'ota-pack rollback' "
                 "to another version");
    else if (!result->sources)
        snprintf(out, CURE,
                 "put the sources back as they were, and run this again");
    else
        snprintf(out, CURE,
                 "'ota-pack publish --repair' gives %s what the sources are "
                 "now, as a new version",
                 it);
}

static void say_group(const struct telling *list, size_t count,
                      const char *cure)
{
    const struct repair_lost *l = list->lost;
    char names[NAMED * (INDEX_NAME_MAX + 4) + 8];

    name_some(list, count, names, sizeof names);
    diag_error(DIAG_VERIFY,
               "version %lu of '%s' is lost for %zu device%s (%s): neither the "
               "sources nor other payloads give its bytes again; %s",
               (unsigned long)l->version, l->release, count,
               count == 1 ? "" : "s", names, cure);
}

/* Whether it has still what is lost. */
static bool has_still(const struct index *x, const struct repair_result *r,
                      const struct repair_lost *l, struct gone *listed,
                      struct telling *out)
{
    const struct index_device *d = index_device(x, &l->id);
    const struct index_content *c;

    if (!d || d->version != l->version)
        return false;
    c = index_content_of(x, d);
    *out = (struct telling){
        .lost = l, .name = d->name, .listed = gone_lists(listed, &l->id)};
    return !c || !c->payload_count || plan_is_lost(&r->payload_list, c) ||
           !index_version(index_release(x, d->release), d->version);
}

size_t repair_say_lost(const struct session *s, const struct repair_options *o,
                       const struct repair_result *result, bool again)
{
    const struct index *x = s->index;
    struct telling *list = calloc(result->lost_count + 1, sizeof *list);
    struct gone gone = {0};
    size_t count = 0;

    if (!list)
        diag_no_memory();
    else if (gone_init(&gone, o->config, s->now) == 0)
        for (size_t i = 0; i < result->lost_count; i++)
            count +=
                has_still(x, result, &result->lost[i], &gone, &list[count]);
    if (count)
        qsort(list, count, sizeof *list, by_group);
    for (size_t i = 0, n; i < count; i += n) {
        char cure[CURE];

        for (n = 1; i + n < count && same_group(&list[i], &list[i + n]);)
            n++;
        find_cure(o, x, result, &list[i], n == 1 ? "it" : "them", again, cure);
        say_group(&list[i], n, cure);
    }
    gone_release(&gone);
    free(list);
    return count;
}

/* A repair by itself, without a publish. */
struct alone {
    struct session *s;
    const struct repair_options *o;
    struct repair_result *result;
};

static int repair_alone(void *ctx)
{
    const struct alone *a = ctx;

    if (repair_objects(a->s, a->o, a->result))
        return -1;
    repair_say_lost(a->s, a->o, a->result, false);
    return a->result->failed ? -1 : 0;
}

int repair_run(struct session *s, const struct repair_options *o,
               struct repair_result *result)
{
    struct alone a = {.s = s, .o = o, .result = result};
    const struct session_verb verb = {.work = repair_alone, .ctx = &a};
    int failed;

    *result = (struct repair_result){0};
    failed = session_run(s, &verb);
    session_end(s);
    return failed;
}

void repair_release(struct repair_result *result)
{
    free(result->lost);
    free(result->payload_list.names);
    *result = (struct repair_result){0};
}
