/* The order of things in server.md, Publishing. */
#include <stdio.h>
#include <string.h>

#include "publish_private.h"

bool publish_stopped(struct publish *p)
{
    if (!p->o->stop || !*p->o->stop)
        return false;
    if (!p->told && p->total)
        diag_error(DIAG_FAILED,
                   "stopped after %zu of %zu devices; what was published "
                   "before is whole, run 'ota-pack %s' again to complete "
                   "this",
                   p->result->written, p->total, p->command);
    else if (!p->told)
        diag_error(DIAG_FAILED,
                   "stopped before any device was written; run 'ota-pack %s' "
                   "again",
                   p->command);
    p->told = true;
    return true;
}

int publish_read_head(struct publish *p)
{
    const uint8_t *key = signer_public(p->o->signer);

    index_free(p->index);
    p->index = NULL;
    if (p->o->new_base)
        return index_new(&p->index);
    return index_read_head(p->o->store, key, &p->index);
}

int publish_make_plan(struct publish *p)
{
    struct plan_request request = {.config = p->o->config,
                                   .tree = p->o->tree,
                                   .index = p->index,
                                   .store = p->o->store,
                                   .key = signer_public(p->o->signer),
                                   .now = p->o->now,
                                   .new_base = p->o->new_base,
                                   .again = p->o->again,
                                   .back = p->back,
                                   .at_least = p->o->at_least};

    if (plan_make(&request, &p->plan))
        return -1;
    p->total = plan_changes(&p->plan);
    return 0;
}

static void say_failed(const struct publish *p)
{
    const struct plan *plan = &p->plan;
    unsigned said = 0;

    for (size_t i = 0; i < plan->device_count && said < 20; i++) {
        const struct plan_device *d = &plan->devices[i];
        const struct device *device = &p->o->config->devices[d->device];
        char id[DEVICE_TEXT];

        if (d->done)
            continue;
        device_id_text(&device->id, id);
        diag_note("'%s' was not written", device->name ? device->name : id);
        said++;
    }
}

/* After manifests were tried: those that are not done are named, and the index
 * says what is so.  -1 where it could not, or there is nothing to say. */
static int conclude(struct publish *p)
{
    p->result->failed = p->total - p->result->written;
    if (p->result->failed) {
        diag_error(DIAG_PARTIAL,
                   "%zu of %zu devices were not written; run 'ota-pack %s' "
                   "again to complete this",
                   p->result->failed, p->total, p->command);
        say_failed(p);
    }
    if (!p->result->written)
        return -1;
    return publish_finish(p);
}

static int carry_out(struct publish *p)
{
    if (publish_stopped(p) || publish_begin(p))
        return -1;
    meter_begin(p->o->meter, p->o->store, p->total);
    if (publish_payloads(p) || index_confirm(p->index, p->o->store) ||
        publish_manifests(p) || conclude(p))
        return -1;
    meter_end(p->o->meter);
    if (p->o->report)
        p->o->report(p->o->ctx, &p->plan, p->result);
    return p->result->failed ? -1 : 0;
}

static void warn_new_base(const struct publish *p)
{
    struct store *s = p->o->store;
    uint64_t size;

    if (p->o->new_base && s->ops->size(s, "index/head", &size) == 0)
        diag_warning("'%s' starts anew: versions count from the configuration "
                     "again, but a device takes none that is not above the "
                     "highest it ever had",
                     s->where);
}

static void count_idle(struct publish *p)
{
    for (size_t i = 0; i < p->plan.release_count; i++) {
        p->result->same += p->plan.releases[i].same_count;
        p->result->left += p->plan.releases[i].left_count;
    }
}

static void say_left_alone(const struct publish *p)
{
    for (size_t i = 0; i < p->plan.release_count; i++) {
        const struct plan_release *r = &p->plan.releases[i];

        if (r->rolled_back)
            diag_note("'%s' is left alone: its content is that of version %lu, "
                      "which was rolled back; change it, or run 'ota-pack "
                      "publish --again'",
                      p->o->config->releases[r->release].name.text,
                      (unsigned long)r->rolled_back);
    }
}

int publish_planned(struct publish *p)
{
    int result;

    if (publish_make_plan(p))
        return -1;
    say_left_alone(p);
    if (!p->total)
        count_idle(p);
    if (p->total)
        result = carry_out(p);
    else
        result = plan_index_differs(&p->plan) ? publish_finish(p) : 0;
    plan_release(&p->plan);
    return result;
}

static int run_locked(struct publish *p)
{
    struct store *s = p->o->store;
    uint8_t old[16];
    int replaces = 0, failed;

    if (publish_read_head(p) || index_read_shards(p->index, s))
        return -1;
    warn_new_base(p);
    if (p->o->new_base)
        replaces = index_base(s, signer_public(p->o->signer), old);
    failed = replaces < 0 || publish_take_up(p) || publish_planned(p);
    if (replaces > 0 && p->index->exists)
        index_replaced(s, old, p->o->now);
    return failed ? -1 : 0;
}

int publish_run(const struct publish_options *options,
                struct publish_result *result)
{
    struct publish p = {.o = options, .result = result, .command = "publish"};
    struct store *s = options->store;
    int failed;

    *result = (struct publish_result){0};
    if (publish_read_head(&p)) {
        publish_stopped(&p);
        return -1;
    }
    if (!options->again &&
        plan_nothing(options->config, options->tree, p.index, options->now)) {
        index_free(p.index);
        return 0;
    }
    failed = s->ops->lock(s, options->lock_wait_ms, options->break_lock);
    if (!failed) {
        failed = run_locked(&p);
        index_unlock(p.index, s, failed != 0, options->signer, options->now);
    }
    if (failed)
        publish_stopped(&p);
    meter_end(options->meter);
    index_free(p.index);
    return failed ? -1 : 0;
}
