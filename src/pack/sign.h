/* Manifests for devices, signed; and .otab files. */
#ifndef PACK_SIGN_H
#define PACK_SIGN_H

#include "keys/keys.h"
#include "payload.h"

/* A signed manifest. */
struct sign_manifest {
    uint16_t len;
    uint8_t bytes[OTA_MANIFEST_MAX];
};

/* A manifest that is to be made. */
struct sign_request {
    struct ota_manifest manifest; /* device, device_len, key_id: set here */
    const struct ota_alternative *alternatives;
    const struct device_id *id;
};

/* Makes `count` manifests, of any contents: as many at once as the signer
 * takes.  0, or -1 (reported). */
int sign_manifests(struct signer *s, const struct sign_request *requests,
                   size_t count, struct sign_manifest *out);

/* One, signed by a key that is made for it and forgotten; its public half is
 * put into `key`.  To read a payload whose name is trusted already. */
void sign_throwaway(const struct sign_request *r, struct sign_manifest *out,
                    uint8_t key[OTA_PUBLIC_KEY]);

/* Writes manifest and payload to `path` under a temporary name beside it,
 * synced and renamed; folders are made.  0, or -1 and nothing is left. */
int sign_write_otab(const char *path, const struct sign_manifest *manifest,
                    const struct payload *payload);

/* Seconds since 1970 for `created`: SOURCE_DATE_EPOCH or the clock.  0, or -1
 * where the variable is no number (DIAG_USAGE). */
int sign_time(uint64_t *now);

#endif
