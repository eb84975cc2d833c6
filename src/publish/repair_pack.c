/* A payload made anew of what has its files: the sources, whatever release
 * they are of, and other payloads of the server.  It counts only if its bytes
 * are the old ones. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "index/served.h"
#include "repair_private.h"

/* The files of a content on their way together. */
struct making {
    const struct index_content *content;
    struct tree_entry *entries;
    const struct tree_entry **list;
    uint8_t **bytes; /* of those that are from other payloads, to be freed */
    bool *have;
    size_t missing;
    uint8_t *open; /* bytes of the open file, or NULL: it is not needed */
    size_t filled;
    const char **deletes;
    size_t delete_count;
    bool failed; /* this machine: reported */
};

/* -- sources ----------------------------------------------------------------
 */

static int by_hash(const void *a, const void *b)
{
    const struct tree_entry *x = *(const struct tree_entry *const *)a;
    const struct tree_entry *y = *(const struct tree_entry *const *)b;

    return memcmp(x->hash, y->hash, OTA_HASH);
}

static int add_release(struct repair *r, const struct tree_release *t)
{
    for (size_t s = 0; s < t->set_count; s++)
        for (size_t i = 0; i < t->sets[s].count; i++) {
            const struct tree_entry *e = t->sets[s].entries[i];

            if (s > 0 && !e->own)
                continue;
            if (array_grow(&r->sources, r->source_count, &r->source_room,
                           sizeof e))
                return -1;
            r->sources[r->source_count++] = e;
        }
    return 0;
}

static int ask_sources(struct repair *r)
{
    if (r->asked)
        return 0;
    r->asked = true;
    r->tree = r->result->sources = r->o->sources(r->o->ctx);
    for (size_t i = 0; r->tree && i < r->o->config->release_count; i++)
        if (add_release(r, &r->tree->releases[i]))
            return -1;
    if (r->source_count)
        qsort(r->sources, r->source_count, sizeof *r->sources, by_hash);
    return 0;
}

static const struct tree_entry *find_source(const struct repair *r,
                                            const struct index_file *f)
{
    struct tree_entry key;
    const struct tree_entry *want = &key, *const * found;

    memcpy(key.hash, f->hash, OTA_HASH);
    found = r->source_count ? bsearch(&want, r->sources, r->source_count,
                                      sizeof *r->sources, by_hash)
                            : NULL;
    return found && (*found)->size == f->size ? *found : NULL;
}

/* -- other payloads ---------------------------------------------------------
 */

static bool has_missing(const struct making *m, const struct index_content *c)
{
    for (uint32_t i = 0; i < m->content->file_count; i++)
        for (uint32_t k = 0; !m->have[i] && k < c->file_count; k++)
            if (memcmp(m->content->files[i]->hash, c->files[k]->hash,
                       OTA_HASH) == 0)
                return true;
    return false;
}

static int on_open(void *ctx, const struct ota_file *file,
                   const struct ota_file *base)
{
    struct making *m = ctx;

    (void)base;
    m->open = NULL;
    m->filled = 0;
    for (uint32_t i = 0; i < m->content->file_count && !m->open; i++) {
        const struct index_file *f = m->content->files[i];

        if (m->have[i] || f->size != file->size ||
            memcmp(f->hash, file->hash, OTA_HASH) != 0)
            continue;
        m->open = malloc((size_t)f->size + 1);
        m->failed |= !m->open;
        m->bytes[i] = m->open;
        m->entries[i].bytes = m->open;
        m->have[i] = true;
        m->missing--;
    }
    return m->failed ? OTA_ERR_IO : OTA_OK;
}

static int on_data(void *ctx, const uint8_t *buf, size_t len)
{
    struct making *m = ctx;

    if (m->open)
        memcpy(m->open + m->filled, buf, len);
    m->filled += len;
    return OTA_OK;
}

/* Of a file that is there twice in the content one place has its bytes. */
static void share_bytes(struct making *m)
{
    const struct index_content *c = m->content;

    for (uint32_t i = 0; i < c->file_count; i++)
        for (uint32_t k = 0; !m->have[i] && k < c->file_count; k++)
            if (m->bytes[k] &&
                memcmp(c->files[i]->hash, c->files[k]->hash, OTA_HASH) == 0) {
                m->entries[i].bytes = m->bytes[k];
                m->have[i] = true;
                m->missing--;
            }
}

static int take_from(struct repair *r, struct making *m,
                     const struct repair_payload *other)
{
    struct ota_sink sink = {.ctx = m, .open = on_open, .data = on_data};
    uint8_t *bytes;
    int error = OTA_OK, result;

    if (served_payload(r->s->store, &other->alt, &bytes))
        return -1;
    result = bytes ? served_content(other->content, bytes, &sink, &error) : 0;
    free(bytes);
    if (m->failed)
        return diag_no_memory();
    share_bytes(m);
    return result;
}

static int search_payloads(struct repair *r, struct making *m)
{
    for (size_t i = 0; i < r->count && m->missing; i++)
        if (!r->list[i].bad && r->list[i].full &&
            has_missing(m, r->list[i].content) && take_from(r, m, &r->list[i]))
            return -1;
    return 0;
}

/* -- both -------------------------------------------------------------------
 */

