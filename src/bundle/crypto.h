/* The cryptography that a reader needs, behind names of our own. */
#ifndef BUNDLE_CRYPTO_H
#define BUNDLE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A running hash: room for libsodium's state, checked in crypto.c. */
struct ota_hash {
    uint64_t state[26];
};

void ota_hash_init(struct ota_hash *h);
void ota_hash_update(struct ota_hash *h, const uint8_t *buf, size_t len);
/* The first `len` bytes of SHA-512, at most 64.  Wipes the state. */
void ota_hash_final(struct ota_hash *h, uint8_t *out, size_t len);

/* Ed25519, pure (RFC 8032). */
bool ota_verify(const uint8_t signature[64], const uint8_t *msg, size_t len,
                const uint8_t key[32]);

/* buf ^= XChaCha20(key, nonce), in place. */
void ota_stream_xor(uint8_t *buf, size_t len, const uint8_t nonce[24],
                    const uint8_t key[32]);

/* Equal?  In a time that does not depend on the bytes. */
bool ota_equal(const uint8_t *a, const uint8_t *b, size_t len);

void ota_wipe(void *p, size_t len);

#endif
