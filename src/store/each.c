/* Many objects in turn. */
#include "each.h"
#include "store.h"

/* Returns the first one that is left. */
static size_t ask_some(const struct store_each *e, size_t i, size_t end)
{
    size_t room = STORE_AHEAD / (e->objects ? e->objects : 1), bytes = 0;

    do
        bytes += e->ask(e->ctx, i++);
    while (i < end && --room && bytes < STORE_ASKED);
    return i;
}

int store_each(const struct store_each *e, size_t first, size_t end)
{
    unsigned in_row = 0;

    for (size_t next; first < end; first = next) {
        next = ask_some(e, first, end);
        for (size_t i = first; i < next && in_row < STORE_HOPELESS; i++) {
            int result = e->take(e->ctx, i);

            if (result < 0)
                return -1;
            in_row = result ? in_row + 1 : 0;
        }
        if (in_row == STORE_HOPELESS)
            return 1;
        if (e->taken && e->taken(e->ctx, first, next))
            return -1;
    }
    return 0;
}
