/* How often polls failed, and when the next one may be: kept in RAM. */
#ifndef AGENT_BACKOFF_H
#define AGENT_BACKOFF_H

#include "agent.h"

/* Seconds until the next poll may be; 0: now. */
unsigned backoff_left(const struct agent *a);

/* A poll failed, or did not.  Where nothing can be kept there is no back-off.
 */
void backoff_note(const struct agent *a, bool failed);

#endif
