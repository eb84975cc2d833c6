/* The manifest's frame, for a reader that gets its bytes one by one. */
#ifndef BUNDLE_MANIFEST_H
#define BUNDLE_MANIFEST_H

#include <ota/bundle.h>

/* Looks at the first `have` bytes of a manifest: all that is needed to find
 * the signature.  OTA_OK: `*need` bytes are the whole manifest and are there.
 * OTA_ERR_TRUNCATED: `*need` bytes are needed to go on.  Else the error. */
int ota_manifest_frame(const uint8_t *buf, size_t have, size_t *need);

/* The device's key, OTA_PUBLIC_KEY bytes, that a manifest whose frame is good
 * names as its signer; NULL if it trusts none of that id. */
const uint8_t *ota_manifest_signer(const uint8_t *buf,
                                   const struct ota_device *device);

#endif
