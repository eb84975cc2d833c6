/* Bundles for the tests, from sets of files: full, and as a delta against
 * another set. */
#ifndef BUNDLE_H
#define BUNDLE_H

#include <ota/install.h>

enum { BUNDLE_PAYLOAD = 1 << 17 };

struct item {
    const char *path, *bytes;
    unsigned mode;
    enum ota_type type; /* OTA_FILE if 0, or OTA_SLOT */
};

/* In record order: slots first, then files by path. */
struct set {
    const struct item *item;
    size_t count;
};

struct bundle {
    uint8_t manifest[OTA_MANIFEST_MAX];
    size_t manifest_len;
    uint8_t payload[2][BUNDLE_PAYLOAD]; /* the delta if there is one; full */
    size_t payload_len[2];
    unsigned alternatives;
    uint8_t release[OTA_DIGEST];
};

struct bundle_options {
    unsigned version;
    const struct bundle *base; /* makes a delta, too */
    const struct set *base_set;
    const struct set *other_base; /* what the delta believes is there */
    const char *const *deletes;   /* besides what the base had, in order */
    size_t delete_count;          /* of these */
    const uint8_t (*keys)[OTA_PUBLIC_KEY];
    size_t key_count;
    unsigned signer; /* 0 or 1 */
    bool spoil;      /* the release digest is wrong */
};

/* The two keys that sign. */
const uint8_t *bundle_key(unsigned signer);
/* The device that all are for. */
void bundle_device(struct ota_device *device);

void bundle_make(struct bundle *b, const struct set *set,
                 const struct bundle_options *o);

#endif
