/* Staging: a sink that writes what the reader authenticated below .ota/new,
 * and a journal from which it goes on after a cut.  ota-install(7), Steps 1 to
 * 6 and Rules. */
#include "stage.h"
#include "format.h"

#include <string.h>

static const char journal_path[] = ".ota/journal";

/* -- the sink -----------------------------------------------------------------
 */

static int sink_open(void *ctx, const struct ota_file *f,
                     const struct ota_file *base)
{
    struct ota_install *i = ctx;
    char path[WORK_PATH];
    int err;

    i->number = i->reader->at.records;
    i->written = 0;
    i->skip = f->type == OTA_FILE && ota_protected(i, f->path);
    if (i->skip) { /* its base is not read, so its bytes are not the stated */
        i->reader->record.check_hash = false;
        return OTA_OK;
    }
    if (f->type == OTA_SLOT)
        return ota_slot_open(i, f, base);
    err = ota_check_target(i, f->path);
    if (err == OTA_OK)
        err = ota_note_twin(i, f->path);
    if (err == OTA_OK && base)
        err = ota_base_open(i, base);
    if (err == OTA_OK)
        err = ota_work_path(i, ".ota/new", i->number, true, path);
    if (err != OTA_OK)
        return err;
    i->out = i->port->open(i->port->ctx, path, OTA_OPEN_NEW);
    return i->out < 0 ? i->out : OTA_OK;
}

static int sink_base_read(void *ctx, uint32_t offset, uint8_t *buf, size_t len)
{
    struct ota_install *i = ctx;
    const struct ota_port *p = i->port;
    const struct ota_file *f = &i->reader->at.file;
    int n, image;

    if (i->skip) {
        memset(buf, 0, len);
        return OTA_OK;
    }
    if (f->type == OTA_SLOT) {
        image = p->slot_active(p->ctx, f->path);
        return image < 0
                   ? image
                   : p->slot_read_at(p->ctx, f->path, image, offset, buf, len);
    }
    n = p->read_at(p->ctx, i->base, offset, buf, len);
    if (n < 0)
        return n;
    return (size_t)n == len ? OTA_OK : OTA_ERR_BASE;
}

/* One chunk of a delta can make all of a file: the reader's yields do not
 * do. */
static int sink_data(void *ctx, const uint8_t *buf, size_t len)
{
    struct ota_install *i = ctx;
    const struct ota_port *p = i->port;
    const struct ota_file *f = &i->reader->at.file;
    uint32_t at = i->written;
    int err = OTA_OK;

    i->written += (uint32_t)len;
    if (!i->skip && f->type == OTA_SLOT)
        err = p->slot_write_at(p->ctx, f->path, at, buf, len);
    else if (!i->skip)
        err = p->write_at(p->ctx, i->out, at, buf, len);
    if (err == OTA_OK && at / YIELD_EVERY != i->written / YIELD_EVERY)
        err = ota_yield(i);
    return err;
}

static int close_out(struct ota_install *i)
{
    const struct ota_port *p = i->port;
    int err = p->sync(p->ctx, i->out), closed = p->close(p->ctx, i->out);

    i->out = -1;
    ota_base_close(i);
    return err == OTA_OK ? closed : err;
}

/* The folders that the swap and its undoing will move to are made now, so that
 * they are durable long before. */
static int make_work_folders(struct ota_install *i)
{
    char path[WORK_PATH];
    uint16_t group = (uint16_t)(i->number / 32 + 1);
    int err = OTA_OK;

    if (i->group == group)
        return OTA_OK;
    err = ota_work_path(i, ".ota/old", i->number, true, path);
    if (err == OTA_OK)
        err = ota_work_path(i, ".ota/new", i->number, true, path);
    if (err == OTA_OK)
        i->group = group;
    return err;
}

static int note_entry(struct ota_install *i, const struct ota_file *f)
{
    int image = f->type == OTA_SLOT ? ota_slot_other(i, f->path) : 0;
    int err = image < 0                        ? image
              : i->skip || f->type == OTA_SLOT ? OTA_OK
                                               : make_work_folders(i);

    if (err != OTA_OK)
        return err;
    memset(&i->entry, 0, sizeof(i->entry));
    i->entry.file = *f;
    i->entry.number = i->number;
    i->entry.flags = i->skip ? ENTRY_SKIPPED : 0;
    i->skipped = (uint16_t)(i->skipped + (i->skip ? 1 : 0));
    if (f->type == OTA_SLOT)
        i->entry.file.mode = (uint16_t)image;
    return ota_journal_put_entry(i->port, &i->journal, &i->entry);
}

/* Step 4: closed, opened again, read back and hashed, mode set.  That it reads
 * back differently is the medium's fault, and not the version's. */
