/* The index around a publish: the intents before it, what is so after it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "publish_private.h"

static void fill_intent(const struct publish *p, const struct plan_release *r,
                        struct index_intent *i)
{
    *i = (struct index_intent){.release =
                                   p->o->config->releases[r->release].name.text,
                               .version = r->version ? r->version : r->before,
                               .created = r->created,
                               .expires = r->expires};
    memcpy(i->content, r->content, OTA_HASH);
}

static bool has_failed(const struct plan *p, const struct plan_release *r)
{
    for (uint32_t i = 0; i < r->device_count; i++)
        if (!p->devices[r->device_first + i].done)
            return true;
    return false;
}

/* An index has one intent a release.  One with a higher number keeps its place:
 * that number is used up. */
static void add_intent(struct index_intent *list, size_t *count,
                       const struct index_intent *i)
{
    size_t k = 0;

    while (k < *count && strcmp(list[k].release, i->release) != 0)
        k++;
    if (k == *count)
        list[(*count)++] = *i;
    else if (i->version > list[k].version)
        list[k] = *i;
}

/* Opens the intents of what is to be done (or, `after` it, of what failed) and
 * keeps those of the plan, and till then all that are there. */
static int set_intents(struct publish *p, bool after)
{
    const struct plan *plan = &p->plan;
    const struct index *x = p->s->index;
    struct index_intent *list =
        calloc(plan->release_count + plan->intent_count + x->intent_count + 1,
               sizeof *list);
    size_t count = 0;
    int result;

    if (!list)
        return diag_no_memory();
    for (size_t i = 0; i < plan->release_count; i++) {
        const struct plan_release *r = &plan->releases[i];

        if (after ? has_failed(plan, r) : r->device_count > 0)
            fill_intent(p, r, &list[count++]);
    }
    for (size_t i = 0; i < x->intent_count && !after; i++)
        add_intent(list, &count, &x->intents[i]);
    for (size_t i = 0; i < plan->intent_count; i++)
        add_intent(list, &count, &plan->intents[i]);
    result = index_set_intents(p->s->index, list, count);
    free(list);
    return result;
}

int publish_begin(struct publish *p)
{
    struct index *x = p->s->index;

    x->doubt |= p->s->store->forced;
    p->begun = true;
    if (publish_mark(p) || set_intents(p, false) ||
        index_write(x, p->s->store, p->s->signer, p->s->now))
        return -1;
    return index_confirm(x, p->s->store);
}

/* A content as the index takes it; `files` and `list` are its memory. */
struct content {
    struct index_content c;
    struct index_file *files;
    const struct index_file **list;
};

static int content_init(struct content *c, struct plan_group *g)
{
    const struct tree_set *set = g->content;

    *c = (struct content){0};
    c->files = calloc(set->count + 1, sizeof *c->files);
    c->list = calloc(set->count + 1, sizeof *c->list);
    if (!c->files || !c->list)
        return diag_no_memory();
    for (size_t i = 0; i < set->count; i++) {
        const struct tree_entry *e = set->entries[i];

        c->files[i] = (struct index_file){
            .path = e->path, .type = e->type, .mode = e->mode, .size = e->size};
        memcpy(c->files[i].hash, e->hash, OTA_HASH);
        c->list[i] = &c->files[i];
    }
    memcpy(c->c.digest, set->digest, OTA_DIGEST);
    c->c.files = c->list;
    c->c.file_count = (uint32_t)set->count;
    c->c.dropped = g->dropped;
    c->c.dropped_count = g->dropped_count;
    c->c.payloads = &g->alternative;
    c->c.payload_count = 1;
    return 0;
}

static void content_release(struct content *c)
{
    free(c->files);
    free(c->list);
}

static int set_device(struct publish *p, const struct plan_release *r,
                      const struct plan_group *g, const struct plan_device *d,
                      struct index_content *own)
{
    const struct config_release *c = &p->o->config->releases[g->release];
    const struct device *device = &p->o->config->devices[d->device];
    struct index_device e = {.id = device->id,
                             .version = g->version,
                             .name = device->name,
                             .release = c->name.text,
                             .created = r->created,
                             .expires = r->expires,
                             .own = own};

    memcpy(e.digest, g->content->digest, OTA_DIGEST);
    return index_set_device(p->s->index, &e) ? 0 : -1;
}

/* A version that has no devices yet, or whose payload had to be packed again:
 * `shared` NULL where each device has its own. */
static int set_version(struct publish *p, const struct plan_release *r,
                       const struct plan_group *g, uint32_t version,
                       struct index_content *shared)
{
    const struct config_release *c = r->config;
    const struct index_release *history =
        index_release(p->s->index, c->name.text);
    const struct index_version *old =
        history ? index_version(history, version) : NULL;
    struct index_version v = {.version = version,
                              .created = r->created,
                              .expires = r->expires,
                              .hardware = g->hardware,
                              .ram = g->ram,
                              .delete_count = (uint32_t)c->delete_count};
    const char **deletes = malloc((c->delete_count + 1) * sizeof *deletes);
    bool added;

