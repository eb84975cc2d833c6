/* All servers of the configuration, one after the other. */
#ifndef CLI_SERVERS_H
#define CLI_SERVERS_H

#include "project.h"

struct servers_work {
    /* The server is open (project.store), the key at hand (project.signer):
     * 0, or -1 (reported). */
    int (*each)(void *ctx);
    void (*shut)(void *ctx); /* it could not be opened (reported); or NULL */
    bool bare;               /* `each` opens what it needs */
    void *ctx;
};

/* Each in turn, until the user asks to stop. */
void servers_each(struct project *p, const struct cmd_global *g,
                  const struct servers_work *w);

/* The same to ask them something before; one that fails is left alone from then
 * on. */
void servers_ask(struct project *p, const struct cmd_global *g,
                 const struct servers_work *w);

/* Where there are several servers and a release is `auto`: looks at all of
 * them, so that they get one number (project.at_least). */
void servers_numbers(struct project *p, const struct cmd_global *g);

/* plan, and publish --dry-run: makes the plans and prints them.  Whether
 * publish would write anything. */
bool servers_show_plan(struct project *p, const struct cmd_global *g);

#endif
