/* What is published as if it were configured. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "back.h"

enum { NAMED = 20 /* devices that a refusal names */ };

struct opener {
    const struct index *x;
    const char *where;
    const struct index_release *release;
    const struct index_version *version;
    struct back *out;
};

/* The device of that name or id, or NULL. */
static const struct index_device *find_device(const struct index *x,
                                              const char *word)
{
    struct device_id id;

    if (device_id_parse(word, strlen(word), &id) == 0)
        return index_device(x, &id);
    for (size_t i = 0; i < index_device_count(x); i++) {
        const struct index_device *d = index_device_at(x, i);

        if (d->name && strcmp(d->name, word) == 0)
            return d;
    }
    return NULL;
}

static void refuse_release(const struct opener *o, const char *name)
{
    const struct index_device *d = find_device(o->x, name);
    size_t count = index_release_count(o->x);
    const char **names = calloc(count + 1, sizeof *names), *near;

    if (!names) {
        diag_no_memory();
        return;
    }
    if (d) {
        diag_error(DIAG_USAGE,
                   "'%s' is a device; rollback takes its release, '%s'", name,
                   d->release);
        free(names);
        return;
    }
    for (size_t i = 0; i < count; i++)
        names[i] = index_release_at(o->x, i)->name;
    near = diag_suggest(name, names, count);
    free(names);
    if (fleet_say_other(name, near != NULL))
        return;
    if (near)
        diag_error(DIAG_USAGE, "'%s' has no release '%s' (did you mean '%s'?)",
                   o->where, name, near);
    else
        diag_error(DIAG_USAGE, "'%s' has no release '%s'", o->where, name);
}

static void refuse_version(const struct opener *o, uint32_t to)
{
    const struct index_release *r = o->release;
    char list[128] = "none";
    size_t len = 0;

    /* The newest ones, as far as there is room. */
    for (uint32_t i = r->version_count; i-- > 0 && len < sizeof list - 16;)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%lu",
                                len ? ", " : "",
                                (unsigned long)r->versions[i].version);
    diag_error(
        DIAG_USAGE,
        "'%s' has no version %lu in '%s': the versions that are left are %s",
        r->name, (unsigned long)to, o->where, list);
}

/* Whether its files are its own, and not only its payload. */
static bool has_own_files(const struct opener *o, const struct index_device *d)
{
    const struct index_version *v = index_version(o->release, d->version);

    return d->own && !(v && v->shared &&
                       memcmp(v->shared->digest, d->digest, OTA_DIGEST) == 0);
}

static bool is_ours(const struct opener *o, const struct index_device *d)
{
    return !index_withdrawn(d) && strcmp(d->release, o->release->name) == 0;
}

/* One whose content is its own can neither be given another, nor be kept from
 * getting this one again: the index has no name for it. */
static bool is_in_the_way(const struct opener *o, const struct index_device *d)
{
    if (!is_ours(o, d))
        return false;
    return has_own_files(o, d) ||
           (!o->version->shared && d->version != o->version->version);
}

static int refuse_own(const struct opener *o)
{
    size_t count = 0;

    for (size_t i = 0; i < index_device_count(o->x); i++) {
        const struct index_device *d = index_device_at(o->x, i);
        char text[DEVICE_TEXT];

        if (!is_in_the_way(o, d))
            continue;
        if (!count)
            diag_error(DIAG_FAILED,
                       "'%s' cannot go back to version %lu: devices have files "
                       "of their own, and the index keeps only the newest of "
                       "these; publish the sources of that version",
                       o->release->name, (unsigned long)o->version->version);
        device_id_text(&d->id, text);
        if (count++ < NAMED)
            diag_note("'%s' has files of its own", d->name ? d->name : text);
    }
    return count ? -1 : 0;
}

static int find_version(struct opener *o, const char *release, uint32_t to)
{
    o->release = index_release(o->x, release);
    if (!o->release || !o->release->version_count) {
        refuse_release(o, release);
        return -1;
    }
    o->version = index_version(o->release, to);
    if (o->version)
        return 0;
    refuse_version(o, to);
    return -1;
}

static int check_version(const struct opener *o)
{
    const struct index_content *c = o->version->shared;

    if (refuse_own(o))
        return -1;
    if (!c)
        return diag_error(DIAG_FAILED,
                          "version %lu of '%s' has only files of the devices' "
                          "own: publish the sources of that version",
                          (unsigned long)o->version->version, o->release->name);
    if (!c->payload_count)
        return diag_error(DIAG_FAILED,
                          "the payload of version %lu of '%s' was pruned: "
                          "publish the sources of that version",
                          (unsigned long)o->version->version, o->release->name);
    return 0;
}

