/* Shards as bytes, in the canonical order of ota-index(5): the same state has
 * the same bytes. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "index_private.h"

int index_place_all(struct index *x, size_t shard_count, struct index_places *p)
{
    size_t count = x->priv->device_count;
    uint16_t *shard = calloc(count + 1, sizeof *shard);

    p->devices = malloc((count + 1) * sizeof(struct index_device *));
    p->start = calloc(shard_count + 1, sizeof *p->start);
    if (!shard || !p->devices || !p->start) {
        free(shard);
        index_places_release(p);
        return diag_no_memory();
    }
    for (size_t i = 0; i < count; i++) {
        const struct device_id *id = &x->priv->order[i]->id;

        shard[i] =
            (uint16_t)(index_place(id->bytes, id->len) & (shard_count - 1));
        p->start[shard[i]]++;
    }
    for (size_t i = 1; i <= shard_count; i++)
        p->start[i] += p->start[i - 1];
    /* Each start is the shard's end now, and moves down to its beginning. */
    for (size_t i = count; i-- > 0;)
        p->devices[--p->start[shard[i]]] = x->priv->order[i];
    free(shard);
    return 0;
}

void index_places_release(struct index_places *p)
{
    free(p->devices);
    free(p->start);
    *p = (struct index_places){0};
}

bool index_holds(const void *holder, bool of_device,
                 const uint8_t name[OTA_HASH])
{
    const struct index_release *r = holder;

    if (of_device)
        return index_names_payload(((const struct index_device *)holder)->own,
                                   name);
    for (size_t i = 0; i < r->version_count; i++)
        if (index_names_payload(r->versions[i].shared, name))
            return true;
    return false;
}

static int by_holder(const void *a, const void *b)
{
    const struct index_held *g = a, *h = b;
    uintptr_t p = (uintptr_t)g->holder, q = (uintptr_t)h->holder;
    int order = (p > q) - (p < q);

    if (!order)
        order = memcmp(g->retired.name, h->retired.name, OTA_HASH);
    if (!order) /* the latest first */
        order = (g->retired.until < h->retired.until) -
                (g->retired.until > h->retired.until);
    return order;
}

static void settle_retired(struct index_private *p, uint64_t now)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->retired_count; i++)
        if (p->retired[i].retired.until == INDEX_NOW)
            p->retired[i].retired.until = now;
    if (p->retired_count)
        qsort(p->retired, p->retired_count, sizeof *p->retired, by_holder);
    for (size_t i = 0; i < p->retired_count; i++) {
        const struct index_held *h = &p->retired[i];
        const struct index_held *last = kept ? &p->retired[kept - 1] : NULL;

        if (index_holds(h->holder, h->of_device, h->retired.name))
            continue;
        if (last && last->holder == h->holder &&
            memcmp(last->retired.name, h->retired.name, OTA_HASH) == 0)
            continue;
        p->retired[kept++] = *h;
    }
    p->retired_count = kept;
}

void index_settle(struct index *x, uint64_t now)
{
    struct index_private *p = x->priv;

    settle_retired(p, now);
    for (size_t i = 0; i < p->release_count; i++) {
        struct index_release *r = &p->releases[i]->release;

        for (size_t j = 0; j < r->version_count; j++)
            if (r->versions[j].left == INDEX_NOW)
                r->versions[j].left = now;
    }
}

#define COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

int index_compare_groups(const struct index_device *a,
                         const struct index_device *b)
{
    int order = strcmp(a->release, b->release);

    if (!order)
        order = COMPARE(a->version, b->version);
    if (!order)
        order = COMPARE(a->created, b->created);
    if (!order)
        order = COMPARE(a->expires, b->expires);
    return order ? order : memcmp(a->digest, b->digest, OTA_DIGEST);
}

static int by_group(const void *a, const void *b)
{
    const struct index_device *d = *(struct index_device *const *)a;
    const struct index_device *e = *(struct index_device *const *)b;
    int order = index_compare_groups(d, e);

    return order ? order : device_id_compare(&d->id, &e->id);
}

/* One shard on its way to bytes. */
struct shard {
    struct index *x;
    struct index_out *out;
    struct index_device **devices;
    size_t device_count;
    size_t mask, number; /* of the shards, of this one */
    struct index_file_entry **files;
    size_t file_count, file_room;
};

static bool has_release(const struct shard *s, size_t i)
{
    return (s->x->priv->releases[i]->hash & s->mask) == s->number;
}

/* Files of an index are entries, which are its own to change. */
static struct index_file_entry *entry_of(const struct index_file *file)
{
    union {
        const void *file;
        struct index_file_entry *entry;
    } u = {.file = file};

    return u.entry;
}

static int collect(struct shard *s, const struct index_content *c)
{
    for (size_t i = 0; c && i < c->file_count; i++) {
        struct index_file_entry *e = entry_of(c->files[i]);

        if (e->used)
            continue;
        if (array_grow(&s->files, s->file_count, &s->file_room,
                       sizeof(struct index_file_entry *)) < 0)
            return -1;
        e->used = true;
        s->files[s->file_count++] = e;
    }
    return 0;
}

