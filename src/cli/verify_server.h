/* verify --server: what devices would get. */
#ifndef CLI_VERIFY_SERVER_H
#define CLI_VERIFY_SERVER_H

#include "locking.h"

/* Reads back `sample` devices (0: all) of those named by `words` (none: all);
 * repair not NULL: puts again before what is lost or damaged, with that lock.
 * Returns the exit status. */
int verify_server(struct cmd_global *g, size_t sample, char *const *words,
                  size_t count, const struct locking *repair);

#endif