    if (!deletes)
        return diag_no_memory();
    for (size_t i = 0; i < c->delete_count; i++)
        deletes[i] = c->deletes[i].text;
    v.deletes = deletes;
    snprintf(v.label, sizeof v.label, "%s", g->label);
    if (old)
        v = *old;
    v.shared = shared;
    added = index_add_version(p->s->index, c->name.text, &v) != NULL;
    free(deletes);
    return added ? 0 : -1;
}

static bool is_packed(const struct plan_group *g)
{
    const struct index_content *c = g->reuse;

    return !c || memcmp(c->payloads[c->payload_count - 1].link,
                        g->alternative.link, OTA_LINK) != 0;
}

/* A rollback takes an old payload into a new version. */
static bool is_known(const struct publish *p, const struct plan_group *g)
{
    const char *name = p->o->config->releases[g->release].name.text;

    return index_version(index_release(p->s->index, name), g->version) != NULL;
}

static int set_group(struct publish *p, const struct plan_release *r,
                     struct plan_group *g)
{
    struct content content = {0};
    int result = -1;

    if (g->failed)
        return 0;
    if (content_init(&content, g))
        goto out;
    if (g->own ? g->version == r->version : is_packed(g) || !is_known(p, g))
        if (set_version(p, r, g, g->version, g->own ? NULL : &content.c))
            goto out;
    for (uint32_t i = g->first; i != PLAN_NONE; i = p->plan.devices[i].next)
        if (p->plan.devices[i].done && set_device(p, r, g, &p->plan.devices[i],
                                                  g->own ? &content.c : NULL))
            goto out;
    result = 0;
out:
    content_release(&content);
    return result;
}

static int set_names(struct publish *p)
{
    const struct config *c = p->o->config;

    for (size_t i = 0; i < c->device_count; i++) {
        const struct device *d = &c->devices[i];
        const struct index_device *old = index_device(p->s->index, &d->id);
        struct index_device e;

        if (!d->selected || !old)
            continue;
        e = *old;
        e.name = d->name;
        if (strcmp(d->name ? d->name : "", old->name ? old->name : "") != 0 &&
            !index_set_device(p->s->index, &e))
            return -1;
    }
    return 0;
}

/* Whether the history of the release has that very payload. */
static bool is_shared(const struct publish *p, const char *release,
                      const struct plan_found *f)
{
    const struct index_version *v =
        index_version(index_release(p->s->index, release), f->version);

    return v && v->shared && v->shared->payload_count && f->content &&
           memcmp(v->shared->payloads[v->shared->payload_count - 1].link,
                  f->content->payloads->link, OTA_LINK) == 0;
}

/* Its release is the one that it was in, which need not be where the cut
 * publish had it: it keeps the content as its own. */
static int set_found(struct publish *p, const struct plan_found *f)
{
    const struct index_device *old = index_device(p->s->index, &f->id);
    const struct config *c = p->o->config;
    struct index_device e = {.id = f->id};

    if (old) {
        e = *old;
    } else if (f->device != PLAN_NONE) {
        e.release = c->releases[c->devices[f->device].release].name.text;
        e.name = c->devices[f->device].name;
    } else {
        return 0;
    }
    e.version = f->version;
    memcpy(e.digest, f->digest, OTA_DIGEST);
    e.created = f->created;
    e.expires = f->expires;
    e.own = is_shared(p, e.release, f) ? NULL : f->content;
    return index_set_device(p->s->index, &e) ? 0 : -1;
}

static int set_entries(struct publish *p)
{
    struct plan *plan = &p->plan;

    for (size_t i = 0; i < plan->release_count; i++) {
        const struct plan_release *r = &plan->releases[i];

        for (uint32_t k = 0; k < r->group_count; k++)
            if (set_group(p, r, &plan->groups[r->group_first + k]))
                return -1;
    }
    for (size_t i = 0; i < plan->found_count; i++)
        if (set_found(p, &plan->found[i]))
            return -1;
    return set_names(p);
}

int publish_finish(struct publish *p)
{
    const struct plan *plan = &p->plan;
    struct index *x = p->s->index;

    if (set_entries(p) || set_intents(p, true))
        return -1;
    if (p->result->failed)
        memset(x->wanted, 0, OTA_HASH);
    else if (!plan->narrowed || plan_changes(plan) || plan->found_count)
        memcpy(x->wanted, plan->wanted, OTA_HASH);
    x->refresh = plan->refresh;
    /* Whoever had the lock may put manifests still. */
    x->doubt =
        plan->doubt || p->s->store->forced || (x->doubt && p->result->failed);
    if (index_write(x, p->s->store, p->s->signer, p->s->now))
        return -1;
    return index_sweep(x, p->s->store);
}
