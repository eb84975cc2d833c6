/* A release goes back to a version that it had; and publish, which brings to
 * its end what such a step has left. */
#include <string.h>

#include "back.h"
#include "publish_private.h"

static int report_plan(struct publish *p)
{
    if (publish_make_plan(p))
        return -1;
    if (p->o->report)
        p->o->report(p->o->ctx, &p->plan, p->result);
    plan_release(&p->plan);
    return 0;
}

struct wish {
    const char *release;
    uint32_t to;
    uint32_t at_least; /* the least number of the new version */
    bool refresh;
};

/* With the index of `p`, which is then as it is after that. */
static int go_back(struct publish *p, const struct wish *w)
{
    struct publish_options o = *p->o;
    struct publish_result result = {0};
    struct publish inner = {
        .o = &o, .result = &result, .command = p->command, .index = p->index};
    struct back back;
    int failed = back_open(p->index, o.store->where, w->release, w->to,
                           w->refresh, &back);

    if (!failed) {
        o.config = &back.config;
        o.tree = &back.tree;
        back_at_least(&back, w->at_least);
        o.at_least = back.at_least;
        inner.back = &back.request;
        failed = o.dry_run ? report_plan(&inner) : publish_planned(&inner);
    }
    back_release(&back);
    if (failed)
        publish_stopped(&inner);
    p->told |= inner.told;
    p->begun |= inner.begun;
    p->result->written += result.written;
    p->result->failed += result.failed;
    p->result->payloads += result.payloads;
    p->result->payload_bytes += result.payload_bytes;
    return failed;
}

/* The version that an open intent of the release goes back to, or 0. */
static uint32_t begun(const struct index *x, const struct index_release *r)
{
    for (size_t i = 0; i < x->intent_count; i++) {
        const struct index_intent *t = &x->intents[i];

        if (!plan_intent_open(t) || strcmp(t->release, r->name) != 0)
            continue;
        for (uint32_t k = 0; k < r->version_count; k++) {
            const struct index_version *v = &r->versions[k];
            uint8_t hash[OTA_HASH];

            if (!v->shared || !v->shared->payload_count)
                continue;
            plan_content_hash(v, hash);
            if (memcmp(hash, t->content, OTA_HASH) == 0)
                return v->version;
        }
    }
    return 0;
}

/* Whether any device has that version and is to be signed anew. */
static bool is_due(const struct publish *p, const struct index_release *r,
                   uint32_t version)
{
    for (size_t i = 0; i < index_device_count(p->index); i++) {
        const struct index_device *d = index_device_at(p->index, i);

        if (d->version == version && d->expires && !index_withdrawn(d) &&
            strcmp(d->release, r->name) == 0 &&
            p->o->now >= plan_refresh_time(d->created, d->expires))
            return true;
    }
    return false;
}

static int refresh(struct publish *p, const char *name)
{
    const struct index_release *r = index_release(p->index, name);

    for (size_t i = 0; i < p->index->intent_count; i++)
        if (plan_intent_open(&p->index->intents[i]))
            return 0;
    for (uint32_t i = 0; i < r->version_count; i++)
        if (r->versions[i].shared && is_due(p, r, r->versions[i].version) &&
            go_back(p, &(struct wish){.release = name,
                                      .to = r->versions[i].version,
                                      .refresh = true}))
            return -1;
    return 0;
}

int publish_take_up(struct publish *p)
{
    const struct config *c = p->o->config;
    struct plan_request request = {
        .config = c, .tree = p->o->tree, .index = p->index};

    for (size_t i = 0; i < c->release_count && !p->o->again; i++) {
        struct wish w = {.release = c->releases[i].name.text};

        if (!c->releases[i].selected || !plan_rolled_back(&request, i))
            continue;
        w.to = begun(p->index, index_release(p->index, w.release));
        if (w.to ? go_back(p, &w) : refresh(p, w.release))
            return -1;
    }
    return 0;
}

static int run(struct publish *p, const struct wish *w)
{
    if (publish_read_head(p) || index_read_shards(p->index, p->o->store))
        return -1;
    return go_back(p, w);
}

int publish_rollback(const struct publish_options *options, const char *release,
                     uint32_t to, uint32_t at_least,
                     struct publish_result *result)
{
    struct wish w = {.release = release, .to = to, .at_least = at_least};
    struct publish p = {.o = options, .result = result, .command = "rollback"};
    struct store *s = options->store;
    int failed;

    *result = (struct publish_result){0};
    failed = publish_read_head(&p);
    if (!failed && !p.index->exists)
        failed = diag_error(DIAG_USAGE, "nothing was ever published to '%s'",
                            s->where);
    if (!failed && options->dry_run) {
        failed = run(&p, &w);
    } else if (!failed) {
        failed = signer_unlock(options->signer) ||
                 s->ops->lock(s, options->lock_wait_ms, options->break_lock);
        if (!failed) {
            failed = run(&p, &w);
            index_unlock(p.index, s, failed != 0, options->signer,
                         options->now);
        }
    }
    if (failed)
        publish_stopped(&p);
    meter_end(options->meter);
    index_free(p.index);
    return failed ? -1 : 0;
}
