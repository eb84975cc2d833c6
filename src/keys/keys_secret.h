/* A minisign secret key: read, unlocked, locked with a password, written. */
#ifndef KEYS_KEYS_SECRET_H
#define KEYS_KEYS_SECRET_H

#include "keys.h"
#include "keys_text.h"

/* Lies in memory of keys_text_alloc(). */
struct keys_secret {
    bool unlocked;                  /* what follows is known: */
    uint8_t public[OTA_PUBLIC_KEY]; /* "Ed", key id, key */
    uint8_t wire[KEYS_SECRET];      /* the file, decoded */
};

/* Reads a key file, or with `env:NAME` the variable (then wiped and unset)
 * that holds a whole file or its base64 line, as keys_token_find() reads them.
 * A key without a password is unlocked.  0, or -1 (DIAG_KEY).
 * keys_secret_free() takes NULL. */
int keys_secret_read(const char *name, struct keys_secret **out);
/* The same, and the variable stays. */
int keys_secret_look(const char *name, struct keys_secret **out);
void keys_secret_free(struct keys_secret *k);

/* Unlocks with what scrypt makes of the password: seconds, and up to 1 GiB as
 * the file says.  `name` for messages.  0, or -1 (DIAG_KEY). */
int keys_secret_unlock(struct keys_secret *k, const char *name,
                       const char *password);

/* The public half of a decoded key without a password; false: it has one. */
bool keys_secret_public(const uint8_t wire[KEYS_SECRET],
                        uint8_t key[OTA_PUBLIC_KEY]);

/* A new key, unlocked; then its file's base64 line, locked if password is not
 * NULL.  0, or -1 (reported). */
int keys_secret_new(struct keys_secret **out);
int keys_secret_text(const struct keys_secret *k, const char *password,
                     char line[KEYS_SECRET_LINE]);

/* The 64 bytes that libsodium signs with; only where unlocked. */
const uint8_t *keys_secret_key(const struct keys_secret *k);

#endif
