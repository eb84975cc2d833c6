/* What is wrong, said once, where it is found.  The host's parts report here;
 * the CLI decides how it looks (text with a caret, JSON) by setting a handler.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Whose fault it is, as the exit status that it leads to: ota-pack(1). */
enum diag_kind {
    DIAG_FAILED = 1,  /* anything else */
    DIAG_USAGE = 2,   /* the command line */
    DIAG_CONFIG = 3,  /* the configuration */
    DIAG_INPUT = 4,   /* an input file */
    DIAG_SERVER = 5,  /* the server: worth a retry */
    DIAG_KEY = 6,     /* a key or its password */
    DIAG_PARTIAL = 7, /* some devices done and some not */
    DIAG_LOCK = 8,    /* somebody else publishes */
    DIAG_VERIFY = 9   /* a bundle did not verify */
};

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

/* A text that marks point into: a configuration or a CSV file. */
struct diag_source {
    const char *name; /* as the user knows it */
    const char *text; /* borrowed, not NUL-terminated */
    size_t len;       /* bytes */
};

/* A place in a source.  line 0: no place (the message stands alone). */
struct diag_mark {
    const struct diag_source *source;
    uint32_t line, col; /* from 1; col counts characters, not bytes */
    uint32_t width;     /* characters to underline, 0 as 1 */
};

struct diag_event {
    enum diag_level level;
    enum diag_kind kind;
    struct diag_mark mark;
    const char *message; /* one line, no newline, no level: valid UTF-8, in
                          * which whatever is not printable is escaped */
    /* Where it stands for many (diag_gather()): how many, and the names of
     * some, which the message has, too; count 0: it stands for itself. */
    size_t count, example_count;
    const char *const *examples;
};

enum { DIAG_EXAMPLES = 3 };

/* Report.  An error's kind becomes the exit status if it is the first one.
 * diag_error() and diag_error_at() return -1, to be returned on. */
int diag_error(enum diag_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int diag_error_at(enum diag_kind kind, struct diag_mark mark, const char *fmt,
                  ...) __attribute__((format(printf, 3, 4)));
void diag_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void diag_warning_at(struct diag_mark mark, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void diag_warning_of(const char *of, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void diag_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void diag_note_at(struct diag_mark mark, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* What the functions above come down to.  Returns -1. */
int diag_report(enum diag_level level, enum diag_kind kind,
                struct diag_mark mark, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

/* The same of one of many: `of` is its name (a device's, "24:6f:28:00:00:01"),
 * as in diag_warning_of(). */
int diag_report_of(enum diag_level level, enum diag_kind kind,
                   struct diag_mark mark, const char *of, const char *fmt,
                   va_list ap) __attribute__((format(printf, 5, 0)));

/* In between, reports wait, and one mistake is told once: at one place for many
 * devices, or in the same words in more than ten lines, it is one report with
 * a count and DIAG_EXAMPLES examples.  Notes go with what they follow.  Calls
 * nest; diag_forget() ends the wait of what was reported so far. */
void diag_gather(void);
void diag_gathered(void);

/* DIAG_FAILED, "out of memory"; returns -1. */
int diag_no_memory(void);

/* The kind of the first error since the start or diag_reset(), 0 if none. */
int diag_status(void);
unsigned diag_errors(void);
void diag_reset(void);

/* Who prints, and what it is called with.  NULL: the default, diag_print() to
 * standard error.  Calls come one at a time, from any thread. */
typedef void diag_handler(void *ctx, const struct diag_event *event);
void diag_set_handler(diag_handler *handler, void *ctx);

/* `file:line:col: error: message`, the source line and a caret; or
 * `ota-pack: message`, `ota-pack: warning: message`.  color: with ANSI
 * colours. */
void diag_print(FILE *out, const struct diag_event *event, bool color);

/* To be called before a source's text goes: diag_print() keeps its place, and
 * what was gathered points into it. */
void diag_forget(void);

/* The nearest of `count` candidates to what was typed, or NULL if none is
 * near: Damerau-Levenshtein distance of at most a third of the longer one
 * without regard to ASCII case, or what another tool's word for it means here
 * ("source": "from").  The result is one of the candidates. */
const char *diag_suggest(const char *typed, const char *const *candidates,
                         size_t count);

#endif
