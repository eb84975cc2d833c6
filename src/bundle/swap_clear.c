/* What is kept goes: stale work files, the backup, a staging that is given up,
 * everything.  The state says so first, and durably. */
#include "install.h"

#include <string.h>

static int clear_one(struct ota_install *i, const char *kind, unsigned n)
{
    char path[WORK_PATH];

    ota_work_path(i, kind, n, false, path);
    return TWICE(ota_remove_if(i, path));
}

int ota_clear(struct ota_install *i, unsigned last, bool old)
{
    unsigned n;
    int err = OTA_OK;

    if (last < i->state.entries)
        last = i->state.entries;
    for (n = 0; err == OTA_OK && n <= last; n++) {
        err = clear_one(i, ".ota/new", n);
        if (err == OTA_OK && old)
            err = clear_one(i, ".ota/old", n);
        if (err == OTA_OK)
            err = ota_yield(i);
    }
    return err;
}

int ota_forget_etag(struct ota_install *i)
{
    return TWICE(ota_remove_if(i, ".ota/etag"));
}

static int save_idle(struct ota_install *i)
{
    i->state.phase = OTA_IDLE;
    i->state.new_keys = 0;
    return TWICE(ota_state_save(i));
}

/* In staging what is staged may go before the state says so, which makes room
 * for it: a journal whose files are missing is none. */
int ota_drop(struct ota_install *i)
{
    bool staging = i->loaded && i->state.phase == OTA_STAGING;
    int err = staging ? ota_clear(i, 0, false) : OTA_OK, saved;

    saved = save_idle(i);
    if (saved == OTA_OK && !staging)
        err = ota_clear(i, 0, false);
    if (saved == OTA_OK && err == OTA_OK)
        err = TWICE(ota_remove_if(i, ".ota/journal"));
    return err == OTA_OK ? saved : err;
}

int ota_stage_drop(struct ota_install *i)
{
    int err = ota_state_load(i);

    ota_stage_close(i);
    i->result = OTA_ERR_STATE; /* until the next ota_stage() */
    if (err != OTA_OK || i->state.phase == OTA_IDLE)
        return err;
    if (i->state.phase != OTA_STAGING)
        return OTA_ERR_STATE;
    err = ota_forget_etag(i);
    return err == OTA_OK ? ota_drop(i) : err;
}

/* Both state files say so, before anything goes: neither offers it again. */
int ota_forget_backup(struct ota_install *i)
{
    int err = ota_state_load(i);

    if (err == OTA_OK && i->state.phase != OTA_IDLE)
        err = OTA_ERR_STATE;
    if (err != OTA_OK || !i->state.backup)
        return err;
    i->state.backup = false;
    err = TWICE(ota_state_save(i));
    if (err == OTA_OK)
        err = TWICE(ota_state_save(i));
    return err == OTA_OK ? ota_clear(i, 0, true) : err;
}

/* Of a state that can be read, what never goes back stays. */
static void keep_highest(struct ota_install *i, int err)
{
    struct ota_state was = i->state, *s = &i->state;

    memset(s, 0, sizeof(*s));
    s->entries = i->config->entries_max ? i->config->entries_max : OTA_ENTRIES;
    s->highest = i->config->lowest;
    if (err != OTA_OK)
        return;
    s->sequence = was.sequence;
    s->entries = was.entries;
    s->highest = was.highest;
    s->failed = was.failed;
    s->reason = was.reason;
    s->keys = was.keys;
    if (ota_keys_load(i) == OTA_ERR_STATE)
        s->keys = 0;
}

/* In the middle of a swap the files are among what is to go: it comes to its
 * end first.  Where it cannot, the old files that are not back are kept. */
static bool end_swap(struct ota_install *i)
{
    int err = i->state.phase == OTA_READY ? OTA_OK : ota_go_on(i);

    return err == OTA_OK || err == OTA_RESTART;
}

/* The state files stay: one that says idle is in force before anything goes,
 * and then the other says so too. */
int ota_reset(struct ota_install *i)
{
    int loaded = ota_state_load(i), err;
    bool whole = false;

    if (loaded != OTA_OK && loaded != OTA_ERR_STATE)
        return loaded;
    if (loaded == OTA_OK && i->fresh)
        return OTA_OK;
    ota_stage_close(i);
    if (loaded == OTA_OK)
        whole = end_swap(i);
    keep_highest(i, loaded);
    err = TWICE(ota_state_save(i));
    if (err == OTA_OK)
        err = ota_clear(i, 0, whole);
    if (err == OTA_OK)
        err = ota_forget_etag(i);
    if (err == OTA_OK)
        err = TWICE(ota_remove_if(i, ".ota/journal"));
    if (err == OTA_OK)
        err = TWICE(ota_remove_if(i, ".ota/files"));
    if (err == OTA_OK)
        err = TWICE(ota_remove_if(i, ".ota/folders"));
    if (err != OTA_OK)
        return err;
    if (whole)
        i->state.entries = 0;
    i->restart = false;
    return TWICE(ota_state_save(i));
}
