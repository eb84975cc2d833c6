/* What a secret looks like: for secret*.c alone. */
#ifndef PACK_SECRET_FORM_H
#define PACK_SECRET_FORM_H

#include "secret.h"

/* Bytes of a text, and how far they may be read. */
struct secret_text {
    const uint8_t *begin; /* a line's first byte, or one is before it */
    const uint8_t *end;
    bool line; /* `begin` is a line's first byte */
};

/* Value of a symbol of base64, of either alphabet; -1: it is none. */
int secret_symbol(uint8_t byte);

/* Whether the two bytes may begin a secret. */
bool secret_starts(uint8_t first, uint8_t second);

/* What begins at p, noted in s (key, ours, theirs). */
enum secret_kind secret_form(struct secret_scan *s, const struct secret_text *t,
                             const uint8_t *p);

#endif
