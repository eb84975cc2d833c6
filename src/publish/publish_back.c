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
};

/* With the index of `p`, which is then as it is after that. */
static int go_back(struct publish *p, const struct wish *w)
{
    struct publish_options o = *p->o;
    struct publish inner = {
        .s = p->s, .o = &o, .result = p->result, .command = p->command};
    struct back back;
    int failed =
        back_open(p->s->index, p->s->store->where, w->release, w->to, &back);

    if (!failed) {
        o.config = &back.config;
        o.tree = &back.tree;
        back_at_least(&back, w->at_least);
        o.at_least = back.at_least;
        inner.back = &back.request;
        failed = p->s->dry_run ? report_plan(&inner) : publish_planned(&inner);
    }
    back_release(&back);
    p->told |= inner.told;
    p->begun |= inner.begun;
    return failed;
}

/* Where two publishers took no notice of each other its devices get what they
 * have under a higher number; publish alone would leave them as they are. */
static uint32_t doubtful(const struct publish *p, const struct index_release *r)
{
    const struct index *x = p->s->index;

    if (!x->doubt || p->s->store->forced)
        return 0;
    for (size_t i = 0; i < x->intent_count; i++)
        if (strcmp(x->intents[i].release, r->name) == 0)
            for (uint32_t k = r->version_count; k-- > 0;)
                if (r->versions[k].shared &&
                    r->versions[k].shared->payload_count &&
                    !(r->versions[k].marks & INDEX_ROLLED_BACK))
                    return r->versions[k].version;
    return 0;
}

int publish_take_up(struct publish *p)
{
    const struct config *c = p->o->config;
    struct plan_request request = {
        .config = c, .tree = p->o->tree, .index = p->s->index};

    for (size_t i = 0; i < c->release_count && !p->o->again; i++) {
        struct wish w = {.release = c->releases[i].name.text};
        const struct index_release *r;

        if (!c->releases[i].selected || !plan_rolled_back(&request, i))
            continue;
        r = index_release(p->s->index, w.release);
        w.to = plan_back_begun(p->s->index, r);
        if (!w.to)
            w.to = doubtful(p, r);
        if (w.to && go_back(p, &w))
            return -1;
    }
    return 0;
}

/* A rollback that a person asked for. */
struct asked {
    struct publish p;
    struct wish wish;
};

static int look_at_head(void *ctx)
{
    const struct asked *a = ctx;

    if (a->p.s->index->exists)
        return 1;
    return diag_error(DIAG_USAGE, "nothing was ever published to '%s'",
                      a->p.s->store->where);
}

static int work_on_index(void *ctx)
{
    struct asked *a = ctx;

    return go_back(&a->p, &a->wish);
}

int publish_rollback(struct session *s, const struct publish_options *options,
                     const char *release, uint32_t to, uint32_t at_least,
                     struct publish_result *result)
{
    struct asked a = {
        .p = {.s = s, .o = options, .result = result, .command = "rollback"},
        .wish = {.release = release, .to = to, .at_least = at_least}};
    const struct session_verb verb = {
        .look = look_at_head, .work = work_on_index, .ctx = &a};
    int failed;

    *result = (struct publish_result){0};
    failed = session_run(s, &verb);
    if (failed)
        publish_stopped(&a.p);
    session_end(s);
    return failed;
}
