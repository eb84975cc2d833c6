/* What a reader refuses, in words. */
#include <ota/bundle.h>

const char *ota_strerror(int err)
{
    switch ((enum ota_err)err) {
    case OTA_OK:
        return "ok";
    case OTA_ERR_TRUNCATED:
        return "it ends before it should: fetch it again";
    case OTA_ERR_MAGIC:
        return "not a bundle";
    case OTA_ERR_FORMAT:
        return "a newer format: update the reader first";
    case OTA_ERR_RESERVED:
        return "a field of the manifest is out of its range";
    case OTA_ERR_UNKNOWN_KEY:
        return "signed by a key that is not trusted here";
    case OTA_ERR_SIGNATURE:
        return "the signature does not verify: do not use it";
    case OTA_ERR_DEVICE:
        return "made for another device";
    case OTA_ERR_HARDWARE:
        return "made for other hardware";
    case OTA_ERR_FAILED_BEFORE:
        return "this version was undone here: publish a higher one";
    case OTA_ERR_VERSION:
        return "not above the highest version so far";
    case OTA_ERR_EXPIRED:
        return "past its time: publish it again";
    case OTA_ERR_MEMORY:
        return "needs more memory than the reader has: pack for less ram";
    case OTA_ERR_SPACE:
        return "needs more space than the device has free";
    case OTA_ERR_CHUNK:
        return "a chunk of the payload is damaged or not the right one";
    case OTA_ERR_DEFLATE:
        return "a segment of the payload is not one deflate stream";
    case OTA_ERR_RECORD:
        return "a record of the payload breaks the rules";
    case OTA_ERR_PATH:
        return "a path that the device cannot or must not write";
    case OTA_ERR_BASE:
        return "the file that the delta builds on is missing or different: "
               "take the full payload";
    case OTA_ERR_SLOT:
        return "no such slot on this device, or it is too small";
    case OTA_ERR_CONTENT:
        return "what was written does not have the stated hash";
    case OTA_ERR_TRAILING:
        return "bytes follow the end";
    case OTA_ERR_DEVICE_KEY:
        return "encrypted, and there is no device key, or one that does not "
               "fit";
    case OTA_ERR_STATE:
        return "not allowed in this phase, or the state is damaged";
    case OTA_ERR_IO:
        return "reading or writing failed";
    }
    return "unknown error";
}

const char *ota_error_name(int err)
{
    static const char *const names[] = {
        "ok",          "truncated", "magic",      "format",   "reserved",
        "unknown-key", "signature", "device",     "hardware", "failed-before",
        "version",     "expired",   "memory",     "space",    "chunk",
        "deflate",     "record",    "path",       "base",     "slot",
        "content",     "trailing",  "device-key", "state",    "io"};

    if (err > 0 || err <= -(int)(sizeof(names) / sizeof(*names)))
        return "unknown";
    return names[-err];
}
