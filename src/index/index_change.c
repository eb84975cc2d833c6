/* Entries changed in memory, and what that retires: payloads that nothing
 * names any more, versions that devices have left. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/utf8.h"
#include "bundle/format.h"
#include "index_private.h"

/* What a reader would refuse must not get in. */
static int check_name(const char *name, const char *what)
{
    size_t len = strlen(name);

    if (len >= 1 && len <= INDEX_NAME_MAX && utf8_printable(name, len) == len)
        return 0;
    return diag_error(DIAG_CONFIG,
                      "the name of a %s has 1 to %d bytes of UTF-8 without "
                      "control characters, and '%.40s' has not",
                      what, INDEX_NAME_MAX, name);
}

static int check_version(uint32_t version)
{
    if (version >= 1 && version <= INDEX_VERSION_MAX)
        return 0;
    return diag_error(DIAG_FAILED, "%u is not a version number",
                      (unsigned)version);
}

static void touch(struct index *x, uint32_t hash)
{
    x->priv->dirty[hash & (x->priv->shard_count - 1)] = true;
}

static int retire_content(struct index *x, const void *holder, bool of_device,
                          const struct index_content *old,
                          const struct index_content *now)
{
    for (size_t i = 0; old && i < old->payload_count; i++) {
        const uint8_t *name = old->payloads[i].link + LINK_HASH;

        if (!index_names_payload(now, name) &&
            index_retire(x, holder, of_device, name, INDEX_NOW) < 0)
            return -1;
    }
    return 0;
}

bool index_withdrawn(const struct index_device *d)
{
    static const uint8_t zeros[OTA_DIGEST];

    return memcmp(d->digest, zeros, OTA_DIGEST) == 0;
}