/* The releases of the index, then those that only an intent knows: it is kept
 * open. */
static int fill_releases(struct opener *o)
{
    struct config *c = &o->out->config;
    size_t count = index_release_count(o->x);

    c->releases = calloc(count + o->x->intent_count + 1, sizeof *c->releases);
    if (!c->releases)
        return diag_no_memory();
    for (size_t i = 0; i < count; i++)
        c->releases[c->release_count++].name.text =
            index_release_at(o->x, i)->name;
    for (size_t i = 0; i < o->x->intent_count; i++)
        if (!index_release(o->x, o->x->intents[i].release))
            c->releases[c->release_count++].name.text =
                o->x->intents[i].release;
    return 0;
}

static uint32_t place_of(const struct config *c, const char *release)
{
    for (uint32_t i = 0; i < c->release_count; i++) {
        const char *name = c->releases[i].name.text;

        if (name && strcmp(name, release) == 0)
            return i;
    }
    return 0;
}

static int select_release(struct opener *o)
{
    const struct index_version *v = o->version;
    struct config_release *r =
        &o->out->config.releases[place_of(&o->out->config, o->release->name)];

    r->selected = true;
    if (v->expires > v->created)
        r->expires = (uint32_t)(v->expires - v->created);
    return plan_version_settings(&o->out->memory, v, r);
}

static int by_release(const void *a, const void *b)
{
    const struct device *x = a, *y = b;

    if (x->release != y->release)
        return x->release < y->release ? -1 : 1;
    return device_id_compare(&x->id, &y->id);
}

static int fill_devices(struct opener *o)
{
    struct config *c = &o->out->config;
    size_t count = index_device_count(o->x);
    const char *last = NULL;
    uint32_t place = 0;

    c->devices = calloc(count + 1, sizeof *c->devices);
    if (!c->devices)
        return diag_no_memory();
    for (size_t i = 0; i < count; i++) {
        const struct index_device *d = index_device_at(o->x, i);

        if (index_withdrawn(d))
            continue;
        if (last != d->release)
            place = place_of(c, d->release);
        last = d->release;
        c->devices[c->device_count++] =
            (struct device){.id = d->id,
                            .release = place,
                            .name = d->name,
                            .selected = c->releases[place].selected};
    }
    qsort(c->devices, c->device_count, sizeof *c->devices, by_release);
    return 0;
}

static int fill_tree(struct opener *o)
{
    const struct config *c = &o->out->config;
    struct tree *t = &o->out->tree;
    struct tree_set *set =
        plan_content_set(&o->out->memory, o->version->shared);

    t->releases = calloc(c->release_count + 1, sizeof *t->releases);
    o->out->at_least = calloc(c->release_count + 1, sizeof *o->out->at_least);
    t->device_set = malloc((c->device_count + 1) * sizeof *t->device_set);
    if (!set)
        return -1;
    if (!t->releases || !t->device_set || !o->out->at_least)
        return diag_no_memory();
    for (size_t i = 0; i < c->release_count; i++)
        if (c->releases[i].selected)
            t->releases[i] = (struct tree_release){set, 1};
    for (size_t i = 0; i < c->device_count; i++)
        t->device_set[i] = c->devices[i].selected ? 0 : UINT32_MAX;
    return 0;
}

int back_open(const struct index *x, const char *where, const char *release,
              uint32_t to, struct back *out)
{
    struct opener o = {.x = x, .where = where, .out = out};

    *out = (struct back){0};
    if (find_version(&o, release, to) || check_version(&o))
        return -1;
    out->config.path = where;
    out->config.dir = ".";
    out->request =
        (struct plan_back){.version = to, .content = o.version->shared};
    if (fill_releases(&o) || select_release(&o))
        return -1;
    return fill_devices(&o) || fill_tree(&o) ? -1 : 0;
}

void back_at_least(struct back *b, uint32_t least)
{
    for (size_t i = 0; i < b->config.release_count; i++)
        if (b->config.releases[i].selected)
            b->at_least[i] = least;
}

void back_release(struct back *b)
{
    free(b->at_least);
    free(b->config.releases);
    free(b->config.devices);
    free(b->tree.releases);
    free(b->tree.device_set);
    arena_release(&b->memory);
}
