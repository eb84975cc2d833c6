/* Things found by what they hold: open addressing. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "diag.h"

int table_grow(struct table *t, uint64_t (*hash)(const void *thing))
{
    size_t room = t->room ? t->room * 2 : 64;
    void **slots;

    if ((t->count + 1) * 8 <= t->room * 7)
        return 0;
    if (!(slots = calloc(room, sizeof *slots)))
        return diag_no_memory();
    for (size_t i = 0; i < t->room; i++) {
        size_t at;

        if (!t->slots[i])
            continue;
        at = (size_t)hash(t->slots[i]) & (room - 1);
        while (slots[at])
            at = (at + 1) & (room - 1);
        slots[at] = t->slots[i];
    }
    free(t->slots);
    t->slots = slots;
    t->room = room;
    return 0;
}

void **table_find(const struct table *t, uint64_t hash,
                  bool (*same)(const void *thing, const void *key),
                  const void *key)
{
    size_t at = (size_t)hash & (t->room - 1);

    if (!t->room)
        return NULL;
    while (t->slots[at] && !same(t->slots[at], key))
        at = (at + 1) & (t->room - 1);
    return &t->slots[at];
}

void table_release(struct table *t)
{
    free(t->slots);
    memset(t, 0, sizeof *t);
}
