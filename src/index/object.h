/* The names of objects: ota-publish(7), Names. */
#ifndef INDEX_OBJECT_H
#define INDEX_OBJECT_H

#include "config/fleet.h"
#include <ota/bundle.h>

/* The longest one, and NUL. */
enum { OBJECT_NAME = sizeof "payloads/00/" + 2 * OTA_HASH };

/* 2 * len digits and NUL. */
void object_hex(const uint8_t *bytes, size_t len, char *out);

/* The other way round; false: it is not 2 * len small digits. */
bool object_unhex(const char *text, size_t len, uint8_t *out);

/* devices/<id>/manifest */
void object_manifest(const struct device_id *id, char out[OBJECT_NAME]);

/* payloads/<2 hex>/<64 hex>, of the hash of its first chunk. */
void object_payload(const uint8_t hash[OTA_HASH], char out[OBJECT_NAME]);

#endif
