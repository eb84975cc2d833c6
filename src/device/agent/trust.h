/* Whom this device trusts, and its own key. */
#ifndef AGENT_TRUST_H
#define AGENT_TRUST_H

#include <ota/install.h>

#include "options.h"

enum {
    TRUST_IDS = 3 * OTA_KEYS, /* given, and in both key files of .ota */
    TRUST_ID_TEXT = 17,       /* 16 hex digits and NUL */
    TRUST_MARK = 17,          /* the same */
    TRUST_NAME = 33           /* 32 hex digits and NUL */
};

struct trust {
    uint8_t keys[OTA_KEYS][OTA_PUBLIC_KEY];
    size_t key_count;
    uint8_t device_key[OTA_DEVICE_KEY];
    bool has_device_key;
};

/* Adds a public key, one of the texts of `o`: a minisign file, or its base64
 * line.  0, or an exit status after the message. */
int trust_add(struct trust *t, const struct options *o, const char *key);

/* Reads the device key that `o` names, 64 hex digits.  The same. */
int trust_device_key(struct trust *t, const struct options *o);

/* The name under which a device with this key finds its manifest. */
void trust_keyed_name(const struct trust *t, char out[TRUST_NAME]);

/* Tells apart what a device was given to judge by: the keys, in order, and what
 * `c` says of it. */
void trust_mark(const struct trust *t, const struct ota_install_config *c,
                char out[TRUST_MARK]);

/* The ids of all keys that may be trusted here, as in names. */
size_t trust_ids(const struct trust *t, const struct ota_port *port,
                 char ids[TRUST_IDS][TRUST_ID_TEXT]);

/* A number from 0 to below `n`, at random. */
uint32_t trust_random(uint32_t n);

void trust_wipe(struct trust *t);

#endif
