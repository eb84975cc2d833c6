/* The owner's commands: to stop, start and judge what is updated. */
#ifndef AGENT_COMMAND_H
#define AGENT_COMMAND_H

/* Runs `command` with sh and waits, `seconds` at most; then it and what it
 * started are ended.  `what` names it in messages.  0 if it succeeded, else
 * -1 after the message.  NULL: nothing is run, 0. */
int command_run(const char *what, const char *command, unsigned seconds);

#endif
