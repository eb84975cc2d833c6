/* The manifest's frame, for a reader that gets its bytes one by one. */
#ifndef BUNDLE_MANIFEST_H
#define BUNDLE_MANIFEST_H

#include <ota/bundle.h>

/* Looks at the first `have` bytes of a manifest: all that is needed to find
 * the signature.  OTA_OK: `*need` bytes are the whole manifest and are there.
 * OTA_ERR_TRUNCATED: `*need` bytes are needed to go on.  Else the error. */
int ota_manifest_frame(const uint8_t *buf, size_t have, size_t *need);

#endif
