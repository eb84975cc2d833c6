/* All payloads that the index names, read back; those that are bad are put
 * again. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "bundle/format.h"
#include "index/served.h"
#include "repair_private.h"

/* By name; of two of one name the one that a device needs is first. */
static int by_name(const void *a, const void *b)
{
    const struct repair_payload *x = a, *y = b;
    int order =
        memcmp(x->alt.link + LINK_HASH, y->alt.link + LINK_HASH, OTA_HASH);

    return order ? order : (int)y->needed - (int)x->needed;
}

static int add_content(struct repair *r, const struct index_content *c,
                       const char *release, uint32_t version, bool needed)
{
    const struct repair_payload *last = r->count ? &r->list[r->count - 1] : 0;

    if (last && last->content == c && last->needed >= needed)
        return 0;
    for (unsigned i = 0; c && i < c->payload_count; i++) {
        if (array_grow(&r->list, r->count, &r->room, sizeof *r->list))
            return -1;
        r->list[r->count++] =
            (struct repair_payload){.alt = c->payloads[i],
                                    .content = c,
                                    .release = release,
                                    .version = version,
                                    .needed = needed,
                                    .full = i + 1u == c->payload_count};
    }
    return 0;
}

static int list_all(struct repair *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < index_device_count(r->x); i++) {
        const struct index_device *d = index_device_at(r->x, i);

        if (!gone_has(&r->gone, d) && add_content(r, index_content_of(r->x, d),
                                                  d->release, d->version, true))
            return -1;
    }
    for (size_t i = 0; i < index_release_count(r->x); i++) {
        const struct index_release *h = index_release_at(r->x, i);

        for (uint32_t k = 0; k < h->version_count; k++)
            if (add_content(r, h->versions[k].shared, h->name,
                            h->versions[k].version, false))
                return -1;
    }
    if (r->count)
        qsort(r->list, r->count, sizeof *r->list, by_name);
    for (size_t i = 0; i < r->count; i++)
        if (!kept || memcmp(r->list[kept - 1].alt.link, r->list[i].alt.link,
                            OTA_LINK) != 0)
            r->list[kept++] = r->list[i];
    r->count = kept;
    return 0;
}

struct repair_payload *repair_find(const struct repair *r, const uint8_t *name)
{
    struct repair_payload key = {.needed = true};
    size_t low = 0, high = r->count;

    memcpy(key.alt.link + LINK_HASH, name, OTA_HASH);
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (memcmp(r->list[mid].alt.link + LINK_HASH, name, OTA_HASH) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low < r->count && memcmp(r->list[low].alt.link + LINK_HASH, name,
                                    OTA_HASH) == 0
               ? &r->list[low]
               : NULL;
}

static size_t ask_payload(void *ctx, size_t i)
{
    const struct repair *r = ctx;

    served_payload_ahead(r->s->store, &r->list[i].alt);
    return r->list[i].alt.size;
}

static int check_payload(void *ctx, size_t i)
{
    struct repair *r = ctx;
    struct repair_payload *p = &r->list[i];
    uint8_t *bytes;

    if (session_stopped(r->s) || served_payload(r->s->store, &p->alt, &bytes))
        return -1;
    p->bad = !bytes || !served_is_whole(&p->alt, bytes);
    free(bytes);
    meter_count(r->s->meter, 0, p->alt.size);
    return 0;
}

static int check_all(struct repair *r)
{
    const struct store_each each = {
        .ask = ask_payload, .take = check_payload, .ctx = r};

    return store_each(&each, 0, r->count);
}

/* What is at its name is in the way of a server that takes bytes of that size
 * for those of that name. */
static int put_again(struct repair *r, struct repair_payload *p,
                     const struct payload *payload)
{
    struct store *s = r->s->store;
    char name[OBJECT_NAME];
    uint64_t size;
    int there;

    object_payload(p->alt.link + LINK_HASH, name);
    there = s->ops->size(s, name, &size);
    if (there < 0 || (there == 0 && s->ops->remove(s, name)) ||
        s->ops->put(s, name, payload->bytes, payload->alt.size, STORE_PAYLOAD))
        return -1;
    p->bad = false;
    r->result->payloads++;
    r->result->bytes += payload->alt.size;
    return 0;
}

/* 1: it was put again. */
static int mend(struct repair *r, struct repair_payload *p)
{
    struct payload payload = {0};
    int result;

    if (session_stopped(r->s))
        return -1;
    result = repair_pack(r, p, &payload);
    if (result == 1 && put_again(r, p, &payload))
        result = -1;
    payload_release(&payload);
    return result;
}

/* One that is put again may have what another one lacks. */
static int mend_all(struct repair *r)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = 0; i < r->count; i++) {
            struct repair_payload *p = &r->list[i];
            int result = p->bad && p->full && !p->lost ? mend(r, p) : 0;

            if (result < 0)
                return -1;
            again |= result > 0;
        }
        if (again && r->s->store->ops->flush(r->s->store))
            return -1;
    }
    return 0;
}

/* Versions of the past are of use for a rollback alone. */
static int note_lost(struct repair *r)
{
    struct plan_lost *lost = &r->result->payload_list;

    lost->names = calloc(r->count + 1, sizeof *lost->names);
    if (!lost->names)
        return diag_no_memory();
    for (size_t i = 0; i < r->count; i++) {
        const struct repair_payload *p = &r->list[i];

        if (!p->bad)
            continue;
        memcpy(lost->names[lost->count++], p->alt.link + LINK_HASH, OTA_HASH);
        if (p->needed)
            continue;
        r->result->past++;
        diag_warning("the payload of version %lu of '%s' is lost, and its "
                     "files are nowhere else: no device has it, and 'rollback' "
                     "cannot go back to it",
                     (unsigned long)p->version, p->release);
    }
    return 0;
}

int repair_payloads(struct repair *r)
{
    return list_all(r) || check_all(r) || mend_all(r) || note_lost(r) ? -1 : 0;
}
