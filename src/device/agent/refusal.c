/* ota-install(7), ETag: only what a trusted key signed, and what stays as it is
 * until somebody publishes, is final.  Anybody on the line can cause a bad
 * signature or an unknown key, and what the device's disk, clock or memory did
 * may be over at the next poll. */
#include "refusal.h"
#include "say.h"

static const struct refusal {
    int err, status;
    bool final;
    const char *next;
} table[] = {
    {OTA_CURRENT, EXIT_DONE, true, ""},
    {OTA_ERR_DEVICE, EXIT_REFUSED, true, ": is '--device' right?"},
    {OTA_ERR_VERSION, EXIT_REFUSED, true, ": publish a higher one"},
    {OTA_ERR_FAILED_BEFORE, EXIT_REFUSED, true, ""},
    {OTA_ERR_HARDWARE, EXIT_REFUSED, false, ": is '--hardware' right?"},
    {OTA_ERR_SIGNATURE, EXIT_REFUSED, false, ""},
    {OTA_ERR_UNKNOWN_KEY, EXIT_REFUSED, false,
     ": publish with the key that this device trusts, or give it the new "
     "public key by hand"},
    {OTA_ERR_RESERVED, EXIT_REFUSED, false, ": update ota-agent first"},
    {OTA_ERR_EXPIRED, EXIT_REFUSED, false,
     ", or set this device's clock if it is wrong"},
    {OTA_ERR_CHUNK, EXIT_REFUSED, false, ": fetch it again"},
    {OTA_ERR_TRAILING, EXIT_REFUSED, false, ": fetch it again"},
    {OTA_ERR_DEFLATE, EXIT_REFUSED, false, ": publish a higher version"},
    {OTA_ERR_RECORD, EXIT_REFUSED, false, ": publish a higher version"},
    {OTA_ERR_CONTENT, EXIT_REFUSED, false, ": publish a higher version"},
    {OTA_ERR_PATH, EXIT_REFUSED, false,
     ": clear what is in its way here and try again, or publish without it"},
    {OTA_ERR_SLOT, EXIT_REFUSED, false, ": see '--slot'"},
    {OTA_ERR_DEVICE_KEY, EXIT_REFUSED, false, ": see '--device-key'"},
    {OTA_ERR_MEMORY, EXIT_FAILED, false, ""},
    {OTA_ERR_SPACE, EXIT_FAILED, false, ": free some, then try again"},
    {OTA_ERR_IO, EXIT_FAILED, false, ": mend that, then try again"},
    {OTA_ERR_STATE, EXIT_STATE, false, ""},
};

/* Of what is not in the table: refused, and asked for again. */
static const struct refusal other = {0, EXIT_REFUSED, false, ""};

static const struct refusal *find(int err)
{
    size_t i;

    for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
        if (table[i].err == err)
            return &table[i];
    }
    return &other;
}

int refusal_exit(int err)
{
    return find(err)->status;
}

bool refusal_is_final(int err)
{
    return find(err)->final;
}

const char *refusal_next(int err)
{
    return find(err)->next;
}
