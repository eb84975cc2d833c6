/* .ota/files: what bundles have installed here, in record order; merged with
 * the journal's entries into the list of the new release. */
#include "format.h"
#include "stage.h"

#include <string.h>

static const char list_path[] = ".ota/files";

/* Record order: SLOTs before FILEs, then by path. */
static int compare_entries(const struct ota_entry *a, const struct ota_entry *b)
{
    bool slot_a = a->file.type == OTA_SLOT, slot_b = b->file.type == OTA_SLOT;

    if (slot_a != slot_b)
        return slot_a ? -1 : 1;
    return ota_path_compare(a->file.path, strlen(a->file.path), b->file.path,
                            strlen(b->file.path));
}

/* Opens the list if there is one; without, list.file stays -1. */
static int open_list(struct ota_install *i)
{
    int kind = ota_kind(i, list_path);

    ota_journal_close(i->port, &i->list);
    memset(&i->listed, 0, sizeof(i->listed));
    if (kind != OTA_REGULAR)
        return kind < 0 ? kind : OTA_OK;
    return ota_journal_open(i->port, &i->list, list_path, 'F', OTA_OPEN_READ);
}

/* The next entry into i->listed; type 0 at the end. */
static int next_listed(struct ota_install *i)
{
    int type;

    if (i->list.file < 0) {
        i->listed.file.type = 0;
        return OTA_OK;
    }
    type = ota_journal_next(i->port, &i->list);
    if (type < 0)
        return type;
    if (type == JOURNAL_ENTRY)
        return ota_journal_get_entry(i->port, &i->list, &i->listed);
    if (type != JOURNAL_END)
        return OTA_ERR_STATE; /* cut short: it was whole when it got here */
    i->listed.file.type = 0;
    return ota_journal_close(i->port, &i->list);
}

/* DELETEs come in record order, so one pass over the list serves all of them:
 * i->listed is where it stands. */
int ota_list_has(struct ota_install *i, const char *path, bool *has)
{
    int err = OTA_OK;

    memset(&i->entry, 0, sizeof(i->entry));
    i->entry.file.type = OTA_DELETE;
    memcpy(i->entry.file.path, path, strlen(path) + 1);
    *has = false;
    if (i->list.file < 0 && i->listed.file.path[0] == '\0') {
        err = open_list(i);
        if (err == OTA_OK)
            err = next_listed(i);
    }
    while (err == OTA_OK && i->listed.file.type != 0 &&
           compare_entries(&i->listed, &i->entry) < 0)
        err = next_listed(i);
    if (err == OTA_OK && i->listed.file.type == OTA_FILE &&
        !(i->listed.flags & ENTRY_SKIPPED))
        *has = compare_entries(&i->listed, &i->entry) == 0;
    return err;
}

static int put_twin(struct ota_install *i)
{
    struct ota_entry *e = &i->entry;
    unsigned number = i->alternative.records + i->twins + 1U;
    char path[WORK_PATH];
    int err;

    if (number > OTA_ENTRIES)
        return OTA_ERR_MEMORY;
    memset(e, 0, sizeof(*e));
    e->file.type = OTA_DELETE;
    memcpy(e->file.path, i->listed.file.path, sizeof(e->file.path));
    e->number = (uint16_t)number;
    e->flags = ENTRY_CASE;
    i->twins++;
    err = ota_check_target(i, e->file.path);
    if (err == OTA_OK)
        err = ota_work_path(i, ".ota/old", number, true, path);
    return err == OTA_OK ? ota_journal_put_entry(i->port, &i->journal, e) : err;
}

int ota_note_twin(struct ota_install *i, const char *path)
{
    bool has;
    int err = ota_list_has(i, path, &has);

    if (err != OTA_OK || !has ||
        memcmp(i->listed.file.path, path, strlen(path) + 1) == 0)
        return err;
    return put_twin(i);
}

/* -- the merge ----------------------------------------------------------------
 */

struct merge {
    struct ota_journal out;
    struct ota_hash digest;
    bool more; /* i->entry is the journal's next entry */
};

/* The journal's next entry into i->entry. */
static int next_entry(struct ota_install *i, struct merge *m)
{
    int type;

    do {
        type = ota_journal_next(i->port, &i->journal);
    } while (type > 0 && type != JOURNAL_ENTRY);
    m->more = type == JOURNAL_ENTRY;
    if (type < 0 || !m->more)
        return type < 0 ? type : OTA_OK;
    type = ota_journal_get_entry(i->port, &i->journal, &i->entry);
    if (type == OTA_OK && i->entry.file.type == OTA_SLOT)
        i->entry.file.mode = 0; /* the journal keeps the image there */
    return type;
}

