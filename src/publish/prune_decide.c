/* Which versions and payloads nothing needs any more. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "bundle/format.h"
#include "plan/plan_paths.h"
#include "prune_private.h"

struct decider {
    const struct index *x;
    struct prune_plan *plan;
    struct prune_names needed;
    uint64_t now;
    uint32_t keep;
};

static bool is_ripe(const struct decider *d, uint64_t since)
{
    return d->now >= since && d->now - since >= PRUNE_AGE;
}

static int add_name(struct prune_names *n, const uint8_t name[OTA_HASH],
                    uint64_t until)
{
    if (array_grow(&n->list, n->count, &n->room, sizeof *n->list))
        return -1;
    memcpy(n->list[n->count].name, name, OTA_HASH);
    n->list[n->count++].until = until;
    return 0;
}

static int add_payloads(struct prune_names *n, const struct index_content *c)
{
    for (size_t i = 0; c && i < c->payload_count; i++)
        if (add_name(n, c->payloads[i].link + LINK_HASH, 0))
            return -1;
    return 0;
}

static bool has_name(const struct prune_names *n, const struct index_retired *r)
{
    return n->count && bsearch(r, n->list, n->count, sizeof *n->list,
                               index_retired_compare);
}

static int make_room(struct decider *d)
{
    struct prune_plan *p = d->plan;
    size_t count = index_release_count(d->x);

    p->first = calloc(count + 1, sizeof *p->first);
    if (!p->first)
        return diag_no_memory();
    for (size_t i = 0; i < count; i++) {
        p->first[i] = p->version_count;
        p->version_count += index_release_at(d->x, i)->version_count;
    }
    p->fates = calloc(p->version_count + 1, sizeof *p->fates);
    return p->fates ? 0 : diag_no_memory();
}

/* By age, place in the history and marks alone. */
static void judge_version(struct decider *d, const struct index_release *r,
                          uint32_t i, uint8_t *fate)
{
    const struct index_version *v = &r->versions[i];

    if (r->version_count - i > d->keep && !(v->marks & INDEX_KEPT) &&
        is_ripe(d, v->created) && is_ripe(d, v->left))
        *fate = PRUNE_GOES;
}

static void judge_all(struct decider *d)
{
    for (size_t k = 0; k < index_release_count(d->x); k++) {
        const struct index_release *r = index_release_at(d->x, k);

        for (uint32_t i = 0; i < r->version_count; i++)
            judge_version(d, r, i, &d->plan->fates[d->plan->first[k] + i]);
    }
}

