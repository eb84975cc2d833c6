/* What a person or a script sees: messages, colour, the summary. */
#ifndef CLI_MSG_H
#define CLI_MSG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum msg_color { MSG_COLOR_AUTO, MSG_COLOR_ALWAYS, MSG_COLOR_NEVER };

/* --color. */
void msg_set_color(enum msg_color choice);

/* Whether what goes to `out` is coloured: --color, else NO_COLOR,
 * CLICOLOR_FORCE and FORCE_COLOR, else whether it is a terminal. */
bool msg_color(FILE *out);

/* From here on messages go to standard error, or with `json` to standard
 * output as objects.  quiet: errors alone. */
void msg_init(bool json, bool quiet);

/* Around whatever is printed from now on; from any thread. */
void msg_around(void (*before)(void), void (*after)(void));

/* An error of that enum diag_kind whose words were printed already. */
void msg_count(int kind);

/* Whether a command that found nothing to do says so: a person looks on, and
 * neither -q nor --json was given. */
bool msg_idle(void);

/* A number for the summary, the last line of --json; key is borrowed for good.
 * The same key again replaces it. */
void msg_summary_number(const char *key, uint64_t value);

/* Prints the summary; main's last act under --json. */
void msg_summary(int status);

/* `len` bytes of text for a person: control characters, and what is not valid
 * UTF-8, as \xNN or \uNNNN. */
void msg_text(FILE *out, const char *text, size_t len);

/* A number of bytes for people ("982 B", "1.5 MiB"), and the buffer for it. */
enum { MSG_SIZE = 24 };
const char *msg_size(uint64_t bytes, char out[MSG_SIZE]);

/* Seconds since 1970 as 2026-11-22 10:42:00Z, and the buffer for it. */
enum { MSG_TIME = 32 };
const char *msg_time(uint64_t seconds, char out[MSG_TIME]);

#endif
