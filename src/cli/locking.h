/* The options about the lock, of all that change what is published. */
#ifndef CLI_LOCKING_H
#define CLI_LOCKING_H

#include "cmd.h"

struct locking {
    unsigned wait_ms; /* for somebody else who holds it */
    bool break_lock;  /* take it whoever holds it */
};

enum { LOCKING_TIMEOUT = 400, LOCKING_BREAK };

#define LOCKING_LONG                                                           \
    {"lock-timeout", required_argument, NULL, LOCKING_TIMEOUT},                \
    {                                                                          \
        "break-lock", no_argument, NULL, LOCKING_BREAK                         \
    }

/* For cmd_options(): ctx is the struct locking. */
int locking_take(int c, const char *arg, void *ctx);

#endif