static int finish_file(struct ota_install *i, const struct ota_file *f)
{
    char path[WORK_PATH];
    int err = close_out(i);

    if (err != OTA_OK)
        return err;
    ota_work_path(i, ".ota/new", i->number, false, path);
    err = ota_file_finish(i, path, f);
    i->medium = err == OTA_ERR_CONTENT;
    ota_note_size(i, f->size);
    return err;
}

static int sink_close(void *ctx, const struct ota_file *f)
{
    struct ota_install *i = ctx;
    int err = OTA_OK;

    if (i->skip)
        return note_entry(i, f);
    if (f->type == OTA_SLOT) {
        err = ota_slot_check(i, f);
        i->medium = err == OTA_ERR_CONTENT;
    } else {
        err = finish_file(i, f);
    }
    return err == OTA_OK ? note_entry(i, f) : err;
}

static int sink_remove(void *ctx, const char *path)
{
    struct ota_install *i = ctx;
    bool ours = false;
    int err;

    i->number = i->reader->at.records;
    err = ota_list_has(i, path, &ours);
    if (err != OTA_OK)
        return err;
    i->skip = !ours || ota_protected(i, path);
    if (!i->skip) { /* in the spelling that stands in the list */
        memcpy(i->deleted, i->listed.file.path, strlen(path) + 1);
        memcpy(i->reader->at.file.path, i->deleted, strlen(path) + 1);
        err = ota_check_target(i, i->deleted);
    }
    return err == OTA_OK ? note_entry(i, &i->reader->at.file) : err;
}

/* A durable checkpoint never claims more than is durable. */
static int sink_segment(void *ctx, const struct ota_checkpoint *at)
{
    struct ota_install *i = ctx;
    const struct ota_port *p = i->port;
    int err = i->out >= 0 ? p->sync(p->ctx, i->out) : OTA_OK;

    if (err == OTA_OK)
        err = ota_journal_put_checkpoint(p, &i->journal, at);
    return err == OTA_OK ? p->sync(p->ctx, i->journal.file) : err;
}

static int sink_keys(void *ctx, const uint8_t (*keys)[OTA_PUBLIC_KEY],
                     size_t count)
{
    (void)ctx;
    (void)keys;
    (void)count;
    return OTA_OK; /* kept in the reader's checkpoint until the end */
}

static int sink_yield(void *ctx)
{
    return ota_yield(ctx);
}

STATIC_ASSERT(install_state, sizeof(struct ota_install) <= OTA_INSTALL_STATE);

/* -- begin
 * ---------------------------------------------------------------------- */

static int write_manifest(struct ota_install *i, const struct ota_manifest *m,
                          uint8_t index)
{
    const struct ota_port *p = i->port;
    struct ota_journal *j = &i->journal;
    int err = ota_journal_open(p, j, journal_path, 'J', OTA_OPEN_NEW);

    if (err == OTA_OK)
        err = ota_journal_begin(p, j, JOURNAL_MANIFEST, 1 + m->bytes_len);
    if (err == OTA_OK)
        err = ota_journal_put(p, j, &index, 1);
    if (err == OTA_OK)
        err = ota_journal_put(p, j, m->bytes, m->bytes_len);
    if (err == OTA_OK)
        err = ota_journal_commit(p, j);
    if (err == OTA_OK)
        err = p->sync(p->ctx, j->file);
    return err == OTA_OK ? ota_barrier(i) : err;
}

/* Steps 1 to 3. */
static int begin_anew(struct ota_install *i, const struct ota_manifest *m,
                      const struct ota_alternative *a, unsigned index)
{
    int err;

    if (i->port->clear) /* what cannot go keeps nothing from being installed */
        (void)i->port->clear(i->port->ctx, ".ota/aside");
    err = ota_space_begin(i, a);
    if (err != OTA_OK)
        return err;
    i->state.phase = OTA_IDLE;
    i->state.backup = false;
    err = ota_state_save(i);
    if (err == OTA_OK)
        err = ota_clear(i, a->records, true);
    if (err == OTA_OK)
        err = ota_barrier(i);
    if (err == OTA_OK)
        err = write_manifest(i, m, (uint8_t)index);
    if (err != OTA_OK)
        return err;
    i->state.phase = OTA_STAGING;
    i->state.entries = a->records;
    i->state.new_keys = 0;
    return ota_state_save(i);
}

/* What belongs to one try. */
static void forget_try(struct ota_install *i)
{
    i->began = i->resuming = i->skip = i->medium = i->blocked = false;
    i->skipped = i->folders = i->twins = i->number = i->group = 0;
    i->offset = i->largest = 0;
    i->deleted[0] = i->folder[0] = '\0';
}

