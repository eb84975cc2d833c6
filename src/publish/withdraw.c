/* Manifests go first, then the index says so.  Cut in between, the index has
 * the device as it was: its number is used, its payload is not pruned, and the
 * same command completes it. */
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "index/served.h"
#include "withdraw.h"

struct target {
    struct device_id id;
    uint32_t version; /* that it was given */
    bool read;        /* that is known */
    bool gone;        /* its manifest is removed */
};

struct withdraw {
    struct session *s;
    const struct withdraw_options *o;
    struct withdraw_result *result;
    struct target *targets;
    size_t count;
    size_t done; /* of them, also where that failed */
};

static int say_unknown(const struct withdraw *w, const char *word)
{
    size_t count = index_device_count(w->s->index), n = 0;
    const char **names, *near;

    if (w->o->some) {
        diag_note("'%s' has no device '%s'", w->s->store->where, word);
        return 0;
    }
    if (index_release(w->s->index, word))
        return diag_error(DIAG_USAGE,
                          "'%s' is a release; withdraw takes devices: "
                          "'ota-pack status %s' lists them",
                          word, word);
    names = calloc(count + 1, sizeof *names);
    if (!names)
        return diag_no_memory();
    for (size_t i = 0; i < count; i++)
        if (index_device_at(w->s->index, i)->name)
            names[n++] = index_device_at(w->s->index, i)->name;
    near = diag_suggest(word, names, n);
    free(names);
    if (fleet_say_other(word, near != NULL))
        return -1;
    return near ? diag_error(DIAG_USAGE,
                             "'%s' has no device '%s' (did you mean '%s'?)",
                             w->s->store->where, word, near)
                : diag_error(DIAG_USAGE,
                             "'%s' has no device '%s': nothing was ever "
                             "published for it",
                             w->s->store->where, word);
}

/* 0, or -1 (reported); *found is NULL where it is not known. */
static int find_device(const struct withdraw *w, const char *word,
                       const struct index_device **out)
{
    const struct index_device *found = NULL;
    struct device_id id;
    size_t count = 0;

    if (device_id_parse(word, strlen(word), &id) == 0) {
        found = index_device(w->s->index, &id);
    } else {
        for (size_t i = 0; i < index_device_count(w->s->index); i++) {
            const struct index_device *d = index_device_at(w->s->index, i);

            if (d->name && strcmp(d->name, word) == 0) {
                found = d;
                count++;
            }
        }
    }
    *out = found;
    if (!found)
        return say_unknown(w, word);
    if (count > 1)
        return diag_error(DIAG_USAGE,
                          "'%s' is the name of %zu devices: name the one by "
                          "its id",
                          word, count);
    return 0;
}

static int refuse_listed(const struct withdraw *w, const struct device_id *id)
{
    const struct config *c = w->o->config;
    char text[DEVICE_TEXT];

    for (size_t i = 0; i < c->device_count; i++) {
        const struct device *d = &c->devices[i];

        if (device_id_compare(&d->id, id) != 0)
            continue;
        device_id_text(id, text);
        return diag_error_at(DIAG_CONFIG, d->mark,
                             "'%s' is listed here, and the next 'publish' "
                             "would give it a manifest again: take it out, "
                             "then withdraw it",
                             d->name ? d->name : text);
    }
    return 0;
}

static void add_target(struct withdraw *w, const struct index_device *d)
{
    for (size_t i = 0; i < w->count; i++)
        if (device_id_compare(&w->targets[i].id, &d->id) == 0)
            return;
    w->result->found = w->count + 1;
    w->targets[w->count++] =
        (struct target){.id = d->id, .version = d->version};
}

/* All of them, so that every mistake is reported. */
static int find_targets(void *ctx)
{
    struct withdraw *w = ctx;
    int result = 1;

    if (index_read_shards(w->s->index, w->s->store))
        return -1;
    free(w->targets);
    w->count = w->done = 0;
    w->targets = calloc(w->o->word_count + 1, sizeof *w->targets);
    if (!w->targets)
        return diag_no_memory();
    for (size_t i = 0; i < w->o->word_count; i++) {
        const struct index_device *d;

        if (find_device(w, w->o->words[i], &d) ||
            (d && refuse_listed(w, &d->id)))
            result = -1;
        else if (d)
            add_target(w, d);
    }
    return result;
}

static size_t ask_version(void *ctx, size_t i)
{
    const struct withdraw *w = ctx;

    served_manifest_ahead(w->s->store, &w->targets[i].id);
    return 0;
}

