/* What verify, unpack and show have in common: the options that say as which
 * device a bundle is read, and how a refusal is told. */
#ifndef CLI_READING_H
#define CLI_READING_H

#include "config/fleet.h"
#include "pack/unpack.h"
#include "cmd.h"

struct reading {
    struct unpack_options options;
    uint8_t keys[OTA_KEYS][OTA_PUBLIC_KEY];
    uint8_t device_key[OTA_DEVICE_KEY]; /* locked and wiped */
};

/* Values of the options without a letter. */
enum {
    READING_DEVICE = 300,
    READING_DEVICE_KEY,
    READING_BASE,
    READING_PAYLOADS,
    READING_ABOVE,
    READING_HARDWARE,
    READING_TIME
};

/* Those of all three subcommands, and those of verify and unpack. */
#define READING_SHORT "k:"
#define READING_ARG(name, value)                                               \
    {                                                                          \
        name, required_argument, NULL, value                                   \
    }
#define READING_LONG                                                           \
    READING_ARG("key", 'k'), READING_ARG("device-key", READING_DEVICE_KEY),    \
        READING_ARG("base", READING_BASE),                                     \
        READING_ARG("payloads", READING_PAYLOADS)
#define READING_DEVICE_LONG                                                    \
    READING_ARG("device", READING_DEVICE),                                     \
        READING_ARG("above", READING_ABOVE),                                   \
        READING_ARG("hardware", READING_HARDWARE),                             \
        READING_ARG("time", READING_TIME)

/* The clock is this machine's until --time is taken. */
void reading_init(struct reading *r);
void reading_release(struct reading *r);

/* For cmd_options(): ctx is the struct reading. */
int reading_take(int c, const char *arg, void *ctx);

/* Without -k the key is the configuration's, as publish uses it.  0, or -1
 * (reported). */
int reading_need_key(struct reading *r, const struct cmd_global *g);

/* Whether `file` is there, or is no name of a device or release; else that is
 * reported. */
bool reading_is_file(const struct cmd_global *g, const char *file);

/* Says that the bundle was refused: one line, or one object of `type`; it
 * counts as DIAG_VERIFY. */
void reading_refused(const struct cmd_global *g, const char *type,
                     const char *file, const struct unpack_result *result);

/* The device's id as it is written, for JSON as on the server. */
const char *reading_device(const struct ota_manifest *m, char *out,
                           size_t size);
void reading_device_hex(const struct ota_manifest *m, char out[DEVICE_HEX]);

#endif
