/* Letters with an accent, in either of the two ways that they are written. */
#ifndef BASE_COMPOSE_H
#define BASE_COMPOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* utf8_next(), where a letter and its accent are one character. */
size_t compose_next(const char *text, size_t len, uint32_t *point);

/* What is said then: the path, that name and its compose_form(). */
#define COMPOSE_TWIN                                                           \
    "cannot open '%s': what is there is '%s' with its accents written in "     \
    "another way (%s): rename it, or copy its name from there"

/* "NFD" or "NFC". */
const char *compose_form(const char *text);

/* Whether there are marks apart from their letters: NFD. */
bool compose_has_marks(const char *text);

/* Of a path that cannot be opened: the name in place of its first part that is
 * not there, where that is the same but for how accents are written.  To be
 * freed; NULL: there is none. */
char *compose_twin(const char *path);

#endif
