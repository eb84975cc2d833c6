/* The names of objects: ota-publish(7), Names. */
#ifndef INDEX_OBJECT_H
#define INDEX_OBJECT_H

#include "config/fleet.h"
#include <ota/bundle.h>

/* The longest one, and NUL. */
enum { OBJECT_NAME = sizeof "payloads/00/" + 2 * OTA_HASH };

/* devices/<id>/manifest */
void object_manifest(const struct device_id *id, char out[OBJECT_NAME]);

/* payloads/<2 hex>/<64 hex>, of the hash of its first chunk. */
void object_payload(const uint8_t hash[OTA_HASH], char out[OBJECT_NAME]);

#endif
