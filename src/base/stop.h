/* Whether the user asked to stop, for work that takes long and is far from who
 * started it. */
#ifndef BASE_STOP_H
#define BASE_STOP_H

#include <signal.h>
#include <stdbool.h>

/* From now on stop_asked() is whether *flag is not 0; NULL: it never is. */
void stop_watch(volatile const sig_atomic_t *flag);

/* From any thread.  What ends for this is a failure that is not reported:
 * whoever began it says so once. */
bool stop_asked(void);

#endif
