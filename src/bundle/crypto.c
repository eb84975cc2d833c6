/* Signature, hash and stream cipher: the room's only file with libsodium.
 * Its sub-headers, since bare-metal builds have no sodium.h. */
#include "crypto.h"
#include "format.h"

#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_sign_ed25519.h>
#include <sodium/crypto_stream_xchacha20.h>
#include <sodium/utils.h>
#include <string.h>

STATIC_ASSERT(hash_state,
              sizeof(crypto_hash_sha512_state) <= sizeof(struct ota_hash));

static crypto_hash_sha512_state *state_of(struct ota_hash *h)
{
    return (crypto_hash_sha512_state *)(void *)h->state;
}

void ota_hash_init(struct ota_hash *h)
{
    crypto_hash_sha512_init(state_of(h));
}

void ota_hash_update(struct ota_hash *h, const uint8_t *buf, size_t len)
{
    crypto_hash_sha512_update(state_of(h), buf, len);
}

void ota_hash_final(struct ota_hash *h, uint8_t *out, size_t len)
{
    uint8_t full[crypto_hash_sha512_BYTES];

    crypto_hash_sha512_final(state_of(h), full);
    memcpy(out, full, len);
}

bool ota_verify(const uint8_t signature[64], const uint8_t *msg, size_t len,
                const uint8_t key[32])
{
    return crypto_sign_ed25519_verify_detached(signature, msg, len, key) == 0;
}

void ota_stream_xor(uint8_t *buf, size_t len, const uint8_t nonce[24],
                    const uint8_t key[32])
{
    crypto_stream_xchacha20_xor(buf, buf, len, nonce, key);
}

bool ota_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

void ota_wipe(void *p, size_t len)
{
    sodium_memzero(p, len);
}