static int sink_begin(void *ctx, const struct ota_manifest *m,
                      const struct ota_alternative *a, unsigned index)
{
    struct ota_install *i = ctx;
    uint16_t most =
        i->config->entries_max ? i->config->entries_max : OTA_ENTRIES;
    bool again = false;
    int err = OTA_OK;

    if (a->records > most)
        return OTA_ERR_MEMORY;
    forget_try(i);
    i->manifest = *m;
    i->manifest.bytes = NULL;
    i->alternative = *a;
    i->delta = index + 1U < m->alternatives;
    ota_journal_close(i->port, &i->journal);
    if (i->state.phase == OTA_STAGING)
        err = ota_resume_check(i, m, index, &again);
    i->resuming = again;
    if (err == OTA_OK && !again)
        err = begin_anew(i, m, a, index);
    i->began = err == OTA_OK;
    return err;
}

/* -- the calls
 * -------------------------------------------------------------------- */

struct ota_install *ota_install_init(void *arena, size_t arena_len,
                                     const struct ota_port *port,
                                     const struct ota_install_config *config)
{
    struct ota_install *i = arena;

    if (arena_len < OTA_INSTALL_STATE || (uintptr_t)arena % 8 != 0)
        return NULL;
    memset(i, 0, sizeof(*i));
    i->port = port;
    i->config = config;
    i->arena_len = arena_len;
    i->out = i->base = i->journal.file = i->list.file = -1;
    return i;
}

void ota_stage_close(struct ota_install *i)
{
    if (i->reader && i->device.device_key)
        ota_reader_wipe(i->reader);
    i->reader = NULL;
    if (i->out >= 0)
        i->port->close(i->port->ctx, i->out);
    i->out = -1;
    ota_base_close(i);
    ota_journal_close(i->port, &i->journal);
    ota_journal_close(i->port, &i->list);
}

int ota_stage(struct ota_install *i, int choose)
{
    static const struct ota_sink sink = {.begin = sink_begin,
                                         .keys = sink_keys,
                                         .open = sink_open,
                                         .base_read = sink_base_read,
                                         .data = sink_data,
                                         .close = sink_close,
                                         .remove = sink_remove,
                                         .segment = sink_segment,
                                         .yield = sink_yield};
    int err = ota_state_load(i);

    if (err == OTA_OK && i->state.phase != OTA_IDLE &&
        i->state.phase != OTA_STAGING)
        err = OTA_ERR_STATE;
    if (err == OTA_OK)
        err = ota_keys_load(i);
    if (err != OTA_OK)
        return i->result = err;
    ota_stage_close(i);
    i->sink = sink;
    i->sink.ctx = i;
    i->device.installed = i->state.version ? i->state.release : NULL;
    i->device.highest = i->state.highest;
    i->device.failed = i->state.failed;
    i->device.now = i->port->time ? i->port->time(i->port->ctx) : 0;
    forget_try(i);
    i->space = 0;
    i->memory = 0;
    memset(&i->listed, 0, sizeof(i->listed));
    i->reader = ota_reader_init((uint8_t *)i + OTA_INSTALL_STATE,
                                i->arena_len - OTA_INSTALL_STATE, &i->device,
                                &i->sink, choose);
    return i->result = i->reader ? OTA_OK : OTA_ERR_MEMORY;
}

/* The manifest is refused: is it that of what is installed? */
APART static bool current(const struct ota_install *i)
{
    struct ota_manifest m;

    return i->state.version != 0 &&
           ota_manifest_decode(&m, i->reader->buf, i->reader->have) == OTA_OK &&
           m.version == i->state.version &&
           memcmp(m.release, i->state.release, OTA_DIGEST) == 0;
}

/* A payload that broke a rule is not taken again: ota-install(7), Failed.  Only
 * what is authenticated can: `trailing` are bytes that nobody signed. */
static bool spoiled(int err)
{
    return err == OTA_ERR_DEFLATE || err == OTA_ERR_RECORD ||
           err == OTA_ERR_PATH || err == OTA_ERR_CONTENT;
}

/* Of what an error leaves, a later try can only use what a bad network or a
 * failing port cut short, or what somebody added to. */
static bool goes_on(int err)
{
    return err == OTA_ERR_CHUNK || err == OTA_ERR_TRUNCATED ||
           err == OTA_ERR_TRAILING || err == OTA_ERR_IO;
}

static void note_memory(struct ota_install *i)
{
    size_t needs = i->reader ? ota_reader_needs(i->reader) : 0;

    if (needs > i->arena_len - OTA_INSTALL_STATE)
        i->memory = OTA_INSTALL_STATE + needs;
}

