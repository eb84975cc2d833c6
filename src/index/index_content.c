/* Contents: the files of a version, what it deletes, and its payloads. */
#include <stdlib.h>
#include <string.h>
#include "bundle/format.h"
#include "index_private.h"

/* In record order (format.md): slots, then files. */
static int compare_files(const struct index_file *a, const struct index_file *b)
{
    if (a->type != b->type)
        return a->type == OTA_SLOT ? -1 : 1;
    return ota_path_compare(a->path, strlen(a->path), b->path, strlen(b->path));
}

int index_compare_entries(const struct index_file *a,
                          const struct index_file *b)
{
    int order = strcmp(a->path, b->path);

    if (!order)
        order = a->type - b->type;
    if (!order)
        order = a->mode - b->mode;
    if (!order)
        order = (a->size > b->size) - (a->size < b->size);
    return order ? order : memcmp(a->hash, b->hash, OTA_HASH);
}

static int by_record(const void *a, const void *b)
{
    return compare_files(*(const struct index_file *const *)a,
                         *(const struct index_file *const *)b);
}

static int by_path(const void *a, const void *b)
{
    const char *s = *(const char *const *)a, *t = *(const char *const *)b;

    return ota_path_compare(s, strlen(s), t, strlen(t));
}

static bool all_zeros(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (p[i])
            return false;
    return true;
}

/* What is wrong with an alternative, or NULL. */
static const char *check_payload(const struct ota_alternative *a)
{
    unsigned first = get16(a->link), len = first & LINK_LENGTH;

    if (a->window_bits < 9 || a->window_bits > 15 || a->chunk_max < 128 ||
        a->chunk_max > OTA_CHUNK_MAX)
        return "a payload's window or chunk is out of range";
    if (!(first & LINK_SEGMENT) || len < OTA_CHUNK_MIN || len > a->chunk_max ||
        a->size < len)
        return "a payload's size is out of range";
    return NULL;
}

static int copy_files(struct index *x, const struct index_content *c,
                      struct index_content *copy)
{
    copy->files = arena_array(&x->priv->arena, c->file_count,
                              sizeof(struct index_file *));
    if (!copy->files)
        return -1;
    for (; copy->file_count < c->file_count; copy->file_count++) {
        const struct index_file *f = c->files[copy->file_count];
        struct index_file_entry *e;

        if (ota_path_check(f->path, strlen(f->path)) != OTA_OK)
            return diag_error(DIAG_FAILED, "'%s' is not a path for a device",
                              f->path);
        if (!(e = index_intern(x, f, strlen(f->path))))
            return -1;
        copy->files[copy->file_count] = &e->file;
    }
    qsort(copy->files, copy->file_count, sizeof(struct index_file *),
          by_record);
    return 0;
}

int index_copy_paths(struct index *x, const char ***list, uint32_t *count)
{
    const char **copy = arena_array(&x->priv->arena, *count, sizeof(char *));
    uint32_t kept = 0;

    if (!copy)
        return -1;
    for (uint32_t i = 0; i < *count; i++) {
        const char *path = (*list)[i];

        if (ota_path_check(path, strlen(path)) != OTA_OK)
            return diag_error(DIAG_FAILED, "'%s' is not a path for a device",
                              path);
        if (!(copy[i] = index_string(x, path, strlen(path))))
            return -1;
    }
    qsort(copy, *count, sizeof(char *), by_path);
    for (uint32_t i = 0; i < *count; i++)
        if (!kept || by_path(&copy[kept - 1], &copy[i]))
            copy[kept++] = copy[i];
    *list = copy;
    *count = kept;
    return 0;
}

static int copy_payloads(struct index *x, const struct index_content *c,
                         struct index_content *copy)
{
    size_t count = c->payload_count;
    const char *bad = count > OTA_ALTERNATIVES ? "too many payloads" : NULL;

