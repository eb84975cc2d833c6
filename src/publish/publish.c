/* Publishing: ota-publish(7), Steps. */
#include <stdio.h>
#include <string.h>

#include "publish_private.h"

bool publish_stopped(struct publish *p)
{
    if (!p->o->stop || !*p->o->stop)
        return false;
    if (!p->told && !p->begun)
        diag_error(DIAG_FAILED, "stopped: nothing was changed");
    else if (!p->told && p->result->written)
        diag_error(DIAG_FAILED,
                   "stopped after %zu of %zu devices; what was published "
                   "before is whole, run 'ota-pack %s' again to complete "
                   "this",
                   p->result->written, p->total, p->command);
    else if (!p->told)
        diag_error(DIAG_FAILED,
                   "stopped before any device was written: all have what they "
                   "had; run 'ota-pack %s' again",
                   p->command);
    p->told = true;
    return true;
}

int publish_read_head(struct publish *p)
{
    const uint8_t *key = signer_public(p->o->signer);

    index_free(p->index);
    p->index = NULL;
    index_old_release(&p->old);
    if (p->o->new_base)
        return index_read_old(p->o->store, key, &p->old) || index_new(&p->index)
                   ? -1
                   : 0;
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
                                   .old = p->o->new_base ? &p->old : NULL,
                                   .again = p->o->again,
                                   .lost = p->gone,
                                   .back = p->back,
                                   .at_least = p->o->at_least};

    if (plan_make(&request, &p->plan))
        return -1;
    p->total = plan_changes(&p->plan);
    return 0;
}

static bool has_failed(const struct plan_device *d)
{
    return d->why != PLAN_SAME && !d->done;
}

static size_t count_failed(const struct plan *p)
{
    size_t count = 0;

    for (size_t i = 0; i < p->device_count; i++)
        count += has_failed(&p->devices[i]);
    return count;
}

/* Three of them, and how many more there are. */
static void say_failed(const struct publish *p, size_t failed)
{
    const struct plan *plan = &p->plan;
    char text[3 * (INDEX_NAME_MAX + 4) + 32];
    size_t said = 0, len = 0;

    for (size_t i = 0; i < plan->device_count && said < 3; i++) {
        const struct plan_device *d = &plan->devices[i];
        const struct device *device = &p->o->config->devices[d->device];
        char id[DEVICE_TEXT];

        if (!has_failed(d))
            continue;
        device_id_text(&device->id, id);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s'%s'",
                                said ? ", " : "",
                                device->name ? device->name : id);
        said++;
    }
    if (failed > said)
        snprintf(text + len, sizeof text - len, " and %zu more", failed - said);
    diag_note("not written: %s", text);
}

/* After manifests were tried: those that are not done are named, and the index
 * says what is so.  -1 where it could not, or there is nothing to say. */
static int conclude(struct publish *p)
{
    size_t failed = count_failed(&p->plan);

    p->result->failed += failed;
    if (failed) {
        diag_error(DIAG_PARTIAL,
                   "%zu of %zu devices were not written; run 'ota-pack %s' "
                   "again to complete this",
                   failed, p->total, p->command);
        say_failed(p, failed);
    }
    if (failed == p->total)
        return -1;
    return publish_finish(p);
}

static int carry_out(struct publish *p)
{
    publish_warn_move(p);
    if (publish_stopped(p) || publish_begin(p))
        return -1;
    meter_begin(p->o->meter, p->o->store, p->total);
    if (publish_payloads(p) || publish_manifests(p) || conclude(p))
        return -1;
    meter_end(p->o->meter);
    if (p->o->report)
        p->o->report(p->o->ctx, &p->plan, p->result);
    return p->result->failed ? -1 : 0;
}

