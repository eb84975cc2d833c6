/* Publish and its options, as a session's verb. */
#include <stdio.h>
#include <string.h>

#include "bundle/format.h"
#include "publish_private.h"

/* What it costs. */
static void warn_new_base(const struct publish *p)
{
    const char *where = p->s->store->where;
    uint32_t highest = index_old_highest(&p->s->old);
    char theirs[KEYS_ID_TEXT], ours[KEYS_ID_TEXT];

    if (p->s->old.other) {
        keys_id_text(p->s->old.key_id, theirs);
        keys_id_text(signer_public(p->s->signer) + KEY_ID, ours);
        diag_warning("'%s' was published with key %s: devices refuse key %s "
                     "until its public half is put on each by hand",
                     where, theirs, ours);
    }
    if (highest)
        diag_warning("'%s' starts anew, above version %lu, the highest that is "
                     "known: a device that was given a higher one takes "
                     "nothing until that is passed",
                     where, (unsigned long)highest);
    else if (p->s->old.other || p->s->old.index)
        diag_warning("'%s' starts anew, and which versions devices were given "
                     "is not known: they take none that is not above, so set "
                     "'version' above these once",
                     where);
}

static const struct tree *sources_of(void *ctx)
{
    const struct publish *p = ctx;

    return p->o->tree;
}

/* What can be had again is put again; the rest is a new version's.  0, or -1
 * (reported). */
static int work_on_index(void *ctx)
{
    struct publish *p = ctx;
    const struct publish_options *o = p->o;
    struct repair_options r = {
        .config = o->config, .sources = sources_of, .ctx = p, .jobs = o->jobs};

    if (p->s->new_base)
        warn_new_base(p);
    if (!o->repair)
        return publish_take_up(p) || publish_planned(p) ? -1 : 0;
    if (repair_objects(p->s, &r, o->repair))
        return -1;
    p->begun |= o->repair->payloads || o->repair->manifests;
    p->gone = &o->repair->payload_list;
    if (publish_take_up(p) || publish_planned(p))
        return -1;
    repair_say_lost(p->s, &r, o->repair, true);
    return o->repair->failed ? -1 : 0;
}

static int look_at_head(void *ctx)
{
    const struct publish *p = ctx;
    const struct publish_options *o = p->o;

    return p->s->locked || o->again || o->repair ||
           !plan_nothing(o->config, o->tree, p->s->index, p->s->now);
}

/* Where all of the configuration is published, the head said that there is
 * something to sign. */
static int signs_any(void *ctx)
{
    struct publish *p = ctx;
    const struct config *c = p->o->config;
    bool sure = !p->o->again || p->o->repair;
    int result;

    for (size_t i = 0; i < c->device_count && !p->o->repair; i++)
        sure &= c->devices[i].selected;
    if (sure)
        return 1;
    if (index_read_shards(p->s->index, p->s->store) || publish_make_plan(p))
        return -1;
    result = plan_writes(&p->plan);
    plan_release(&p->plan);
    p->total = 0;
    return result;
}

int publish_run(struct session *s, const struct publish_options *options,
                struct publish_result *result)
{
    struct publish p = {.s = s,
                        .o = options,
                        .result = result,
                        .command =
                            options->repair ? "publish --repair" : "publish"};
    const struct session_verb verb = {.look = look_at_head,
                                      .signs = signs_any,
                                      .work = work_on_index,
                                      .ctx = &p};
    int failed;

    *result = (struct publish_result){0};
    failed = session_run(s, &verb);
    if (failed)
        publish_stopped(&p);
    session_end(s);
    return failed;
}
