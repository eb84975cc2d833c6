/* What one mistake makes for many: for diag*.c alone.  Calls come one at a
 * time. */
#ifndef BASE_DIAG_PRIVATE_H
#define BASE_DIAG_PRIVATE_H

#include "diag.h"

/* From here on reports are held back, until as many diag_hold_end(). */
void diag_hold_begin(void);
bool diag_hold_end(void); /* true: that was the last */

/* Takes `text` and `of` (which may be NULL), to be freed here.  False, and
 * nothing taken, where nothing is held back or there is no memory. */
bool diag_hold(const struct diag_event *event, char *text, char *of);

/* Gives on all that is held, in order, what belongs together as one.  Returns
 * how many errors were not told by themselves. */
unsigned diag_hold_tell(void);

/* To who prints. */
void diag_hand_on(const struct diag_event *event);

/* Forgets where lines of a text were found. */
void diag_print_forget(void);

#endif
