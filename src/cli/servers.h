/* All servers of the configuration, one after the other. */
#ifndef CLI_SERVERS_H
#define CLI_SERVERS_H

#include "project.h"

/* Opens the first server (project.store), then the next one, with the key at
 * hand (project.signer); what cannot be opened is reported, told to
 * project.shut, and passed over.  False: there is no more, or the user asked to
 * stop; the next call begins with the first one again. */
bool servers_next(struct project *p, const struct cmd_global *g);

/* Where there are several servers and a release is `auto`: looks at all of
 * them, so that they get one number (project.at_least). */
void servers_numbers(struct project *p, const struct cmd_global *g);

/* plan, and publish --dry-run: makes the plans and prints them.  Whether
 * publish would write anything. */
bool servers_show_plan(struct project *p, const struct cmd_global *g);

#endif
