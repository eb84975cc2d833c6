/* A payload made anew of the server's own, with more to delete: read with the
 * device's reader, kept in memory, packed. */
#include <stdlib.h>
#include <string.h>

#include "back.h"
#include "base/array.h"
#include "index/served.h"

/* A payload on its way through the reader. */
struct reading {
    const struct tree_set *set; /* what it is to hold */
    struct tree_entry *entries; /* the same, with bytes */
    const struct tree_entry **list;
    uint8_t **bytes; /* the same bytes, to be freed */
    size_t count;
    uint8_t *open;     /* bytes of the open file */
    size_t filled;     /* so many of them are there */
    const char **gone; /* what it deletes */
    size_t gone_count, gone_room;
    struct arena memory;
    bool failed; /* this machine: reported */
};

static int machine_failed(struct reading *r)
{
    r->failed = true;
    return OTA_ERR_IO;
}

static int on_open(void *ctx, const struct ota_file *file,
                   const struct ota_file *base)
{
    struct reading *r = ctx;
    struct tree_entry *e = &r->entries[r->count];

    (void)base;
    if (r->count == r->set->count)
        return OTA_ERR_CONTENT;
    *e = *r->set->entries[r->count];
    if (strcmp(e->path, file->path) != 0 || e->type != file->type ||
        e->size != file->size)
        return OTA_ERR_CONTENT;
    r->open = malloc((size_t)file->size + 1);
    r->filled = 0;
    if (!r->open) {
        diag_no_memory();
        return machine_failed(r);
    }
    e->bytes = r->bytes[r->count] = r->open;
    r->list[r->count++] = e;
    return OTA_OK;
}

static int on_data(void *ctx, const uint8_t *buf, size_t len)
{
    struct reading *r = ctx;

    memcpy(r->open + r->filled, buf, len);
    r->filled += len;
    return OTA_OK;
}

static int add_gone(struct reading *r, const char *path)
{
    if (array_grow(&r->gone, r->gone_count, &r->gone_room, sizeof *r->gone) < 0)
        return -1;
    r->gone[r->gone_count++] = path;
    return 0;
}

static int on_remove(void *ctx, const char *path)
{
    struct reading *r = ctx;
    char *copy = arena_text(&r->memory, path, strlen(path));

    return copy && add_gone(r, copy) == 0 ? OTA_OK : machine_failed(r);
}

static int read_payload(struct reading *r, const struct index_content *c,
                        const uint8_t *payload, int *error)
{
    struct ota_sink sink = {
        .ctx = r, .open = on_open, .data = on_data, .remove = on_remove};

    return served_content(c, payload, &sink, error);
}

/* 0, 1 (reported): it is not to be had, -1 (reported). */
static int fetch_payload(struct reading *r, const struct plan *p,
                         const struct plan_group *g)
{
    const struct index_content *c = g->source;
    uint32_t version = p->request.back ? p->request.back->version : g->version;
    uint8_t *bytes;
    int error = OTA_OK, result;

    if (served_payload(p->request.store, &c->payloads[c->payload_count - 1],
                       &bytes))
        return -1;
    if (!bytes) {
        diag_error(DIAG_SERVER,
                   "the payload of version %lu is not in '%s': publish the "
                   "sources of that version",
                   (unsigned long)version, p->request.store->where);
        return 1;
    }
    result = read_payload(r, c, bytes, &error);
    free(bytes);
    if (result || r->failed)
        return -1;
    if (!error && r->count == r->set->count)
        return 0;
    diag_error(DIAG_VERIFY,
               "the payload of version %lu in '%s' does not verify (%s): "
               "publish the sources of that version",
               (unsigned long)version, p->request.store->where,
               ota_error_name(error ? error : OTA_ERR_CONTENT));
    return 1;
}

/* What it deleted, and what the group deletes besides. */
static int join_deletes(struct reading *r, const struct plan_group *g)
{
    for (uint32_t i = 0; i < g->delete_count; i++)
        if (add_gone(r, g->deletes[i]) < 0)
            return -1;
    return 0;
}

static int pack(struct reading *r, const struct plan_group *g, unsigned jobs,
                struct payload *out)
{
    struct tree_set set = *r->set;
    struct payload_shape shape;

    set.entries = r->list;
    if (payload_shape(g->ram, &shape))
        return diag_error(
            DIAG_FAILED, "the index says 'ram' %lu: the least is %lu bytes",
            (unsigned long)g->ram, (unsigned long)payload_least_ram());
    return payload_pack(&set, r->gone, r->gone_count, shape, jobs, NULL, out);
}

int back_pack(const struct plan *p, const struct plan_group *g, unsigned jobs,
              struct payload *out)
{
    struct reading r = {.set = g->content};
    int result = -1;

    r.entries = calloc(r.set->count + 1, sizeof *r.entries);
    r.list = calloc(r.set->count + 1, sizeof *r.list);
    r.bytes = calloc(r.set->count + 1, sizeof(uint8_t *));
    if (!r.entries || !r.list || !r.bytes)
        diag_no_memory();
    else
        result = fetch_payload(&r, p, g);
    if (r.bytes && r.entries && r.list && !result)
        result = join_deletes(&r, g) || pack(&r, g, jobs, out) ? -1 : 0;
    for (size_t i = 0; r.bytes && i < r.count; i++)
        free(r.bytes[i]);
    free(r.bytes);
    free(r.entries);
    free(r.list);
    free(r.gone);
    arena_release(&r.memory);
    return result;
}
