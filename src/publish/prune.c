/* The index without what goes, then the objects, then the index without a note
 * of them: a cut in between leaves notes, which the next call takes up. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "index/object.h"
#include "plan/plan.h"
#include "prune_private.h"
#include "store/each.h"

enum { DAY = 86400 };

/* A payload. */
struct object {
    char name[OBJECT_NAME];
    bool there, tried, young;
    struct prune_item item;
};

struct prune {
    struct session *s;
    const struct prune_options *o;
    struct prune_result *result;
    struct prune_plan plan;
    struct object *objects; /* payloads that go, as plan.names */
    size_t total;           /* of them */
    size_t done, gone;      /* of these, and of those the names are first */
    bool broken;            /* it ends here (reported) */
    bool warned;            /* of the clock */
    bool mute;              /* the server does not tell its own */
};

static void say(const struct prune *p, const struct prune_item *item)
{
    if (p->o->each)
        p->o->each(p->o->ctx, item);
}

/* What a publish that was cut short gave devices is not in the index. */
static int refuse_open(const struct index *x)
{
    if (x->doubt)
        return diag_error(
            DIAG_FAILED,
            "devices may have something else than the index says: run "
            "'ota-pack publish', which looks at all of them, then prune");
    for (size_t i = 0; i < x->intent_count; i++)
        if (plan_intent_open(&x->intents[i]))
            return diag_error(
                DIAG_FAILED,
                "a publish was cut short, and what devices have is not known: "
                "run 'ota-pack publish' to finish it, then prune");
    return 0;
}

