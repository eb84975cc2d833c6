/* Things found by what they hold. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pointers to things that are somebody else's; zeros: empty. */
struct table {
    void **slots; /* a power of two of them, NULL: free */
    size_t room, count;
};

/* Room for one more, at most seven eighths of it filled; `hash` is of a thing
 * in the table, its low bits are what counts.  0, or -1 (reported). */
int table_grow(struct table *t, uint64_t (*hash)(const void *thing));

/* The slot of the thing with this hash that is the `same` as `key`, or the free
 * one where it belongs.  For what is to be put there: table_grow() before,
 * *slot = thing and count++ after.  NULL: nothing was ever put. */
void **table_find(const struct table *t, uint64_t hash,
                  bool (*same)(const void *thing, const void *key),
                  const void *key);

void table_release(struct table *t);

#endif
