/* The files of all releases: rules to sets, sets to devices. */
#include "tree_internal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct tree_private {
    struct tree_sources sources;
    struct arena arena; /* entries, and the sets' lists of them */
    size_t release_count;
};

/* The sets of a release while they are made. */
struct sets {
    struct arena *arena; /* where what is kept goes */
    struct tree_set *list;
    size_t count, capacity;
    uint32_t *slots; /* by digest: index + 1, or 0; a power of two */
    size_t slot_count;
};

/* Clashes are looked for in a copy: the check reorders. */
static int check_copy(struct tree_job *job, const struct tree_list *list)
{
    struct tree_list copy = {NULL, 0, 0};
    bool before = job->failed;
    size_t i;
    int err = 0;

    for (i = 0; i < list->count && err == 0; i++)
        err = tree_list_add(&copy, list->items[i]);
    job->failed = false;
    if (err == 0)
        tree_set_check(job, &copy);
    err = err || job->failed ? -1 : 0;
    job->failed = before || err;
    free(copy.items);
    return err;
}

static struct tree_item *keep_item(struct arena *arena,
                                   const struct tree_item *item)
{
    const struct tree_entry *e = &item->entry;
    struct tree_item *kept = arena_alloc(arena, sizeof *kept);

    if (!kept)
        return NULL;
    *kept = *item;
    kept->entry.path = arena_text(arena, e->path, strlen(e->path));
    kept->folded = NULL; /* clashes were looked for */
    return kept->entry.path ? kept : NULL;
}

/* What is not shared lives in the job's arena, and is copied. */
static int keep_entries(struct sets *sets, const struct tree_list *list,
                        const struct tree_list *shared, struct tree_set *set)
{
    const struct tree_entry **out =
        arena_alloc(sets->arena, list->count * sizeof(struct tree_entry *));
    size_t i, s = 0;

    if (!out)
        return -1;
    for (i = 0; i < list->count; i++) {
        const struct tree_item *item = list->items[i];

        /* Both are in record order, so the shared ones come in turn. */
        if (s < shared->count && shared->items[s] == item)
            s++;
        else if (!(item = keep_item(sets->arena, item)))
            return -1;
        out[i] = &item->entry;
    }
    set->entries = out;
    return 0;
}

static uint32_t *find_set(const struct sets *sets, const uint8_t *digest)
{
    size_t mask = sets->slot_count - 1, i;

    memcpy(&i, digest, sizeof i);
    for (i &= mask; sets->slots[i]; i = (i + 1) & mask) {
        const struct tree_set *set = &sets->list[sets->slots[i] - 1];

        if (!memcmp(set->digest, digest, OTA_DIGEST))
            break;
    }
    return &sets->slots[i];
}

static int grow_sets(struct sets *sets)
{
    size_t capacity = sets->capacity ? 2 * sets->capacity : 8, i;
    uint32_t *slots = calloc(2 * capacity, sizeof *slots);
    struct tree_set *list =
        realloc(sets->list, capacity * sizeof(struct tree_set));

    if (list)
        sets->list = list;
    if (!list || !slots) {
        free(slots);
        diag_no_memory();
        return -1;
    }
    free(sets->slots);
    sets->slots = slots;
    sets->slot_count = 2 * capacity;
    sets->capacity = capacity;
    for (i = 0; i < sets->count; i++)
        *find_set(sets, sets->list[i].digest) = (uint32_t)i + 1;
    return 0;
}

/* The set of a sorted list: one that is there, or a new one.  Returns its
 * index, or UINT32_MAX (reported). */
static uint32_t put_set(struct tree_job *job, struct sets *sets,
                        const struct tree_list *shared)
{
    struct tree_set set;
    uint32_t *slot;

    if (sets->count == sets->capacity && grow_sets(sets))
        return UINT32_MAX;
    if (tree_set_measure(job, job->list, &set))
        return UINT32_MAX;
    slot = find_set(sets, set.digest);
    if (*slot)
        return *slot - 1;
    if (job->device && check_copy(job, job->list))
        return UINT32_MAX;
    if (keep_entries(sets, job->list, shared, &set))
        return UINT32_MAX;
    set.own = job->device != NULL;
    sets->list[sets->count++] = set;
    *slot = (uint32_t)sets->count;
    return *slot - 1;
}

/* Rules with values, for one device. */
static uint32_t load_device(struct tree_job *job, struct sets *sets,
                            const struct tree_list *shared,
                            const enum tree_rule *rules)
{
    const struct config_release *r = job->release;
    size_t i;
    int err = 0;

    job->list->count = 0;
    arena_release(job->arena);
    for (i = 0; i < shared->count && err == 0; i++)
        err = tree_list_add(job->list, shared->items[i]);
    for (i = 0; i < r->file_count; i++) {
        if (rules[i] == TREE_RULE_DEVICE && tree_rule_apply(job, &r->files[i]))
            err = -1;
    }
    if (err)
        return UINT32_MAX;
    tree_set_sort(job->list);
    return put_set(job, sets, shared);
}