/* What it costs. */
static void warn_new_base(const struct publish *p)
{
    const char *where = p->o->store->where;
    uint32_t highest = index_old_highest(&p->old);
    char theirs[KEYS_ID_TEXT], ours[KEYS_ID_TEXT];

    if (p->old.other) {
        keys_id_text(p->old.key_id, theirs);
        keys_id_text(signer_public(p->o->signer) + 2, ours);
        diag_warning("'%s' was published with key %s: devices refuse key %s "
                     "until its public half is put on each by hand",
                     where, theirs, ours);
    }
    if (highest)
        diag_warning("'%s' starts anew, above version %lu, the highest that is "
                     "known: a device that was given a higher one takes "
                     "nothing until that is passed",
                     where, (unsigned long)highest);
    else if (p->old.other || p->old.index)
        diag_warning("'%s' starts anew, and which versions devices were given "
                     "is not known: they take none that is not above, so set "
                     "'version' above these once",
                     where);
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

static int carry_plan(struct publish *p)
{
    int result = 0;

    if (p->total)
        result = carry_out(p);
    else if (plan_index_differs(&p->plan))
        result = publish_finish(p);
    if (result)
        publish_stopped(p);
    return result;
}

static void add_result(struct publish_result *all,
                       const struct publish_result *r)
{
    all->written += r->written;
    all->failed += r->failed;
    all->payloads += r->payloads;
    all->payload_bytes += r->payload_bytes;
}

/* A run may carry out several plans: each counts its own. */
int publish_planned(struct publish *p)
{
    struct publish_result own = {0}, *all = p->result;
    int result;

    if (publish_make_plan(p))
        return -1;
    say_left_alone(p);
    if (!p->total)
        count_idle(p);
    p->result = &own;
    result = carry_plan(p);
    p->result = all;
    add_result(all, &own);
    plan_release(&p->plan);
    return result;
}

static const struct tree *sources_of(void *ctx)
{
    const struct publish *p = ctx;

    return p->o->tree;
}

/* What can be had again is put again; the rest is a new version's.  0, or -1
 * (reported). */
static int do_all(struct publish *p)
{
    const struct publish_options *o = p->o;
    struct repair_options r = {.config = o->config,
                               .sources = sources_of,
                               .ctx = p,
                               .store = o->store,
                               .signer = o->signer,
                               .now = o->now,
                               .jobs = o->jobs,
                               .stop = o->stop,
                               .meter = o->meter};

    if (!o->repair)
        return publish_take_up(p) || publish_planned(p) ? -1 : 0;
    if (repair_objects(&r, p->index, o->repair))
        return -1;
    p->begun |= o->repair->payloads || o->repair->manifests;
    p->gone = &o->repair->payload_list;
    if (publish_take_up(p) || publish_planned(p))
        return -1;
    repair_say_lost(&r, p->index, o->repair, true);
    return o->repair->failed ? -1 : 0;
}

static int run_locked(struct publish *p)
{
    struct store *s = p->o->store;
    int failed;

    if (publish_read_head(p) || index_read_shards(p->index, s))
        return -1;
    if (p->o->new_base)
        warn_new_base(p);
    failed = do_all(p);
    if (p->old.index && p->index->exists)
        index_replaced(s, p->old.index->base_id, p->o->now);
    return failed ? -1 : 0;
}

/* Whether anything will be signed: 1, 0, or -1 (reported). */
static int needs_key(struct publish *p)
{
    int result;

    if (index_read_shards(p->index, p->o->store) || publish_make_plan(p))
        return -1;
    result = plan_writes(&p->plan);
    plan_release(&p->plan);
    p->total = 0;
    return result;
}

/* Before the lock: somebody may be asked, and take his time.  Where all of the
 * configuration is published, the head said that there is something to sign. */
static int ask_password(struct publish *p)
{
    const struct config *c = p->o->config;
    bool sure = !p->o->again || p->o->repair;
    int needed = 1;

    if (!signer_is_locked(p->o->signer))
        return 0;
    for (size_t i = 0; i < c->device_count && !p->o->repair; i++)
        sure &= c->devices[i].selected;
    if (!sure)
        needed = needs_key(p);
    return needed > 0 ? signer_unlock(p->o->signer) : needed;
}

int publish_run(const struct publish_options *options,
                struct publish_result *result)
{
    struct publish p = {.o = options,
                        .result = result,
                        .command =
                            options->repair ? "publish --repair" : "publish"};
    struct store *s = options->store;
    int failed;

    *result = (struct publish_result){0};
    if (publish_read_head(&p)) {
        publish_stopped(&p);
        return -1;
    }
    if (!options->again && !options->repair &&
        plan_nothing(options->config, options->tree, p.index, options->now)) {
        index_free(p.index);
        return 0;
    }
    failed = ask_password(&p) ||
             s->ops->lock(s, options->lock_wait_ms, options->break_lock);
    if (!failed) {
        failed = run_locked(&p);
        failed = index_unlock(p.index, s, failed != 0, options->signer,
                              options->now);
    }
    if (failed)
        publish_stopped(&p);
    meter_end(options->meter);
    index_old_release(&p.old);
    index_free(p.index);
    return failed ? -1 : 0;
}
