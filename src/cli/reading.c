/* What verify, unpack and show have in common. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <sodium.h>

#include "base/diag.h"
#include "base/file.h"
#include "bundle/format.h"
#include "config/fleet.h"
#include "keys/keys.h"
#include "find_config.h"
#include "json.h"
#include "msg.h"
#include "reading.h"

void reading_init(struct reading *r)
{
    memset(r, 0, sizeof *r);
    sodium_mlock(r->device_key, sizeof r->device_key);
    r->options.device.keys = (const uint8_t(*)[OTA_PUBLIC_KEY])r->keys;
    r->options.device.now = (uint64_t)time(NULL);
    r->options.stop = &cmd_stopped;
}

void reading_release(struct reading *r)
{
    sodium_munlock(r->device_key, sizeof r->device_key);
}

static int take_key(struct reading *r, const char *arg)
{
    struct ota_device *device = &r->options.device;

    if (device->key_count == OTA_KEYS)
        return diag_error(DIAG_USAGE, "a device trusts at most %d keys",
                          OTA_KEYS);
    if (keys_read_public(arg, r->keys[device->key_count]))
        return -1;
    device->key_count++;
    return 0;
}

/* Its own folder's alone, not one beside the bundle: that is a stranger's. */
int reading_need_key(struct reading *r, const struct cmd_global *g)
{
    struct ota_device *device = &r->options.device;
    struct config *c = NULL;
    struct signer *s = NULL;
    char id[KEYS_ID_TEXT];

    if (device->key_count)
        return 0;
    if (!find_config_any(g))
        return diag_error(DIAG_USAGE,
                          "%s needs a public key: -k PUB, or the folder of an "
                          "'%s'",
                          g->cmd->name, g->config);
    if (!find_config(g, &c) && !diag_errors() && !signer_open(c, 1, &s)) {
        memcpy(r->keys[device->key_count++], signer_public(s), OTA_PUBLIC_KEY);
        keys_id_text(r->keys[0] + KEY_ID, id);
        if (g->verbose)
            diag_note("the key that is trusted is %s, of '%s'", id, c->path);
    }
    signer_free(s);
    config_free(c);
    return device->key_count ? 0 : -1;
}

/* Where its manifest is, as far as the configuration says. */
static char *folder_of(const struct config *c, const struct device *d)
{
    bool folder = c->server_count && c->servers->kind == SERVER_FOLDER;
    char *base = config_resolve(c, folder ? c->servers->url.text : "public"),
         *path, hex[DEVICE_HEX];
    size_t len = base ? strlen(base) : 0;

    while (len > 1 && base[len - 1] == '/')
        len--;
    device_id_hex(&d->id, hex);
    if (!base || asprintf(&path, "%.*s/devices/%s", (int)len, base, hex) < 0)
        path = NULL;
    free(base);
    return path;
}

static int say_name(const struct config *c, const char *word)
{
    const struct device *d = NULL;
    bool is_device = false;
    struct device_id id;
    char *folder;

    if (device_id_parse(word, strlen(word), &id))
        id.len = 0;
    assert(c->devices || !c->device_count);
    for (size_t i = 0; i < c->device_count && !d; i++) {
        const struct device *each = &c->devices[i];

        is_device = (id.len && device_id_compare(&id, &each->id) == 0) ||
                    (each->name && strcmp(each->name, word) == 0);
        if (is_device || !strcmp(c->releases[each->release].name.text, word))
            d = each;
    }
    folder = d ? folder_of(c, d) : NULL;
    if (folder && is_device)
        diag_error(DIAG_INPUT, "'%s' is a device: give its folder, %s", word,
                   folder);
    else if (folder)
        diag_error(DIAG_INPUT,
                   "'%s' is a release: give a device's folder, as %s, or say "
                   "'ota-pack verify --server %s'",
                   word, folder, word);
    free(folder);
    return d ? -1 : 0;
}

bool reading_is_file(const struct cmd_global *g, const char *file)
{
    struct config *c = NULL;
    struct stat st;
    int result = 0;

    if (strcmp(file, "-") == 0 || strchr(file, '/') || stat(file, &st) == 0 ||
        errno != ENOENT || !find_config_any(g))
        return true;
    if (!find_config(g, &c))
        result = say_name(c, file);
    config_free(c);
    return result == 0;
}

