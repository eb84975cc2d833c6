/* A disk in memory, of pages that copies share until one is written to, so
 * that a test can afford a copy at every operation. */
#ifndef DISK_H
#define DISK_H

#include "world.h"

struct page;

struct disk {
    uint32_t size, count; /* of a page in bytes; pages */
    struct page **page;
    struct {
        uint32_t page, offset, len;
        const uint8_t *bytes; /* NULL: erased */
    } begun;                  /* the change in progress; len 0: none */
};

/* All pages are erased: 0xff. */
void disk_init(struct disk *d, uint32_t size, uint32_t count);
/* With the change in progress, whose bytes stay the other's. */
void disk_copy(struct disk *d, const struct disk *from);
void disk_release(struct disk *d);
void disk_get(const struct disk *d, uint32_t page, uint32_t offset,
              uint8_t *buf, uint32_t len);
/* An operation of `w`, announced before it takes effect.  Erases if `buf` is
 * NULL. */
void disk_put(struct disk *d, struct world *w, uint32_t page, uint32_t offset,
              const uint8_t *buf, uint32_t len);
/* The power goes: of the change in progress one half has landed, or nothing. */
void disk_cut(struct disk *d, bool half);
uint64_t disk_hash(const struct disk *d);

#endif
