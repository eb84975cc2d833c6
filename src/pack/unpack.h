/* A bundle read back on the host with the device's own reader: the .otab, or
 * a published manifest and the payload that it names. */
#ifndef PACK_UNPACK_H
#define PACK_UNPACK_H

#include <signal.h>
#include <ota/bundle.h>

struct unpack_options {
    struct ota_device device; /* id_len 0: whatever device it is for */
    bool trust_any;           /* show: do not check signature and device */
    const char *payloads;     /* folder of payloads, or NULL: found */
    const char *base;         /* folder for deltas, or NULL */
    const char *into;         /* empty or new folder, or NULL: only read */
    const volatile sig_atomic_t *stop; /* not 0: end, or NULL */
};

/* What the bundle says, for show. */
struct unpack_entry {
    struct ota_file file; /* OTA_DELETE: only the path */
    bool has_base;
};

struct unpack_result {
    int error;             /* OTA_OK, or the reader's error */
    char detail[512];      /* what to add for people, or "" */
    bool other;            /* no bundle at all: detail says all */
    char at[OTA_PATH + 1]; /* the path at which it happened, or "" */
    bool has_manifest;     /* its fields are in their ranges */
    size_t head_len;       /* of manifest_bytes */
    uint8_t manifest_bytes[OTA_MANIFEST_MAX];
    struct ota_manifest manifest; /* its bytes: those above */
    bool published;               /* a manifest, its payload apart */
    bool payload_missing;         /* and not found (an OTA_ERR_TRUNCATED) */
    unsigned alternative;         /* that was read */
    struct unpack_entry *entries; /* owned, in record order */
    size_t entry_count;
    uint8_t key_count;
    uint8_t keys[OTA_KEYS][OTA_PUBLIC_KEY];
};

/* Reads `file`: an .otab, a manifest, a folder with a manifest; - is standard
 * input.  A payload is looked for in `payloads` of the options, else in the
 * folder payloads/ beside the manifest or two levels up.  Of a manifest's
 * deltas the first is taken that `base` fits, else the full payload.  A delta's
 * result in `into` has the other files of `base`, too.  Returns 0 if the
 * reading came to an end, good or bad (result->error); -1 if this machine
 * failed (a file cannot be opened or written: reported) or was stopped.  Unless
 * all is well nothing is left in `into`.  The result is to be released in any
 * case. */
int unpack_run(const char *file, const struct unpack_options *options,
               struct unpack_result *result);
void unpack_result_release(struct unpack_result *result);

#endif
