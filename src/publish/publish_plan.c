/* A plan made and carried out, in the order of server.md, Publishing. */
#include "publish_private.h"

int publish_make_plan(struct publish *p)
{
    struct plan_request request = {.config = p->o->config,
                                   .tree = p->o->tree,
                                   .index = p->s->index,
                                   .store = p->s->store,
                                   .key = signer_public(p->s->signer),
                                   .now = p->s->now,
                                   .new_base = p->s->new_base,
                                   .old = p->s->new_base ? &p->s->old : NULL,
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

static size_t count_failed(const struct plan *p)
{
    size_t count = 0;

    for (size_t i = 0; i < p->device_count; i++)
        count += has_failed(&p->devices[i]);
    return count;
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
    meter_begin(p->s->meter, p->s->store, p->total);
    if (publish_payloads(p) || publish_manifests(p) || conclude(p))
        return -1;
    meter_end(p->s->meter);
    if (p->o->report)
        p->o->report(p->o->ctx, &p->plan, p->result);
    return p->result->failed ? -1 : 0;
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
                      "which was rolled back; change its files (a label, "
                      "delete or version alone is not enough), or run "
                      "'ota-pack publish --again'",
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
