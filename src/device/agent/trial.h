/* From staged to confirmed, or back. */
#ifndef AGENT_TRIAL_H
#define AGENT_TRIAL_H

#include "agent.h"

/* All return an exit status. */

/* `boot`: nothing of what is updated runs yet. */
int trial_boot(struct agent *a);

/* --now: the same on a machine that runs, between the owner's commands. */
int trial_now(struct agent *a);

/* The confirm command, if there is one, judges what is on trial and runs; its
 * success confirms.  EXIT_UNDONE: it failed, and it is for the caller to draw
 * conclusions. */
int trial_prove(struct agent *a);

int trial_confirm(struct agent *a);

/* By hand, between the owner's commands. */
int trial_undo(struct agent *a);

#endif
