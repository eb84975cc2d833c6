/* Modes of what is published into a folder.  A web server of another user reads
 * it, and a colleague may have to publish there: what the base folder allows is
 * allowed for all that is in it, whatever this process's umask. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

enum { BITS = 0777 | S_ISGID };

void store_read_mode(struct store_file *s)
{
    struct stat st;

    if (fstat(s->base, &st) < 0)
        return;
    s->mode = (st.st_mode & BITS) | 0700;
    s->group = st.st_gid;
}

mode_t store_folder_mode(const struct store_file *s)
{
    return s->mode ? s->mode : 0755;
}

/* Who may enter a folder may read its files. */
mode_t store_mode(const struct store_file *s)
{
    mode_t mode = store_folder_mode(s);

    return ((mode & 0666) | (mode & 0111) << 2) & 0666;
}

/* The group first: giving it away takes the set-group-ID bit with it. */
static bool fix(int fd, gid_t group, mode_t mode)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return false;
    if (st.st_gid == group && (st.st_mode & BITS) == mode)
        return true;
    /* A group that is not the base's gets what others get. */
    if (st.st_gid != group && fchown(fd, (uid_t)-1, group) < 0)
        mode = (mode & 0707) | (mode & 07) << 3;
    (void)!fchmod(fd, mode);
    return false;
}

/* All are made by one umask, in folders that are as the base is: what is so for
 * the first is so for all. */
void store_fix_mode(struct store_file *s, int fd)
{
    if (s->mode && !s->mode_plain)
        s->mode_plain = fix(fd, s->group, store_mode(s));
}

void store_fix_folder(struct store_file *s, int above, const char *name)
{
    int fd;

    if (!s->mode || s->folder_plain)
        return;
    fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    s->folder_plain = fix(fd, s->group, store_folder_mode(s));
    close(fd);
}
