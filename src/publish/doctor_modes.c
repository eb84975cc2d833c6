/* Modes of what lies in a folder: what devices, or a colleague, cannot get at
 * though the folder itself lets them. */
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "doctor_private.h"

struct modes {
    struct stat base;
    size_t unread, unwritten; /* of what others read, the group writes */
    char first_unread[256], first_unwritten[256];
};

static void note(size_t *count, char first[256], const char *path)
{
    if (!(*count)++)
        snprintf(first, 256, "%s", path);
}

/* A folder is passed, a file is read; what is there is replaced by a rename, so
 * that only folders, and the lock, are written. */
static void look_at(struct modes *m, const FTSENT *e)
{
    bool folder = S_ISDIR(e->fts_statp->st_mode);
    mode_t mode = e->fts_statp->st_mode, base = m->base.st_mode;

    if ((base & S_IXOTH) && !(mode & (folder ? S_IXOTH : S_IROTH)))
        note(&m->unread, m->first_unread, e->fts_path);
    if ((base & S_IWGRP) && (folder || strcmp(e->fts_name, "lock") == 0) &&
        (!(mode & S_IWGRP) || e->fts_statp->st_gid != m->base.st_gid))
        note(&m->unwritten, m->first_unwritten, e->fts_path);
}

static int look_at_all(struct modes *m, const char *folder)
{
    char *path = strdup(folder), *list[] = {path, NULL};
    FTS *f = path ? fts_open(list, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
    FTSENT *e;

    while (f && (e = fts_read(f))) {
        if (e->fts_level == 1 && e->fts_name[0] == '.')
            fts_set(f, e, FTS_SKIP);
        else if (e->fts_level > 0 &&
                 (e->fts_info == FTS_D || e->fts_info == FTS_F))
            look_at(m, e);
        else if (e->fts_info == FTS_DNR) /* others cannot either */
            note(&m->unread, m->first_unread, e->fts_path);
    }
    free(path);
    return f ? fts_close(f) : -1;
}

void doctor_modes(struct doctor *d)
{
    struct modes m = {0};
    const char *folder = d->store->where;

    if (stat(folder, &m.base) < 0 || look_at_all(&m, folder) < 0)
        return;
    if (!(m.base.st_mode & (S_IXOTH | S_IXGRP)))
        doctor_say(d, "modes", DOCTOR_WARNING,
                   "a web server of another user gives devices 403: 'chmod "
                   "755' the folder",
                   "only its owner can read '%s'", folder);
    if (m.unread)
        doctor_say(d, "modes", DOCTOR_WARNING,
                   "a web server of another user gives devices 403: 'chmod -R "
                   "o+rX' the folder",
                   "others cannot read %zu of what is there, as '%s'", m.unread,
                   m.first_unread);
    if (m.unwritten)
        doctor_say(d, "modes", DOCTOR_WARNING,
                   "others who publish there cannot: 'chgrp -R' and 'chmod -R "
                   "g+rwX' the folder",
                   "its group cannot write to %zu of what is there, as '%s'",
                   m.unwritten, m.first_unwritten);
}
