/* What the device's own programs put in the way of going back is moved whole
 * to .ota/aside, and kept there until the next install begins.  ota-install(7),
 * Aside. */
#include "install.h"

#include <string.h>

/* The folder of `to` is there, durably: a move that outlives its folder would
 * be lost. */
static int make_aside_folder(struct ota_install *i, char to[WORK_PATH])
{
    char *slash = to + strlen(to) - sizeof("/hh") + 1;
    int kind, err;

    *slash = '\0';
    kind = ota_kind(i, to);
    *slash = '/';
    if (kind < 0 || kind == OTA_DIRECTORY)
        return kind < 0 ? kind : OTA_OK;
    err = ota_make_parents(i, to);
    return err == OTA_OK ? ota_barrier(i) : err;
}

int ota_aside(struct ota_install *i, const char *path, unsigned number)
{
    const struct ota_port *p = i->port;
    char to[WORK_PATH];
    unsigned tries;
    int kind = OTA_OTHER, err = p->aside ? OTA_OK : OTA_ERR_IO;

    for (tries = 0; err == OTA_OK && kind != OTA_NOTHING; tries++) {
        if (tries > OTA_ENTRIES)
            return OTA_ERR_SPACE;
        ota_work_path(i, ".ota/aside", (number + tries) & OTA_ENTRIES, false,
                      to);
        kind = ota_kind(i, to);
        err = kind < 0 ? kind : OTA_OK;
    }
    if (err == OTA_OK)
        err = make_aside_folder(i, to);
    return err == OTA_OK ? p->aside(p->ctx, path, to) : err;
}

/* An old file that became a folder is back already: what lay below it is not
 * looked for. */
static bool old_file(const struct ota_install *i, const char *path)
{
    return i->deleted[0] != '\0' &&
           ota_path_compare(path, strlen(path), i->deleted,
                            strlen(i->deleted)) == 0;
}

/* One folder above a target.  *on: there is something below it. */
static int clear_folder(struct ota_install *i, const char *path,
                        unsigned number, bool *on)
{
    int kind = ota_kind(i, path);

    *on = kind == OTA_DIRECTORY;
    if (kind == OTA_REGULAR && old_file(i, path))
        return OTA_OK;
    return kind == OTA_NOTHING || *on ? OTA_OK
           : kind < 0                 ? kind
                                      : ota_aside(i, path, number);
}

/* Where a move copies, a file beside its backup is what a cut left of it. */
static int clear_target(struct ota_install *i, const struct ota_entry *e)
{
    char path[WORK_PATH];
    int kind = ota_kind(i, e->file.path);

    if (kind == OTA_REGULAR) {
        if (i->port->move_copies)
            return OTA_OK;
        ota_work_path(i, ".ota/old", e->number, false, path);
        kind = ota_kind(i, path);
        if (kind != OTA_REGULAR) /* it is the old one */
            return kind < 0 ? kind : OTA_OK;
    }
    return kind == OTA_NOTHING ? OTA_OK
           : kind < 0          ? kind
                               : ota_aside(i, e->file.path, e->number);
}

int ota_clear_way(struct ota_install *i, const struct ota_entry *e)
{
    char *path = i->entry.file.path; /* which is e's */
    bool on = true;
    size_t n;
    int err = OTA_OK;

    if (e->number == 0)
        i->deleted[0] = '\0';
    if (e->file.type == OTA_SLOT)
        return OTA_OK;
    for (n = 0; err == OTA_OK && on && path[n] != '\0'; n++) {
        if (path[n] != '/')
            continue;
        path[n] = '\0';
        err = clear_folder(i, path, e->number, &on);
        path[n] = '/';
    }
    if (err == OTA_OK && on)
        err = clear_target(i, e);
    if (e->file.type == OTA_DELETE)
        memcpy(i->deleted, path, strlen(path) + 1);
    return err;
}
