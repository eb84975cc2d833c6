/* Text that people will read. */
#ifndef BUNDLE_TEXT_H
#define BUNDLE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Valid UTF-8 (RFC 3629) without control characters (C0, DEL, C1). */
bool ota_text_check(const char *text, size_t len);

#endif
