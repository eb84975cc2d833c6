/* Memory that is given back all at once. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

/* Zeros are an empty arena.  Structs are taken from the low end of a block,
 * texts from the high end. */
struct arena {
    struct arena_block *blocks;
    char *low, *high;
};

/* Zeroed, aligned to 8; NULL where memory is out (reported). */
void *arena_alloc(struct arena *a, size_t len);

/* The same for `count` items of `size` bytes; NULL also where the product
 * overflows. */
void *arena_array(struct arena *a, size_t count, size_t size);

/* A copy of `len` bytes with a NUL behind them; NULL as above. */
char *arena_text(struct arena *a, const char *text, size_t len);

/* Gives all of it back; the arena is empty then. */
void arena_release(struct arena *a);

#endif
