/* What the files of the folder store share. */
#ifndef STORE_FILE_H
#define STORE_FILE_H

#include <sys/types.h>

#include "store.h"

enum { STORE_ABSENT = -2 }; /* instead of a descriptor: not there */

struct store_file {
    struct store store; /* first */
    char *folder;       /* as given, without '/' at the end */
    int base, part;     /* descriptors of the folder and its .part, or -1 */
    int lock;           /* of the lock that is held, or -1 */
    bool unsynced;      /* manifests were put since the last syncfs */
    mode_t mode;        /* of the base, or 0: not read yet */
    gid_t group;
    bool mode_plain, folder_plain; /* they come out as they should */
    char mark[9];       /* of this run: names of its temporary files begin so */
    unsigned long next; /* number of the next one */
    /* The folder above the last object's folder, kept open: all devices' are
     * in one. */
    int parent; /* or -1 */
    char parent_name[STORE_NAME];
};

/* An object's name taken apart: "devices", "246f28aabbcc", "manifest". */
struct store_place {
    char text[STORE_NAME];
    const char *parent; /* "" where there is none */
    const char *dir;    /* NULL where there is none */
    const char *leaf;
};

/* 0, or -1: no name for an object (reported). */
int store_place(struct store_place *p, const struct store_file *s,
                const char *name);

/* "cannot VERB 'FOLDER/NAME': " and errno's text (DIAG_SERVER); returns -1. */
int store_fail(const struct store_file *s, const char *verb, const char *name);

/* The folder itself; with `create` it is made with those above it.  0, -1
 * (reported) or STORE_ABSENT. */
int store_base(struct store_file *s, bool create);

/* The descriptor of the folder above the object's folder, not to be closed;
 * -1 (reported) or STORE_ABSENT. */
int store_parent(struct store_file *s, const struct store_place *p,
                 bool create);

/* The object's folder, to be closed by store_dir_close(); -1 (reported) or
 * STORE_ABSENT. */
int store_dir(struct store_file *s, const struct store_place *p);
void store_dir_close(const struct store_place *p, int fd);

/* The folder of temporary files; -1 (reported). */
int store_part(struct store_file *s);

int store_file_put(struct store *store, const char *name, const uint8_t *bytes,
                   size_t len, enum store_class class);
int store_file_flush(struct store *store);

int store_file_lock(struct store *store, unsigned wait_ms, bool break_lock);
bool store_file_lost(struct store *store);
bool store_file_unlock(struct store *store);

/* file_mode.c: modes and group come from the base folder, whatever the umask:
 * who may enter it may read what is in it, who may write there may write. */
/* Reads them from the base's descriptor. */
void store_read_mode(struct store_file *s);
/* To make a file, or folder, with; then, of what was just made, the rest: what
 * the umask took, and the group.  Best effort: not every file system has
 * modes. */
mode_t store_mode(const struct store_file *s);
mode_t store_folder_mode(const struct store_file *s);
void store_fix_mode(struct store_file *s, int fd);
void store_fix_folder(struct store_file *s, int above, const char *name);

#endif
