/* `status` and `reset`. */
#ifndef AGENT_STATUS_H
#define AGENT_STATUS_H

#include "agent.h"

/* Both return an exit status. */
int status_run(struct agent *a);
int status_reset(struct agent *a);

#endif
