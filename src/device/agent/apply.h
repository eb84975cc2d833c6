/* A bundle from a file. */
#ifndef AGENT_APPLY_H
#define AGENT_APPLY_H

#include "agent.h"

/* `apply FILE`.  An exit status. */
int apply_run(struct agent *a, const char *file);

#endif
