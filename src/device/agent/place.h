/* Mistakes in a text file: where, the line, and a caret, as ota-pack shows
 * them; and what was probably meant. */
#ifndef AGENT_PLACE_H
#define AGENT_PLACE_H

#include <stdarg.h>
#include <stddef.h>

/* "PATH:LINE:COLUMN: error: ..." and the line, on standard error.  The mark is
 * at byte `at` of `text`, `width` bytes wide. */
void place_error(const char *path, const char *text, size_t at, size_t width,
                 const char *format, va_list ap)
    __attribute__((format(printf, 5, 0)));

/* Takes the nearest of `count` names that lie `step` bytes apart from `first`
 * on; NULL: none is near. */
const char *place_suggest(const char *typed, const void *first, size_t count,
                          size_t step);

#endif
