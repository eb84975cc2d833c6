/* What an interrupted publish gave devices, read from its payloads: no history
 * has it. */
#include <stdlib.h>
#include <string.h>

#include "plan_private.h"
#include "index/served.h"

/* One payload on its way through the reader. */
struct reading {
    struct plan_maker *maker;
    struct index_content *content;
    size_t file_room, dropped_room;
    bool failed; /* this machine: reported */
};

/* Room for one more in an array of the arena. */
static void *grown(struct reading *r, void *list, size_t count, size_t *room,
                   size_t size)
{
    void *bigger;

    if (count < *room)
        return list;
    *room = *room ? 2 * *room : 16;
    bigger = arena_array(&r->maker->plan->memory, *room, size);
    if (!bigger)
        r->failed = true;
    else if (count)
        memcpy(bigger, list, count * size);
    return bigger;
}

static int on_open(void *ctx, const struct ota_file *file,
                   const struct ota_file *base)
{
    struct reading *r = ctx;
    struct index_content *c = r->content;
    struct arena *memory = &r->maker->plan->memory;
    struct index_file *f = arena_alloc(memory, sizeof *f);
    const struct index_file **files =
        grown(r, c->files, c->file_count, &r->file_room, sizeof *files);

    (void)base;
    if (!f || !files ||
        !(f->path = arena_text(memory, file->path, strlen(file->path)))) {
        r->failed = true;
        return OTA_ERR_IO;
    }
    f->type = file->type;
    f->mode = file->mode;
    f->size = file->size;
    memcpy(f->hash, file->hash, OTA_HASH);
    c->files = files;
    c->files[c->file_count++] = f;
    return OTA_OK;
}

static int on_remove(void *ctx, const char *path)
{
    struct reading *r = ctx;
    struct index_content *c = r->content;
    const char **dropped = grown(r, c->dropped, c->dropped_count,
                                 &r->dropped_room, sizeof *dropped);

    if (!dropped)
        return OTA_ERR_IO;
    c->dropped = dropped;
    dropped[c->dropped_count] =
        arena_text(&r->maker->plan->memory, path, strlen(path));
    if (!dropped[c->dropped_count++]) {
        r->failed = true;
        return OTA_ERR_IO;
    }
    return OTA_OK;
}

/* 0, or -1 (reported); *good: the content is what the payload says. */
static int read_payload(struct reading *r, const struct ota_manifest *m,
                        bool *good)
{
    const struct plan_request *q = &r->maker->plan->request;
    struct ota_sink sink = {.ctx = r, .open = on_open, .remove = on_remove};
    struct ota_alternative a;
    struct index_content *c = r->content;
    int error = OTA_OK, result;
    uint8_t *bytes;

    ota_manifest_alternative(m, m->alternatives - 1u, &a);
    if (served_payload(q->store, &a, &bytes))
        return -1;
    *good = bytes != NULL;
    result = bytes ? served_read(q->key, m, &a, bytes, &sink, &error) : 0;
    *good &= error == OTA_OK;
    free(bytes);
    c->payloads = arena_alloc(&r->maker->plan->memory, sizeof a);
    if (result || r->failed || !c->payloads)
        return -1;
    *c->payloads = a;
    c->payload_count = 1;
    memcpy(c->digest, m->release, OTA_DIGEST);
    return 0;
}

static void say_gone(const struct plan_found *f)
{
    char text[DEVICE_TEXT];

    device_id_text(&f->id, text);
    diag_warning_of(text,
                    "the payload of version %lu, which an interrupted publish "
                    "gave it, is not there: files that only it had are not "
                    "deleted",
                    (unsigned long)f->version);
}

static int read_content(struct plan_maker *maker, struct plan_found *f)
{
    struct reading r = {.maker = maker};
    struct ota_manifest m;
    uint8_t *bytes = NULL;
    bool good;
    int result = -1;

    r.content = arena_alloc(&maker->plan->memory, sizeof *r.content);
    if (!r.content ||
        plan_read_manifest(&maker->plan->request, &f->id, &m, &bytes, &good))
        goto out;
    if (good && read_payload(&r, &m, &good))
        goto out;
    if (good)
        f->content = r.content;
    else
        say_gone(f);
    result = 0;
out:
    free(bytes);
    return result;
}

static int by_link(const void *a, const void *b)
{
    const struct plan_truth *x = a, *y = b;

    return memcmp(x->link, y->link, OTA_LINK);
}

/* Also of what is as it should be: its payload may delete what an even earlier
 * cut publish had installed. */
int plan_read_contents(struct plan_maker *m)
{
    const struct plan_truth *last = NULL;

    qsort(m->truths, m->truth_count, sizeof *m->truths, by_link);
    for (size_t i = 0; i < m->truth_count; i++) {
        struct plan_truth *t = &m->truths[i];

        if (last && by_link(last, t) == 0)
            t->found.content = last->found.content;
        else if (read_content(m, &t->found))
            return -1;
        last = t;
    }
    return 0;
}
