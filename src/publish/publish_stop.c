/* What a publish says that is stopped. */
#include "publish_private.h"

bool publish_stopped(struct publish *p)
{
    if (!session_stopped(p->s))
        return false;
    if (!p->told && !p->begun)
        diag_error(DIAG_FAILED, "stopped: nothing was changed");
    else if (!p->told && p->result->written)
        diag_error(DIAG_FAILED,
                   "stopped after %zu of %zu devices; what was published "
                   "before is whole, run 'ota-pack %s' again to complete "
                   "this",
                   p->result->written, p->total, p->command);
    else if (!p->told)
        diag_error(DIAG_FAILED,
                   "stopped before any device was written: all have what they "
                   "had; run 'ota-pack %s' again",
                   p->command);
    p->told = true;
    return true;
}
