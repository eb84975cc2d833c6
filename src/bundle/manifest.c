/* The manifest: decoded, verified, encoded.  ota-bundle(5), Manifest
 * and Order of the checks. */
#include "crypto.h"
#include "format.h"
#include "manifest.h"
#include "text.h"

#include <string.h>

static const uint8_t magic[4] = {'O', 'T', 'A', 'B'};
static const uint8_t zeros[OTA_DIGEST];

static size_t alternative_len(uint8_t flags)
{
    return flags & OTA_ENCRYPTED ? ALT_ENCRYPTED : ALT_PLAIN;
}

static size_t fields_length(uint8_t flags, uint8_t count)
{
    return MANIFEST_HEAD + count * alternative_len(flags) + SIGNATURE;
}

int ota_manifest_frame(const uint8_t *buf, size_t have, size_t *need)
{
    uint8_t flags, count;

    *need = sizeof(magic);
    if (have < *need)
        return OTA_ERR_TRUNCATED;
    if (memcmp(buf, magic, sizeof(magic)) != 0)
        return OTA_ERR_MAGIC;
    *need = MANIFEST_HEAD;
    if (have < *need)
        return OTA_ERR_TRUNCATED;
    if (buf[MANIFEST_FORMAT] != 1)
        return OTA_ERR_FORMAT;
    flags = buf[MANIFEST_FLAGS];
    count = buf[MANIFEST_COUNT];
    if ((flags & ~OTA_ENCRYPTED) != 0 || count < 1 || count > OTA_ALTERNATIVES)
        return OTA_ERR_RESERVED;
    *need = fields_length(flags, count);
    if (get16(buf + MANIFEST_LENGTH) != *need)
        return OTA_ERR_RESERVED;
    return have < *need ? OTA_ERR_TRUNCATED : OTA_OK;
}

static void decode_head(struct ota_manifest *m, const uint8_t *buf, size_t len)
{
    m->flags = buf[MANIFEST_FLAGS];
    m->alternatives = buf[MANIFEST_COUNT];
    m->device_len = buf[MANIFEST_DEVICE_LEN];
    memcpy(m->device, buf + MANIFEST_DEVICE, sizeof(m->device));
    memcpy(m->key_id, buf + MANIFEST_KEY_ID, sizeof(m->key_id));
    m->hardware = get16(buf + MANIFEST_HARDWARE);
    m->version = get32(buf + MANIFEST_VERSION);
    m->created = get64(buf + MANIFEST_CREATED);
    m->expires = get64(buf + MANIFEST_EXPIRES);
    memcpy(m->release, buf + MANIFEST_RELEASE, sizeof(m->release));
    memcpy(m->label, buf + MANIFEST_LABEL, OTA_LABEL);
    m->label[OTA_LABEL] = '\0';
    m->bytes = buf;
    m->bytes_len = len;
}

void ota_manifest_alternative(const struct ota_manifest *m, unsigned index,
                              struct ota_alternative *a)
{
    const uint8_t *p =
        m->bytes + MANIFEST_HEAD + index * alternative_len(m->flags);

    memset(a, 0, sizeof(*a));
    memcpy(a->base, p + ALT_BASE, sizeof(a->base));
    a->size = get32(p + ALT_SIZE);
    a->space = get32(p + ALT_SPACE);
    a->window_bits = p[ALT_WINDOW];
    a->chunk_max = get16(p + ALT_CHUNK_MAX);
    a->records = get16(p + ALT_RECORDS);
    memcpy(a->link, p + ALT_LINK, sizeof(a->link));
    if (m->flags & OTA_ENCRYPTED) {
        memcpy(a->wrapped_key, p + ALT_WRAPPED, sizeof(a->wrapped_key));
        memcpy(a->key_check, p + ALT_CHECK, sizeof(a->key_check));
    }
}

static bool label_ok(const uint8_t *label)
{
    size_t len = 0, i;

    while (len < OTA_LABEL && label[len] != 0)
        len++;
    for (i = len; i < OTA_LABEL; i++) {
        if (label[i] != 0)
            return false;
    }
    return ota_text_check((const char *)label, len);
}

static bool alternative_ok(const struct ota_manifest *m, unsigned index)
{
    struct ota_alternative a;
    bool full, last = index + 1U == m->alternatives;
    uint16_t first;

    ota_manifest_alternative(m, index, &a);
    full = memcmp(a.base, zeros, sizeof(zeros)) == 0;
    first = get16(a.link);
    return full == last && a.window_bits >= 9 && a.window_bits <= 15 &&
           m->bytes[MANIFEST_HEAD + index * alternative_len(m->flags) +
                    ALT_RESERVED] == 0 &&
           a.chunk_max >= 128 && a.chunk_max <= OTA_CHUNK_MAX &&
           (first & LINK_SEGMENT) != 0 &&
           (first & LINK_LENGTH) >= OTA_CHUNK_MIN &&
           (first & LINK_LENGTH) <= a.chunk_max;
}

