/* Boot, confirm, undo: ota-install(7), Steps 7 to 18. */
#include "install.h"

#include <string.h>

static int save(struct ota_install *i, enum ota_phase phase)
{
    i->state.phase = (uint8_t)phase;
    return TWICE(ota_state_save(i));
}

static int start_undo(struct ota_install *i, enum ota_reason reason)
{
    i->state.reason = (uint8_t)reason;
    return save(i, OTA_UOUT);
}

/* 7.  A journal that is no longer what it was, a version or a file that the
 * program has ruled out since, or a target that is no file any more: it is
 * dropped while nothing is live.  Nothing is begun without a slot that its end
 * will ask for. */
static int do_ready(struct ota_install *i)
{
    bool runs;
    int err = ota_all_staged(i);

    if (err == OTA_ERR_STATE || err == OTA_ERR_PATH ||
        (err == OTA_OK && i->manifest.version <= i->state.highest))
        return ota_drop(i);
    if (err == OTA_OK)
        err = ota_slot_runs(i, &runs);
    if (err == OTA_OK)
        err = ota_note_folders(i);
    if (err == OTA_ERR_SPACE) /* what is staged takes the room */
        return ota_drop(i);
    if (err != OTA_OK)
        return err;
    i->state.backup = true;
    return save(i, OTA_OUT);
}

/* 8, 9.  An error leads to UIN and never to UOUT: unmoved old files are
 * live.  It is the device's own and no reason to rule the version out. */
static int do_out(struct ota_install *i)
{
    int err = ota_move_out(i), half;

    if (err == OTA_OK)
        return save(i, OTA_IN);
    half = ota_remove_half(i);
    return half == OTA_OK ? save(i, OTA_UIN) : half;
}

/* 10, 11 */
static int do_in(struct ota_install *i)
{
    int err = ota_move_in(i);

    if (err == OTA_OK)
        err = ota_slot_switch(i, false);
    if (err != OTA_OK)
        return save(i, OTA_UOUT);
    i->state.highest = i->manifest.version;
    i->state.chances = i->config->chances ? i->config->chances : 3;
    i->state.wakes = i->config->wakes ? i->config->wakes : 100;
    i->state.previous = i->state.version;
    memcpy(i->state.previous_release, i->state.release, OTA_DIGEST);
    i->state.version = i->manifest.version;
    memcpy(i->state.release, i->manifest.release, OTA_DIGEST);
    return save(i, OTA_TRIAL);
}

/* 15, 16 */
static int do_uout(struct ota_install *i)
{
    int err = ota_move_uout(i);

    return err == OTA_OK ? save(i, OTA_UIN) : err;
}

/* 17, 18 */
static int do_uin(struct ota_install *i)
{
    int err = ota_move_uin(i);

    if (err == OTA_OK)
        err = ota_slot_switch(i, true);
    if (err == OTA_OK)
        err = ota_forget_etag(i);
    if (err != OTA_OK)
        return err;
    i->state.backup = false;
    i->state.new_keys = 0;
    if (i->state.version == i->manifest.version) { /* 11 was reached */
        i->state.version = i->state.previous;
        memcpy(i->state.release, i->state.previous_release, OTA_DIGEST);
        i->state.failed = i->manifest.version;
    }
    return save(i, OTA_IDLE);
}

/* 12 */
static int do_trial(struct ota_install *i)
{
    const struct ota_port *p = i->port;
    bool planned = p->planned_wake && p->planned_wake(p->ctx), runs;
    int err = ota_slot_runs(i, &runs);

    if (err != OTA_OK)
        return err;
    if (!runs)
        return start_undo(i, OTA_REASON_SLOT);
    if (planned ? i->state.wakes == 0 : i->state.chances == 0)
        return start_undo(i, OTA_REASON_CHANCES);
    if (planned)
        i->state.wakes--;
    else
        i->state.chances--;
    return save(i, OTA_TRIAL);
}