/* A device goes from this version to another one. */
static void leave(struct index *x, const char *release, uint32_t version)
{
    struct index_release_entry *e = index_find_release(x, release);
    struct index_version *v = e ? index_version(&e->release, version) : NULL;

    if (!v)
        return;
    v->left = INDEX_NOW;
    touch(x, e->hash);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_manifest(const struct index_device *a,
                          const struct index_device *b)
{
    return a->version == b->version && strcmp(a->release, b->release) == 0 &&
           memcmp(a->digest, b->digest, OTA_DIGEST) == 0 &&
           a->created == b->created && a->expires == b->expires;
}

static struct index_release_entry *release_of(struct index *x, const char *name)
{
    struct index_release_entry *e;

    if (check_name(name, "release") < 0)
        return NULL;
    e = index_take_release(x, name, strlen(name));
    if (e && !e->listed) {
        e->listed = true;
        touch(x, e->hash);
    }
    return e;
}

/* What the old entry stood for and the new one does not. */
static int give_up(struct index *x, struct index_device *old,
                   const struct index_device *now)
{
    if (!index_withdrawn(old) &&
        (index_withdrawn(now) || old->version != now->version ||
         strcmp(old->release, now->release) != 0))
        leave(x, old->release, old->version);
    return retire_content(x, old, true, old->own, now->own);
}

/* `d` with all that it points to in the index. */
static int bring_in(struct index *x, const struct index_device *d,
                    const struct index_device *old, struct index_device *in)
{
    struct index_release_entry *e = release_of(x, d->release);

    if (!e || check_version(d->version) < 0)
        return -1;
    *in = *d;
    in->release = e->release.name;
    if (d->name) {
        if (check_name(d->name, "device") < 0)
            return -1;
        in->name = old && same_text(old->name, d->name)
                       ? old->name
                       : arena_text(&x->priv->arena, d->name, strlen(d->name));
        if (!in->name)
            return -1;
    }
    if (!d->own)
        return 0;
    in->own = old && index_same_content(old->own, d->own)
                  ? old->own
                  : index_copy_content(x, d->own);
    if (in->own)
        memcpy(in->own->digest, d->digest, OTA_DIGEST);
    return in->own ? 0 : -1;
}

struct index_device *index_set_device(struct index *x,
                                      const struct index_device *d)
{
    struct index_device *old = index_device(x, &d->id), in;

    assert(x->priv->loaded && (d->id.len == 6 || d->id.len == 8));
    if (bring_in(x, d, old, &in) < 0)
        return NULL;
    if (old && same_manifest(old, &in) && same_text(old->name, in.name) &&
        index_same_content(old->own, in.own))
        return old;
    if (old ? give_up(x, old, &in) < 0 : !(old = index_take_device(x, &d->id)))
        return NULL;
    *old = in;
    touch(x, index_place(in.id.bytes, in.id.len));
    return old;
}

static bool same_version(const struct index_version *a,
                         const struct index_version *b)
{
    return strcmp(a->label, b->label) == 0 && a->created == b->created &&
           a->expires == b->expires && a->hardware == b->hardware &&
           a->ram == b->ram && a->flags == b->flags && a->marks == b->marks &&
           index_same_paths(a->deletes, a->delete_count, b->deletes,
                            b->delete_count) &&
           index_same_content(a->shared, b->shared);
}

static int check_settings(const struct index_version *v)
{
    size_t len = strnlen(v->label, sizeof v->label);

    if (check_version(v->version) < 0)
        return -1;
    if (len > OTA_LABEL || utf8_printable(v->label, len) != len || v->flags ||
        (v->marks & ~(INDEX_ROLLED_BACK | INDEX_KEPT)))
        return diag_error(DIAG_FAILED, "version %u is not fit for the index",
                          (unsigned)v->version);
    return 0;
}

struct index_version *index_add_version(struct index *x, const char *release,
                                        const struct index_version *v)
{
    struct index_version in = *v, *old;
    struct index_release_entry *e;

    assert(x->priv->loaded);
    if (check_settings(v) < 0 || !(e = release_of(x, release)))
        return NULL;
    if (index_copy_paths(x, &in.deletes, &in.delete_count))
        return NULL;
    if (v->shared && !(in.shared = index_copy_content(x, v->shared)))
        return NULL;
    in.left = 0;
    if ((old = index_version(&e->release, v->version))) {
        if (same_version(old, &in))
            return old;
        in.left = old->left;
        if (retire_content(x, &e->release, false, old->shared, in.shared) < 0)
            return NULL;
    } else if (!(old = index_take_version(x, &e->release, v->version))) {
        return NULL;
    }
    *old = in;
    touch(x, e->hash);
    return old;
}

/* Since when no manifest names the version's payloads. */
static uint64_t left_at(const struct index_version *v)
{
    return v->left > v->created ? v->left : v->created;
}

int index_prune_version(struct index *x, const char *release, uint32_t version,
                        bool whole)
{
    struct index_release_entry *e = index_find_release(x, release);
    struct index_version *v = e ? index_version(&e->release, version) : NULL;
    struct index_release *r;
    struct index_content *bare;
    size_t after;

    if (!v)
        return 0;
    r = &e->release;
    for (size_t i = 0; v->shared && i < v->shared->payload_count; i++)
        if (index_retire(x, r, false, v->shared->payloads[i].link + LINK_HASH,
                         left_at(v)) < 0)
            return -1;
    touch(x, e->hash);
    if (whole) {
        after = r->version_count - (size_t)(v - r->versions) - 1;
        memmove(v, v + 1, after * sizeof *v);
        r->version_count--;
        return 0;
    }
    if (!v->shared)
        return 0;
    if (!(bare = arena_alloc(&x->priv->arena, sizeof *bare)))
        return -1;
    *bare = *v->shared;
    bare->payload_count = 0;
    v->shared = bare;
    return 0;
}

int index_retired_compare(const void *a, const void *b)
{
    const struct index_retired *x = a, *y = b;

    return memcmp(x->name, y->name, OTA_HASH);
}

void index_forget(struct index *x, const struct index_retired *list,
                  size_t count)
{
    struct index_private *p = x->priv;
    size_t kept = 0;

    for (size_t i = 0; i < p->retired_count; i++) {
        const struct index_held *h = &p->retired[i];
        const struct index_device *d = h->holder;

        if (!count || !bsearch(&h->retired, list, count, sizeof *list,
                               index_retired_compare))
            p->retired[kept++] = *h;
        else if (h->of_device)
            touch(x, index_place(d->id.bytes, d->id.len));
        else
            touch(x, ((const struct index_release_entry *)h->holder)->hash);
    }
    p->retired_count = kept;
}

static int insert_intent(struct index *x, struct index_intent *list,
                         size_t count, const struct index_intent *t)
{
    size_t at = count;

    if (check_name(t->release, "release") < 0 || check_version(t->version) < 0)
        return -1;
    for (; at && strcmp(list[at - 1].release, t->release) > 0; at--)
        list[at] = list[at - 1];
    list[at] = *t;
    list[at].release = index_string(x, t->release, strlen(t->release));
    if (!list[at].release)
        return -1;
    if (at && list[at - 1].release == list[at].release)
        return diag_error(DIAG_FAILED, "two intents for release '%s'",
                          t->release);
    return 0;
}

/* The highest number of each release that was ever open. */
static int note_used(struct index_private *p, const struct index_intent *t)
{
    size_t i = 0;

    while (i < p->used_count && p->used[i].release != t->release)
        i++;
    if (i == p->used_count) {
        if (array_grow(&p->used, i, &p->used_room, sizeof *p->used) < 0)
            return -1;
        p->used[p->used_count++] = (struct index_intent){.release = t->release};
    }
    if (t->version > p->used[i].version)
        p->used[i].version = t->version;
    return 0;
}

int index_set_intents(struct index *x, const struct index_intent *list,
                      size_t count)
{
    struct index_intent *copy =
        arena_array(&x->priv->arena, count + 1, sizeof *copy);
    uint8_t run_id[sizeof x->run_id] = {0};

    if (!copy)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (insert_intent(x, copy, i, &list[i]) < 0)
            return -1;
    for (size_t i = 0; i < count; i++)
        if (note_used(x->priv, &copy[i]) < 0)
            return -1;
    if (count && getentropy(run_id, sizeof run_id) < 0)
        return diag_error(DIAG_FAILED, "the system gives no random bytes");
    memcpy(x->run_id, run_id, sizeof run_id);
    x->intents = copy;
    x->intent_count = count;
    return 0;
}
