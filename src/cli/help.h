/* The table of subcommands, and what is said about them. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cmd.h"

/* The subcommand of that name, or NULL. */
const struct cmd *help_find(const char *name);

/* Reports an unknown subcommand with a suggestion; returns -1. */
int help_unknown(const char *name);

/* Prints what was asked for: -h, of a subcommand or of the whole; the version;
 * or what `ota-pack` alone says, examples first, then the subcommands. */
void help_print(const struct cmd_global *g);

#endif
