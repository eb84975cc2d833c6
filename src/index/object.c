/* The names of objects. */
#include <stdio.h>

#include "base/hex.h"
#include "object.h"

void object_manifest(const struct device_id *id, char out[OBJECT_NAME])
{
    char hex[DEVICE_HEX];

    device_id_hex(id, hex);
    snprintf(out, OBJECT_NAME, "devices/%s/manifest", hex);
}

void object_payload(const uint8_t hash[OTA_HASH], char out[OBJECT_NAME])
{
    char name[2 * OTA_HASH + 1];

    hex_encode(hash, OTA_HASH, name);
    snprintf(out, OBJECT_NAME, "payloads/%.2s/%s", name, name);
}