static int fail_stage(struct ota_install *i, int err)
{
    note_memory(i);
    ota_stage_close(i);
    i->result = err;
    if (!i->began || goes_on(err))
        return err;
    if (spoiled(err) && !i->medium && !i->blocked) {
        i->state.failed = i->manifest.version;
        i->state.reason = (uint8_t)-err;
        ota_forget_etag(i);
    }
    ota_drop(i);
    return err;
}

/* Feeds up to the manifest's end, or all. */
static int feed(struct ota_install *i, const uint8_t **buf, size_t *len)
{
    struct ota_reader *r = i->reader;
    bool before = r->phase == READER_MANIFEST;
    size_t n = before && r->need - r->have < *len ? r->need - r->have : *len;
    int err = ota_reader_feed(r, *buf, n);

    *buf += n;
    *len -= n;
    if (err == OTA_OK && before && r->phase == READER_PAYLOAD && i->resuming)
        err = ota_resume(i);
    return err;
}

/* The application may change a base while it is read: that is no fault of the
 * payload. */
static bool base_changed(struct ota_install *i)
{
    const struct ota_file *base = &i->reader->at.base;
    bool open = i->base >= 0;

    ota_base_close(i);
    return open && ota_hash_check(i, base->path, base, OTA_ERR_BASE) != OTA_OK;
}

int ota_stage_feed(struct ota_install *i, const uint8_t *buf, size_t len)
{
    int err = i->result;

    if (err == OTA_OK && !i->reader)
        err = OTA_ERR_STATE;
    if (err != OTA_OK)
        return err;
    while (err == OTA_OK && len > 0)
        err = feed(i, &buf, &len);
    if (err == OTA_OK)
        return OTA_OK;
    if (err == OTA_ERR_VERSION && !i->began && current(i)) {
        ota_stage_close(i);
        return i->result = OTA_CURRENT;
    }
    if (err == OTA_ERR_CONTENT && base_changed(i))
        err = OTA_ERR_BASE;
    return fail_stage(i, err);
}

bool ota_stage_wants_payload(const struct ota_install *i)
{
    return i->result == OTA_OK && i->reader &&
           i->reader->phase == READER_PAYLOAD;
}

const uint8_t *ota_stage_payload(const struct ota_install *i)
{
    return i->alternative.link + LINK_HASH;
}

uint32_t ota_stage_size(const struct ota_install *i)
{
    return i->alternative.size;
}

uint32_t ota_stage_offset(const struct ota_install *i)
{
    return i->offset;
}

uint64_t ota_stage_space(const struct ota_install *i)
{
    return i->space;
}

size_t ota_stage_memory(const struct ota_install *i)
{
    return i->memory;
}

unsigned ota_stage_skipped(const struct ota_install *i)
{
    return i->skipped;
}

static int end_journal(struct ota_install *i)
{
    const struct ota_port *p = i->port;
    int err = ota_journal_begin(p, &i->journal, JOURNAL_END, 0), closed;

    if (err == OTA_OK)
        err = ota_journal_commit(p, &i->journal);
    if (err == OTA_OK)
        err = p->sync(p->ctx, i->journal.file);
    closed = ota_journal_close(p, &i->journal);
    return err == OTA_OK ? closed : err;
}

/* Steps 5 and 6. */
static int make_ready(struct ota_install *i)
{
    const struct ota_checkpoint *at = &i->reader->at;
    uint8_t which = 0;
    int err;

    i->number = 0;
    err = make_work_folders(i);
    if (err == OTA_OK)
        err = ota_merge(i);
    if (err == OTA_OK)
        err = ota_space_swap(i);
    if (err == OTA_OK && at->key_count > 0)
        err = ota_keys_save(i, (const uint8_t(*)[OTA_PUBLIC_KEY])at->keys,
                            at->key_count, &which);
    if (err == OTA_OK)
        err = end_journal(i);
    if (err == OTA_OK)
        err = ota_barrier(i);
    if (err != OTA_OK)
        return err;
    i->state.new_keys = which;
    i->state.entries = (uint16_t)(i->alternative.records + i->twins);
    i->state.phase = OTA_READY;
    return ota_state_save(i);
}

int ota_stage_finish(struct ota_install *i)
{
    int err = i->result;

    if (err == OTA_OK && !i->reader)
        err = OTA_ERR_STATE;
    if (err != OTA_OK)
        return err;
    err = ota_reader_finish(i->reader);
    if (err == OTA_OK)
        err = make_ready(i);
    if (err != OTA_OK)
        return fail_stage(i, err);
    ota_stage_close(i);
    i->result = OTA_ERR_STATE; /* until the next ota_stage() */
    return OTA_OK;
}
