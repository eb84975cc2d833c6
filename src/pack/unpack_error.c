/* What to add for people to the reader's error: which key, device, file. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "config/fleet.h"
#include "keys/keys.h"
#include "unpack_error.h"

/* Offsets of fields that are named although they were refused: ota-bundle(5),
 * Manifest. */
enum { FORMAT_AT = 4, KEY_ID_AT = 8 };

void unpack_error_at(struct unpack_result *result, const char *path)
{
    snprintf(result->at, sizeof result->at, "%s", path);
}

void unpack_error_missing(struct unpack_result *result, const char *path,
                          bool given)
{
    result->payload_missing = true;
    snprintf(result->detail, sizeof result->detail,
             "its payload is not at '%.300s'%s", path,
             given ? "" : ": name the folder of payloads with --payloads");
}

static void explain_key(struct unpack_result *result)
{
    char id[KEYS_ID_TEXT];

    keys_id_text(result->manifest_bytes + KEY_ID_AT, id);
    snprintf(result->detail, sizeof result->detail, "key id %s", id);
}

static void explain_device(struct unpack_result *result)
{
    struct device_id id = {.len = result->manifest.device_len};
    char text[DEVICE_TEXT];

    memcpy(id.bytes, result->manifest.device, sizeof id.bytes);
    device_id_text(&id, text);
    snprintf(result->detail, sizeof result->detail, "it is for %s", text);
}

void unpack_expired(uint64_t expires, uint64_t now, char *out, size_t size)
{
    char times[2][32] = {"?", "?"};
    const time_t t[2] = {(time_t)expires, (time_t)now};
    struct tm tm;

    for (unsigned i = 0; i < 2; i++)
        if (gmtime_r(&t[i], &tm))
            strftime(times[i], sizeof times[i], "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(out, size, "at %s, and the clock says %s", times[0], times[1]);
}

static void explain_manifest(struct unpack_result *result,
                             const struct ota_device *device)
{
    const struct ota_manifest *m = &result->manifest;
    char *detail = result->detail;
    size_t size = sizeof result->detail;

    if (result->error == OTA_ERR_FORMAT && result->head_len > FORMAT_AT)
        snprintf(detail, size, "format %u", result->manifest_bytes[FORMAT_AT]);
    else if (result->error == OTA_ERR_UNKNOWN_KEY)
        explain_key(result);
    else if (!result->has_manifest)
        return;
    else if (result->error == OTA_ERR_DEVICE)
        explain_device(result);
    else if (result->error == OTA_ERR_HARDWARE)
        snprintf(detail, size, "it is for hardware %u, this is %u", m->hardware,
                 device->hardware);
    else if (result->error == OTA_ERR_VERSION)
        snprintf(detail, size, "it is version %lu, the highest is %lu",
                 (unsigned long)m->version, (unsigned long)device->highest);
    else if (result->error == OTA_ERR_EXPIRED)
        unpack_expired(m->expires, device->now, detail, size);
}

void unpack_error_explain(struct unpack_result *result,
                          const struct ota_device *device)
{
    if (result->error == OTA_OK || *result->detail)
        return;
    if (*result->at)
        snprintf(result->detail, sizeof result->detail, "at '%s'", result->at);
    else
        explain_manifest(result, device);
}
