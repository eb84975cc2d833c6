/* Manifests for many devices at once, .otab files, and the time in both. */
#include "sign.h"
#include "base/tempfile.h"
#include "bundle/format.h"
#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The end of the year 9999: nothing that adds a lifetime overflows. */
#define TIME_MAX UINT64_C(253402300799)

struct hex {
    char text[DEVICE_HEX];
};

static void encode(const uint8_t *key, const struct sign_request *r,
                   struct sign_manifest *out)
{
    struct ota_manifest m = r->manifest;

    memcpy(m.key_id, key + KEY_ID, OTA_KEY_ID);
    memcpy(m.device, r->id->bytes, sizeof m.device);
    m.device_len = r->id->len;
    out->len = (uint16_t)ota_manifest_encode(&m, r->alternatives, out->bytes);
}

int sign_manifests(struct signer *s, const struct sign_request *requests,
                   size_t count, struct sign_manifest *out)
{
    struct signer_job *jobs = calloc(count + 1, sizeof *jobs);
    struct hex *hex = calloc(count + 1, sizeof *hex);
    int rc = -1;

    if (jobs == NULL || hex == NULL) {
        diag_no_memory();
        goto out;
    }
    for (size_t i = 0; i < count; i++) {
        encode(signer_public(s), &requests[i], &out[i]);
        device_id_hex(requests[i].id, hex[i].text);
        jobs[i].message = out[i].bytes;
        jobs[i].len = out[i].len - (size_t)SIGNATURE;
        jobs[i].device = hex[i].text;
        jobs[i].signature = out[i].bytes + jobs[i].len;
    }
    rc = signer_sign(s, jobs, count);
out:
    free(hex);
    free(jobs);
    return rc;
}

void sign_throwaway(const struct sign_request *r, struct sign_manifest *out,
                    uint8_t key[OTA_PUBLIC_KEY])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    size_t len;

    memset(key, 0, OTA_PUBLIC_KEY);
    memcpy(key, "Ed", 2);
    crypto_sign_keypair(key + KEY_KEY, secret);
    encode(key, r, out);
    len = out->len - (size_t)SIGNATURE;
    crypto_sign_detached(out->bytes + len, NULL, out->bytes, len, secret);
    sodium_memzero(secret, sizeof secret);
}

/* Makes the folders above `path`; *made is how many were not there, from the
 * deepest up. */
static int make_folders(const char *path, unsigned *made)
{
    char dir[PATH_MAX];
    size_t len = strlen(path);

    *made = 0;
    if (len >= sizeof dir) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(dir, path, len + 1);
    for (char *slash = strchr(dir + 1, '/'); len > 0 && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(dir, 0777) == 0)
            ++*made;
        else if (errno != EEXIST)
            return -1;
        *slash = '/';
    }
    return 0;
}

static void remove_folders(const char *path, unsigned made)
{
    char dir[PATH_MAX];
    char *slash;

    snprintf(dir, sizeof dir, "%s", path);
    for (; made > 0 && (slash = strrchr(dir, '/')) != NULL; made--) {
        *slash = '\0';
        if (rmdir(dir) != 0)
            return;
    }
}

int sign_write_otab(const char *path, const struct sign_manifest *manifest,
                    const struct payload *payload)
{
    struct tempfile t = TEMPFILE_NONE;
    unsigned made;
    int rc = -1;

    if (make_folders(path, &made) != 0)
        diag_error(DIAG_FAILED, "cannot make the folder of '%s': %s", path,
                   strerror(errno));
    else if (tempfile_open(&t, path, 0666) == 0 &&
             tempfile_write(&t, manifest->bytes, manifest->len) == 0 &&
             tempfile_write(&t, payload->bytes, payload->alt.size) == 0)
        rc = tempfile_commit(&t);
    tempfile_discard(&t);
    if (rc != 0)
        remove_folders(path, made);
    return rc;
}

int sign_time(uint64_t *now)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char *end;

    if (text == NULL || *text == '\0') {
        *now = (uint64_t)time(NULL);
        return 0;
    }
    errno = 0;
    *now = strtoull(text, &end, 10);
    if (strspn(text, "0123456789") != strlen(text) || errno != 0 ||
        *now > TIME_MAX)
        return diag_error(
            DIAG_USAGE,
            "SOURCE_DATE_EPOCH is '%s': it must be seconds since 1970", text);
    return 0;
}
