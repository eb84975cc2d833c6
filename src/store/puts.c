/* The order of puts, and what is known of their folders. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "puts.h"

bool store_is_manifest(enum store_class class)
{
    return class == STORE_FIRST || class == STORE_MANIFEST;
}

bool store_is_content(enum store_class class)
{
    return class == STORE_PAYLOAD || class == STORE_SHARD;
}

int store_puts_settle(struct store_puts *p, enum store_class class)
{
    if (class == STORE_HEAD ||
        store_is_manifest(class) != store_is_manifest(p->last))
        engine_drain(p->engine);
    p->last = class;
    return !store_is_content(class) && p->broken ? -1 : 0;
}

void store_puts_failed(struct store_puts *p, const char *name,
                       enum store_class class)
{
    struct store *s = p->store;

    if (!store_is_manifest(class)) {
        p->broken = true;
        return;
    }
    p->lost = true;
    if (s->failed)
        s->failed(s->failed_ctx, name);
}

int store_puts_flush(struct store_puts *p)
{
    bool failed;

    engine_drain(p->engine);
    failed = p->broken || p->lost;
    p->broken = p->lost = false;
    return failed ? -1 : 0;
}

/* -- folders ----------------------------------------------------------------
 */

bool store_folder_of(const char *name, char folder[STORE_NAME])
{
    const char *end = strrchr(name, '/');

    if (!end || end == strchr(name, '/'))
        return false;
    snprintf(folder, STORE_NAME, "%.*s", (int)(end - name), name);
    return true;
}

bool store_device_folder(const char *name, char folder[STORE_NAME])
{
    return strncmp(name, "devices/", 8) == 0 && store_folder_of(name, folder);
}

/* Which of 256, or -1: no payload. */
static int hh_of(const char *name)
{
    static const char top[] = "payloads/";
    char *end;
    unsigned long hh;

    if (strncmp(name, top, sizeof top - 1) != 0)
        return -1;
    name += sizeof top - 1;
    hh = strtoul(name, &end, 16);
    return end == name + 2 && *end == '/' && hh < 256 ? (int)hh : -1;
}

bool store_is_payload(const char *name)
{
    return hh_of(name) >= 0;
}

bool store_puts_has_hh(const struct store_puts *p, const char *name)
{
    int hh = hh_of(name);

    return hh >= 0 && (p->made_hh[hh / 8] >> hh % 8 & 1);
}

void store_puts_made_hh(struct store_puts *p, const char *name)
{
    int hh = hh_of(name);

    if (hh >= 0)
        p->made_hh[hh / 8] |= (uint8_t)(1 << hh % 8);
}
