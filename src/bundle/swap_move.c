/* The passes that move files.  One question decides each step: is its source
 * there, as a regular file?  ota-install(7), Steps 8 to 17. */
#include "stage.h"

#include <string.h>

static const char fresh[] = ".ota/new", backup[] = ".ota/old";

/* 1: a regular file is there; 0: none is; or the port's error. */
static int is_regular(struct ota_install *i, const char *path)
{
    int kind = ota_kind(i, path);

    return kind < 0 ? kind : kind == OTA_REGULAR;
}

/* Is there what is kept as e's KIND?  In `path`. */
static int is_kept(struct ota_install *i, const struct ota_entry *e,
                   const char *kind, char path[WORK_PATH])
{
    if (e->file.type == OTA_SLOT)
        return 0;
    ota_work_path(i, kind, e->number, false, path);
    return is_regular(i, path);
}

/* Moves what is kept as e's KIND to where it belongs, if it is there. */
static int to_live(struct ota_install *i, const struct ota_entry *e,
                   const char *kind)
{
    char path[WORK_PATH];
    int kept = is_kept(i, e, kind, path);

    return kept > 0 ? i->port->move(i->port->ctx, path, e->file.path) : kept;
}

/* The folders above what to_live() will move. */
static int folders_for(struct ota_install *i, const struct ota_entry *e,
                       const char *kind)
{
    char path[WORK_PATH];
    int kept = is_kept(i, e, kind, path);

    return kept > 0 ? ota_make_parents(i, e->file.path) : kept;
}

static int pass_and_barrier(struct ota_install *i, ota_pass_fn *each)
{
    int err = ota_pass(i, each, false);

    return err == OTA_OK ? ota_barrier(i) : err;
}

/* -- out and in -------------------------------------------------------------
 */

/* Is there a file that e is to replace?  `path` is its backup's. */
static int is_live(struct ota_install *i, const struct ota_entry *e,
                   char path[WORK_PATH])
{
    if (e->file.type == OTA_SLOT)
        return 0;
    ota_work_path(i, backup, e->number, false, path);
    return is_regular(i, e->file.path);
}

/* Where moves rename, a file beside its backup is not the one that was moved:
 * a program came between two tries. */
static int each_out(struct ota_install *i, const struct ota_entry *e)
{
    char path[WORK_PATH];
    int kind = is_live(i, e, path);

    if (kind <= 0)
        return kind;
    kind = i->port->move_copies ? OTA_NOTHING : ota_kind(i, path);
    if (kind == OTA_NOTHING)
        return i->port->move(i->port->ctx, e->file.path, path);
    return kind < 0 ? kind : ota_aside(i, e->file.path, e->number);
}

int ota_move_out(struct ota_install *i)
{
    return TWICE(pass_and_barrier(i, each_out));
}

/* In OUT a file that is live is whole, and a backup beside it is what a copy
 * left that failed.  In UIN the backup would count. */
static int each_half(struct ota_install *i, const struct ota_entry *e)
{
    char path[WORK_PATH];
    int live = is_live(i, e, path);

    return live > 0 ? ota_remove_if(i, path) : live;
}

int ota_remove_half(struct ota_install *i)
{
    if (!i->port->move_copies)
        return OTA_OK;
    return TWICE(pass_and_barrier(i, each_half));
}

/* A day may have passed since it was staged. */
static int check_live(struct ota_install *i, const struct ota_entry *e)
{
    const char *path = e->file.path;
    int err;

    if (e->number == 0)
        i->deleted[0] = '\0';
    if (e->number == 0 || e->file.type == OTA_SLOT)
        return OTA_OK;
    if (ota_protected(i, path))
        return OTA_ERR_STATE;
    err = ota_check_target(i, path);
    if (err == OTA_OK && e->file.type == OTA_DELETE)
        memcpy(i->deleted, path, strlen(path) + 1);
    return err;
}

static int each_staged(struct ota_install *i, const struct ota_entry *e)
{
    char path[WORK_PATH];
    struct ota_stat st;
    int err = check_live(i, e);

    if (err != OTA_OK)
        return err;
    if (e->file.type != OTA_FILE)
        return OTA_OK;
    ota_work_path(i, fresh, e->number, false, path);
    memset(&st, 0, sizeof(st));
    err = i->port->stat(i->port->ctx, path, &st);
    if (err != OTA_OK)
        return err;
    return st.kind == OTA_REGULAR && (e->number == 0 || st.size == e->file.size)
               ? OTA_OK
               : OTA_ERR_STATE;
}

int ota_all_staged(struct ota_install *i)
{
    return TWICE(ota_pass(i, each_staged, false));
}

static int each_in_folders(struct ota_install *i, const struct ota_entry *e)
{
    return e->file.type == OTA_FILE ? folders_for(i, e, fresh) : OTA_OK;
}

/* Nothing is replaced: a target is absent, or holds what a cut copy left. */
static int each_in(struct ota_install *i, const struct ota_entry *e)
{
    char path[WORK_PATH];
    int kind = e->file.type == OTA_FILE ? is_kept(i, e, fresh, path) : 0;

    if (kind <= 0)
        return kind;
    kind = ota_kind(i, e->file.path);
    if (kind == OTA_NOTHING || (kind == OTA_REGULAR && i->port->move_copies))
        return i->port->move(i->port->ctx, path, e->file.path);
    if (kind < 0)
        return kind;
    ota_block(i, e->file.path);
    return OTA_ERR_PATH;
}

