/* The hash over all that is asked for, and the answer that it gives: nothing
 * is to be done. */
#include <string.h>

#include "bundle/crypto.h"
#include "bundle/format.h"
#include "plan_private.h"

static void hash32(struct ota_hash *h, uint32_t value)
{
    uint8_t bytes[4];

    put32(bytes, value);
    ota_hash_update(h, bytes, sizeof bytes);
}

/* Length and bytes, so that no two lists of texts hash alike. */
static void hash_text(struct ota_hash *h, const char *text)
{
    size_t len = text ? strlen(text) : 0;

    hash32(h, text ? (uint32_t)len : UINT32_MAX);
    ota_hash_update(h, (const uint8_t *)(text ? text : ""), len);
}

static void hash_release(struct ota_hash *h, const struct config_release *r)
{
    hash_text(h, r->name.text);
    hash32(h, r->version);
    hash_text(h, r->label.text);
    hash32(h, r->hardware);
    hash32(h, r->ram);
    hash32(h, r->expires);
    hash32(h, (uint32_t)r->delete_count);
    for (size_t i = 0; i < r->delete_count; i++)
        hash_text(h, r->deletes[i].text);
}

static void hash_device(struct ota_hash *h, const struct config *c,
                        const struct tree *t, size_t device)
{
    const struct device *d = &c->devices[device];
    const struct tree_release *r = &t->releases[d->release];

    hash32(h, d->release);
    hash32(h, d->id.len);
    ota_hash_update(h, d->id.bytes, sizeof d->id.bytes);
    hash_text(h, d->name);
    ota_hash_update(h, r->sets[t->device_set[device]].digest, OTA_DIGEST);
}

void plan_wanted(const struct config *c, const struct tree *t,
                 uint8_t wanted[OTA_HASH])
{
    struct ota_hash h;

    memset(wanted, 0, OTA_HASH);
    for (size_t i = 0; i < c->device_count; i++)
        if (!c->devices[i].selected)
            return;
    ota_hash_init(&h);
    for (size_t i = 0; i < c->release_count; i++)
        hash_release(&h, &c->releases[i]);
    for (size_t i = 0; i < c->device_count; i++)
        hash_device(&h, c, t, i);
    ota_hash_final(&h, wanted, OTA_HASH);
}

static bool is_zero(const uint8_t hash[OTA_HASH])
{
    static const uint8_t zeros[OTA_HASH];

    return memcmp(hash, zeros, OTA_HASH) == 0;
}

/* One whose content is zeros is not. */
bool plan_intent_open(const struct index_intent *i)
{
    return !is_zero(i->content);
}

bool plan_nothing(const struct config *c, const struct tree *t,
                  const struct index *head, uint64_t now)
{
    uint8_t wanted[OTA_HASH];

    if (!head->exists || head->doubt || is_zero(head->wanted) ||
        (head->refresh &&
         (now >= head->refresh || head->created > now + PLAN_DAY)))
        return false;
    for (size_t i = 0; i < head->intent_count; i++)
        if (plan_intent_open(&head->intents[i]))
            return false;
    plan_wanted(c, t, wanted);
    return memcmp(wanted, head->wanted, OTA_HASH) == 0;
}
