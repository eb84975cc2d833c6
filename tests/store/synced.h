/* What a folder's objects would be after a power cut: each rename, and whether
 * the file was synced before it and its folder after it.  Sits between the
 * store and libc. */
#ifndef SYNCED_H
#define SYNCED_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SYNCED_MOST = 4096 };

static struct synced {
    ino_t file, folder;
    bool content, entry; /* durable */
} synced[SYNCED_MOST];
static size_t synced_count;
static ino_t synced_files[SYNCED_MOST]; /* those that no rename came for yet */
static size_t synced_file_count;
static bool synced_is_late; /* something was not durable before a head was */

/* All that was renamed so far would be there. */
static inline bool synced_all(void)
{
    for (size_t i = 0; i < synced_count; i++)
        if (!synced[i].content || !synced[i].entry)
            return false;
    return true;
}

static inline ino_t synced_inode(int fd, const char *name)
{
    struct stat st;

    return fstatat(fd, name, &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) == 0
               ? st.st_ino
               : 0;
}

/* The folder that `path` from `fd` on is in. */
static inline ino_t synced_folder(int fd, const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 0,
             path);
    return synced_inode(fd, folder);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    const char *leaf = strrchr(to, '/');
    struct synced *it = &synced[synced_count];
    int result;

    if (synced_count == SYNCED_MOST)
        abort();
    *it = (struct synced){.file = synced_inode(from_fd, from)};
    for (size_t i = 0; i < synced_file_count; i++)
        it->content |= synced_files[i] == it->file;
    if (strcmp(leaf ? leaf + 1 : to, "head") == 0 &&
        (!synced_all() || !it->content))
        synced_is_late = true;
    result = (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
    it->folder = synced_folder(to_fd, to);
    synced_count += result == 0;
    return result;
}

int fsync(int fd)
{
    ino_t inode = synced_inode(fd, "");

    for (size_t i = 0; i < synced_count; i++) {
        synced[i].content |= synced[i].file == inode;
        synced[i].entry |= synced[i].folder == inode;
    }
    if (synced_file_count == SYNCED_MOST)
        synced_file_count = 0;
    synced_files[synced_file_count++] = inode;
    return (int)syscall(SYS_fsync, fd);
}

int syncfs(int fd)
{
    synced_count = 0;
    return (int)syscall(SYS_syncfs, fd);
}

#endif
