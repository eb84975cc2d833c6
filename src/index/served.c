/* What a store serves to a device, read with the device's own reader. */
#include <stdlib.h>
#include <string.h>

#include "bundle/crypto.h"
#include "bundle/format.h"
#include "base/diag.h"
#include "pack/sign.h"
#include "served.h"

enum { MANIFEST_READ = 65536 }; /* more is no manifest: an error of the store */

static void set_device(struct ota_device *d, const uint8_t *key,
                       const uint8_t id[8], uint8_t id_len)
{
    *d = (struct ota_device){.id_len = id_len, .key_count = 1};
    memcpy(d->id, id, sizeof d->id);
    d->keys = (const uint8_t(*)[OTA_PUBLIC_KEY])key;
}

/* Whether no manifest, of whomever, looks so. */
static bool is_broken(int error)
{
    return error == OTA_ERR_MAGIC || error == OTA_ERR_TRUNCATED;
}

int served_manifest(struct store *s, const uint8_t *key,
                    const struct device_id *id, uint64_t now,
                    struct ota_manifest *m, uint8_t **bytes, int *error)
{
    struct ota_device device;
    char name[OBJECT_NAME];
    size_t len;
    int result;

    *error = OTA_ERR_TRUNCATED;
    object_manifest(id, name);
    result = store_get(s, name, MANIFEST_READ, bytes, &len);
    if (result)
        return result < 0 ? -1 : 0;
    set_device(&device, key, id->bytes, id->len);
    device.now = now;
    *error = ota_manifest_check(m, *bytes, len, &device);
    if (!is_broken(*error) || !store_is_strange(s, name, 0, len))
        return 0;
    free(*bytes);
    *bytes = NULL;
    return -1;
}

void served_manifest_ahead(struct store *s, const struct device_id *id)
{
    char name[OBJECT_NAME];

    object_manifest(id, name);
    store_ahead(s, STORE_GET, name, MANIFEST_READ);
}

int served_payload(struct store *s, const struct ota_alternative *a,
                   uint8_t **bytes)
{
    char name[OBJECT_NAME];
    size_t len;
    int result;

    object_payload(a->link + LINK_HASH, name);
    result = s->ops->get(s, name, a->size, bytes, &len);
    if (result < 0)
        return -1;
    if (s->source.known &&
        (result == STORE_LONG ||
         (*bytes && (len != a->size || !served_is_whole(a, *bytes)))) &&
        store_is_strange(s, name, 0, len)) {
        free(*bytes);
        *bytes = NULL;
        return -1;
    }
    if (*bytes && len != a->size) {
        free(*bytes);
        *bytes = NULL;
    }
    return 0;
}

void served_payload_ahead(struct store *s, const struct ota_alternative *a)
{
    char name[OBJECT_NAME];

    object_payload(a->link + LINK_HASH, name);
    store_ahead(s, STORE_GET, name, a->size);
}

bool served_is_whole(const struct ota_alternative *a, const uint8_t *bytes)
{
    uint8_t link[OTA_LINK], hash[OTA_HASH];
    size_t len = a->size, n;
    struct ota_hash h;

    memcpy(link, a->link, OTA_LINK);
    while ((n = get16(link) & LINK_LENGTH) != 0) {
        if (n < OTA_CHUNK_MIN || n > a->chunk_max || n > len)
            return false;
        ota_hash_init(&h);
        ota_hash_update(&h, bytes, n);
        ota_hash_final(&h, hash, OTA_HASH);
        if (memcmp(hash, link + LINK_HASH, OTA_HASH) != 0)
            return false;
        memcpy(link, bytes + n - OTA_LINK, OTA_LINK);
        bytes += n;
        len -= n;
    }
    return len == 0;
}

int served_read(const uint8_t *key, const struct ota_manifest *m,
                const struct ota_alternative *a, const uint8_t *payload,
                const struct ota_sink *sink, int *error)
{
    size_t room = OTA_READER_MEMORY(a->window_bits, a->chunk_max);
    void *arena = malloc(room);
    struct ota_reader *reader;
    struct ota_device device;

    if (!arena)
        return diag_no_memory();
    set_device(&device, key, m->device, m->device_len);
    reader = ota_reader_init(arena, room, &device, sink, OTA_CHOOSE_FULL);
    *error = reader ? ota_reader_feed(reader, m->bytes, m->bytes_len)
                    : OTA_ERR_MEMORY;
    if (!*error)
        *error = ota_reader_feed(reader, payload, a->size);
    if (!*error)
        *error = ota_reader_finish(reader);
    free(arena);
    return 0;
}

/* A manifest for nobody, signed by a key that is forgotten. */
int served_content(const struct index_content *c, const uint8_t *payload,
                   const struct ota_sink *sink, int *error)
{
    static const struct device_id nobody = {.len = 6};
    const struct ota_alternative *a = &c->payloads[c->payload_count - 1];
    struct sign_request request = {
        .manifest = {.alternatives = 1, .version = 1},
        .alternatives = a,
        .id = &nobody};
    struct sign_manifest signed_one;
    uint8_t key[OTA_PUBLIC_KEY];
    struct ota_manifest m;

    memcpy(request.manifest.release, c->digest, OTA_DIGEST);
    sign_throwaway(&request, &signed_one, key);
    *error = ota_manifest_decode(&m, signed_one.bytes, signed_one.len);
    if (*error)
        return 0;
    return served_read(key, &m, a, payload, sink, error);
}
