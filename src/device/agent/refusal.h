/* What each result of the installer means to the agent: one table. */
#ifndef AGENT_REFUSAL_H
#define AGENT_REFUSAL_H

#include <ota/install.h>

/* The exit status of it. */
int refusal_exit(int err);

/* Nothing remains to be done about a manifest with this result: its ETag may be
 * kept, and no poll has to be put off. */
bool refusal_is_final(int err);

/* What to do about it: ": do this", or "" where ota_strerror() says it. */
const char *refusal_next(int err);

#endif
