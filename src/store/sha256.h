/* SHA-256 (FIPS 180-4), which S3 wants of what is sent.  For our own formats
 * it is BLAKE2b. */
#ifndef STORE_SHA256_H
#define STORE_SHA256_H

#include <stddef.h>

enum { SHA256_TEXT = 65 }; /* hex digits and NUL */

void sha256_hex(const void *bytes, size_t len, char out[SHA256_TEXT]);

#endif
