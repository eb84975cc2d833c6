/* What a person or a script sees: one line for each thing, and the status with
 * which the agent ends.  ota-agent(1). */
#ifndef AGENT_SAY_H
#define AGENT_SAY_H

#include <stdbool.h>

/* Exit status.  Those of ota-pack(1) mean the same there. */
enum {
    EXIT_DONE = 0,     /* done, or nothing to do */
    EXIT_FAILED = 1,   /* this device: disk, memory, a command */
    EXIT_USAGE = 2,    /* the command line */
    EXIT_CONFIG = 3,   /* the configuration file */
    EXIT_INPUT = 4,    /* a file that cannot be read */
    EXIT_SERVER = 5,   /* the server or the way to it: later */
    EXIT_KEY = 6,      /* a key file */
    EXIT_BUSY = 8,     /* another agent is at work here */
    EXIT_REFUSED = 9,  /* it did not verify, or is not for this device */
    EXIT_RESTART = 10, /* staged, or begun: restart, or boot */
    EXIT_UNDONE = 11,  /* installed, did not prove good, undone */
    EXIT_STATE = 12    /* not in this phase, or the state is damaged */
};

void say_init(bool quiet, bool verbose);

/* "ota-agent: ..." on standard error.  Returns `status`. */
int say_error(int status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same without a name before it. */
void say_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line on standard output, unless quiet; the second one if verbose. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_more(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* That there was nothing to do: to a person at a terminal, or if verbose. */
void say_idle(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "s", or nothing where there is one of them. */
const char *say_plural(unsigned n);

#endif
