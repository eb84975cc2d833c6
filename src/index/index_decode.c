/* Shards read back.  They are what the key's holder wrote, which does not make
 * them right: every rule of ota-index(5) is checked. */
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "index_private.h"

/* One shard on its way from bytes. */
struct shard {
    struct index *x;
    struct index_in in;
    size_t mask, number;
    struct index_file_entry **files;
    size_t file_count, file_room;
};

static int get_file(struct shard *s)
{
    struct index_file f = {.type = index_in_u8(&s->in)};
    struct index_file_entry *e;
    size_t len;

    f.mode = index_in_u16(&s->in);
    f.size = index_in_u32(&s->in);
    index_in_copy(&s->in, f.hash, OTA_HASH);
    f.path = index_in_path(&s->in, &len);
    if ((f.type != OTA_FILE && f.type != OTA_SLOT) || f.mode > 0777)
        index_in_fail(&s->in, "a file's type or mode is out of range");
    if (s->in.bad)
        return 0;
    if (array_grow(&s->files, s->file_count, &s->file_room,
                   sizeof(struct index_file_entry *)) < 0 ||
        !(e = index_intern(s->x, &f, len)))
        return -1;
    if (s->file_count && index_compare_entries(
                             &s->files[s->file_count - 1]->file, &e->file) >= 0)
        index_in_fail(&s->in, "the table of files is out of order");
    else
        s->files[s->file_count++] = e;
    return 0;
}

/* The retired payloads that follow a release or a device. */
static int get_retired(struct shard *s, const void *holder, bool of_device)
{
    struct index_in *in = &s->in;
    const uint8_t *last = NULL, *name;

    while (in->at < in->end && *in->at == INDEX_RETIRED) {
        uint64_t until;

        index_in_u8(in);
        name = index_in_bytes(in, OTA_HASH);
        until = index_in_u64(in);
        if (in->bad)
            break;
        if ((last && memcmp(last, name, OTA_HASH) >= 0) ||
            index_holds(holder, of_device, name)) {
            index_in_fail(in, "retired payloads are out of order");
            break;
        }
        if (index_retire(s->x, holder, of_device, name, until) < 0)
            return -1;
        last = name;
    }
    return 0;
}

static int get_settings(struct index *x, struct index_in *in,
                        struct index_version *v)
{
    const char *label;
    size_t len;

    v->flags = index_in_u8(in);
    v->marks = index_in_u8(in);
    v->hardware = index_in_u16(in);
    v->ram = index_in_u32(in);
    v->created = index_in_u64(in);
    v->expires = index_in_u64(in);
    v->left = index_in_u64(in);
    label = index_in_text(in, 0, OTA_LABEL, &len);
    if (label)
        memcpy(v->label, label, len);
    if (v->flags)
        index_in_fail(in, "a flag that this program does not know");
    if (v->marks & ~(INDEX_ROLLED_BACK | INDEX_KEPT | INDEX_DELETES))
        index_in_fail(in, "a mark that this program does not know");
    if (in->bad || !(v->marks & INDEX_DELETES))
        return 0;
    v->marks &= (uint8_t)~INDEX_DELETES;
    if (index_get_paths(x, in, &v->deletes, &v->delete_count))
        return -1;
    if (!v->delete_count)
        index_in_fail(in, "a list of deletes is empty");
    return 0;
}

static int get_version(struct shard *s, struct index_release *r)
{
    struct index_in *in = &s->in;
    struct index_version v = {.version = index_in_u32(in)}, *entry;
    uint8_t digest[OTA_DIGEST];
    uint8_t shared;

    if (!in->bad && (v.version < 1 || v.version > INDEX_VERSION_MAX ||
                     (r->version_count &&
                      r->versions[r->version_count - 1].version >= v.version)))
        index_in_fail(in, "versions are out of order");
    if (get_settings(s->x, in, &v))
        return -1;
    shared = index_in_u8(in);
    if (shared > 1)
        index_in_fail(in, "a field is neither 0 nor 1");
    if (shared) {
        index_in_copy(in, digest, OTA_DIGEST);
        v.shared = index_get_content(s->x, in, s->files, s->file_count);
        if (!v.shared)
            return -1;
        memcpy(v.shared->digest, digest, OTA_DIGEST);
    }
    if (in->bad)
        return 0;
    if (!(entry = index_take_version(s->x, r, v.version)))
        return -1;
    *entry = v;
    return 0;
}

static int get_release(struct shard *s, const char **last)
{
    struct index_in *in = &s->in;
    struct index_release_entry *e;
    size_t len;
    const char *name = index_in_text(in, 1, INDEX_NAME_MAX, &len);

    if (!name)
        return 0;
    if (!(e = index_take_release(s->x, name, len)))
        return -1;
    if (e->listed || (e->hash & s->mask) != s->number ||
        (*last && strcmp(*last, e->release.name) >= 0)) {
        index_in_fail(in, "a release is out of place");
        return 0;
    }
    e->listed = true;
    *last = e->release.name;
    while (in->at < in->end && *in->at == INDEX_VERSION) {
        index_in_u8(in);
        if (get_version(s, &e->release) < 0)
            return -1;
    }
    return in->bad ? 0 : get_retired(s, &e->release, false);
}

