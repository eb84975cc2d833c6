/* Pointers found by what they point to: open addressing, at most seven eighths
 * full. */
#include <stdlib.h>
#include "index_private.h"

static void put_slot(void **slots, size_t room, uint64_t hash, void *entry)
{
    size_t at = (size_t)hash & (room - 1);

    while (slots[at])
        at = (at + 1) & (room - 1);
    slots[at] = entry;
}

static void **more_slots(const struct index_table *t, size_t room,
                         uint64_t (*hash)(const void *))
{
    void **slots = calloc(room, sizeof(void *));

    for (size_t i = 0; slots && i < t->room; i++)
        if (t->slots[i])
            put_slot(slots, room, hash(t->slots[i]), t->slots[i]);
    return slots;
}

int index_slots_grow(struct index_table *t, uint64_t (*hash)(const void *))
{
    size_t room = t->room ? t->room * 2 : 64;
    void **slots;

    if ((t->count + 1) * 8 <= t->room * 7)
        return 0;
    if (!(slots = more_slots(t, room, hash)))
        return diag_no_memory();
    free(t->slots);
    t->slots = slots;
    t->room = room;
    return 0;
}

void index_slots_put(struct index_table *t, uint64_t hash, void *entry)
{
    put_slot(t->slots, t->room, hash, entry);
    t->count++;
}