/* From the last version down: those before it keep their places. */
static int prune_release(struct prune *p, size_t place)
{
    const struct index_release *r = index_release_at(p->s->index, place);
    const uint8_t *fates = p->plan.fates + p->plan.first[place];

    for (uint32_t i = r->version_count; i-- > 0;) {
        struct prune_item item = {.release = r->name,
                                  .version = r->versions[i].version,
                                  .whole = fates[i] == PRUNE_GOES};

        if (fates[i] == PRUNE_STAYS)
            continue;
        if (!p->s->dry_run &&
            index_prune_version(p->s->index, r->name, item.version, item.whole))
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
    for (size_t i = 0; i < index_release_count(p->s->index); i++)
        if (prune_release(p, i))
            return -1;
    if (p->s->dry_run)
        return 0;
    if (index_write(p->s->index, p->s->store, p->s->signer, p->s->now)) {
        p->result->versions = 0;
        return -1;
    }
    return 0;
}

static size_t ask_size(void *ctx, size_t i)
{
    const struct prune *p = ctx;

    store_ahead(p->s->store, STORE_SIZE, p->objects[i].name, 0);
    return 0;
}

static int look_at_object(void *ctx, size_t i)
{
    const struct prune *p = ctx;
    struct store *s = p->s->store;
    struct object *o = &p->objects[i];
    int result;

    if (session_stopped(p->s))
        return -1;
    result = s->ops->size(s, o->name, &o->item.size);
    /* What was put there since cannot have been left before. */
    o->young = result == 0 && s->age < PRUNE_AGE;
    o->there = result == 0 && !o->young;
    o->tried = true;
    o->item.failed = result < 0;
    meter_count(p->s->meter, p->s->dry_run, 0);
    return o->item.failed;
}

static size_t ask_removal(void *ctx, size_t i)
{
    const struct prune *p = ctx;

    if (p->objects[i].there)
        store_ahead(p->s->store, STORE_REMOVE, p->objects[i].name, 0);
    return 0;
}

static int remove_object(void *ctx, size_t i)
{
    const struct prune *p = ctx;
    struct store *s = p->s->store;
    struct object *o = &p->objects[i];

    o->tried = true;
    if (o->there)
        o->item.failed = s->ops->remove(s, o->name) < 0;
    meter_count(p->s->meter, 1, 0);
    return o->item.failed;
}

/* The head is looked at before: somebody who took the lock away may be about to
 * give devices one of these payloads.  As store_each(). */
static int remove_some(struct prune *p, size_t first, size_t end)
{
    struct store *s = p->s->store;
    const struct store_each each = {
        .ask = ask_removal, .take = remove_object, .ctx = p};
    int result;

    if (index_confirm(p->s->index, s))
        return -1;
    for (size_t i = first; i < end; i++)
        p->objects[i].tried = !p->objects[i].there;
    result = store_each(&each, first, end);
    return result > 0 && s->ops->flush(s) ? -1 : result;
}

/* What failed, or was not tried, keeps its note; the names of the others come
 * first. */
static void conclude(struct prune *p, size_t end)
{
    struct index_retired *list = p->plan.names.list;

    for (; p->done < end; p->done++) {
        const struct object *o = &p->objects[p->done];
        bool good = o->tried && !o->item.failed && !o->young;

        p->result->failed += o->item.failed;
        p->result->payloads += good && o->there;
        p->result->bytes += good && o->there ? o->item.size : 0;
        if (o->tried && (o->there || o->item.failed))
            say(p, &o->item);
        if (good)
            list[p->gone++] = list[p->done];
    }
}

static int prune_some(void *ctx, size_t first, size_t end)
{
    struct prune *p = ctx;
    int result = p->s->dry_run ? 0 : remove_some(p, first, end);

    p->broken = result < 0;
    if (!p->broken)
        conclude(p, end);
    return result;
}

/* 0, 1: some failed, -1 (reported): it ends here. */
static int prune_objects(struct prune *p)
{
    struct prune_names *names = &p->plan.names;
    const struct store_each each = {
        .ask = ask_size, .take = look_at_object, .taken = prune_some, .ctx = p};

    p->objects = calloc(names->count + 1, sizeof *p->objects);
    if (!p->objects)
        return diag_no_memory();
    p->total = names->count;
    for (size_t i = 0; i < p->total; i++) {
        struct object *o = &p->objects[i];

        o->item.object = o->name;
        object_payload(names->list[i].name, o->name);
    }
    meter_begin(p->s->meter, p->s->store, p->total);
    if (store_each(&each, 0, p->total) > 0)
        conclude(p, p->total);
    names->count = p->gone;
    return p->broken ? -1 : p->gone < p->total;
}

static int finish_prune(struct prune *p)
{
    struct store *s = p->s->store;

    if (p->s->dry_run)
        return 0;
    if (!p->plan.names.count)
        return index_sweep(p->s->index, s);
    index_forget(p->s->index, p->plan.names.list, p->plan.names.count);
    if (index_write(p->s->index, s, p->s->signer, p->s->now))
        return -1;
    return index_sweep(p->s->index, s);
}

/* The time that has passed by this machine's clock since the index was written,
 * or by the server's where that is less: a clock that is wrong must not make
 * what was published just now look old.  Where the server says nothing none
 * has passed, but for a look without the lock: some tell only who writes. */
static int find_now(struct prune *p, uint64_t *now)
{
    struct store *s = p->s->store;
    uint64_t size, age, created = p->s->index->created;

    *now = p->s->now;
    if (!p->s->index->exists || *now <= created)
        return 0;
    if (s->ops->size(s, "index/head", &size) < 0)
        return -1;
    p->mute = s->age == UINT64_MAX;
    if (p->mute && !p->s->locked)
        return 0;
    age = p->mute ? 0 : s->age;
    if (*now - created <= age + DAY)
        return 0;
    *now = created + age;
    return 0;
}

/* What would go by this machine's clock alone. */
static int warn_clock(struct prune *p, uint64_t now)
{
    struct prune_plan plan = {0};
    bool more;

    if (now >= p->s->now || p->warned)
        return 0;
    if (prune_decide(p->s->index, p->s->now, p->o->keep, &plan)) {
        prune_plan_release(&plan);
        return -1;
    }
    more = plan.names.count > p->plan.names.count ||
           (prune_has_versions(&plan) && !prune_has_versions(&p->plan));
    prune_plan_release(&plan);
    if (more)
        diag_warning("this machine's clock is %" PRIu64 " days past the index "
                     "in '%s', and the server%s: nothing is pruned for its age "
                     "since then; is the clock right? else it is done some "
                     "time after the next publish",
                     (p->s->now - p->s->index->created) / DAY,
                     p->s->store->where,
                     p->mute ? " does not tell its own" : "'s is not");
    p->warned = more;
    return 0;
}

/* 1 if there is something to do, 0 if not, -1 (reported). */
static int decide(void *ctx)
{
    struct prune *p = ctx;
    const struct index *x = p->s->index;
    uint64_t now;

    prune_plan_release(&p->plan);
    if (index_read_shards(p->s->index, p->s->store) || find_now(p, &now) ||
        prune_decide(x, now, p->o->keep, &p->plan) || warn_clock(p, now))
        return -1;
    if (!p->plan.names.count && !prune_has_versions(&p->plan))
        return 0;
    return refuse_open(x) ? -1 : 1;
}

static int prune(void *ctx)
{
    struct prune *p = ctx;
    int failed;

    if (prune_versions(p))
        return -1;
    failed = prune_objects(p);
    if (failed < 0 || finish_prune(p))
        return -1;
    return failed;
}

static void say_stopped(const struct prune *p)
{
    if (!session_stopped(p->s))
        return;
    if (p->total)
        diag_error(DIAG_FAILED,
                   "stopped after %zu of %zu payloads; run 'ota-pack prune' "
                   "again to complete this",
                   p->result->payloads, p->total);
    else
        diag_error(DIAG_FAILED, "stopped: no payload was removed");
}

int prune_run(struct session *s, const struct prune_options *options,
              struct prune_result *result)
{
    struct prune p = {.s = s, .o = options, .result = result};
    const struct session_verb verb = {.look = decide, .work = prune, .ctx = &p};
    int failed;

    *result = (struct prune_result){0};
    s->store->asks_age = true;
    failed = session_run(s, &verb);
    if (failed)
        say_stopped(&p);
    prune_plan_release(&p.plan);
    free(p.objects);
    session_end(s);
    return failed;
}