static int take_device(struct reading *r, const char *arg)
{
    struct device_id id;

    if (device_id_parse(arg, strlen(arg), &id))
        return diag_error(DIAG_USAGE,
                          "'%s' is not a device id (6 or 8 hex pairs)", arg);
    memcpy(r->options.device.id, id.bytes, sizeof id.bytes);
    r->options.device.id_len = id.len;
    return 0;
}

/* Hex digits and white space around them, nothing else; -1 if it is not. */
static int parse_device_key(uint8_t *key, const char *text, size_t len)
{
    const char *space = " \t\r\n";
    size_t key_len;

    while (len && strchr(space, text[len - 1]))
        len--;
    while (len && strchr(space, *text)) {
        text++;
        len--;
    }
    return sodium_hex2bin(key, OTA_DEVICE_KEY, text, len, NULL, &key_len,
                          NULL) == 0 &&
                   key_len == OTA_DEVICE_KEY
               ? 0
               : -1;
}

static int take_device_key(struct reading *r, const char *arg)
{
    char text[256];
    int fd = open(arg, O_RDONLY | O_CLOEXEC), status = 0;
    ssize_t len = fd < 0 ? -1 : file_read(fd, text, sizeof text);

    if (len < 0)
        status = diag_error(DIAG_KEY, "cannot read the device key '%s': %s",
                            arg, strerror(errno));
    else if (len == sizeof text ||
             parse_device_key(r->device_key, text, (size_t)len))
        status =
            diag_error(DIAG_KEY, "'%s' is not a device key (%d hex digits)",
                       arg, 2 * OTA_DEVICE_KEY);
    if (fd >= 0)
        close(fd);
    sodium_memzero(text, sizeof text);
    if (status == 0)
        r->options.device.device_key = r->device_key;
    return status;
}

static int take_number(struct reading *r, int c, const char *arg)
{
    struct ota_device *device = &r->options.device;
    uint64_t value;

    if (c == READING_TIME)
        return cmd_number("--time", arg, 0, INT64_MAX, &device->now);
    if (c == READING_HARDWARE) {
        if (cmd_number("--hardware", arg, 0, UINT16_MAX, &value))
            return -1;
        device->hardware = (uint16_t)value;
        return 0;
    }
    if (cmd_number("--above", arg, 0, 0x7fffffff, &value))
        return -1;
    device->highest = (uint32_t)value;
    return 0;
}

int reading_take(int c, const char *arg, void *ctx)
{
    struct reading *r = ctx;

    switch (c) {
    case 'k':
        return take_key(r, arg);
    case READING_DEVICE:
        return take_device(r, arg);
    case READING_DEVICE_KEY:
        return take_device_key(r, arg);
    case READING_BASE:
        r->options.base = arg;
        return 0;
    case READING_PAYLOADS:
        r->options.payloads = arg;
        return 0;
    default:
        return take_number(r, c, arg);
    }
}

void reading_refused(const struct cmd_global *g, const char *type,
                     const char *file, const struct unpack_result *result)
{
    char message[sizeof result->detail + 256];
    struct json j;

    if (result->other)
        snprintf(message, sizeof message, "%s", result->detail);
    else
        snprintf(message, sizeof message, "%s%s%s%s",
                 ota_strerror(result->error), *result->detail ? " (" : "",
                 result->detail, *result->detail ? ")" : "");
    if (g->json) {
        json_begin(&j, stdout, type);
        json_string(&j, "file", file);
        json_bool(&j, "ok", false);
        json_string(&j, "error", ota_error_name(result->error));
        json_string(&j, "message", message);
        json_end(&j);
    } else {
        msg_text(stdout, file, strlen(file));
        printf(": %s: ", ota_error_name(result->error));
        msg_text(stdout, message, strlen(message));
        putchar('\n');
    }
    msg_count(DIAG_VERIFY);
}

void reading_device_hex(const struct ota_manifest *m, char out[DEVICE_HEX])
{
    struct device_id id = {.len = m->device_len};

    memcpy(id.bytes, m->device, sizeof id.bytes);
    device_id_hex(&id, out);
}

const char *reading_device(const struct ota_manifest *m, char *out, size_t size)
{
    struct device_id id = {.len = m->device_len};
    char text[DEVICE_TEXT];

    memcpy(id.bytes, m->device, sizeof id.bytes);
    device_id_text(&id, text);
    snprintf(out, size, "%s", text);
    return out;
}
