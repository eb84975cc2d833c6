/* Asking on the terminal without echo. */
#ifndef KEYS_KEYS_TTY_H
#define KEYS_KEYS_TTY_H

#include <stddef.h>

enum { KEYS_TTY_NONE = 1 };

/* Writes `prompt` and ": " to the terminal of this process and reads a line,
 * without its newline, of at most max - 1 bytes.  The terminal is as before
 * afterwards, also where a signal came, which is then raised again.  0, -1
 * (DIAG_KEY), or KEYS_TTY_NONE: there is no terminal, nothing is said. */
int keys_tty_ask(const char *prompt, char *buf, size_t max);

#endif
