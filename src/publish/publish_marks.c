/* Marks of versions in the index: what a rollback has left is not published
 * again unasked.  They are written with the intent, so that they hold from
 * before the first manifest on. */
#include <stdio.h>
#include <string.h>

#include "publish_private.h"

static int set_mark(struct publish *p, const char *release,
                    const struct index_version *v, bool on)
{
    struct index_version marked = *v;

    marked.marks = (uint8_t)(v->marks & ~INDEX_ROLLED_BACK);
    if (on)
        marked.marks |= INDEX_ROLLED_BACK;
    return index_add_version(p->s->index, release, &marked) ? 0 : -1;
}

static bool same_digest(const struct index_version *v, const struct tree_set *s)
{
    return v->shared && memcmp(v->shared->digest, s->digest, OTA_DIGEST) == 0;
}

/* Only once all devices are to have it: one of them may be there to try it. */
static int unmark_release(struct publish *p, const struct plan_release *r)
{
    const struct config_release *c = &p->o->config->releases[r->release];
    const struct tree_set *set = p->o->tree->releases[r->release].sets;
    const struct index_release *history =
        index_release(p->s->index, c->name.text);

    if (r->rolled_back || r->pending_count || set->own || !history)
        return 0;
    for (uint32_t i = 0; i < history->version_count; i++) {
        const struct index_version *v = &history->versions[i];

        if ((v->marks & INDEX_ROLLED_BACK) && same_digest(v, set) &&
            v->hardware == c->hardware && v->ram == c->ram &&
            set_mark(p, c->name.text, v, false))
            return -1;
    }
    return 0;
}

static bool has_device(const struct publish *p, const struct plan_release *r,
                       uint32_t version)
{
    for (uint32_t i = 0; i < r->device_count; i++) {
        const struct plan_device *d = &p->plan.devices[r->device_first + i];
        const struct index_device *e =
            index_device(p->s->index, &p->o->config->devices[d->device].id);

        if (d->why == PLAN_CHANGED && e && e->version == version)
            return true;
    }
    return false;
}

/* All manifests of a version that was begun have one content: it is shared. */
static bool is_shared(const struct plan *plan, const struct plan_found *f)
{
    for (size_t i = 0; i < plan->replaced_count; i++)
        if (plan->replaced[i].version == f->version &&
            memcmp(plan->replaced[i].digest, f->digest, OTA_DIGEST) != 0)
            return false;
    return true;
}

/* What a publish gave devices that was cut short, and gone back from before it
 * was brought to its end: no history has it yet. */
static int mark_begun(struct publish *p, const struct config_release *c)
{
    const struct plan *plan = &p->plan;

    for (size_t i = 0; i < plan->replaced_count; i++) {
        const struct plan_found *f = &plan->replaced[i];
        struct index_version v = {.version = f->version,
                                  .created = f->created,
                                  .expires = f->expires,
                                  .hardware = c->hardware,
                                  .ram = c->ram,
                                  .marks = INDEX_ROLLED_BACK,
                                  .shared = f->content};

        if (f->version <= p->back->version || !f->content ||
            memcmp(f->digest, p->back->content->digest, OTA_DIGEST) == 0 ||
            index_version(index_release(p->s->index, c->name.text),
                          f->version) ||
            !is_shared(plan, f))
            continue;
        if (!index_add_version(p->s->index, c->name.text, &v))
            return -1;
    }
    return 0;
}

static int mark_left(struct publish *p, const struct plan_release *r)
{
    const struct config_release *c = &p->o->config->releases[r->release];
    const struct tree_set *set = p->o->tree->releases[r->release].sets;
    const struct index_release *history =
        index_release(p->s->index, c->name.text);

    for (uint32_t i = 0; i < history->version_count; i++) {
        const struct index_version *v = &history->versions[i];

        if (v->version > p->back->version && v->shared &&
            !same_digest(v, set) &&
            (i + 1 == history->version_count || has_device(p, r, v->version)) &&
            set_mark(p, c->name.text, v, true))
            return -1;
    }
    return mark_begun(p, c);
}

int publish_mark(struct publish *p)
{
    for (size_t i = 0; i < p->plan.release_count; i++) {
        const struct plan_release *r = &p->plan.releases[i];

        if (r->device_count - r->counts[PLAN_REFRESH] == 0)
            continue;
        if (unmark_release(p, r) || (p->back && mark_left(p, r)))
            return -1;
    }
    return 0;
}
