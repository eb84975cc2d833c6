/* Keys: the agent's only file with libsodium. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include <unistd.h>

#include "bundle/format.h"
#include "say.h"
#include "trust.h"

enum { TEXT_MAX = 1024 };

static const char space[] = " \t\r\n";

/* At most TEXT_MAX bytes and a NUL; the length, or -1 with errno. */
static ssize_t read_text(const char *path, char text[TEXT_MAX + 1])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), saved;
    size_t len = 0;
    ssize_t n = fd < 0 ? -1 : 1;

    while (n > 0 && len < TEXT_MAX) {
        n = read(fd, text + len, TEXT_MAX - len);
        len += n > 0 ? (size_t)n : 0;
    }
    saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    text[len] = '\0';
    return n < 0 ? -1 : (ssize_t)len;
}

/* The base64 line of a minisign public key, with or without its comment. */
static bool decode_key(const char *text, uint8_t key[OTA_PUBLIC_KEY])
{
    static const char comment[] = "untrusted comment:";
    const char *newline = strchr(text, '\n');
    size_t len;

    if (newline && strncmp(text, comment, sizeof(comment) - 1) == 0)
        text = newline + 1;
    return sodium_base642bin(key, OTA_PUBLIC_KEY, text, strcspn(text, space),
                             NULL, &len, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           len == OTA_PUBLIC_KEY && memcmp(key, "Ed", 2) == 0;
}

int trust_add(struct trust *t, const struct options *o, const char *key)
{
    char text[TEXT_MAX + 1];

    if (t->key_count == OTA_KEYS)
        return options_wrong(o, EXIT_USAGE, key,
                             "a device trusts at most %d keys", OTA_KEYS);
    if (!decode_key(key, t->keys[t->key_count])) {
        if (read_text(key, text) < 0)
            return options_wrong(o, EXIT_KEY, key,
                                 "cannot read the key '%s': %s", key,
                                 strerror(errno));
        if (!decode_key(text, t->keys[t->key_count]))
            return options_wrong(o, EXIT_KEY, key,
                                 "'%s' is not a minisign public key", key);
    }
    t->key_count++;
    return 0;
}

int trust_device_key(struct trust *t, const struct options *o)
{
    const char *path = o->device_key;
    char text[TEXT_MAX + 1];
    ssize_t len = read_text(path, text);
    const char *end;
    size_t got = 0;
    int status = 0;

    if (len < 0)
        status = options_wrong(o, EXIT_KEY, path,
                               "cannot read the device key '%s': %s", path,
                               strerror(errno));
    else if (sodium_hex2bin(t->device_key, OTA_DEVICE_KEY, text, (size_t)len,
                            space, &got, &end) != 0 ||
             got != OTA_DEVICE_KEY || *end)
        status = options_wrong(o, EXIT_KEY, path,
                               "'%s' is not a device key (%d hex digits)", path,
                               2 * OTA_DEVICE_KEY);
    sodium_memzero(text, sizeof(text));
    t->has_device_key = status == 0;
    return status;
}

/* ota-publish(7), Names: hash("ota-pack name" || device key), its first 32 hex
 * digits. */
void trust_keyed_name(const struct trust *t, char out[TRUST_NAME])
{
    static const char what[] = "ota-pack name";
    uint8_t in[sizeof(what) - 1 + OTA_DEVICE_KEY];
    uint8_t hash[crypto_hash_sha512_BYTES];

    memcpy(in, what, sizeof(what) - 1);
    memcpy(in + sizeof(what) - 1, t->device_key, OTA_DEVICE_KEY);
    crypto_hash_sha512(hash, in, sizeof(in));
    sodium_bin2hex(out, TRUST_NAME, hash, (TRUST_NAME - 1) / 2);
    sodium_memzero(in, sizeof(in));
}

/* Hardware, lowest version and id are what else a refusal may come from. */
void trust_mark(const struct trust *t, const struct ota_install_config *c,
                char out[TRUST_MARK])
{
    uint8_t hash[crypto_hash_sha512_BYTES];
    char text[64];
    crypto_hash_sha512_state s;
    int len = snprintf(text, sizeof(text), "%u %lu %u ", c->device.hardware,
                       (unsigned long)c->lowest, c->device.id_len);

    crypto_hash_sha512_init(&s);
    crypto_hash_sha512_update(&s, (const uint8_t *)text, (size_t)len);
    crypto_hash_sha512_update(&s, c->device.id, sizeof(c->device.id));
    crypto_hash_sha512_update(&s, t->keys[0], t->key_count * OTA_PUBLIC_KEY);
    crypto_hash_sha512_final(&s, hash);
    sodium_bin2hex(out, TRUST_MARK, hash, (TRUST_MARK - 1) / 2);
}

/* -- ids --------------------------------------------------------------------
 */

/* The id as minisign prints it: the 64-bit number in hex. */
static size_t add_id(char ids[TRUST_IDS][TRUST_ID_TEXT], size_t count,
                     const uint8_t *key)
{
    char *out = ids[count];
    size_t i;

    snprintf(out, TRUST_ID_TEXT, "%016" PRIx64, get64(key + KEY_ID));
    for (i = 0; i < count; i++) {
        if (strcmp(ids[i], out) == 0)
            return count;
    }
    return count + 1;
}

/* Who is trusted is the installer's to decide: this is only about what to ask
 * for, so neither checksum nor which file is in force matter. */
static size_t add_kept(const struct ota_port *port, const char *path,
                       char ids[TRUST_IDS][TRUST_ID_TEXT], size_t count)
{
    uint8_t buf[KEYS_HEAD + OTA_KEYS * OTA_PUBLIC_KEY];
    struct ota_stat st;
    int file, n, i, whole;

    if (port->stat(port->ctx, path, &st) != OTA_OK || st.kind != OTA_REGULAR)
        return count;
    file = port->open(port->ctx, path, OTA_OPEN_READ);
    if (file < 0)
        return count;
    n = port->read_at(port->ctx, file, 0, buf, sizeof(buf));
    port->close(port->ctx, file);
    if (n < KEYS_HEAD || memcmp(buf, KEYS_MAGIC, KEYS_COUNT) != 0 ||
        buf[KEYS_COUNT] > OTA_KEYS)
        return count;
    whole = (n - KEYS_HEAD) / OTA_PUBLIC_KEY;
    for (i = 0; i < buf[KEYS_COUNT] && i < whole; i++)
        count =
            add_id(ids, count, buf + KEYS_HEAD + (size_t)i * OTA_PUBLIC_KEY);
    return count;
}

size_t trust_ids(const struct trust *t, const struct ota_port *port,
                 char ids[TRUST_IDS][TRUST_ID_TEXT])
{
    size_t count = add_kept(port, ".ota/keys0", ids, 0), i;

    count = add_kept(port, ".ota/keys1", ids, count);
    for (i = 0; i < t->key_count; i++)
        count = add_id(ids, count, t->keys[i]);
    return count;
}

uint32_t trust_random(uint32_t n)
{
    return randombytes_uniform(n);
}

void trust_wipe(struct trust *t)
{
    sodium_memzero(t, sizeof(*t));
}
