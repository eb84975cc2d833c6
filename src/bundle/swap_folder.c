/* Folders come back with the mode and owner that they had: .ota/folders is
 * written before anything is moved, and read when all goes back.
 * ota-install(7), Directories. */
#include "format.h"
#include "install.h"

#include <string.h>

/* A record: mode 2, user 4, group 4, path. */
enum { FOLDER_MODE = 0, FOLDER_UID = 2, FOLDER_GID = 6, FOLDER_HEAD = 10 };

static const char folders_path[] = ".ota/folders";

/* -- before the swap --------------------------------------------------------
 */

static int put_folder(struct ota_install *i, const char *path,
                      const struct ota_stat *st)
{
    const struct ota_port *p = i->port;
    size_t len = strlen(path);
    uint8_t b[FOLDER_HEAD];
    int err =
        ota_journal_begin(p, &i->list, JOURNAL_DIRECTORY, sizeof(b) + len);

    put16(b + FOLDER_MODE, st->mode);
    put32(b + FOLDER_UID, st->uid);
    put32(b + FOLDER_GID, st->gid);
    if (err == OTA_OK)
        err = ota_journal_put(p, &i->list, b, sizeof(b));
    if (err == OTA_OK)
        err = ota_journal_put(p, &i->list, (const uint8_t *)path, len);
    return err == OTA_OK ? ota_journal_commit(p, &i->list) : err;
}

/* Entries come in order: a folder that is noted is the last one, or above. */
static int note_folder(struct ota_install *i, const char *path)
{
    size_t len = strlen(path);
    struct ota_stat st;
    int err;

    if (strlen(i->folder) >= len && memcmp(i->folder, path, len) == 0 &&
        (i->folder[len] == '\0' || i->folder[len] == '/'))
        return OTA_OK;
    memset(&st, 0, sizeof(st));
    err = i->port->stat(i->port->ctx, path, &st);
    if (err != OTA_OK || st.kind != OTA_DIRECTORY)
        return err;
    memcpy(i->folder, path, len + 1);
    return put_folder(i, path, &st);
}

static int each_note(struct ota_install *i, const struct ota_entry *e)
{
    char *path = i->entry.file.path; /* which is e's */
    size_t n;
    int kind = e->number == 0 || e->file.type == OTA_SLOT ? OTA_NOTHING
                                                          : ota_kind(i, path);
    int err = kind < 0 ? kind : OTA_OK;

    if (e->number == 0)
        i->folder[0] = '\0';
    if (kind != OTA_REGULAR)
        return err;
    for (n = 0; err == OTA_OK && path[n] != '\0'; n++) {
        if (path[n] != '/')
            continue;
        path[n] = '\0';
        err = note_folder(i, path);
        path[n] = '/';
    }
    return err;
}

static int write_folders(struct ota_install *i)
{
    const struct ota_port *p = i->port;
    int err = ota_journal_open(p, &i->list, folders_path, 'D', OTA_OPEN_NEW);
    int closed;

    if (err != OTA_OK)
        return err;
    err = ota_pass(i, each_note, false);
    if (err == OTA_OK)
        err = ota_journal_begin(p, &i->list, JOURNAL_END, 0);
    if (err == OTA_OK)
        err = ota_journal_commit(p, &i->list);
    if (err == OTA_OK)
        err = p->sync(p->ctx, i->list.file);
    closed = ota_journal_close(p, &i->list);
    i->folder[0] = '\0';
    return err == OTA_OK ? closed : err;
}

int ota_note_folders(struct ota_install *i)
{
    return i->port->mkdir_as ? TWICE(write_folders(i)) : OTA_OK;
}

/* -- and back ---------------------------------------------------------------
 */

static int make_folder(struct ota_install *i)
{
    const struct ota_port *p = i->port;
    char *path = i->entry.file.path;
    uint8_t b[FOLDER_HEAD];
    struct ota_stat st;
    int err = ota_journal_get(p, &i->list, b, sizeof(b)), kind;

    if (err == OTA_OK)
        err =
            ota_journal_get_path(p, &i->list, path, ota_journal_left(&i->list));
    if (err != OTA_OK)
        return err;
    kind = ota_kind(i, path);
    if (kind != OTA_NOTHING)
        return kind < 0 ? kind : OTA_OK;
    memset(&st, 0, sizeof(st));
    st.kind = OTA_DIRECTORY;
    st.mode = get16(b + FOLDER_MODE);
    st.uid = get32(b + FOLDER_UID);
    st.gid = get32(b + FOLDER_GID);
    return TWICE(p->mkdir_as(p->ctx, path, &st));
}

/* Of a list that an older installer did not write, or that is damaged, nothing
 * is made: what needs a folder makes it with the usual mode. */
int ota_make_folders(struct ota_install *i)
{
    const struct ota_port *p = i->port;
    int kind = p->mkdir_as ? ota_kind(i, folders_path) : OTA_NOTHING, err;

    if (kind != OTA_REGULAR)
        return kind < 0 ? kind : OTA_OK;
    err = ota_journal_open(p, &i->list, folders_path, 'D', OTA_OPEN_READ);
    while (err == OTA_OK) {
        int type = ota_journal_next(p, &i->list);

        if (type != JOURNAL_DIRECTORY) {
            err = type < 0 ? type : OTA_OK;
            break;
        }
        err = make_folder(i);
    }
    ota_journal_close(p, &i->list);
    return err == OTA_ERR_STATE ? OTA_OK : err;
}

/* -- names that change by case alone ----------------------------------------
 */

/* Folders of `path` whose names are others in `twin`, from the inside out. */
static void fold(struct ota_install *i, char *path, const char *twin)
{
    const struct ota_port *p = i->port;
    size_t n = strlen(path);

    while (n-- > 0) {
        if (path[n] != '/')
            continue;
        path[n] = '\0';
        if (memcmp(path, twin, n) == 0 || p->rmdir(p->ctx, path) != OTA_OK)
            return;
    }
}

static int each_fold(struct ota_install *i, const struct ota_entry *e)
{
    size_t len = strlen(e->file.path);

    if (e->number == 0)
        i->deleted[0] = '\0';
    if (e->flags & ENTRY_CASE) {
        memcpy(i->deleted, e->file.path, len + 1);
        return OTA_OK;
    }
    if (e->file.type == OTA_FILE && strlen(i->deleted) == len &&
        ota_path_compare(i->deleted, len, e->file.path, len) == 0) {
        if (i->skip) /* back: the new folders go */
            fold(i, i->entry.file.path, i->deleted);
        else
            fold(i, i->deleted, e->file.path);
    }
    i->deleted[0] = '\0';
    return OTA_OK;
}

int ota_fold_folders(struct ota_install *i, bool back)
{
    i->skip = back;
    return ota_pass(i, each_fold, false);
}
