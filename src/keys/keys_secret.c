/* minisign's secret key file, byte for byte as minisign 0.11 reads and writes
 * it (minisign.c there; ota-pack(1), Keys). */
#include "bundle/format.h"
#include "keys_secret.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Offsets; AT_ID to the end is what the password locks.  The check is over
 * "Ed" and all from AT_ID up to it. */
enum {
    AT_ALG = 0,
    AT_KDF = 2,
    AT_CHECK_ALG = 4,
    AT_SALT = 6,
    AT_OPS = 38,
    AT_MEM = 46,
    AT_ID = 54,
    AT_KEY = 62,
    AT_CHECK = 126,
    LOCKED = KEYS_SECRET - AT_ID,
    CHECK = KEYS_SECRET - AT_CHECK
};

/* minisign never asks for more than the first of each.  Four times that is
 * read, so that a hostile file costs half a minute at most; fewer bytes than
 * operations would make scrypt work in parallel lanes of many gigabytes. */
#define OPS_DEFAULT crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE
#define MEM_DEFAULT crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE
#define OPS_MAX     (4ULL * OPS_DEFAULT)
#define MEM_MAX     (4ULL * MEM_DEFAULT)
#define OPS_MIN     crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN
#define MEM_LEAST   crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_INTERACTIVE

static bool has_password(const struct keys_secret *k)
{
    return memcmp(k->wire + AT_KDF, "Sc", 2) == 0;
}

static void check_of(const uint8_t *wire, uint8_t check[CHECK])
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, CHECK);
    crypto_generichash_update(&state, wire + AT_ALG, 2);
    crypto_generichash_update(&state, wire + AT_ID, AT_CHECK - AT_ID);
    crypto_generichash_final(&state, check, CHECK);
    sodium_memzero(&state, sizeof state);
}

/* `minisign -G -W` leaves the check zero, `-C -W` writes the right one. */
static bool check_fits(const struct keys_secret *k)
{
    uint8_t check[CHECK];
    bool fits;

    check_of(k->wire, check);
    fits = sodium_memcmp(check, k->wire + AT_CHECK, CHECK) == 0;
    sodium_memzero(check, sizeof check);
    return fits ||
           (!has_password(k) && sodium_is_zero(k->wire + AT_CHECK, CHECK));
}

/* A public half that is not the seed's would make signatures that give the
 * secret away. */
static bool halves_agree(const struct keys_secret *k)
{
    uint8_t public[crypto_sign_PUBLICKEYBYTES];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    bool agree;

    crypto_sign_seed_keypair(public, secret, k->wire + AT_KEY);
    agree = sodium_memcmp(secret, k->wire + AT_KEY, sizeof secret) == 0;
    sodium_memzero(secret, sizeof secret);
    return agree;
}

static void take_public(const uint8_t *wire, uint8_t key[OTA_PUBLIC_KEY])
{
    memcpy(key, "Ed", 2);
    memcpy(key + KEY_ID, wire + AT_ID, OTA_KEY_ID);
    memcpy(key + KEY_KEY, wire + AT_KEY + 32, 32);
}

static int accept(struct keys_secret *k, const char *name)
{
    if (!check_fits(k) || !halves_agree(k))
        return diag_error(DIAG_KEY,
                          "'%s' is damaged: put the backup in its place", name);
    take_public(k->wire, k->public);
    k->unlocked = true;
    return 0;
}

static int parse(struct keys_secret *k, const char *name, const char *text,
                 size_t len)
{
    static const uint8_t none[2] = {0, 0};
    size_t chars, got = keys_token_find(text, len, k->wire, &chars);

    if (got == OTA_PUBLIC_KEY)
        return diag_error(DIAG_KEY,
                          "'%s' is a public key: 'key' takes the secret one, "
                          "or set 'sign_command'",
                          name);
    if (!got && chars && chars < KEYS_SECRET_LINE - 2)
        return diag_error(DIAG_KEY,
                          "'%s' is cut: %zu of the %d characters of a secret "
                          "key are there, copy it again",
                          name, chars, KEYS_SECRET_LINE - 1);
    if (!got || memcmp(k->wire + AT_CHECK_ALG, "B2", 2) != 0)
        return diag_error(DIAG_KEY, "'%s' is not a minisign secret key", name);
    if (has_password(k))
        return 0;
    if (memcmp(k->wire + AT_KDF, none, 2) != 0)
        return diag_error(DIAG_KEY,
                          "'%s' is encrypted in a way that is not known here",
                          name);
    return accept(k, name);
}

static int read_file(struct keys_secret *k, const char *path, char *text)
{
    struct stat st;
    size_t len;

    if (keys_text_read(path, text, &len, &st) != 0)
        return -1;
    if (parse(k, path, text, len) != 0)
        return -1;
    if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        diag_warning("'%s' can be read by others: chmod 600 '%s'", path, path);
    return 0;
}

/* Only a look leaves the variable to who signs later. */
static int read_variable(struct keys_secret *k, const char *name, bool look)
{
    char *value = getenv(name + strlen("env:"));
    int result;

    if (value == NULL || *value == '\0')
        return diag_error(DIAG_KEY, "'%s': the variable is not set", name);
    result = parse(k, name, value, strlen(value));
    if (look)
        return result;
    sodium_memzero(value, strlen(value));
    unsetenv(name + strlen("env:"));
    return result;
}

