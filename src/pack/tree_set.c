/* What one device has: record order, clashes between paths, the limits of the
 * format, and the release digest. */
#include "base/array.h"
#include "bundle/format.h"
#include "tree_internal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tree_list_add(struct tree_list *list, struct tree_item *item)
{
    if (array_grow(&list->items, list->count, &list->room,
                   sizeof *list->items) < 0)
        return -1;
    list->items[list->count++] = item;
    return 0;
}

static int compare(const char *a, const char *b)
{
    return ota_path_compare(a, strlen(a), b, strlen(b));
}

/* SLOTs first, then by path. */
static int by_record(const void *a, const void *b)
{
    const struct tree_item *x = *(struct tree_item *const *)a;
    const struct tree_item *y = *(struct tree_item *const *)b;

    if (x->entry.type != y->entry.type)
        return x->entry.type == OTA_SLOT ? -1 : 1;
    return compare(x->entry.path, y->entry.path);
}

/* The same with case folded; what is equal stays in the order of the rules. */
static int by_folded(const void *a, const void *b)
{
    const struct tree_item *x = *(struct tree_item *const *)a;
    const struct tree_item *y = *(struct tree_item *const *)b;
    const struct diag_mark *m = &x->entry.mark, *n = &y->entry.mark;
    int order;

    if (x->entry.type != y->entry.type)
        return x->entry.type == OTA_SLOT ? -1 : 1;
    order = compare(x->folded, y->folded);
    if (order == 0 && m->line != n->line)
        order = m->line < n->line ? -1 : 1;
    if (order == 0 && m->col != n->col)
        order = m->col < n->col ? -1 : 1;
    return order ? order : strcmp(x->entry.path, y->entry.path);
}

void tree_set_sort(struct tree_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(struct tree_item *), by_record);
}

static bool same_place(const struct diag_mark *a, const struct diag_mark *b)
{
    return a->source == b->source && a->line == b->line && a->col == b->col;
}

/* How the second of two neighbours cannot be there with the first. */
static const char *clash_of(const struct tree_item *a,
                            const struct tree_item *b)
{
    const char *x = a->folded, *y = b->folded;

    if (a->entry.type != b->entry.type)
        return NULL;
    if (!strcmp(a->entry.path, b->entry.path))
        return "comes twice: another is";
    if (compare(x, y) == 0)
        return "differs only by case from";
    if (a->entry.type == OTA_FILE && ota_path_below(y, strlen(y), x, strlen(x)))
        return "is below a file:";
    return NULL;
}

static void report_clash(struct tree_job *job, const struct tree_entry *a,
                         const struct tree_entry *b, const char *how)
{
    tree_fail(job, DIAG_CONFIG, b->mark,
              "%s '%s' (from '%s') %s '%s' (from '%s')",
              b->type == OTA_SLOT ? "slot" : "path", b->path, b->source, how,
              a->path, a->source);
    if (!same_place(&a->mark, &b->mark))
        diag_note_at(a->mark, "'%s' comes from here", a->path);
}

/* Whatever is below a file comes directly after it (ota-bundle(5), Order). */
void tree_set_check(struct tree_job *job, struct tree_list *list)
{
    struct tree_item **v = list->items, *last = NULL;
    size_t i, kept = 0;

    if (list->count > 1)
        qsort(v, list->count, sizeof(struct tree_item *), by_folded);
    for (i = 0; i < list->count; i++) {
        const char *how = last ? clash_of(last, v[i]) : NULL;

        if (how)
            report_clash(job, &last->entry, &v[i]->entry, how);
        else
            v[kept++] = last = v[i];
    }
    list->count = kept;
    tree_names_twins(job, list);
}

static void hash_entry(crypto_hash_sha512_state *sha,
                       const struct tree_entry *e)
{
    uint8_t head[1 + FILE_HEAD + 1], *fixed = head + 1;
    size_t len = strlen(e->path);

    head[0] = e->type;
    put16(fixed, e->mode);
    put32(fixed + FILE_SIZE, e->size);
    memcpy(fixed + FILE_HASH, e->hash, OTA_HASH);
    fixed[FILE_HEAD] = (uint8_t)len;
    crypto_hash_sha512_update(sha, head, sizeof head);
    crypto_hash_sha512_update(sha, (const uint8_t *)e->path, len);
}

static void digest_of(const struct tree_list *list, uint8_t digest[OTA_DIGEST])
{
    uint8_t full[crypto_hash_sha512_BYTES];
    crypto_hash_sha512_state sha;
    size_t i;

    crypto_hash_sha512_init(&sha);
    for (i = 0; i < list->count; i++)
        hash_entry(&sha, &list->items[i]->entry);
    crypto_hash_sha512_final(&sha, full);
    memcpy(digest, full, OTA_DIGEST);
}

int tree_set_measure(struct tree_job *job, const struct tree_list *list,
                     struct tree_set *set)
{
    uint64_t space = 0;
    size_t i;

    memset(set, 0, sizeof *set);
    for (i = 0; i < list->count; i++) {
        const struct tree_entry *e = &list->items[i]->entry;

        set->bytes += e->size;
        space += e->type == OTA_FILE ? e->size : 0;
    }
    if (list->count > UINT16_MAX)
        return tree_fail(job, DIAG_CONFIG, job->release->name.mark,
                         "'%s' has %zu files: a release has at most 65535",
                         job->release->name.text, list->count);
    if (space > UINT32_MAX)
        return tree_fail(job, DIAG_CONFIG, job->release->name.mark,
                         "the files of '%s' have %llu bytes: a release has at "
                         "most 4294967295",
                         job->release->name.text, (unsigned long long)space);
    set->space = (uint32_t)space;
    set->count = list->count;
    digest_of(list, set->digest);
    return 0;
}