/* `release_job` is the release's; each device gets one of its own. */
static void load_devices(struct tree_job *release_job, struct sets *sets,
                         size_t release, const enum tree_rule *rules,
                         uint32_t *device_set)
{
    const struct config *c = release_job->config;
    struct arena scratch = {NULL, NULL, NULL};
    struct tree_list list = {NULL, 0, 0};
    struct tree_job job = *release_job;
    size_t i;

    job.arena = &scratch;
    job.list = &list;
    for (i = 0; i < c->device_count; i++) {
        if (c->devices[i].release != release)
            continue;
        job.device = &c->devices[i];
        device_set[i] = load_device(&job, sets, release_job->list, rules);
        job.failed = job.failed || device_set[i] == UINT32_MAX;
    }
    release_job->failed = job.failed;
    free(list.items);
    arena_release(&scratch);
}

static void load_shared(struct tree_job *job, struct sets *sets, size_t release,
                        uint32_t *device_set)
{
    const struct config *c = job->config;
    uint32_t set = job->failed ? UINT32_MAX : put_set(job, sets, job->list);
    size_t i;

    job->failed = job->failed || set == UINT32_MAX;
    for (i = 0; i < c->device_count; i++) {
        if (c->devices[i].release == release)
            device_set[i] = set;
    }
}

/* Looks at each rule; adds what the shared ones bring.  True if a rule is for
 * each device. */
static bool apply_shared(struct tree_job *job, enum tree_rule *rules)
{
    const struct config_release *r = job->release;
    bool own = false;
    size_t i;

    for (i = 0; i < r->file_count; i++) {
        rules[i] = tree_rule_check(job, &r->files[i]);
        if (rules[i] == TREE_RULE_SHARED && tree_rule_apply(job, &r->files[i]))
            job->failed = true;
        own = own || rules[i] == TREE_RULE_DEVICE;
    }
    tree_set_check(job, job->list);
    tree_set_sort(job->list);
    return own;
}

static int load_release(struct tree *t, const struct config *c, size_t release)
{
    const struct config_release *r = &c->releases[release];
    struct tree_list shared = {NULL, 0, 0};
    struct tree_job job = {.config = c,
                           .release = r,
                           .sources = &t->priv->sources,
                           .arena = &t->priv->arena,
                           .list = &shared};
    struct sets sets = {.arena = &t->priv->arena};
    enum tree_rule *rules = calloc(r->file_count + 1, sizeof *rules);

    if (!rules)
        return diag_no_memory();
    if (apply_shared(&job, rules))
        load_devices(&job, &sets, release, rules, t->device_set);
    else
        load_shared(&job, &sets, release, t->device_set);
    t->releases[release].sets = sets.list;
    t->releases[release].set_count = sets.count;
    free(sets.slots);
    free(shared.items);
    free(rules);
    return job.failed ? -1 : 0;
}

static struct tree *new_tree(const struct config *c)
{
    struct tree *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->priv = calloc(1, sizeof *t->priv);
    t->releases = calloc(c->release_count + 1, sizeof *t->releases);
    t->device_set = malloc((c->device_count + 1) * sizeof *t->device_set);
    if (!t->priv || !t->releases || !t->device_set) {
        tree_free(t);
        return NULL;
    }
    t->priv->release_count = c->release_count;
    memset(t->device_set, 0xff, c->device_count * sizeof *t->device_set);
    return t;
}

int tree_load(const struct config *c, struct tree **out)
{
    struct tree *t = new_tree(c);
    size_t i;
    int err = 0;

    *out = NULL;
    if (!t)
        return diag_no_memory();
    diag_gather();
    for (i = 0; i < c->release_count; i++) {
        if (c->releases[i].selected && load_release(t, c, i))
            err = -1;
    }
    if (tree_served_check(c, &t->priv->sources))
        err = -1;
    diag_gathered();
    if (err)
        tree_free(t);
    else
        *out = t;
    return err;
}

void tree_free(struct tree *t)
{
    size_t i;

    if (!t)
        return;
    for (i = 0; t->priv && t->releases && i < t->priv->release_count; i++)
        free(t->releases[i].sets);
    if (t->priv) {
        tree_sources_release(&t->priv->sources);
        arena_release(&t->priv->arena);
    }
    free(t->priv);
    free(t->releases);
    free(t->device_set);
    free(t);
}

void tree_content_hash(const struct config *c, const struct tree *t,
                       size_t release, uint8_t hash[OTA_HASH])
{
    const struct tree_release *r = &t->releases[release];
    uint8_t full[crypto_hash_sha512_BYTES];
    crypto_hash_sha512_state sha;
    size_t i;

    crypto_hash_sha512_init(&sha);
    if (r->set_count && !r->sets[0].own)
        crypto_hash_sha512_update(&sha, r->sets[0].digest, OTA_DIGEST);
    for (i = 0; i < c->device_count; i++) {
        const struct device *d = &c->devices[i];
        uint32_t set = t->device_set[i];

        if (d->release != release || set >= r->set_count || !r->sets[set].own)
            continue;
        crypto_hash_sha512_update(&sha, d->id.bytes, sizeof d->id.bytes);
        crypto_hash_sha512_update(&sha, &d->id.len, sizeof d->id.len);
        crypto_hash_sha512_update(&sha, r->sets[set].digest, OTA_DIGEST);
    }
    crypto_hash_sha512_final(&sha, full);
    memcpy(hash, full, OTA_HASH);
}
