/* The table of subcommands, and what is said about them. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cmd.h"

/* All subcommands in the order in which they are shown. */
extern const struct cmd help_commands[];
extern const size_t help_command_count;

/* The subcommand of that name, or NULL. */
const struct cmd *help_find(const char *name);

/* Reports an unknown subcommand with a suggestion; returns -1. */
int help_unknown(const char *name);

/* `ota-pack` alone: examples first, then the subcommands. */
void help_examples(void);

/* -h: of a subcommand, or of the whole where cmd is NULL. */
void help_command(const struct cmd *cmd);

void help_version(void);

/* Whether one of the above was printed: there is no summary after it. */
bool help_shown(void);

#endif
