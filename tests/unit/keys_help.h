/* What the units about keys share: the last message, a scratch folder, files,
 * a key pair, and key files with passwords that cost little. */
#ifndef KEYS_HELP_H
#define KEYS_HELP_H

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/keys.h"
#include "keys/keys_text.h"
#include "tap.h"

/* A key as `minisign -G -W` makes it: its check is zero. */
#define KEY_LINE                                                               \
    "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
    "zT1OtIX9aV/vynZ/R5kJQ2CoZzvasqN+bG+JZirkR7UeR9JZP6zBEqSwF8sNWvFbE8Brx"    \
    "vP7VAxjF9kPOf3XJExgw+RtWgEeAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PUB_LINE "RWTNPU60hf1pX6SwF8sNWvFbE8BrxvP7VAxjF9kPOf3XJExgw+RtWgEe"
#define KEY_ID   "5f69fd85b44e3dcd"
#define OTHER_PUB_LINE                                                         \
    "RWQ0WMhdyJJ/NDizDMmMvPlaiEy4sOqzR95+/1i2uo4j6p+NzZif4VUp"
#define KEY_FILE "untrusted comment: minisign secret key\n" KEY_LINE "\n"
#define PUB_FILE "untrusted comment: minisign public key\n" PUB_LINE "\n"

static char said[1024]; /* the last message */
static enum diag_kind said_kind;
static char scratch[] = "/tmp/ota-pack-unit-XXXXXX";

static inline void hear(void *ctx, const struct diag_event *e)
{
    (void)ctx;
    snprintf(said, sizeof said, "%s", e->message);
    said_kind = e->kind;
}

/* True if the last message has `text` in it; forgets it. */
static inline bool heard(const char *text)
{
    bool found = strstr(said, text) != NULL;

    if (!found)
        printf("# said: %s\n", said);
    said[0] = '\0';
    return found;
}

/* True if the last message has no part of the secret in it. */
static inline bool unsaid(const char *secret)
{
    char part[17] = "";

    for (size_t i = 0; i + 16 < strlen(secret); i += 16) {
        memcpy(part, secret + i, 16);
        if (strstr(said, part) != NULL)
            return false;
    }
    return said[0] != '\0';
}

static inline void begin(void)
{
    if (sodium_init() < 0 || mkdtemp(scratch) == NULL || chdir(scratch) != 0)
        exit(1);
    unsetenv("OTA_PACK_PASSWORD");
    unsetenv("OTA_PACK_PASSWORD_FILE");
    unsetenv("OTA_PACK_PASSWORD_COMMAND");
    unsetenv("CREDENTIALS_DIRECTORY");
    umask(022);
    diag_set_handler(hear, NULL);
}

static inline int end(void)
{
    char line[128];

    snprintf(line, sizeof line, "rm -rf '%s'", scratch);
    if (chdir("/") != 0 || system(line) != 0)
        return 1;
    return tap_done();
}

static inline void put_file(const char *path, const void *bytes, size_t len,
                            mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fchmod(fd, mode))
        exit(1);
    close(fd);
}

static inline void put_text(const char *path, const char *text, mode_t mode)
{
    put_file(path, text, strlen(text), mode);
}

/* A configuration with nothing but a key; its folder is the current one. */
static inline struct config config_of(const char *key)
{
    struct config c;

    memset(&c, 0, sizeof c);
    c.path = "ota-pack.yml";
    c.dir = ".";
    c.key.text = key;
    return c;
}

static inline bool verifies(const uint8_t *public, const uint8_t *signature,
                            const void *message, size_t len)
{
    return crypto_sign_verify_detached(signature, message, len,
                                       public + 2 + OTA_KEY_ID) == 0;
}

/* The key above, locked with `password` by `ops` and `mem` (written to the
 * file; less is calculated where that is too much). */
static inline void put_locked(const char *path, const char *password,
                              uint64_t ops, uint64_t mem)
{
    uint8_t wire[KEYS_SECRET], stream[104], check[32];
    char text[512] = "untrusted comment: any text\n";
    crypto_generichash_state state;

    keys_text_decode(KEY_LINE, strlen(KEY_LINE), wire, sizeof wire);
    memcpy(wire + 2, "Sc", 2);
    memset(wire + 6, 7, 32);
    for (int i = 0; i < 8; i++) {
        wire[38 + i] = (uint8_t)(ops >> 8 * i);
        wire[46 + i] = (uint8_t)(mem >> 8 * i);
    }
    crypto_generichash_init(&state, NULL, 0, sizeof check);
    crypto_generichash_update(&state, wire, 2);
    crypto_generichash_update(&state, wire + 54, 72);
    crypto_generichash_final(&state, check, sizeof check);
    memcpy(wire + 126, check, sizeof check);
    if (crypto_pwhash_scryptsalsa208sha256(
            stream, sizeof stream, password, strlen(password), wire + 6,
            ops > 1 << 20 ? 1 << 15 : ops, mem > 1 << 24 ? 1 << 20 : mem))
        exit(1);
    for (size_t i = 0; i < sizeof stream; i++)
        wire[54 + i] ^= stream[i];
    sodium_bin2base64(text + strlen(text), 256, wire, sizeof wire,
                      sodium_base64_VARIANT_ORIGINAL);
    strcat(text, "\n");
    put_text(path, text, 0600);
}

#endif
