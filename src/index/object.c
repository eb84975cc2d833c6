/* The names of objects. */
#include <stdio.h>
#include <string.h>

#include "object.h"
#include "pack/payload.h"

void object_hex(const uint8_t *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool object_unhex(const char *text, size_t len, uint8_t *out)
{
    for (size_t i = 0; i < len; i++) {
        int high = digit_of(text[2 * i]);
        int low = high < 0 ? -1 : digit_of(text[2 * i + 1]);

        if (low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return text[2 * len] == '\0';
}

void object_manifest(const struct device_id *id, char out[OBJECT_NAME])
{
    char hex[DEVICE_HEX];

    device_id_hex(id, hex);
    snprintf(out, OBJECT_NAME, "devices/%s/manifest", hex);
}

void object_payload(const uint8_t hash[OTA_HASH], char out[OBJECT_NAME])
{
    struct ota_alternative a;
    char name[PAYLOAD_NAME];

    memcpy(a.link + 2, hash, OTA_HASH);
    payload_name(&a, name);
    snprintf(out, OBJECT_NAME, "payloads/%.2s/%s", name, name);
}
