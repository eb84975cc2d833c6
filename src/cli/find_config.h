/* The configuration of the run. */
#ifndef CLI_FIND_CONFIG_H
#define CLI_FIND_CONFIG_H

#include <limits.h>

#include "config/config.h"
#include "cmd.h"

/* Reads the one that -c names, or ota-pack.yml of this folder, or of the
 * nearest above it on this file system (said on a terminal), unless somebody
 * else owns that.  As config_load(). */
int find_config(const struct cmd_global *g, struct config **out);

/* Whether there is one to be read, or -c names one. */
bool find_config_any(const struct cmd_global *g);

/* Whether a folder above has one: its path.  *boundary: the search ended where
 * another file system begins. */
bool find_config_above(char path[PATH_MAX], bool *boundary);

#endif
