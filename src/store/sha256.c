/* The hash of S3's requests. */
#include <sodium.h>

#include "base/hex.h"
#include "sha256.h"

void sha256_hex(const void *bytes, size_t len, char out[SHA256_TEXT])
{
    unsigned char hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, bytes, len);
    hex_encode(hash, sizeof hash, out);
}
