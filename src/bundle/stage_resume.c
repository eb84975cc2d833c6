/* Going on after a cut: from the journal's last checkpoint, if all that it
 * claims is there.  ota-install(7), Resuming. */
#include "format.h"
#include "stage.h"

#include <string.h>

static const char journal_path[] = ".ota/journal";

/* The journal's manifest is this one, byte for byte, and this alternative.
 * OTA_ERR_SPACE: this one, and the full alternative, which the reader then
 * takes: what was fetched of it is not given up for a delta that failed. */
APART static int same_manifest(struct ota_install *i,
                               const struct ota_manifest *m, unsigned index,
                               bool *same)
{
    uint8_t buf[64], chosen;
    size_t at = 0, n;
    int type = ota_journal_next(i->port, &i->journal), err;

    *same = false;
    if (type != JOURNAL_MANIFEST ||
        ota_journal_left(&i->journal) != 1 + m->bytes_len)
        return type < 0 ? type : OTA_OK;
    err = ota_journal_get(i->port, &i->journal, &chosen, 1);
    for (; err == OTA_OK && at < m->bytes_len; at += n) {
        n = m->bytes_len - at < sizeof(buf) ? m->bytes_len - at : sizeof(buf);
        err = ota_journal_get(i->port, &i->journal, buf, n);
        if (err == OTA_OK && memcmp(buf, m->bytes + at, n) != 0)
            return OTA_OK;
    }
    if (err != OTA_OK)
        return err;
    *same = chosen == index;
    return i->reader->choose < 0 && index < chosen &&
                   chosen + 1U == m->alternatives
               ? OTA_ERR_SPACE
               : OTA_OK;
}

/* Of the journal after the manifest: where the last checkpoint is (at 0: there
 * is none). */
static int find_last(struct ota_install *i, struct ota_journal *last)
{
    struct ota_journal *j = &i->journal;
    int type, err = OTA_OK;

    last->at = 0;
    while (err == OTA_OK) {
        struct ota_journal before = *j;

        type = ota_journal_next(i->port, j);
        if (type <= 0 || type == JOURNAL_END)
            return type < 0 ? type : OTA_OK;
        if (type == JOURNAL_CHECKPOINT)
            *last = before;
        err = ota_yield(i);
    }
    return err;
}

/* A staged file that is not as long as it should be: no journal. */
static int staged(struct ota_install *i, const struct ota_entry *e, bool *ok)
{
    char path[WORK_PATH];
    struct ota_stat st;
    int err;

    if (e->file.type == OTA_SLOT) {
        err = i->port->slot_active && i->port->slot_read_at
                  ? ota_slot_check(i, &e->file)
                  : OTA_ERR_CONTENT;
        *ok = err == OTA_OK;
        return err == OTA_ERR_CONTENT ? OTA_OK : err;
    }
    memset(&st, 0, sizeof(st));
    ota_work_path(i, ".ota/new", e->number, false, path);
    err = i->port->stat(i->port->ctx, path, &st);
    *ok = st.kind == OTA_REGULAR && st.size == e->file.size;
    return err;
}

static int live_size(struct ota_install *i, const char *path)
{
    struct ota_stat st;
    int err;

    memset(&st, 0, sizeof(st));
    err = i->port->stat(i->port->ctx, path, &st);
    if (err == OTA_OK && st.kind == OTA_REGULAR)
        ota_note_size(i, st.size);
    return err;
}

static int recall_entry(struct ota_install *i, bool *ok)
{
    struct ota_entry *e = &i->entry;
    int err = ota_journal_get_entry(i->port, &i->journal, e);

    if (err != OTA_OK)
        return err;
    if (e->flags & ENTRY_CASE)
        i->twins++;
    if (e->flags & ENTRY_SKIPPED) {
        i->skipped++;
        return OTA_OK;
    }
    if (e->file.type != OTA_SLOT)
        err = live_size(i, e->file.path);
    if (e->file.type == OTA_DELETE) {
        memcpy(i->deleted, e->file.path, sizeof(i->deleted));
        return err;
    }
    ota_note_size(i, e->file.type == OTA_FILE ? e->file.size : 0);
    return err == OTA_OK ? staged(i, e, ok) : err;
}

APART static int recall_folder(struct ota_install *i)
{
    size_t len = ota_journal_left(&i->journal);
    char path[OTA_PATH + 1];
    int err = ota_journal_get_path(i->port, &i->journal, path, len);

    if (err == OTA_OK)
        ota_note_folder(i, path, len);
    return err;
}

/* What the records up to the last checkpoint left behind; *ok: all of it is
 * there. */
static int recall_records(struct ota_install *i, const struct ota_journal *last,
                          bool *ok)
{
    int type, err = OTA_OK;

    ota_journal_rewind(&i->journal, 'J');
    *ok = true;
    while (err == OTA_OK && *ok && i->journal.at < last->at) {
        type = ota_journal_next(i->port, &i->journal);
        if (type <= 0)
            return type < 0 ? type : OTA_ERR_STATE;
        if (type == JOURNAL_ENTRY)
            err = recall_entry(i, ok);
        else if (type == JOURNAL_DIRECTORY)
            err = recall_folder(i);
        if (err == OTA_OK)
            err = ota_yield(i);
    }
    return err;
}

