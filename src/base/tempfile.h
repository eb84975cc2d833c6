/* Files that appear at their final name whole or not at all: written under a
 * temporary name beside it (`NAME.part` and the process id), synced, renamed.
 * What is open when a signal ends the program is removed by
 * tempfile_cleanup(). */
#ifndef BASE_TEMPFILE_H
#define BASE_TEMPFILE_H

#include <stddef.h>
#include <sys/types.h>

/* One file on its way; TEMPFILE_NONE before tempfile_open(). */
struct tempfile {
    int fd;     /* to write to, -1: not open */
    int slot;   /* its place in the registry of temporary names */
    char *path; /* the final name, owned */
};

#define TEMPFILE_NONE ((struct tempfile){-1, -1, NULL})

/* Creates the temporary file for `path` with `mode` (umask applies).  At most
 * 64 at once in a process; safe in threads.  0, or -1 (DIAG_FAILED). */
int tempfile_open(struct tempfile *t, const char *path, mode_t mode);

/* Appends all `len` bytes.  0, or -1 (DIAG_FAILED): then discard. */
int tempfile_write(struct tempfile *t, const void *buf, size_t len);

/* Syncs the file, gives it its final name and syncs the folder.  _commit()
 * replaces what is there, _commit_new() refuses to.  0, or -1 (DIAG_FAILED)
 * with the temporary file removed.  Either way `t` is TEMPFILE_NONE again. */
int tempfile_commit(struct tempfile *t);
int tempfile_commit_new(struct tempfile *t);

/* Removes the temporary file; takes TEMPFILE_NONE. */
void tempfile_discard(struct tempfile *t);

/* A temporary file that is made elsewhere: its name from before it is there
 * until it has gone.  Returns what tempfile_unwatch() takes; -1: it cannot be
 * (too many, too long), and tempfile_cleanup() does not know of it. */
int tempfile_watch(const char *path);
void tempfile_unwatch(int slot);

/* Removes every temporary file that is open.  Async-signal-safe: for the
 * handler of a signal that ends the program, and nothing may follow it but
 * the end of the process. */
void tempfile_cleanup(void);

#endif
