/* What all worlds share: counting, slots and a bootloader, listing. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void world_op(struct world *w)
{
    w->ops++;
    w->writes++;
    if (w->at_op)
        w->at_op(w, w->at_arg);
}

/* -- slots ------------------------------------------------------------------
 */

static bool is_app(const char *name)
{
    return strcmp(name, "app") == 0;
}

static int slot_active(void *ctx, const char *name)
{
    struct world *w = ctx;

    return is_app(name) ? w->slot.runs : OTA_ERR_SLOT;
}

static int slot_begin(void *ctx, const char *name, uint32_t size)
{
    struct world *w = ctx;

    if (!is_app(name) || size > WORLD_IMAGE)
        return OTA_ERR_SLOT;
    world_op(w);
    memset(w->slot.image[1 - w->slot.runs], 0xff, WORLD_IMAGE);
    w->slot.fresh[1 - w->slot.runs] = true;
    return OTA_OK;
}

static int slot_write_at(void *ctx, const char *name, uint32_t offset,
                         const uint8_t *buf, size_t len)
{
    struct world *w = ctx;
    uint8_t *to = w->slot.image[1 - w->slot.runs] + offset;

    if (!is_app(name) || offset + len > WORLD_IMAGE)
        return OTA_ERR_SLOT;
    memcpy(to, buf, len / 2); /* a write that is cut is torn */
    world_op(w);
    memcpy(to, buf, len);
    return OTA_OK;
}

static int slot_read_at(void *ctx, const char *name, int image, uint32_t offset,
                        uint8_t *buf, size_t len)
{
    struct world *w = ctx;

    if (!is_app(name) || offset + len > WORLD_IMAGE)
        return OTA_ERR_SLOT;
    memcpy(buf, w->slot.image[image] + offset, len);
    return OTA_OK;
}

static int slot_switch(void *ctx, const char *name, int image)
{
    struct world *w = ctx;

    if (!is_app(name))
        return OTA_ERR_SLOT;
    if (w->slot.next == image)
        return OTA_OK;
    world_op(w);
    w->slot.next = image;
    return OTA_OK;
}

static int slot_confirm(void *ctx, const char *name)
{
    struct world *w = ctx;

    if (!is_app(name))
        return OTA_ERR_SLOT;
    if (!w->slot.on_trial && !w->slot.fresh[w->slot.runs])
        return OTA_OK;
    world_op(w);
    w->slot.on_trial = w->slot.fresh[w->slot.runs] = false;
    return OTA_OK;
}

void world_start(struct world *w)
{
    struct world_slot *s = &w->slot;

    if (s->loader == LOADER_STRICT && s->on_trial && s->next == s->runs)
        s->next = 1 - s->runs; /* it had its chance */
    s->runs = s->next;
    s->on_trial = s->fresh[s->runs];
    s->fresh[s->runs] = false;
}

/* -- the rest ---------------------------------------------------------------
 */

static int yield(void *ctx)
{
    ((struct world *)ctx)->yields++;
    return OTA_OK;
}

static bool planned_wake(void *ctx)
{
    return ((struct world *)ctx)->planned;
}

void world_init(struct world *w, const struct world_type *type)
{
    w->type = type;
    w->port.ctx = w;
    w->port.yield = yield;
    w->port.planned_wake = planned_wake;
    w->port.slot_active = slot_active;
    w->port.slot_begin = slot_begin;
    w->port.slot_write_at = slot_write_at;
    w->port.slot_read_at = slot_read_at;
    w->port.slot_switch = slot_switch;
    w->port.slot_confirm = slot_confirm;
}

void world_put(struct world *w, const char *path, const char *text)
{
    w->type->put(w, path, text, strlen(text), 0644);
}

bool world_has(struct world *w, const char *path)
{
    size_t len;
    unsigned mode;

    return w->type->get(w, path, &len, &mode) != NULL;
}

/* FNV-1a, eight bytes at a time where there are as many. */
uint64_t world_mix(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t word;

    for (; len >= 8; p += 8, len -= 8) {
        memcpy(&word, p, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
        hash ^= hash >> 29;
    }
    for (; len > 0; p++, len--)
        hash = (hash ^ *p) * 0x100000001b3U;
    return hash ^ hash >> 32;
}

/* -- listing ----------------------------------------------------------------
 */

struct lines {
    char *text[4096];
    size_t count;
};

static void each_name(void *arg, const char *path, bool folder)
{
    struct lines *l = arg;
    size_t len = strlen(path) + 2;

    if (l->count == sizeof(l->text) / sizeof(*l->text))
        abort();
    l->text[l->count] = malloc(len);
    snprintf(l->text[l->count++], len, "%s%s", path, folder ? "/" : "");
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *world_list(struct world *w)
{
    static char list[WORLD_LIST];
    static struct lines l;
    size_t at = 0;

    l.count = 0;
    list[0] = '\0';
    w->type->walk(w, "", each_name, &l);
    qsort(l.text, l.count, sizeof(*l.text), by_text);
    for (size_t i = 0; i < l.count; i++) {
        at += (size_t)snprintf(list + at, sizeof(list) - at, "%s\n", l.text[i]);
        free(l.text[i]);
    }
    return list;
}