static int step(struct ota_install *i)
{
    switch ((enum ota_phase)i->state.phase) {
    case OTA_READY:
        return do_ready(i);
    case OTA_OUT:
        return do_out(i);
    case OTA_IN:
        return do_in(i);
    case OTA_UOUT:
        return do_uout(i);
    case OTA_UIN:
        return do_uin(i);
    case OTA_IDLE:
    case OTA_STAGING:
    case OTA_TRIAL:
        break;
    }
    return OTA_OK;
}

static bool at_rest(const struct ota_install *i)
{
    return i->state.phase == OTA_IDLE || i->state.phase == OTA_STAGING ||
           i->state.phase == OTA_TRIAL;
}

/* A damaged journal is dropped in ready; later nothing is moved by it. */
int ota_go_on(struct ota_install *i)
{
    int err = OTA_OK;

    i->result = OTA_OK;
    if (!at_rest(i))
        err = ota_settle(i);
    if (err == OTA_OK && !at_rest(i) && i->state.phase != OTA_READY)
        err = ota_journal_whole(i);
    while (err == OTA_OK && !at_rest(i))
        err = step(i);
    if (err != OTA_OK)
        return err;
    i->restart = i->result == OTA_RESTART;
    return i->result;
}

int ota_boot(struct ota_install *i)
{
    int err = ota_state_load(i);

    if (err != OTA_OK)
        return err;
    if (i->restart)
        return OTA_RESTART;
    ota_stage_close(i);
    i->blocked = false;
    if (i->state.phase == OTA_TRIAL)
        err = do_trial(i);
    return err == OTA_OK ? ota_go_on(i) : err;
}

int ota_poll(struct ota_install *i)
{
    int err = ota_state_load(i);

    if (err != OTA_OK || i->state.phase != OTA_TRIAL || i->state.chances == 0)
        return err;
    i->state.chances--;
    return save(i, OTA_TRIAL);
}

/* 13.  Emptied folders go first: a cut then finds them again. */
int ota_confirm(struct ota_install *i)
{
    bool runs = true;
    int err = ota_state_load(i);

    if (err == OTA_OK && i->state.phase != OTA_TRIAL)
        err = OTA_ERR_STATE;
    if (err == OTA_OK)
        err = ota_slot_runs(i, &runs);
    if (err == OTA_OK && !runs)
        err = OTA_ERR_STATE;
    if (err == OTA_OK)
        err = ota_slot_confirm(i);
    if (err == OTA_OK)
        err = ota_remove_emptied(i);
    if (err == OTA_OK)
        err = ota_forget_etag(i);
    if (err != OTA_OK)
        return err;
    if (i->state.new_keys)
        i->state.keys = i->state.new_keys;
    i->state.new_keys = 0;
    return save(i, OTA_IDLE);
}

static bool can_undo(const struct ota_install *i)
{
    return i->state.phase == OTA_TRIAL ||
           (i->state.phase == OTA_IDLE && i->state.backup);
}

/* That the slots are known tells that the journal is whole, too. */
int ota_undo(struct ota_install *i, enum ota_reason reason)
{
    bool runs;
    int err = ota_state_load(i);

    if (err == OTA_OK && !can_undo(i))
        err = OTA_ERR_STATE;
    if (err == OTA_OK)
        err = ota_slot_runs(i, &runs);
    if (err == OTA_OK)
        err = start_undo(i, reason);
    return err == OTA_OK ? ota_go_on(i) : err;
}

int ota_status(struct ota_install *i, struct ota_status *s)
{
    int err = ota_state_load(i);

    memset(s, 0, sizeof(*s));
    if (err != OTA_OK)
        return err;
    s->phase = i->state.phase;
    s->chances = i->state.chances;
    s->wakes = i->state.wakes;
    s->can_undo = can_undo(i);
    s->installed_any = i->state.version != 0;
    s->version = i->state.version;
    s->previous = i->state.previous;
    s->highest = i->state.highest;
    s->failed = i->state.failed;
    s->reason = i->state.reason;
    memcpy(s->release, i->state.release, OTA_DIGEST);
    return OTA_OK;
}