/* A publish that was cut short may have given it a higher one. */
static int read_version(void *ctx, size_t i)
{
    const struct withdraw *w = ctx;
    struct target *t = &w->targets[i];
    struct ota_manifest m;
    uint8_t *bytes = NULL;
    int error, failed;

    if (session_stopped(w->s))
        return -1;
    failed = served_manifest(w->s->store, signer_public(w->s->signer), &t->id,
                             0, &m, &bytes, &error);
    if (!failed && error == OTA_OK && m.version > t->version)
        t->version = m.version;
    free(bytes);
    t->read = !failed;
    meter_count(w->s->meter, w->s->dry_run, 0);
    return t->read ? 0 : 1;
}

static size_t ask_removal(void *ctx, size_t i)
{
    const struct withdraw *w = ctx;
    char name[OBJECT_NAME];

    object_manifest(&w->targets[i].id, name);
    if (w->targets[i].read)
        store_ahead(w->s->store, STORE_REMOVE, name, 0);
    return 0;
}

static int remove_manifest(void *ctx, size_t i)
{
    const struct withdraw *w = ctx;
    struct store *s = w->s->store;
    struct target *t = &w->targets[i];
    char name[OBJECT_NAME];

    object_manifest(&t->id, name);
    t->gone = t->read && s->ops->remove(s, name) == 0;
    meter_count(w->s->meter, 1, 0);
    return t->gone ? 0 : 1;
}

static void conclude(struct withdraw *w, struct target *t)
{
    const struct index_device *d = index_device(w->s->index, &t->id);

    w->done++;
    if (w->s->dry_run)
        t->gone = t->read;
    if (!t->gone) {
        w->result->failed++;
        return;
    }
    if (index_withdrawn(d) && t->version == d->version)
        return;
    w->result->withdrawn++;
    if (w->o->each)
        w->o->each(w->o->ctx, d, t->version);
}

/* The head is looked at before: somebody who took the lock away may have given
 * one of them another manifest. */
static int withdraw_some(void *ctx, size_t first, size_t end)
{
    struct withdraw *w = ctx;
    const struct store_each each = {
        .ask = ask_removal, .take = remove_manifest, .ctx = w};
    int result = 0;

    if (!w->s->dry_run && index_confirm(w->s->index, w->s->store))
        return -1;
    if (!w->s->dry_run)
        result = store_each(&each, first, end);
    for (size_t i = first; i < end; i++)
        conclude(w, &w->targets[i]);
    return result;
}

static void withdraw_all(struct withdraw *w)
{
    const struct store_each each = {.ask = ask_version,
                                    .take = read_version,
                                    .taken = withdraw_some,
                                    .ctx = w};

    meter_begin(w->s->meter, w->s->store, w->count);
    if (store_each(&each, 0, w->count))
        w->result->failed += w->count - w->done;
}

/* Its files stay known: should the device come back, it may have them. */
static int set_entry(struct withdraw *w, const struct target *t)
{
    struct index_device d = *index_device(w->s->index, &t->id);
    struct index_content bare;

    if (index_withdrawn(&d) && d.version == t->version)
        return 0;
    memset(d.digest, 0, OTA_DIGEST);
    d.version = t->version;
    d.created = w->s->now;
    d.expires = 0;
    if (d.own) {
        bare = *d.own;
        bare.payload_count = 0;
        d.own = &bare;
    }
    return index_set_device(w->s->index, &d) ? 0 : -1;
}

/* `wanted` may be of a configuration that has the devices still. */
static int finish(struct withdraw *w)
{
    struct index *x = w->s->index;

    if (!w->result->withdrawn || w->s->dry_run)
        return 0;
    for (size_t i = 0; i < w->count; i++)
        if (w->targets[i].gone && set_entry(w, &w->targets[i]))
            return -1;
    memset(x->wanted, 0, OTA_HASH);
    if (index_write(x, w->s->store, w->s->signer, w->s->now))
        return -1;
    return index_sweep(x, w->s->store);
}

static int withdraw_targets(void *ctx)
{
    struct withdraw *w = ctx;

    withdraw_all(w);
    return finish(w) || w->result->failed ? -1 : 0;
}

static void say_stopped(const struct withdraw *w)
{
    if (!session_stopped(w->s))
        return;
    if (w->count)
        diag_error(DIAG_FAILED,
                   "stopped after %zu of %zu devices; run 'ota-pack withdraw' "
                   "again to complete this",
                   w->result->withdrawn, w->count);
    else
        diag_error(DIAG_FAILED, "stopped: nothing was changed");
}

int withdraw_run(struct session *s, const struct withdraw_options *options,
                 struct withdraw_result *result)
{
    struct withdraw w = {.s = s, .o = options, .result = result};
    const struct session_verb verb = {
        .look = find_targets, .work = withdraw_targets, .ctx = &w};
    int failed;

    *result = (struct withdraw_result){0};
    failed = session_run(s, &verb);
    if (failed)
        say_stopped(&w);
    free(w.targets);
    session_end(s);
    return failed;
}