static int read_secret(const char *name, bool look, struct keys_secret **out)
{
    struct keys_secret *k = keys_text_alloc(sizeof *k);
    char *text = keys_text_alloc(KEYS_TEXT_MAX);
    int result = -1;

    if (k != NULL && text != NULL) {
        memset(k, 0, sizeof *k);
        result = strncmp(name, "env:", 4) == 0 ? read_variable(k, name, look)
                                               : read_file(k, name, text);
    }
    keys_text_free(text);
    *out = result == 0 ? k : NULL;
    if (result != 0)
        keys_secret_free(k);
    return result;
}

int keys_secret_read(const char *name, struct keys_secret **out)
{
    return read_secret(name, false, out);
}

int keys_secret_look(const char *name, struct keys_secret **out)
{
    return read_secret(name, true, out);
}

void keys_secret_free(struct keys_secret *k)
{
    keys_text_free(k);
}

/* Locks or unlocks: the same exclusive or.  0, or -1: scrypt had not enough
 * memory. */
static int toggle(uint8_t *wire, const char *password)
{
    uint8_t *stream = keys_text_alloc(LOCKED);
    int result = -1;

    if (stream == NULL)
        return -1;
    result = crypto_pwhash_scryptsalsa208sha256(
        stream, LOCKED, password, strlen(password), wire + AT_SALT,
        get64(wire + AT_OPS), (size_t)get64(wire + AT_MEM));
    for (size_t i = 0; result == 0 && i < LOCKED; i++)
        wire[AT_ID + i] ^= stream[i];
    keys_text_free(stream);
    return result;
}

static int check_limits(const struct keys_secret *k, const char *name)
{
    uint64_t ops = get64(k->wire + AT_OPS), mem = get64(k->wire + AT_MEM);

    if (ops > OPS_MAX || mem > MEM_MAX || mem != (size_t)mem ||
        (ops > mem && ops > OPS_MIN))
        return diag_error(
            DIAG_KEY,
            "'%s' asks for more work than any minisign key: it is not unlocked",
            name);
    return 0;
}

int keys_secret_unlock(struct keys_secret *k, const char *name,
                       const char *password)
{
    if (k->unlocked)
        return 0;
    if (check_limits(k, name) != 0)
        return -1;
    if (toggle(k->wire, password) != 0)
        return diag_error(
            DIAG_KEY, "cannot unlock '%s': that takes %llu MiB of memory", name,
            (unsigned long long)get64(k->wire + AT_MEM) >> 20);
    if (!check_fits(k))
        return diag_error(DIAG_KEY, "wrong password for '%s'", name);
    return accept(k, name);
}

int keys_secret_new(struct keys_secret **out)
{
    struct keys_secret *k = keys_text_alloc(sizeof *k);
    uint8_t public[crypto_sign_PUBLICKEYBYTES];

    *out = k;
    if (k == NULL)
        return -1;
    memset(k, 0, sizeof *k);
    memcpy(k->wire + AT_ALG, "Ed", 2);
    memcpy(k->wire + AT_CHECK_ALG, "B2", 2);
    randombytes_buf(k->wire + AT_ID, OTA_KEY_ID);
    crypto_sign_keypair(public, k->wire + AT_KEY);
    check_of(k->wire, k->wire + AT_CHECK);
    return accept(k, "the new key");
}

/* Half of the memory as often as needed, as minisign does: a key that is
 * easier to guess the password of, but a key. */
static int lock(uint8_t *wire, const char *password)
{
    uint64_t ops = OPS_DEFAULT, mem = MEM_DEFAULT;

    memcpy(wire + AT_KDF, "Sc", 2);
    randombytes_buf(wire + AT_SALT, AT_OPS - AT_SALT);
    for (; mem >= MEM_LEAST; ops /= 2, mem /= 2) {
        put64(wire + AT_OPS, ops);
        put64(wire + AT_MEM, mem);
        if (toggle(wire, password) != 0)
            continue;
        if (mem != MEM_DEFAULT)
            diag_warning("little memory: the password guards the key less "
                         "well than usual");
        return 0;
    }
    return diag_no_memory();
}

int keys_secret_text(const struct keys_secret *k, const char *password,
                     char line[KEYS_SECRET_LINE])
{
    uint8_t *wire = keys_text_alloc(KEYS_SECRET);
    int result = 0;

    if (wire == NULL)
        return -1;
    memcpy(wire, k->wire, KEYS_SECRET);
    if (password != NULL)
        result = lock(wire, password);
    if (result == 0)
        sodium_bin2base64(line, KEYS_SECRET_LINE, wire, KEYS_SECRET,
                          sodium_base64_VARIANT_ORIGINAL);
    keys_text_free(wire);
    return result;
}

const uint8_t *keys_secret_key(const struct keys_secret *k)
{
    return k->wire + AT_KEY;
}

bool keys_secret_public(const uint8_t wire[KEYS_SECRET],
                        uint8_t key[OTA_PUBLIC_KEY])
{
    if (wire[AT_KDF] != 0)
        return false;
    take_public(wire, key);
    return true;
}
