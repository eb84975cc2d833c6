/* How far a run is: a line on a terminal that redraws itself, and a line
 * for SIGUSR1. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cmd.h"
#include "publish/meter.h"

/* From here on `m` is looked at, until progress_end(); it counts `what`
 * ("device").  The line is on standard error, and not there under -q, --json or
 * without a terminal; SIGUSR1 is answered in any case. */
void progress_begin(const struct cmd_global *g, const struct meter *m,
                    const char *what);
void progress_end(void);

/* From a signal handler: erases the line that may stand there.  It does not
 * come back once cmd_stopped is set. */
void progress_interrupt(void);

/* Around whatever else is printed: the line is erased, and waits. */
void progress_hide(void);
void progress_show(void);

#endif
