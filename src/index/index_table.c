/* The index in memory: each text and file once, devices by id, releases by
 * name.  No allocation of its own for any of them. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "bundle/crypto.h"
#include "bundle/format.h"
#include "index_private.h"

enum { DEVICE_BLOCK = 512 };

void index_hash(const uint8_t *bytes, size_t len, uint8_t hash[OTA_HASH])
{
    struct ota_hash h;

    ota_hash_init(&h);
    ota_hash_update(&h, bytes, len);
    ota_hash_final(&h, hash, OTA_HASH);
}

uint32_t index_place(const void *bytes, size_t len)
{
    uint8_t hash[OTA_HASH];

    index_hash(bytes, len, hash);
    return get32(hash);
}

/* FNV-1a with a last mix, since the low bits choose the slot. */
static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3;
    return h ^ h >> 29;
}

#define MIX_START 0xcbf29ce484222325

struct text {
    const char *bytes;
    size_t len;
};

static uint64_t hash_string(const void *entry)
{
    return mix(MIX_START, entry, strlen(entry));
}

static uint64_t hash_device(const void *entry)
{
    const struct index_device *d = entry;

    return mix(MIX_START, d->id.bytes, d->id.len);
}

/* Of fields that hardly ever agree by chance; the path is interned. */
static uint64_t hash_file(const void *entry)
{
    const struct index_file *f = entry;

    return mix(mix(MIX_START, f->hash, 8), &f->path, sizeof f->path);
}

static bool is_text(const void *thing, const void *key)
{
    const struct text *text = key;
    const char *s = thing;

    return strncmp(s, text->bytes, text->len) == 0 && !s[text->len];
}

const char *index_string(struct index *x, const char *text, size_t len)
{
    struct table *t = &x->priv->strings;
    const struct text key = {text, len};
    void **slot;

    if (table_grow(t, hash_string) < 0)
        return NULL;
    slot = table_find(t, mix(MIX_START, text, len), is_text, &key);
    if (!*slot && (*slot = arena_text(&x->priv->arena, text, len)))
        t->count++;
    return *slot;
}

static bool is_file(const void *thing, const void *key)
{
    const struct index_file *a = thing, *b = key;

    return a->path == b->path && a->type == b->type && a->mode == b->mode &&
           a->size == b->size && memcmp(a->hash, b->hash, OTA_HASH) == 0;
}

struct index_file_entry *
index_intern(struct index *x, const struct index_file *file, size_t path_len)
{
    struct table *t = &x->priv->files;
    struct index_file f = *file;
    struct index_file_entry *e;
    void **slot;

    f.path = index_string(x, file->path, path_len);
    if (!f.path || table_grow(t, hash_file) < 0)
        return NULL;
    slot = table_find(t, hash_file(&f), is_file, &f);
    if (*slot || !(e = arena_alloc(&x->priv->arena, sizeof *e)))
        return *slot;
    e->file = f;
    t->count++;
    return *slot = e;
}

/* The place of the first release that does not come before `name`. */
static size_t release_at(const struct index_private *p, const char *name,
                         size_t len, bool *found)
{
    size_t low = 0, high = p->release_count;

    *found = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const char *s = p->releases[mid]->release.name;
        int order = strncmp(s, name, len);

        if (!order && s[len])
            order = 1;
        if (!order)
            *found = true;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct index_release_entry *index_find_release(const struct index *x,
                                               const char *name)
{
    bool found;
    size_t at = release_at(x->priv, name, strlen(name), &found);

    return found ? x->priv->releases[at] : NULL;
}

struct index_release_entry *index_take_release(struct index *x,
                                               const char *name, size_t len)
{
    struct index_private *p = x->priv;
    struct index_release_entry *e;
    bool found;
    size_t at = release_at(p, name, len, &found);

    if (found)
        return p->releases[at];
    if (array_grow(&p->releases, p->release_count, &p->release_room,
                   sizeof(struct index_release_entry *)) < 0 ||
        !(e = arena_alloc(&p->arena, sizeof *e)) ||
        !(e->release.name = index_string(x, name, len)))
        return NULL;
    e->hash = index_place(name, len);
    memmove(p->releases + at + 1, p->releases + at,
            (p->release_count++ - at) * sizeof(struct index_release_entry *));
    return p->releases[at] = e;
}

static struct index_device *new_device(struct index_private *p)
{
    if (array_grow(&p->order, p->device_count, &p->order_room,
                   sizeof(struct index_device *)) < 0)
        return NULL;
    if (!p->block_left) {
        p->block = arena_array(&p->arena, DEVICE_BLOCK, sizeof *p->block);
        if (!p->block)
            return NULL;
        p->block_left = DEVICE_BLOCK;
    }
    p->block_left--;
    p->sorted = false;
    return p->order[p->device_count++] = p->block++;
}

static bool is_device(const void *thing, const void *key)
{
    const struct index_device *d = thing;

    return device_id_compare(&d->id, key) == 0;
}

static void **device_slot(const struct index *x, const struct device_id *id)
{
    return table_find(&x->priv->devices, mix(MIX_START, id->bytes, id->len),
                      is_device, id);
}

struct index_device *index_take_device(struct index *x,
                                       const struct device_id *id)
{
    struct table *t = &x->priv->devices;
    struct index_device *d;

    if (table_grow(t, hash_device) < 0 || !(d = new_device(x->priv)))
        return NULL;
    d->id = *id;
    *device_slot(x, id) = d;
    t->count++;
    return d;
}

struct index_device *index_device(const struct index *x,
                                  const struct device_id *id)
{
    void **slot = device_slot(x, id);

    return slot ? *slot : NULL;
}

struct index_version *
index_take_version(struct index *x, struct index_release *r, uint32_t version)
{
    struct index_release_entry *e = (struct index_release_entry *)r;
    struct index_version *grown;
    size_t at = r->version_count;

    while (at && r->versions[at - 1].version >= version)
        at--;
    if (at < r->version_count && r->versions[at].version == version)
        return &r->versions[at];
    if (r->version_count == e->version_room) {
        uint32_t room = e->version_room ? e->version_room * 2 : 2;

        grown = arena_array(&x->priv->arena, room, sizeof *grown);
        if (!grown)
            return NULL;
        if (r->version_count)
            memcpy(grown, r->versions, r->version_count * sizeof *grown);
        r->versions = grown;
        e->version_room = room;
    }
    memmove(r->versions + at + 1, r->versions + at,
            (r->version_count++ - at) * sizeof *r->versions);
    r->versions[at] = (struct index_version){.version = version};
    return &r->versions[at];
}

int index_retire(struct index *x, const void *holder, bool of_device,
                 const uint8_t name[OTA_HASH], uint64_t until)
{
    struct index_private *p = x->priv;
    struct index_held *h;

    if (array_grow(&p->retired, p->retired_count, &p->retired_room,
                   sizeof *p->retired) < 0)
        return -1;
    h = &p->retired[p->retired_count++];
    h->holder = holder;
    h->of_device = of_device;
    h->retired.until = until;
    memcpy(h->retired.name, name, OTA_HASH);
    return 0;
}

void index_table_release(struct index_private *p)
{
    table_release(&p->strings);
    table_release(&p->files);
    table_release(&p->devices);
    free(p->order);
    free(p->releases);
    free(p->retired);
    free(p->used);
    arena_release(&p->arena);
}
