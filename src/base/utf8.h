/* Text as people see it: characters, columns, and what must not be printed. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first character of `len` bytes: its length, 1 to 4, or 0 if the bytes
 * are not UTF-8 (RFC 3629) or there are none. */
size_t utf8_next(const char *text, size_t len, uint32_t *point);

/* Bytes before the first one that is not UTF-8; `len` if all is well. */
size_t utf8_valid(const char *text, size_t len);

/* Characters; a byte that is not UTF-8 counts as one. */
size_t utf8_count(const char *text, size_t len);

/* Moves a cursor, breaks a line or turns text around: controls, line
 * separators, bidirectional controls. */
bool utf8_control(uint32_t point);

/* A blank other than ' ', or what is not seen at all: it stands in a text that
 * was copied from a page or a spreadsheet, and nobody finds it.  Messages show
 * it as <U+00A0>. */
bool utf8_hidden(uint32_t point);

/* Bytes before the first that is not UTF-8 or is a control; `len` if none. */
size_t utf8_printable(const char *text, size_t len);

/* Columns of a terminal: 0, 1 or 2. */
unsigned utf8_width(uint32_t point);

/* Columns of a text in which controls, and what is not UTF-8, stand as escapes
 * (\xNN, \uNNNN). */
size_t utf8_columns(const char *text, size_t len);

/* Bytes of it that fit into so many columns, whole characters with the marks
 * on top of them. */
size_t utf8_fit(const char *text, size_t len, size_t columns);

#endif
