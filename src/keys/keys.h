/* Signing keys: minisign's files, passwords, and signatures made elsewhere.
 * Secrets are locked in memory where that works, and wiped. */
#ifndef KEYS_KEYS_H
#define KEYS_KEYS_H

#include "config/config.h"
#include <ota/bundle.h>

/* Reads a minisign public key file, or a line of base64 as minisign prints it,
 * into "Ed", key id, key.  0, or -1 (DIAG_KEY). */
int keys_read_public(const char *path, uint8_t key[OTA_PUBLIC_KEY]);

/* The key id as minisign prints it, in lower case: 16 hex digits and NUL. */
enum { KEYS_ID_TEXT = 17 };
void keys_id_text(const uint8_t key_id[OTA_KEY_ID], char out[KEYS_ID_TEXT]);

/* Neither NAME.key nor NAME.pub is there: 0, or -1 (DIAG_KEY).  To ask before
 * a password is asked for. */
int keys_generate_check(const char *name);

/* Writes NAME.key (mode 0600) and NAME.pub, neither of which may exist.
 * password NULL: without one.  0, or -1 and neither is left behind. */
int keys_generate(const char *name, const char *password);

/* The password from OTA_PACK_PASSWORD, _FILE, _COMMAND, the systemd credential
 * ota-pack.password, or the terminal (twice if `confirm`), in this order.
 * prompt: what it is, for questions and messages ("password for 'x.key'").
 * 0 with an allocated string to be wiped and freed by keys_password_free(), or
 * -1 (DIAG_KEY). */
int keys_password(const char *prompt, bool confirm, char **password);
void keys_password_free(char *password);

/* Whether keys_password() will run and ask nothing. */
bool keys_password_ready(void);

/* A server's: with `environment` from OTA_PACK_SERVER_PASSWORD, ..._FILE,
 * ..._COMMAND; then from `command`, a shell command, unless it is NULL.  0 with
 * a string as above, or NULL where there is none, or -1 (DIAG_KEY). */
int keys_server_password(bool environment, const char *command,
                         char **password);

/* Who signs: a key file or `sign_command`. */
struct signer;

/* Finds the public key of the configuration: the .pub beside `key:`, the .pub
 * itself (sign_command), or from the secret key where it has no password or
 * no .pub is there (which then asks for it).  Unlocks nothing otherwise.
 * jobs: how many sign commands at once.  0, or -1 (DIAG_KEY). */
int signer_open(const struct config *c, unsigned jobs, struct signer **out);
void signer_free(struct signer *s); /* wipes */

/* For who needs no key yet: warns where it is not there, and tries one that is,
 * with its password where that takes no question.  0, or -1 (DIAG_KEY). */
int signer_look(const struct config *c);

/* The same for a signer: unlocks it where that takes no question. */
int signer_try(struct signer *s);

/* The public half of the configuration's key where that is known without a
 * password, nothing is said if not. */
bool signer_peek(const struct config *c, uint8_t key[OTA_PUBLIC_KEY]);

/* The public key, OTA_PUBLIC_KEY bytes, owned by the signer. */
const uint8_t *signer_public(const struct signer *s);

/* Asks for the password now, where one is needed and was not asked for.  0, or
 * -1 (DIAG_KEY). */
int signer_unlock(struct signer *s);
bool signer_is_locked(const struct signer *s); /* it is to be asked for */

/* One message to be signed. */
struct signer_job {
    const uint8_t *message;
    size_t len;
    const char *device; /* hex id for OTA_PACK_DEVICE, or NULL */
    uint8_t *signature; /* 64 bytes to be written */
};

/* Signs all of them, unlocking the key at the first call of a run ("unlocking
 * key..." on standard error).  Signatures of a command are each checked with
 * the public key, of a key file the first of a run.  0, or -1 (DIAG_KEY). */
int signer_sign(struct signer *s, const struct signer_job *jobs, size_t count);

#endif