    for (size_t i = 0; !bad && i < count; i++) {
        bad = check_payload(&c->payloads[i]);
        if (!bad &&
            all_zeros(c->payloads[i].base, OTA_DIGEST) != (i + 1 == count))
            bad = "the full payload is not the last";
    }
    if (bad)
        return diag_error(DIAG_FAILED, "not fit for the index: %s", bad);
    copy->payloads =
        arena_array(&x->priv->arena, count, sizeof *copy->payloads);
    if (!copy->payloads)
        return -1;
    if (count)
        memcpy(copy->payloads, c->payloads, count * sizeof *copy->payloads);
    copy->payload_count = (uint8_t)count;
    return 0;
}

struct index_content *index_copy_content(struct index *x,
                                         const struct index_content *c)
{
    struct index_content *copy = arena_alloc(&x->priv->arena, sizeof *copy);

    if (!copy)
        return NULL;
    copy->dropped = c->dropped;
    copy->dropped_count = c->dropped_count;
    if (copy_files(x, c, copy) < 0 ||
        index_copy_paths(x, &copy->dropped, &copy->dropped_count) < 0 ||
        copy_payloads(x, c, copy) < 0)
        return NULL;
    memcpy(copy->digest, c->digest, OTA_DIGEST);
    return copy;
}

static bool same_payload(const struct ota_alternative *a,
                         const struct ota_alternative *b)
{
    return memcmp(a->base, b->base, OTA_DIGEST) == 0 && a->size == b->size &&
           a->space == b->space && a->window_bits == b->window_bits &&
           a->chunk_max == b->chunk_max && a->records == b->records &&
           memcmp(a->link, b->link, OTA_LINK) == 0;
}

static bool same_file(const struct index_file *a, const struct index_file *b)
{
    return a == b || (a->type == b->type && a->mode == b->mode &&
                      a->size == b->size && strcmp(a->path, b->path) == 0 &&
                      memcmp(a->hash, b->hash, OTA_HASH) == 0);
}

