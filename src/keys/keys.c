/* Public keys, key ids, and new key pairs. */
#include "keys.h"
#include "keys_secret.h"
#include "base/tempfile.h"
#include "bundle/format.h"
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

void keys_id_text(const uint8_t key_id[OTA_KEY_ID], char out[KEYS_ID_TEXT])
{
    snprintf(out, KEYS_ID_TEXT, "%016" PRIx64, get64(key_id));
}

static bool is_public(const uint8_t *key, size_t len)
{
    return len == OTA_PUBLIC_KEY && memcmp(key, "Ed", 2) == 0;
}

int keys_take_public(const char *name, const char *text, size_t len,
                     uint8_t key[OTA_PUBLIC_KEY])
{
    uint8_t wire[KEYS_SECRET];
    size_t chars;
    int result = 0;

    len = keys_token_find(text, len, wire, &chars);
    if (len == KEYS_SECRET)
        result = diag_error(
            DIAG_KEY,
            "'%s' is a secret key: give the public one, which ends in .pub",
            name);
    else if (!is_public(wire, len))
        result =
            diag_error(DIAG_KEY, "'%s' is not a minisign public key", name);
    else
        memcpy(key, wire, OTA_PUBLIC_KEY);
    sodium_memzero(wire, sizeof wire);
    return result;
}

/* Not shown: a secret key that was given instead of its file's name. */
#define NAMELESS "(a line of base64)"

int keys_read_public(const char *path, uint8_t key[OTA_PUBLIC_KEY])
{
    char text[KEYS_TEXT_MAX];
    uint8_t wire[KEYS_SECRET];
    size_t len = strlen(path);
    size_t got = keys_text_decode(path, len, wire, sizeof wire);
    bool line = is_public(wire, got) || got == KEYS_SECRET;
    int result;

    sodium_memzero(wire, sizeof wire);
    if (line)
        return keys_take_public(NAMELESS, path, len, key);
    result = keys_text_read(path, text, &len, NULL);
    if (result == 0)
        result = keys_take_public(path, text, len, key);
    sodium_memzero(text, sizeof text);
    return result;
}

static int refuse_existing(const char *path)
{
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    return diag_error(
        DIAG_KEY,
        "'%s' already exists: keys are never overwritten, choose another name",
        path);
}

static int write_secret(struct tempfile *t, const char *path,
                        const struct keys_secret *k, const char *password)
{
    static const char *const comments[] = {
        "untrusted comment: minisign secret key\n",
        "untrusted comment: minisign encrypted secret key\n"};
    const char *comment = comments[password != NULL];
    char *line = keys_text_alloc(KEYS_SECRET_LINE);
    int result = -1;

    if (line == NULL)
        return -1;
    if (keys_secret_text(k, password, line) == 0 &&
        tempfile_open(t, path, 0600) == 0 &&
        tempfile_write(t, comment, strlen(comment)) == 0 &&
        tempfile_write(t, line, strlen(line)) == 0)
        result = tempfile_write(t, "\n", 1);
    keys_text_free(line);
    return result;
}

static int write_public(struct tempfile *t, const char *path,
                        const struct keys_secret *k)
{
    char line[KEYS_PUBLIC_LINE], text[128];
    int len;

    sodium_bin2base64(line, sizeof line, k->public, OTA_PUBLIC_KEY,
                      sodium_base64_VARIANT_ORIGINAL);
    len =
        snprintf(text, sizeof text,
                 "untrusted comment: minisign public key %016" PRIX64 "\n%s\n",
                 get64(k->public + KEY_ID), line);
    if (tempfile_open(t, path, 0666) != 0)
        return -1;
    return tempfile_write(t, text, (size_t)len);
}

/* The secret key first: alone it is of use, a public key alone is not. */
static int generate(const char *key_path, const char *pub_path,
                    const char *password)
{
    struct tempfile key = TEMPFILE_NONE, pub = TEMPFILE_NONE;
    struct keys_secret *k = NULL;
    int result = -1;

    if (keys_secret_new(&k) == 0 &&
        write_secret(&key, key_path, k, password) == 0 &&
        write_public(&pub, pub_path, k) == 0 &&
        tempfile_commit_new(&key) == 0) {
        result = tempfile_commit_new(&pub);
        if (result != 0)
            unlink(key_path);
    }
    tempfile_discard(&key);
    tempfile_discard(&pub);
    keys_secret_free(k);
    return result;
}

static int pair_paths(const char *name, char key[PATH_MAX], char pub[PATH_MAX])
{
    if (strlen(name) > PATH_MAX - sizeof ".key")
        return diag_error(DIAG_KEY, "'%s' is too long for a file's name", name);
    snprintf(key, PATH_MAX, "%s.key", name);
    snprintf(pub, PATH_MAX, "%s.pub", name);
    return 0;
}

int keys_generate_check(const char *name)
{
    char key[PATH_MAX], pub[PATH_MAX];

    if (pair_paths(name, key, pub) != 0 || refuse_existing(key) != 0)
        return -1;
    return refuse_existing(pub);
}

int keys_generate(const char *name, const char *password)
{
    char key[PATH_MAX], pub[PATH_MAX];

    if (keys_generate_check(name) != 0 || pair_paths(name, key, pub) != 0)
        return -1;
    return generate(key, pub, password);
}
