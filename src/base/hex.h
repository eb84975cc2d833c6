/* Bytes as hex digits, as names and JSON have them: lower case, no space. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2 * len digits and NUL. */
void hex_encode(const uint8_t *bytes, size_t len, char *out);

/* Reads `len` bytes.  False unless the text is 2 * len such digits: no capital
 * ones, so that no two names are the same bytes. */
bool hex_decode(const char *text, size_t len, uint8_t *out);

#endif