/* Folders, then what is moved there: with a barrier between, since a move that
 * outlives its folder would be lost. */
static int bring(struct ota_install *i, ota_pass_fn *folders,
                 ota_pass_fn *moves)
{
    int err = pass_and_barrier(i, folders);

    return err == OTA_OK ? pass_and_barrier(i, moves) : err;
}

int ota_move_in(struct ota_install *i)
{
    int err = TWICE(ota_fold_folders(i, false));

    return err == OTA_OK ? TWICE(bring(i, each_in_folders, each_in)) : err;
}

/* -- and back ---------------------------------------------------------------
 */

/* Not what the bundle brought: the program's own.  But where a move copies, a
 * file beside the staged one is what a copy left that failed. */
static int strange_out(struct ota_install *i, const struct ota_entry *e,
                       const char *staged)
{
    int kind = i->port->move_copies ? ota_kind(i, staged) : OTA_NOTHING;

    if (kind == OTA_REGULAR)
        return i->port->remove(i->port->ctx, e->file.path);
    return kind < 0 ? kind : ota_aside(i, e->file.path, e->number);
}

/* What cannot be read is not known to be the bundle's, and must not keep the
 * old files from coming back. */
static int take_out(struct ota_install *i, const struct ota_entry *e)
{
    char path[WORK_PATH];
    int err = e->number == 0 ? OTA_OK
              : e->file.type != OTA_FILE
                  ? OTA_ERR_CONTENT
                  : ota_hash_check(i, e->file.path, &e->file, OTA_ERR_CONTENT);

    ota_work_path(i, fresh, e->number, false, path);
    return err == OTA_OK ? i->port->move(i->port->ctx, e->file.path, path)
                         : strange_out(i, e, path);
}

/* What else is there than files is for ota_clear_way().  A name in another
 * case can be that of the new file.  On a full disk, where a move copies, what
 * is undone need not be kept. */
static int each_uout(struct ota_install *i, const struct ota_entry *e)
{
    int kind = e->file.type == OTA_SLOT || e->flags & ENTRY_CASE
                   ? OTA_NOTHING
                   : ota_kind(i, e->file.path);
    int err;

    if (kind != OTA_REGULAR)
        return kind < 0 ? kind : OTA_OK;
    err = take_out(i, e);
    return err == OTA_ERR_SPACE ? ota_remove_if(i, e->file.path) : err;
}

int ota_move_uout(struct ota_install *i)
{
    return TWICE(pass_and_barrier(i, each_uout));
}

/* A folder that the bundle made goes if nothing is in it. */
static int each_folder(struct ota_install *i, const struct ota_entry *e)
{
    const struct ota_port *p = i->port;

    if (ota_kind(i, e->file.path) == OTA_DIRECTORY &&
        TWICE(p->rmdir(p->ctx, e->file.path)) == OTA_OK)
        i->number++;
    return OTA_OK;
}

/* The journal names outer folders first: passes until none goes any more. */
static int remove_folders(struct ota_install *i)
{
    int err = OTA_OK;

    do {
        i->number = 0;
        err = ota_pass(i, each_folder, true);
    } while (err == OTA_OK && i->number > 0);
    return err;
}

/* One file that does not come back keeps no other from it. */
static int note_failed(struct ota_install *i, int err)
{
    if (i->failed == OTA_OK)
        i->failed = err;
    return OTA_OK;
}

static int each_uin_way(struct ota_install *i, const struct ota_entry *e)
{
    return note_failed(i, ota_clear_way(i, e));
}

static int each_uin_folders(struct ota_install *i, const struct ota_entry *e)
{
    return note_failed(i, folders_for(i, e, backup));
}

static int each_uin(struct ota_install *i, const struct ota_entry *e)
{
    return note_failed(i, to_live(i, e, backup));
}

static int back(struct ota_install *i)
{
    int err = TWICE(remove_folders(i));

    i->failed = OTA_OK;
    if (err == OTA_OK)
        err = pass_and_barrier(i, each_uin_way);
    if (err == OTA_OK)
        err = remove_folders(i); /* what stood in one may be gone */
    if (err == OTA_OK)
        err = ota_fold_folders(i, true);
    if (err == OTA_OK)
        err = note_failed(i, ota_make_folders(i));
    if (err == OTA_OK)
        err = bring(i, each_uin_folders, each_uin);
    return err == OTA_OK ? i->failed : err;
}

int ota_move_uin(struct ota_install *i)
{
    int err = back(i);

    if (err == OTA_ERR_SPACE)
        ota_clear(i, 0, false); /* what is undone makes room */
    return err == OTA_OK ? OTA_OK : back(i);
}

/* From the inside out. */
static int each_emptied(struct ota_install *i, const struct ota_entry *e)
{
    const struct ota_port *p = i->port;
    size_t n = strlen(e->file.path);

    if (e->file.type != OTA_DELETE)
        return OTA_OK;
    while (n-- > 0) {
        if (e->file.path[n] != '/')
            continue;
        i->entry.file.path[n] = '\0';
        if (p->rmdir(p->ctx, i->entry.file.path) != OTA_OK)
            return OTA_OK;
    }
    return OTA_OK;
}

int ota_remove_emptied(struct ota_install *i)
{
    return TWICE(ota_pass(i, each_emptied, false));
}