bool index_same_paths(const char *const *a, uint32_t a_count,
                      const char *const *b, uint32_t b_count)
{
    if (a_count != b_count)
        return false;
    for (uint32_t i = 0; i < a_count; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

bool index_same_content(const struct index_content *a,
                        const struct index_content *b)
{
    if (a == b || !a || !b)
        return a == b;
    if (memcmp(a->digest, b->digest, OTA_DIGEST) != 0 ||
        a->file_count != b->file_count ||
        !index_same_paths(a->dropped, a->dropped_count, b->dropped,
                          b->dropped_count) ||
        a->payload_count != b->payload_count)
        return false;
    for (size_t i = 0; i < a->file_count; i++)
        if (!same_file(a->files[i], b->files[i]))
            return false;
    for (size_t i = 0; i < a->payload_count; i++)
        if (!same_payload(&a->payloads[i], &b->payloads[i]))
            return false;
    return true;
}

bool index_names_payload(const struct index_content *c,
                         const uint8_t name[OTA_HASH])
{
    for (size_t i = 0; c && i < c->payload_count; i++)
        if (memcmp(c->payloads[i].link + LINK_HASH, name, OTA_HASH) == 0)
            return true;
    return false;
}

/* As in a manifest: ota-bundle(5), Alternative. */
static void put_payload(struct index_out *o, const struct ota_alternative *a)
{
    index_out_bytes(o, a->base, OTA_DIGEST);
    index_out_u32(o, a->size);
    index_out_u32(o, a->space);
    index_out_u8(o, a->window_bits);
    index_out_u8(o, 0);
    index_out_u16(o, a->chunk_max);
    index_out_u16(o, a->records);
    index_out_bytes(o, a->link, OTA_LINK);
}

static void get_payload(struct index_in *in, struct ota_alternative *a)
{
    const char *bad;

    index_in_copy(in, a->base, OTA_DIGEST);
    a->size = index_in_u32(in);
    a->space = index_in_u32(in);
    a->window_bits = index_in_u8(in);
    if (index_in_u8(in))
        index_in_fail(in, "a reserved byte is not zero");
    a->chunk_max = index_in_u16(in);
    a->records = index_in_u16(in);
    index_in_copy(in, a->link, OTA_LINK);
    if (!in->bad && (bad = check_payload(a)))
        index_in_fail(in, bad);
}

void index_put_paths(struct index_out *o, const char *const *list,
                     uint32_t count)
{
    index_out_v(o, count);
    for (uint32_t i = 0; i < count; i++)
        index_out_text(o, list[i]);
}

void index_put_content(struct index_out *o, const struct index_content *c)
{
    index_out_v(o, c->file_count);
    for (size_t i = 0; i < c->file_count; i++) {
        const void *entry = c->files[i];

        index_out_v(o, ((const struct index_file_entry *)entry)->number);
    }
    index_put_paths(o, c->dropped, c->dropped_count);
    index_out_u8(o, c->payload_count);
    for (size_t i = 0; i < c->payload_count; i++)
        put_payload(o, &c->payloads[i]);
}

/* A count of items of at least `size` bytes: no more than there can be. */
static uint32_t get_count(struct index_in *in, size_t size)
{
    uint32_t count = index_in_v(in);

    if (count > (size_t)(in->end - in->at) / size)
        index_in_fail(in, "it ends too early");
    return in->bad ? 0 : count;
}

static int get_files(struct index *x, struct index_in *in,
                     struct index_content *c,
                     struct index_file_entry *const *files, size_t file_count)
{
    c->file_count = get_count(in, 1);
    c->files = arena_array(&x->priv->arena, c->file_count,
                           sizeof(struct index_file *));
    if (!c->files)
        return -1;
    for (size_t i = 0; i < c->file_count; i++) {
        uint32_t number = index_in_v(in);

        if (!in->bad && number >= file_count)
            index_in_fail(in, "there is no such file");
        if (in->bad)
            break;
        files[number]->used = true;
        c->files[i] = &files[number]->file;
        if (i && compare_files(c->files[i - 1], c->files[i]) >= 0)
            index_in_fail(in, "files are out of order");
    }
    return 0;
}

int index_get_paths(struct index *x, struct index_in *in, const char ***list,
                    uint32_t *count)
{
    const char **paths;

    *count = get_count(in, 2);
    *list = paths = arena_array(&x->priv->arena, *count, sizeof(char *));
    if (!paths)
        return -1;
    for (size_t i = 0; i < *count; i++) {
        size_t len;
        const char *path = index_in_path(in, &len);

        if (!path)
            break;
        if (!(paths[i] = index_string(x, path, len)))
            return -1;
        if (i && by_path(&paths[i - 1], &paths[i]) >= 0)
            index_in_fail(in, "paths are out of order");
    }
    return 0;
}

static int get_payloads(struct index *x, struct index_in *in,
                        struct index_content *c)
{
    c->payload_count = index_in_u8(in);
    if (c->payload_count > OTA_ALTERNATIVES)
        index_in_fail(in, "too many payloads");
    if (in->bad)
        return 0;
    c->payloads =
        arena_array(&x->priv->arena, c->payload_count, sizeof *c->payloads);
    if (!c->payloads)
        return -1;
    for (size_t i = 0; i < c->payload_count; i++) {
        get_payload(in, &c->payloads[i]);
        if (all_zeros(c->payloads[i].base, OTA_DIGEST) !=
            (i + 1 == c->payload_count))
            index_in_fail(in, "the full payload is not the last");
    }
    return 0;
}

struct index_content *index_get_content(struct index *x, struct index_in *in,
                                        struct index_file_entry *const *files,
                                        size_t file_count)
{
    struct index_content *c = arena_alloc(&x->priv->arena, sizeof *c);

    if (!c || get_files(x, in, c, files, file_count) < 0 ||
        index_get_paths(x, in, &c->dropped, &c->dropped_count) < 0 ||
        get_payloads(x, in, c) < 0)
        return NULL;
    return c;
}
