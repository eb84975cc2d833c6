/* The hash of what is asked for, by which an intent is known again. */
#include <string.h>

#include "bundle/crypto.h"
#include "bundle/format.h"
#include "plan_private.h"

/* A sum over paths, in whatever order they are listed. */
static void add_delete(uint8_t sum[OTA_HASH], const char *path)
{
    uint8_t hash[OTA_HASH];
    struct ota_hash h;

    ota_hash_init(&h);
    ota_hash_update(&h, (const uint8_t *)path, strlen(path));
    ota_hash_final(&h, hash, OTA_HASH);
    for (size_t i = 0; i < OTA_HASH; i++)
        sum[i] ^= hash[i];
}

/* What an intent is about: the files, and all else that devices notice. */
static void hash_settings(uint16_t hardware, uint32_t ram, const char *label,
                          const uint8_t deletes[OTA_HASH],
                          uint8_t hash[OTA_HASH])
{
    uint8_t settings[6];
    struct ota_hash h;

    put16(settings, hardware);
    put32(settings + 2, ram);
    ota_hash_init(&h);
    ota_hash_update(&h, hash, OTA_HASH);
    ota_hash_update(&h, settings, sizeof settings);
    ota_hash_update(&h, deletes, OTA_HASH);
    ota_hash_update(&h, (const uint8_t *)label, strlen(label));
    ota_hash_final(&h, hash, OTA_HASH);
}

void plan_asked_hash(const struct plan_request *r, size_t release,
                     uint8_t hash[OTA_HASH])
{
    const struct config_release *c = &r->config->releases[release];
    uint8_t deletes[OTA_HASH] = {0};

    for (size_t i = 0; i < c->delete_count; i++)
        add_delete(deletes, c->deletes[i].text);
    tree_content_hash(r->config, r->tree, release, hash);
    hash_settings(c->hardware, c->ram, plan_label(c), deletes, hash);
}

void plan_content_hash(const struct index_version *v, uint8_t hash[OTA_HASH])
{
    uint8_t deletes[OTA_HASH] = {0};
    struct ota_hash h;

    for (uint32_t i = 0; i < v->delete_count; i++)
        add_delete(deletes, v->deletes[i]);
    ota_hash_init(&h);
    ota_hash_update(&h, v->shared->digest, OTA_DIGEST);
    ota_hash_final(&h, hash, OTA_HASH);
    hash_settings(v->hardware, v->ram, v->label, deletes, hash);
}