static size_t release_place(const struct index *x, const char *name)
{
    size_t low = 0, high = index_release_count(x);

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(index_release_at(x, mid)->name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* What devices have stays. */
static int keep_used(struct decider *d)
{
    const char *name = NULL;
    size_t place = 0;

    for (size_t i = 0; i < index_device_count(d->x); i++) {
        const struct index_device *e = index_device_at(d->x, i);
        const struct index_release *r;
        const struct index_version *v;

        if (add_payloads(&d->needed, e->own))
            return -1;
        if (index_withdrawn(e))
            continue;
        if (!name || name != e->release)
            place = release_place(d->x, e->release);
        name = e->release;
        r = index_release_at(d->x, place);
        v = index_version(r, e->version);
        if (v)
            d->plan->fates[d->plan->first[place] + (size_t)(v - r->versions)] =
                PRUNE_STAYS;
    }
    return 0;
}

static int add_paths(struct plan_paths *p, const struct index_content *c)
{
    for (uint32_t i = 0; c && i < c->file_count; i++)
        if (c->files[i]->type == OTA_FILE &&
            plan_paths_add(p, c->files[i]->path, false))
            return -1;
    for (uint32_t i = 0; c && i < c->dropped_count; i++)
        if (plan_paths_add(p, c->dropped[i], false))
            return -1;
    plan_paths_sort(p);
    return 0;
}

static bool has_paths(const struct plan_paths *p, const struct index_content *c)
{
    for (uint32_t i = 0; c && i < c->file_count; i++)
        if (c->files[i]->type == OTA_FILE &&
            !plan_paths_has(p, c->files[i]->path))
            return false;
    for (uint32_t i = 0; c && i < c->dropped_count; i++)
        if (!plan_paths_has(p, c->dropped[i]))
            return false;
    return true;
}

/* A version stays in the history, though without its payload, while it alone
 * knows of a file that devices may have: later ones delete it.  So does one
 * that was rolled back, or publish would not know its content again. */
static int spare_release(const struct index_release *r, uint8_t *fates)
{
    struct plan_paths known = {0};
    int result = 0;

    for (uint32_t i = 0; i < r->version_count && !result; i++)
        if (fates[i] == PRUNE_STAYS)
            result = add_paths(&known, r->versions[i].shared);
    for (uint32_t i = r->version_count; i-- > 0 && !result;) {
        const struct index_version *v = &r->versions[i];

        if (fates[i] != PRUNE_GOES ||
            (!(v->marks & INDEX_ROLLED_BACK) && has_paths(&known, v->shared)))
            continue;
        fates[i] =
            v->shared && v->shared->payload_count ? PRUNE_BARE : PRUNE_STAYS;
        result = add_paths(&known, v->shared);
    }
    free(known.list);
    return result;
}

/* Payloads of versions: needed, or perhaps not. */
static int sort_payloads(struct decider *d, struct prune_names *old)
{
    for (size_t k = 0; k < index_release_count(d->x); k++) {
        const struct index_release *r = index_release_at(d->x, k);

        for (uint32_t i = 0; i < r->version_count; i++) {
            bool stays = d->plan->fates[d->plan->first[k] + i] == PRUNE_STAYS;

            if (add_payloads(stays ? &d->needed : old, r->versions[i].shared))
                return -1;
        }
    }
    for (size_t i = 0; i < index_retired_count(d->x); i++) {
        const struct index_retired *r = index_retired_at(d->x, i);

        if (add_name(is_ripe(d, r->until) ? old : &d->needed, r->name,
                     r->until))
            return -1;
    }
    return 0;
}

static void sort_names(struct prune_names *n)
{
    if (n->count)
        qsort(n->list, n->count, sizeof *n->list, index_retired_compare);
}

/* Each once, and none that is needed. */
static void drop_needed(struct prune_names *old, struct prune_names *needed)
{
    size_t kept = 0;

    sort_names(old);
    sort_names(needed);
    for (size_t i = 0; i < old->count; i++)
        if (!has_name(needed, &old->list[i]) &&
            (!kept ||
             index_retired_compare(&old->list[kept - 1], &old->list[i]) != 0))
            old->list[kept++] = old->list[i];
    old->count = kept;
}

int prune_decide(const struct index *x, uint64_t now, uint32_t keep,
                 struct prune_plan *out)
{
    struct decider d = {.x = x, .plan = out, .now = now, .keep = keep};
    int result = -1;

    *out = (struct prune_plan){0};
    if (make_room(&d))
        goto out;
    judge_all(&d);
    if (keep_used(&d))
        goto out;
    for (size_t k = 0; k < index_release_count(x); k++)
        if (spare_release(index_release_at(x, k), out->fates + out->first[k]))
            goto out;
    if (sort_payloads(&d, &out->names))
        goto out;
    drop_needed(&out->names, &d.needed);
    result = 0;
out:
    free(d.needed.list);
    return result;
}

void prune_plan_release(struct prune_plan *p)
{
    free(p->fates);
    free(p->first);
    free(p->names.list);
    *p = (struct prune_plan){0};
}

bool prune_has_versions(const struct prune_plan *p)
{
    for (size_t i = 0; i < p->version_count; i++)
        if (p->fates[i] != PRUNE_STAYS)
            return true;
    return false;
}