static int keep(struct ota_install *i, struct merge *m,
                const struct ota_entry *e)
{
    const struct ota_file *f = &e->file;
    uint8_t head[1 + FILE_HEAD + 1];

    if (!(e->flags & ENTRY_STRAY)) {
        head[0] = f->type;
        put16(head + 1, f->mode);
        put32(head + 1 + FILE_SIZE, f->size);
        memcpy(head + 1 + FILE_HASH, f->hash, OTA_HASH);
        head[1 + FILE_HEAD] = (uint8_t)strlen(f->path);
        ota_hash_update(&m->digest, head, sizeof(head));
        ota_hash_update(&m->digest, (const uint8_t *)f->path, strlen(f->path));
    }
    return ota_journal_put_entry(i->port, &m->out, e);
}

/* Listed, and not in this bundle: a delta leaves it out because it stays, a
 * full payload because the release no longer has it. */
static int keep_listed(struct ota_install *i, struct merge *m)
{
    struct ota_entry *e = &i->listed;
    int err = OTA_OK;

    if (!i->delta && e->file.type == OTA_SLOT)
        return OTA_OK;
    if (!i->delta)
        e->flags |= ENTRY_STRAY;
    if (!(e->flags & ENTRY_STRAY) &&
        (e->file.type == OTA_SLOT || !ota_protected(i, e->file.path)))
        err = e->file.type == OTA_SLOT
                  ? ota_slot_running(i, &e->file)
                  : ota_hash_check(i, e->file.path, &e->file, OTA_ERR_BASE);
    return err == OTA_OK ? keep(i, m, e) : err;
}

/* One step: whichever comes first of list and journal, or both. */
static int merge_step(struct ota_install *i, struct merge *m)
{
    int by = i->listed.file.type == 0 ? 1
             : !m->more               ? -1
                                      : compare_entries(&i->listed, &i->entry);
    bool removed = by >= 0 && i->entry.file.type == OTA_DELETE;
    int err = OTA_OK;

    if (by < 0 || (by == 0 && removed && i->entry.flags & ENTRY_SKIPPED)) {
        if (by == 0)
            i->listed.flags |= ENTRY_STRAY;
        err = keep_listed(i, m);
    } else if (!removed) {
        i->entry.number = 0;
        err = keep(i, m, &i->entry);
    }
    if (err == OTA_OK && by <= 0)
        err = next_listed(i);
    if (err == OTA_OK && by >= 0)
        err = next_entry(i, m);
    return err;
}

static int merge_all(struct ota_install *i, struct merge *m)
{
    int err = open_list(i);

    if (err == OTA_OK)
        err = next_listed(i);
    if (err == OTA_OK)
        err = next_entry(i, m);
    while (err == OTA_OK && (m->more || i->listed.file.type != 0)) {
        err = merge_step(i, m);
        if (err == OTA_OK && i->port->yield)
            err = i->port->yield(i->port->ctx);
    }
    return err;
}

static int check_digest(const struct ota_install *i, struct merge *m)
{
    uint8_t digest[OTA_DIGEST];

    ota_hash_final(&m->digest, digest, sizeof(digest));
    if (i->manifest.flags & OTA_ENCRYPTED ||
        memcmp(digest, i->manifest.release, sizeof(digest)) == 0)
        return OTA_OK;
    return i->delta ? OTA_ERR_BASE : OTA_ERR_CONTENT;
}

static int finish_list(struct ota_install *i, struct merge *m)
{
    const struct ota_port *p = i->port;
    int err = ota_journal_begin(p, &m->out, JOURNAL_END, 0);

    if (err == OTA_OK)
        err = ota_journal_commit(p, &m->out);
    return err == OTA_OK ? p->sync(p->ctx, m->out.file) : err;
}

int ota_merge(struct ota_install *i)
{
    const struct ota_port *p = i->port;
    struct ota_journal write = i->journal; /* goes on there afterwards */
    struct merge m;
    char path[WORK_PATH];
    int err = ota_work_path(i, ".ota/new", 0, true, path), closed;

    memset(&m, 0, sizeof(m));
    m.out.file = -1;
    ota_hash_init(&m.digest);
    if (err == OTA_OK)
        err = p->sync(p->ctx, write.file);
    if (err == OTA_OK)
        err = ota_journal_open(p, &m.out, path, 'F', OTA_OPEN_NEW);
    if (err != OTA_OK)
        return err;
    ota_journal_rewind(&i->journal, 'J');
    err = merge_all(i, &m);
    if (err == OTA_OK)
        err = check_digest(i, &m);
    if (err == OTA_OK)
        err = finish_list(i, &m);
    closed = ota_journal_close(p, &m.out);
    ota_journal_close(p, &i->list);
    i->journal = write;
    return err == OTA_OK ? closed : err;
}
