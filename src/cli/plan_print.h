/* A plan for people and for scripts. */
#ifndef CLI_PLAN_PRINT_H
#define CLI_PLAN_PRINT_H

#include "cmd.h"
#include "publish/publish.h"

/* What publish would do: for people, or an object a line.  Of many devices
 * that get the same change some are named; with -v all are. */
void plan_print(const struct plan *p, const struct cmd_global *g);

/* What publish did: a line a release (with -v all of the plan), and a
 * total, with the place (store.where). */
void plan_print_done(const struct plan *p, const struct publish_result *done,
                     const char *where, const struct cmd_global *g);

#endif