static int collect_all(struct shard *s)
{
    struct index_private *p = s->x->priv;

    for (size_t i = 0; i < s->device_count; i++)
        if (collect(s, s->devices[i]->own) < 0)
            return -1;
    for (size_t i = 0; i < p->release_count; i++) {
        const struct index_release *r = &p->releases[i]->release;

        for (size_t j = 0; has_release(s, i) && j < r->version_count; j++)
            if (collect(s, r->versions[j].shared) < 0)
                return -1;
    }
    return 0;
}

static int by_entry(const void *a, const void *b)
{
    return index_compare_entries(&(*(struct index_file_entry *const *)a)->file,
                                 &(*(struct index_file_entry *const *)b)->file);
}

static void put_files(struct shard *s)
{
    if (s->file_count)
        qsort(s->files, s->file_count, sizeof(struct index_file_entry *),
              by_entry);
    for (size_t i = 0; i < s->file_count; i++) {
        const struct index_file *f = &s->files[i]->file;

        s->files[i]->number = (uint32_t)i;
        index_out_u8(s->out, INDEX_FILE);
        index_out_u8(s->out, f->type);
        index_out_u16(s->out, f->mode);
        index_out_u32(s->out, f->size);
        index_out_bytes(s->out, f->hash, OTA_HASH);
        index_out_text(s->out, f->path);
    }
}

static void put_retired(struct shard *s, const void *holder)
{
    const struct index_private *p = s->x->priv;
    size_t low = 0, high = p->retired_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if ((uintptr_t)p->retired[mid].holder < (uintptr_t)holder)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < p->retired_count && p->retired[low].holder == holder; low++) {
        index_out_u8(s->out, INDEX_RETIRED);
        index_out_bytes(s->out, p->retired[low].retired.name, OTA_HASH);
        index_out_u64(s->out, p->retired[low].retired.until);
    }
}

static void put_version(struct index_out *o, const struct index_version *v)
{
    index_out_u8(o, INDEX_VERSION);
    index_out_u32(o, v->version);
    index_out_u8(o, v->flags);
    index_out_u8(o, v->marks | (v->delete_count ? INDEX_DELETES : 0));
    index_out_u16(o, v->hardware);
    index_out_u32(o, v->ram);
    index_out_u64(o, v->created);
    index_out_u64(o, v->expires);
    index_out_u64(o, v->left);
    index_out_text(o, v->label);
    if (v->delete_count)
        index_put_paths(o, v->deletes, v->delete_count);
    index_out_u8(o, v->shared != NULL);
    if (v->shared) {
        index_out_bytes(o, v->shared->digest, OTA_DIGEST);
        index_put_content(o, v->shared);
    }
}

static void put_releases(struct shard *s)
{
    for (size_t i = 0; i < s->x->priv->release_count; i++) {
        const struct index_release *r = &s->x->priv->releases[i]->release;

        if (!has_release(s, i))
            continue;
        index_out_u8(s->out, INDEX_RELEASE);
        index_out_text(s->out, r->name);
        for (size_t j = 0; j < r->version_count; j++)
            put_version(s->out, &r->versions[j]);
        put_retired(s, r);
    }
}

static void put_group(struct index_out *o, const struct index_device *d)
{
    index_out_u8(o, INDEX_GROUP);
    index_out_text(o, d->release);
    index_out_u32(o, d->version);
    index_out_u64(o, d->created);
    index_out_u64(o, d->expires);
    index_out_bytes(o, d->digest, OTA_DIGEST);
}

static void put_devices(struct shard *s)
{
    if (s->device_count)
        qsort(s->devices, s->device_count, sizeof(struct index_device *),
              by_group);
    for (size_t i = 0; i < s->device_count; i++) {
        const struct index_device *d = s->devices[i];

        if (!i || index_compare_groups(d, s->devices[i - 1]))
            put_group(s->out, d);
        index_out_u8(s->out, INDEX_DEVICE);
        index_out_u8(s->out, (d->id.len == 8 ? INDEX_EUI64 : 0) |
                                 (d->name ? INDEX_NAMED : 0) |
                                 (d->own ? INDEX_OWN : 0));
        index_out_bytes(s->out, d->id.bytes, d->id.len);
        if (d->name)
            index_out_text(s->out, d->name);
        if (d->own)
            index_put_content(s->out, d->own);
        put_retired(s, d);
    }
}

int index_encode_shard(struct index *x, const struct index_places *places,
                       size_t shard_count, size_t shard, struct index_out *o)
{
    struct shard s = {.x = x,
                      .out = o,
                      .devices = places->devices + places->start[shard],
                      .mask = shard_count - 1,
                      .number = shard};
    size_t before = o->len;
    int result = 0;

    s.device_count = places->start[shard + 1] - places->start[shard];
    if (collect_all(&s) < 0) {
        result = -1;
    } else {
        put_files(&s);
        put_releases(&s);
        put_devices(&s);
        if (o->len != before)
            index_out_u8(o, INDEX_END);
        if (o->full)
            result = diag_error(DIAG_FAILED,
                                "what is published is too much for the index: "
                                "a part of it passes %d MiB",
                                INDEX_SHARD_MAX >> 20);
    }
    for (size_t i = 0; i < s.file_count; i++)
        s.files[i]->used = false;
    free(s.files);
    return result;
}