/* What a GROUP says, as a device without id. */
static int get_group(struct shard *s, struct index_device *group)
{
    struct index_in *in = &s->in;
    struct index_device g = {0};
    struct index_release_entry *e;
    size_t len;
    const char *name = index_in_text(in, 1, INDEX_NAME_MAX, &len);
    int order = 0;

    if (!name)
        return 0;
    if (!(e = index_take_release(s->x, name, len)))
        return -1;
    g.release = e->release.name;
    g.version = index_in_u32(in);
    g.created = index_in_u64(in);
    g.expires = index_in_u64(in);
    index_in_copy(in, g.digest, OTA_DIGEST);
    if (!in->bad && (g.version < 1 || g.version > INDEX_VERSION_MAX))
        index_in_fail(in, "a version is out of range");
    if (group->release)
        order = index_compare_groups(group, &g);
    if (group->release && order >= 0)
        index_in_fail(in, "groups are out of order");
    *group = g;
    return 0;
}

static void get_id(struct index_in *in, unsigned flags, struct device_id *id)
{
    *id = (struct device_id){.len = flags & INDEX_EUI64 ? 8 : 6};
    index_in_copy(in, id->bytes, id->len);
}

/* Name and content of a device whose id is known to be new. */
static int get_details(struct shard *s, unsigned flags, struct index_device *d)
{
    size_t len;
    const char *name;

    if (flags & INDEX_NAMED) {
        name = index_in_text(&s->in, 1, INDEX_NAME_MAX, &len);
        if (!name)
            return 0;
        if (!(d->name = arena_text(&s->x->priv->arena, name, len)))
            return -1;
    }
    if (flags & INDEX_OWN) {
        d->own = index_get_content(s->x, &s->in, s->files, s->file_count);
        if (!d->own)
            return -1;
        memcpy(d->own->digest, d->digest, OTA_DIGEST);
    }
    return s->in.bad ? 0 : get_retired(s, d, true);
}

static int get_device(struct shard *s, const struct index_device *group,
                      struct device_id *last)
{
    struct index_in *in = &s->in;
    unsigned flags = index_in_u8(in);
    struct device_id id;
    struct index_device *d;

    get_id(in, flags, &id);
    if (flags & ~(unsigned)(INDEX_EUI64 | INDEX_NAMED | INDEX_OWN))
        index_in_fail(in, "a flag that this program does not know");
    if (in->bad)
        return 0;
    if ((index_place(id.bytes, id.len) & s->mask) != s->number ||
        (last->len && device_id_compare(last, &id) >= 0) ||
        index_device(s->x, &id)) {
        index_in_fail(in, "a device is out of place");
        return 0;
    }
    *last = id;
    if (!(d = index_take_device(s->x, &id)))
        return -1;
    *d = *group;
    d->id = id;
    return get_details(s, flags, d);
}

static int get_group_devices(struct shard *s)
{
    struct index_in *in = &s->in;
    struct index_device group = {0};

    while (in->at < in->end && *in->at == INDEX_GROUP) {
        struct device_id last = {0};

        index_in_u8(in);
        if (get_group(s, &group) < 0)
            return -1;
        if (!in->bad && (in->at == in->end || *in->at != INDEX_DEVICE))
            index_in_fail(in, "a group is empty");
        while (in->at < in->end && *in->at == INDEX_DEVICE) {
            index_in_u8(in);
            if (get_device(s, &group, &last) < 0)
                return -1;
        }
    }
    return 0;
}

static int get_records(struct shard *s)
{
    struct index_in *in = &s->in;
    const char *last = NULL;

    while (in->at < in->end && *in->at == INDEX_FILE) {
        index_in_u8(in);
        if (get_file(s) < 0)
            return -1;
    }
    while (in->at < in->end && *in->at == INDEX_RELEASE) {
        index_in_u8(in);
        if (get_release(s, &last) < 0)
            return -1;
    }
    if (get_group_devices(s) < 0)
        return -1;
    if (index_in_u8(in) != INDEX_END)
        index_in_fail(in, "a record is of a type that does not belong here");
    if (in->at != in->end)
        index_in_fail(in, "something follows its end");
    for (size_t i = 0; i < s->file_count; i++)
        if (!s->files[i]->used)
            index_in_fail(in, "a file belongs to nothing");
    return 0;
}

int index_decode_shard(struct index *x, size_t shard, const uint8_t *bytes,
                       size_t len, const char **bad)
{
    struct shard s = {.x = x,
                      .in = {bytes, bytes + len, NULL},
                      .mask = x->priv->shard_count - 1,
                      .number = shard};
    int result = get_records(&s);

    for (size_t i = 0; i < s.file_count; i++)
        s.files[i]->used = false;
    free(s.files);
    *bad = s.in.bad;
    return result < 0 ? -1 : s.in.bad != NULL;
}
