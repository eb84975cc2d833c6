/* What a release has instead of content that was rolled back: the newest
 * version that no rollback has left, made of the index alone. */
#include <string.h>

#include "plan_private.h"

struct tree_set *plan_content_set(struct arena *memory,
                                  const struct index_content *c)
{
    const struct tree_entry **list =
        arena_array(memory, c->file_count + 1, sizeof *list);
    struct tree_entry *entries =
        arena_array(memory, c->file_count + 1, sizeof *entries);
    struct tree_set *set = arena_alloc(memory, sizeof *set);

    if (!list || !entries || !set)
        return NULL;
    *set = (struct tree_set){.entries = list, .count = c->file_count};
    for (size_t i = 0; i < c->file_count; i++) {
        const struct index_file *f = c->files[i];

        entries[i] = (struct tree_entry){.path = f->path,
                                         .source = f->path,
                                         .type = f->type,
                                         .mode = f->mode,
                                         .size = f->size};
        memcpy(entries[i].hash, f->hash, OTA_HASH);
        list[i] = &entries[i];
        set->bytes += f->size;
        set->space += f->type == OTA_FILE ? f->size : 0;
    }
    memcpy(set->digest, c->digest, OTA_DIGEST);
    return set;
}

int plan_version_settings(struct arena *memory, const struct index_version *v,
                          struct config_release *out)
{
    out->deletes =
        arena_array(memory, v->delete_count + 1, sizeof *out->deletes);
    if (!out->deletes)
        return -1;
    for (uint32_t i = 0; i < v->delete_count; i++)
        out->deletes[i] = (struct config_text){.text = v->deletes[i]};
    out->delete_count = v->delete_count;
    out->version = 0;
    out->hardware = v->hardware;
    out->ram = v->ram;
    out->label.text = v->label[0] ? v->label : NULL;
    return 0;
}

/* One device may have such content, published again to be tried there. */
static bool was_rolled_back(const struct index_release *r,
                            const struct index_version *v)
{
    for (uint32_t i = 0; i < r->version_count; i++) {
        const struct index_version *w = &r->versions[i];

        if ((w->marks & INDEX_ROLLED_BACK) && w->shared &&
            w->hardware == v->hardware && w->ram == v->ram &&
            memcmp(w->shared->digest, v->shared->digest, OTA_DIGEST) == 0)
            return true;
    }
    return false;
}

static const struct index_version *in_force(const struct index_release *r)
{
    for (uint32_t i = r->version_count; i-- > 0;) {
        const struct index_version *v = &r->versions[i];

        if (v->shared && v->shared->payload_count && !was_rolled_back(r, v))
            return v;
    }
    return NULL;
}

int plan_find_force(struct plan_maker *m, struct plan_work *w)
{
    struct arena *memory = &m->plan->memory;
    const struct index_version *v = in_force(w->history);
    struct config_release *settings;

    if (!v)
        return 0;
    settings = arena_alloc(memory, sizeof *settings);
    w->force = plan_content_set(memory, v->shared);
    if (!settings || !w->force)
        return -1;
    *settings = *w->config;
    if (plan_version_settings(memory, v, settings))
        return -1;
    w->join = v;
    w->config = w->out->config = settings;
    w->settings_same = w->shared_same = true;
    plan_content_hash(v, w->out->content);
    plan_find_intents(m, w);
    return 0;
}

/* Whether the device waits for the content that a rollback goes back to. */
static bool waits(const struct index_release *r, const struct index_device *d,
                  const struct index_version *to)
{
    const struct index_version *has;

    if (index_withdrawn(d) || strcmp(d->release, r->name) != 0 ||
        memcmp(d->digest, to->shared->digest, OTA_DIGEST) == 0)
        return false;
    has = index_version(r, d->version);
    return !has || (has->marks & INDEX_ROLLED_BACK) || d->version < to->version;
}

static bool any_waits(const struct index *x, const struct index_release *r,
                      const struct index_version *to)
{
    for (size_t i = 0; i < index_device_count(x); i++)
        if (waits(r, index_device_at(x, i), to))
            return true;
    return false;
}

uint32_t plan_back_begun(const struct index *x, const struct index_release *r)
{
    for (size_t i = 0; i < x->intent_count; i++) {
        const struct index_intent *t = &x->intents[i];

        if (!plan_intent_open(t) || strcmp(t->release, r->name) != 0)
            continue;
        for (uint32_t k = 0; k < r->version_count; k++) {
            const struct index_version *v = &r->versions[k];
            uint8_t hash[OTA_HASH];

            if (!v->shared || !v->shared->payload_count)
                continue;
            plan_content_hash(v, hash);
            if (memcmp(hash, t->content, OTA_HASH) == 0 && any_waits(x, r, v))
                return v->version;
        }
    }
    return 0;
}
