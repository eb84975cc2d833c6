/* What a store serves to a device, read with the device's own reader. */
#ifndef INDEX_SERVED_H
#define INDEX_SERVED_H

#include "index.h"
#include "object.h"
#include "store/each.h"
#include "store/store.h"

/* The manifest as of the device, which trusts `key` (OTA_PUBLIC_KEY bytes) and
 * has the time `now` (0: no clock).  *error is OTA_OK or what the device says
 * of it.  m borrows *bytes, to be freed; NULL: there is none.  0, or -1
 * (reported). */
int served_manifest(struct store *s, const uint8_t *key,
                    const struct device_id *id, uint64_t now,
                    struct ota_manifest *m, uint8_t **bytes, int *error);

/* Begins to read it for a served_manifest() to come: store_ops.ahead. */
void served_manifest_ahead(struct store *s, const struct device_id *id);

/* The payload's bytes, a->size of them, to be freed; NULL where it is not there
 * with that size.  0, or -1 (reported). */
int served_payload(struct store *s, const struct ota_alternative *a,
                   uint8_t **bytes);
/* The same for served_payload(). */
void served_payload_ahead(struct store *s, const struct ota_alternative *a);

/* Whether the a->size bytes are those that the alternative names, by the chain
 * of hashes alone: ota-bundle(5), Payload. */
bool served_is_whole(const struct ota_alternative *a, const uint8_t *bytes);

/* Reads a manifest that was checked, and then the payload of its last
 * alternative `a`, into `sink`.  *error is OTA_OK or what the reader says.  0,
 * or -1 (reported). */
int served_read(const uint8_t *key, const struct ota_manifest *m,
                const struct ota_alternative *a, const uint8_t *payload,
                const struct ota_sink *sink, int *error);

/* The same of what the index vouches for: its full payload's bytes, without a
 * manifest of anybody's. */
int served_content(const struct index_content *c, const uint8_t *payload,
                   const struct ota_sink *sink, int *error);

#endif
