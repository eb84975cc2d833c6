/* The index without what goes, then the objects, then the index without a note
 * of them: a cut in between leaves notes, which the next call takes up. */
#include <stdlib.h>
#include <string.h>

#include "object.h"
#include "plan.h"
#include "prune_private.h"

enum { HOPELESS = 20 /* so many failures in a row are the server's */ };

struct prune {
    const struct prune_options *o;
    struct prune_result *result;
    struct index *index;
    struct prune_plan plan;
};

static void say(const struct prune *p, const struct prune_item *item)
{
    if (p->o->each)
        p->o->each(p->o->ctx, item);
}

/* What a publish that was cut short gave devices is not in the index. */
static int refuse_open(const struct index *x)
{
    for (size_t i = 0; i < x->intent_count; i++)
        if (plan_intent_open(&x->intents[i]))
            return diag_error(DIAG_FAILED,
                              "a publish was cut short, and what devices have "
                              "is not known: run 'ota-pack publish' to bring "
                              "it to its end, then prune");
    return 0;
}

/* From the last version down: those before it keep their places. */
static int prune_release(struct prune *p, size_t place)
{
    const struct index_release *r = index_release_at(p->index, place);
    const uint8_t *fates = p->plan.fates + p->plan.first[place];

    for (uint32_t i = r->version_count; i-- > 0;) {
        struct prune_item item = {.release = r->name,
                                  .version = r->versions[i].version,
                                  .whole = fates[i] == PRUNE_GOES};

        if (fates[i] == PRUNE_STAYS)
            continue;
        if (!p->o->dry_run &&
            index_prune_version(p->index, r->name, item.version, item.whole))
            return -1;
        p->result->versions += item.whole;
        say(p, &item);
    }
    return 0;
}

static int prune_versions(struct prune *p)
{
    if (!prune_has_versions(&p->plan))
        return 0;
    for (size_t i = 0; i < index_release_count(p->index); i++)
        if (prune_release(p, i))
            return -1;
    if (p->o->dry_run)
        return 0;
    if (index_confirm(p->index, p->o->store) ||
        index_write(p->index, p->o->store, p->o->signer, p->o->now)) {
        p->result->versions = 0;
        return -1;
    }
    return 0;
}

/* The head is looked at before each object: somebody who took the lock away
 * may be about to give devices that very payload. */
static int prune_object(struct prune *p, const struct index_retired *r)
{
    struct store *s = p->o->store;
    char name[OBJECT_NAME];
    struct prune_item item = {.object = name};
    int result;

    object_payload(r->name, name);
    result = s->ops->size(s, name, &item.size);
    if (result == 0 && !p->o->dry_run) {
        if (index_confirm(p->index, s))
            return -1;
        result = s->ops->remove(s, name);
    }
    item.failed = result < 0;
    p->result->failed += result < 0;
    p->result->payloads += result == 0;
    p->result->bytes += result == 0 ? item.size : 0;
    if (result <= 0)
        say(p, &item);
    return item.failed;
}

/* What failed keeps its note.  0, or -1 (reported): it ends here. */
static int prune_objects(struct prune *p)
{
    struct prune_names *names = &p->plan.names;
    size_t gone = 0, i;
    unsigned in_row = 0;
    int failed = 0;

    for (i = 0; i < names->count && in_row < HOPELESS; i++) {
        if (p->o->stop && *p->o->stop) {
            failed = diag_error(DIAG_FAILED,
                                "stopped: 'ota-pack prune' goes on with it");
            break;
        }
        failed = prune_object(p, &names->list[i]);
        if (failed < 0)
            return -1;
        in_row = failed ? in_row + 1 : 0;
        if (!failed)
            names->list[gone++] = names->list[i];
    }
    names->count = gone;
    return failed || p->result->failed ? 1 : 0;
}

static int finish(struct prune *p)
{
    struct store *s = p->o->store;

    if (p->o->dry_run)
        return 0;
    if (!p->plan.names.count)
        return index_sweep(p->index, s);
    index_forget(p->index, p->plan.names.list, p->plan.names.count);
    if (index_confirm(p->index, s) ||
        index_write(p->index, s, p->o->signer, p->o->now))
        return -1;
    return index_sweep(p->index, s);
}

/* 1 if there is something to do, 0 if not, -1 (reported). */
static int decide(struct prune *p)
{
    const uint8_t *key = signer_public(p->o->signer);

    prune_plan_release(&p->plan);
    index_free(p->index);
    p->index = NULL;
    if (index_read_head(p->o->store, key, &p->index) ||
        index_read_shards(p->index, p->o->store) ||
        prune_decide(p->index, p->o->now, p->o->keep, &p->plan))
        return -1;
    if (!p->plan.names.count && !prune_has_versions(&p->plan))
        return 0;
    return refuse_open(p->index) ? -1 : 1;
}

static int prune(struct prune *p)
{
    int failed;

    if (prune_versions(p))
        return -1;
    failed = prune_objects(p);
    if (failed < 0 || finish(p))
        return -1;
    return failed;
}

int prune_run(const struct prune_options *options, struct prune_result *result)
{
    struct prune p = {.o = options, .result = result};
    struct store *s = options->store;
    int todo;

    *result = (struct prune_result){0};
    todo = decide(&p);
    if (todo > 0 && options->dry_run) {
        todo = prune(&p);
    } else if (todo > 0) {
        todo = s->ops->lock(s, options->lock_wait_ms, options->break_lock);
        if (!todo) {
            todo = decide(&p);
            todo = todo > 0 ? prune(&p) : todo;
            s->ops->unlock(s);
        }
    }
    prune_plan_release(&p.plan);
    index_free(p.index);
    return todo ? -1 : 0;
}
