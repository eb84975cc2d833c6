/* Blocks of memory that live as long as a model does. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "arena.h"
#include "diag.h"

enum { BLOCK = 64 * 1024, ALIGN = 8 };

struct arena_block {
    struct arena_block *next;
    max_align_t bytes[];
};

static int grow(struct arena *a, size_t len)
{
    size_t room = len > BLOCK / 4 ? len : BLOCK;
    struct arena_block *b;

    if (room > SIZE_MAX - sizeof *b || !(b = malloc(sizeof *b + room)))
        return diag_no_memory();
    b->next = a->blocks;
    a->blocks = b;
    a->low = (char *)b->bytes;
    a->high = a->low + room;
    return 0;
}

void *arena_alloc(struct arena *a, size_t len)
{
    void *p;

    if (len > SIZE_MAX - ALIGN) {
        diag_no_memory();
        return NULL;
    }
    len = (len + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if ((size_t)(a->high - a->low) < len && grow(a, len) < 0)
        return NULL;
    p = a->low;
    a->low += len;
    return memset(p, 0, len);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    size_t len;

    if (__builtin_mul_overflow(count, size, &len)) {
        diag_no_memory();
        return NULL;
    }
    return arena_alloc(a, len);
}

char *arena_text(struct arena *a, const char *text, size_t len)
{
    if ((size_t)(a->high - a->low) <= len && grow(a, len + 1) < 0)
        return NULL;
    a->high -= len + 1;
    if (len)
        memcpy(a->high, text, len);
    a->high[len] = '\0';
    /* `low` is aligned and `high` is not: what is between them may be less
     * than a struct, never negative. */
    return a->high;
}

void arena_release(struct arena *a)
{
    struct arena_block *b, *next;

    for (b = a->blocks; b; b = next) {
        next = b->next;
        free(b);
    }
    memset(a, 0, sizeof *a);
}
