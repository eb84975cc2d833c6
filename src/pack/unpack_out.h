/* The folder that a bundle is unpacked into: everything or nothing. */
#ifndef PACK_UNPACK_OUT_H
#define PACK_UNPACK_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNPACK_OUT_PATH = 4096, /* longest path in the folder, NUL included */
    UNPACK_OUT_BUFFER = 32768
};

/* A file that was begun, and those before it. */
struct unpack_out_file {
    struct unpack_out_file *before;
    bool made;   /* it is there */
    char path[]; /* in the folder */
};

struct unpack_out {
    const char *folder;
    int root;  /* its descriptor, -1: none */
    bool made; /* by us */
    struct unpack_out_file *last;
    int fd; /* the open file, the last one; -1: none */
    unsigned mode;
    size_t buffered;
    uint8_t buffer[UNPACK_OUT_BUFFER];
};

/* The folder, which must be empty or not be there.  0, or -1 (reported). */
int unpack_out_begin(struct unpack_out *out, const char *folder);

/* Opens a new file at a relative path, making folders; mode 0: the default.
 * Nothing that is there already is followed or replaced: -1 (reported). */
int unpack_out_open(struct unpack_out *out, const char *path, unsigned mode);
int unpack_out_write(struct unpack_out *out, const uint8_t *buf, size_t len);
int unpack_out_close(struct unpack_out *out);

/* Removes what was written; files can then be opened anew. */
void unpack_out_undo(struct unpack_out *out);

/* Closes the folder, and removes it if it was made here and is empty. */
void unpack_out_release(struct unpack_out *out, bool keep);

/* The folder that `path` below `root` lies in, no component of which may be a
 * link; `make`: made where missing.  A descriptor to close and the last
 * component in *name, or -1 with errno. */
int unpack_out_parent(int root, const char *path, bool make, const char **name);

#endif