static const struct config_release *config_of(const struct repair *r,
                                              const char *release)
{
    for (size_t i = 0; i < r->o->config->release_count; i++)
        if (strcmp(r->o->config->releases[i].name.text, release) == 0)
            return &r->o->config->releases[i];
    return NULL;
}

/* Where the release has a file of the devices' own, it is cut apart from the
 * others: payload_runs.c. */
static bool is_own(const struct repair *r, const struct config_release *c,
                   const char *path)
{
    const struct tree_release *t;

    if (!c || !r->tree)
        return false;
    t = &r->tree->releases[c - r->o->config->releases];
    for (size_t s = 0; s < t->set_count && s < 2; s++)
        for (size_t i = 0; i < t->sets[s].count; i++)
            if (t->sets[s].entries[i]->own &&
                strcmp(t->sets[s].entries[i]->path, path) == 0)
                return true;
    return false;
}

static int fill_entries(struct repair *r, struct making *m, const char *release)
{
    const struct index_content *c = m->content;
    const struct config_release *configured = config_of(r, release);

    m->missing = c->file_count;
    for (uint32_t i = 0; i < c->file_count; i++) {
        const struct index_file *f = c->files[i];
        const struct tree_entry *source = find_source(r, f);
        struct tree_entry *e = &m->entries[i];

        *e = (struct tree_entry){.path = f->path,
                                 .source = source ? source->source : f->path,
                                 .bytes = source ? source->bytes : NULL,
                                 .type = f->type,
                                 .mode = f->mode,
                                 .size = f->size,
                                 .own = is_own(r, configured, f->path)};
        memcpy(e->hash, f->hash, OTA_HASH);
        m->list[i] = e;
        m->have[i] = source != NULL;
        m->missing -= source != NULL;
    }
    return m->missing ? search_payloads(r, m) : 0;
}

/* A path that the content installs, or that lies below such a file, was not
 * configured to be deleted then. */
static bool may_delete(const struct index_content *c, const char *path)
{
    size_t len = strlen(path);

    for (uint32_t i = 0; i < c->file_count; i++) {
        const char *file = c->files[i]->path;
        size_t n = strlen(file);

        if (c->files[i]->type == OTA_FILE &&
            (ota_path_compare(file, n, path, len) == 0 ||
             ota_path_below(path, len, file, n)))
            return false;
    }
    return true;
}

/* What the index says, and what is configured now. */
static int fill_deletes(struct repair *r, struct making *m, const char *release)
{
    const struct index_content *c = m->content;
    const struct config_release *configured = config_of(r, release);
    size_t more = configured ? configured->delete_count : 0;

    m->deletes = calloc(c->dropped_count + more + 1, sizeof(char *));
    if (!m->deletes)
        return diag_no_memory();
    for (uint32_t i = 0; i < c->dropped_count; i++)
        m->deletes[m->delete_count++] = c->dropped[i];
    for (size_t i = 0; i < more; i++)
        if (may_delete(c, configured->deletes[i].text))
            m->deletes[m->delete_count++] = configured->deletes[i].text;
    return 0;
}

/* 1: those are the bytes. */
static int try_pack(const struct repair *r, const struct making *m,
                    const struct repair_payload *p, size_t delete_count,
                    struct payload *out)
{
    struct payload_shape shape = {p->alt.window_bits, p->alt.chunk_max};
    struct tree_set set = {.entries = m->list,
                           .count = m->content->file_count,
                           .space = p->alt.space};

    for (size_t i = 0; i < set.count; i++)
        set.bytes += m->list[i]->size;
    if (payload_pack(&set, m->deletes, delete_count, shape, r->o->jobs, NULL,
                     out))
        return -1;
    if (out->alt.size == p->alt.size &&
        memcmp(out->alt.link, p->alt.link, OTA_LINK) == 0)
        return 1;
    payload_release(out);
    return 0;
}

static int pack(struct repair *r, struct making *m, struct repair_payload *p,
                struct payload *out)
{
    uint32_t dropped = m->content->dropped_count;
    int result;

    if (fill_entries(r, m, p->release) || fill_deletes(r, m, p->release))
        return -1;
    if (m->missing)
        return 0;
    result = try_pack(r, m, p, m->delete_count, out);
    if (result == 0 && m->delete_count > dropped)
        result = try_pack(r, m, p, dropped, out);
    p->lost = result == 0;
    return result;
}

int repair_pack(struct repair *r, struct repair_payload *p, struct payload *out)
{
    const size_t count = p->content->file_count + (size_t)1;
    struct making m = {.content = p->content};
    int result = -1;

    m.entries = calloc(count, sizeof *m.entries);
    m.list = calloc(count, sizeof *m.list);
    m.bytes = calloc(count, sizeof(uint8_t *));
    m.have = calloc(count, sizeof *m.have);
    if (!m.entries || !m.list || !m.bytes || !m.have)
        diag_no_memory();
    else if (ask_sources(r) == 0)
        result = pack(r, &m, p, out);
    for (size_t i = 0; m.bytes && i < count; i++)
        free(m.bytes[i]);
    free(m.entries);
    free(m.list);
    free(m.bytes);
    free(m.have);
    free(m.deletes);
    return result;
}
