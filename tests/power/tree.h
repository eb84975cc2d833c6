/* What a port of a file system without a rename of folders does: folders with
 * all in them are moved by copies and removed, name by name. */
#ifndef TREE_H
#define TREE_H

#include <ota/install.h>

/* A name in the folder `path` into name, or "". */
typedef void tree_first(void *ctx, const char *path, char *name, size_t size);

/* A file: what `move` does where it copies. */
int tree_copy(void *ctx, const struct ota_port *p, const char *from,
              const char *to);

int tree_move(void *ctx, const struct ota_port *p, const char *from,
              const char *to, tree_first *first);
int tree_clear(void *ctx, const struct ota_port *p, const char *path,
               tree_first *first);

#endif