/* The ranges of what the frame did not cover. */
static int check_ranges(const struct ota_manifest *m)
{
    unsigned i;

    if (m->device_len != 8 &&
        (m->device_len != 6 || m->device[6] != 0 || m->device[7] != 0))
        return OTA_ERR_RESERVED;
    if (m->version < 1 || m->version > 0x7fffffff)
        return OTA_ERR_RESERVED;
    if (!label_ok(m->bytes + MANIFEST_LABEL))
        return OTA_ERR_RESERVED;
    for (i = 0; i < m->alternatives; i++) {
        if (!alternative_ok(m, i))
            return OTA_ERR_RESERVED;
    }
    return OTA_OK;
}

int ota_manifest_decode(struct ota_manifest *m, const uint8_t *buf, size_t len)
{
    size_t need;
    int err = ota_manifest_frame(buf, len, &need);

    if (err != OTA_OK)
        return err;
    decode_head(m, buf, need);
    return check_ranges(m);
}

const uint8_t *ota_manifest_signer(const uint8_t *buf,
                                   const struct ota_device *device)
{
    size_t i;

    for (i = 0; i < device->key_count; i++) {
        if (memcmp(device->keys[i] + KEY_ID, buf + MANIFEST_KEY_ID,
                   OTA_KEY_ID) == 0)
            return device->keys[i];
    }
    return NULL;
}

static int check_signature(const uint8_t *buf, size_t len,
                           const struct ota_device *device)
{
    const uint8_t *key = ota_manifest_signer(buf, device);

    if (!key)
        return OTA_ERR_UNKNOWN_KEY;
    return ota_verify(buf + len - SIGNATURE, buf, len - SIGNATURE,
                      key + KEY_KEY)
               ? OTA_OK
               : OTA_ERR_SIGNATURE;
}

/* What the fields mean to this device, in the order of ota-bundle(5),
 * Refusals. */
static int check_meaning(const struct ota_manifest *m,
                         const struct ota_device *device)
{
    if (m->device_len != device->id_len ||
        memcmp(m->device, device->id, sizeof(m->device)) != 0)
        return OTA_ERR_DEVICE;
    if (m->hardware != 0 && device->hardware != 0 &&
        m->hardware != device->hardware)
        return OTA_ERR_HARDWARE;
    if (m->version == device->failed)
        return OTA_ERR_FAILED_BEFORE;
    if (m->version <= device->highest)
        return OTA_ERR_VERSION;
    if (m->expires != 0 && device->now != 0 && device->now >= m->created &&
        device->now > m->expires)
        return OTA_ERR_EXPIRED;
    return OTA_OK;
}

int ota_manifest_check(struct ota_manifest *m, const uint8_t *buf, size_t len,
                       const struct ota_device *device)
{
    size_t need;
    int err = ota_manifest_frame(buf, len, &need);

    if (err == OTA_OK)
        err = check_signature(buf, need, device);
    if (err == OTA_OK)
        err = ota_manifest_decode(m, buf, need);
    if (err == OTA_OK)
        err = check_meaning(m, device);
    return err;
}

static void encode_alternative(const struct ota_alternative *a, uint8_t flags,
                               uint8_t *p)
{
    memcpy(p + ALT_BASE, a->base, sizeof(a->base));
    put32(p + ALT_SIZE, a->size);
    put32(p + ALT_SPACE, a->space);
    p[ALT_WINDOW] = a->window_bits;
    p[ALT_RESERVED] = 0;
    put16(p + ALT_CHUNK_MAX, a->chunk_max);
    put16(p + ALT_RECORDS, a->records);
    memcpy(p + ALT_LINK, a->link, sizeof(a->link));
    if (flags & OTA_ENCRYPTED) {
        memcpy(p + ALT_WRAPPED, a->wrapped_key, sizeof(a->wrapped_key));
        memcpy(p + ALT_CHECK, a->key_check, sizeof(a->key_check));
    }
}

size_t ota_manifest_encode(const struct ota_manifest *m,
                           const struct ota_alternative *a, uint8_t *buf)
{
    size_t len = fields_length(m->flags, m->alternatives), label = 0;
    unsigned i;

    while (label < OTA_LABEL && m->label[label] != '\0')
        label++;
    memset(buf, 0, len);
    memcpy(buf, magic, sizeof(magic));
    buf[MANIFEST_FORMAT] = 1;
    buf[MANIFEST_FLAGS] = m->flags;
    put16(buf + MANIFEST_LENGTH, (uint16_t)len);
    memcpy(buf + MANIFEST_KEY_ID, m->key_id, sizeof(m->key_id));
    memcpy(buf + MANIFEST_DEVICE, m->device, sizeof(m->device));
    buf[MANIFEST_DEVICE_LEN] = m->device_len;
    buf[MANIFEST_COUNT] = m->alternatives;
    put16(buf + MANIFEST_HARDWARE, m->hardware);
    put32(buf + MANIFEST_VERSION, m->version);
    put64(buf + MANIFEST_CREATED, m->created);
    put64(buf + MANIFEST_EXPIRES, m->expires);
    memcpy(buf + MANIFEST_RELEASE, m->release, sizeof(m->release));
    memcpy(buf + MANIFEST_LABEL, m->label, label);
    for (i = 0; i < m->alternatives; i++)
        encode_alternative(&a[i], m->flags,
                           buf + MANIFEST_HEAD + i * alternative_len(m->flags));
    return len;
}
