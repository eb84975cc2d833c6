/* A disk whose copies are cheap: see disk.h. */
#include "disk.h"

#include <stdlib.h>
#include <string.h>

struct page {
    unsigned refs;
    uint64_t hash; /* 0: not known */
    uint8_t bytes[];
};

static struct page *page_new(uint32_t size)
{
    struct page *p = malloc(sizeof(*p) + size);

    if (!p)
        abort();
    p->refs = 1;
    p->hash = 0;
    return p;
}

static void page_drop(struct page *p)
{
    if (--p->refs == 0)
        free(p);
}

void disk_init(struct disk *d, uint32_t size, uint32_t count)
{
    struct page *erased = page_new(size);

    memset(d, 0, sizeof(*d));
    d->size = size;
    d->count = count;
    d->page = malloc(count * sizeof(struct page *));
    if (!d->page)
        abort();
    memset(erased->bytes, 0xff, size);
    erased->refs = count;
    for (uint32_t i = 0; i < count; i++)
        d->page[i] = erased;
}

void disk_copy(struct disk *d, const struct disk *from)
{
    *d = *from;
    d->page = malloc(d->count * sizeof(struct page *));
    if (!d->page)
        abort();
    for (uint32_t i = 0; i < d->count; i++) {
        d->page[i] = from->page[i];
        d->page[i]->refs++;
    }
}

void disk_release(struct disk *d)
{
    for (uint32_t i = 0; i < d->count; i++)
        page_drop(d->page[i]);
    free(d->page);
}

void disk_get(const struct disk *d, uint32_t page, uint32_t offset,
              uint8_t *buf, uint32_t len)
{
    if (page >= d->count || offset + len > d->size)
        abort();
    memcpy(buf, d->page[page]->bytes + offset, len);
}

static void change(struct disk *d, uint32_t len)
{
    struct page **at = &d->page[d->begun.page], *own;

    if ((*at)->refs > 1) {
        own = page_new(d->size);
        memcpy(own->bytes, (*at)->bytes, d->size);
        page_drop(*at);
        *at = own;
    }
    (*at)->hash = 0;
    if (d->begun.bytes)
        memcpy((*at)->bytes + d->begun.offset, d->begun.bytes, len);
    else
        memset((*at)->bytes + d->begun.offset, 0xff, len);
}

void disk_put(struct disk *d, struct world *w, uint32_t page, uint32_t offset,
              const uint8_t *buf, uint32_t len)
{
    if (page >= d->count || offset + len > d->size)
        abort();
    d->begun.page = page;
    d->begun.offset = offset;
    d->begun.len = len;
    d->begun.bytes = buf;
    world_op(w);
    change(d, len);
    d->begun.len = 0;
}

void disk_cut(struct disk *d, bool half)
{
    if (half && d->begun.len > 0)
        change(d, d->begun.len / 2);
    d->begun.len = 0;
}

uint64_t disk_hash(const struct disk *d)
{
    uint64_t hash = d->count;

    for (uint32_t i = 0; i < d->count; i++) {
        struct page *p = d->page[i];

        if (p->hash == 0)
            p->hash = world_mix(1, p->bytes, d->size) | 1;
        hash = world_mix(hash, &p->hash, sizeof(p->hash));
    }
    return hash;
}
