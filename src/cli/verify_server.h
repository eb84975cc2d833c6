/* verify --server: what devices would get. */
#ifndef CLI_VERIFY_SERVER_H
#define CLI_VERIFY_SERVER_H

#include "cmd.h"

/* Reads back `sample` devices (0: all) of those named by `words` (none: all).
 * Returns the exit status. */
int verify_server(struct cmd_global *g, size_t sample, char *const *words,
                  size_t count);

#endif
