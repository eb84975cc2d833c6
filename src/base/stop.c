/* Whether the user asked to stop. */
#include <stddef.h>

#include "stop.h"

static volatile const sig_atomic_t *watched;

void stop_watch(volatile const sig_atomic_t *flag)
{
    watched = flag;
}

bool stop_asked(void)
{
    return watched && *watched;
}