/* The checkpoint's open file: at least as long as it says, and a FILE. */
static int check_open(struct ota_install *i, const struct ota_checkpoint *at,
                      bool *ok)
{
    char path[WORK_PATH];
    struct ota_stat st;
    int err;

    *ok = true;
    if (!at->open || (at->written == 0 && !at->has_base))
        return OTA_OK;
    *ok = at->file.type == OTA_FILE;
    if (!*ok || ota_protected(i, at->file.path))
        return OTA_OK;
    memset(&st, 0, sizeof(st));
    ota_work_path(i, ".ota/new", at->records, false, path);
    err = i->port->stat(i->port->ctx, path, &st);
    *ok = st.kind == OTA_REGULAR && st.size >= at->written;
    return err;
}

/* The checkpoint at `last`; the journal is behind it. */
static int read_checkpoint(struct ota_install *i,
                           const struct ota_journal *last,
                           struct ota_checkpoint *at)
{
    int type;

    i->journal = *last;
    type = ota_journal_next(i->port, &i->journal);
    if (type != JOURNAL_CHECKPOINT)
        return type < 0 ? type : OTA_ERR_STATE;
    return ota_journal_get_checkpoint(i->port, &i->journal, at);
}

/* In the place of the reader's own, which has not begun. */
static int load_checkpoint(struct ota_install *i,
                           const struct ota_journal *last, bool *ok)
{
    struct ota_checkpoint *at = &i->reader->at;
    int err = read_checkpoint(i, last, at);

    if (err == OTA_OK) {
        i->offset = at->offset;
        err = check_open(i, at, ok);
    }
    memset(at, 0, sizeof(*at));
    return err;
}

/* Of a journal that is open. */
static int check(struct ota_install *i, const struct ota_manifest *m,
                 unsigned index, bool *again)
{
    struct ota_journal last = {0};
    int err = same_manifest(i, m, index, again);

    if (err == OTA_OK && *again)
        err = find_last(i, &last);
    *again = *again && last.at != 0;
    if (err == OTA_OK && *again)
        err = recall_records(i, &last, again);
    if (err == OTA_OK && *again)
        err = load_checkpoint(i, &last, again);
    i->resume = last;
    return err;
}

int ota_resume_check(struct ota_install *i, const struct ota_manifest *m,
                     unsigned index, bool *again)
{
    int kind = ota_kind(i, journal_path), err;

    *again = false;
    if (kind != OTA_REGULAR)
        return kind < 0 ? kind : OTA_OK;
    err = ota_settle(i);
    if (err == OTA_OK)
        err = ota_journal_open(i->port, &i->journal, journal_path, 'J',
                               OTA_OPEN_UPDATE);
    if (err == OTA_OK)
        err = check(i, m, index, again);
    *again = *again && err == OTA_OK;
    if (!*again) {
        ota_journal_close(i->port, &i->journal);
        i->offset = i->largest = 0;
        i->skipped = i->folders = i->twins = 0;
        i->deleted[0] = i->folder[0] = '\0';
    }
    return err == OTA_ERR_STATE ? OTA_OK : err;
}

static int reopen(struct ota_install *i, const struct ota_checkpoint *at)
{
    char path[WORK_PATH];
    int err = OTA_OK;

    if (!at->open || (at->written == 0 && !at->has_base))
        return OTA_OK;
    i->number = at->records;
    i->written = at->written;
    i->skip = ota_protected(i, at->file.path);
    if (i->skip)
        return OTA_OK;
    if (at->has_base)
        err = ota_base_open(i, &at->base);
    ota_work_path(i, ".ota/new", at->records, false, path);
    if (err == OTA_OK)
        i->out = i->port->open(i->port->ctx, path, OTA_OPEN_UPDATE);
    return err == OTA_OK && i->out < 0 ? i->out : err;
}

/* Behind the checkpoint, and behind what earlier tries said there. */
static int mark(struct ota_install *i)
{
    struct ota_journal *j = &i->journal, before;
    uint32_t number = 0;
    int type;

    do {
        before = *j;
        type = ota_journal_next(i->port, j);
        number++;
    } while (type == JOURNAL_RESUME);
    if (type < 0 && type != OTA_ERR_STATE)
        return type;
    *j = before;
    return ota_journal_put_resume(i->port, j, number);
}

int ota_resume(struct ota_install *i)
{
    struct ota_checkpoint *at = &i->reader->at;
    int err = read_checkpoint(i, &i->resume, at);

    if (err == OTA_OK)
        err = ota_reader_resume(i->reader, at);
    if (err == OTA_ERR_RECORD)
        err = OTA_ERR_STATE; /* the journal's fault, not the payload's */
    if (err == OTA_OK)
        err = reopen(i, at);
    return err == OTA_OK ? mark(i) : err;
}
