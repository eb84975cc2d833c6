/* Devices that nobody waits for any more. */
#include <stdlib.h>

#include "gone.h"

static int by_id(const void *a, const void *b)
{
    return device_id_compare(a, b);
}

int gone_init(struct gone *g, const struct config *c, uint64_t now)
{
    *g = (struct gone){.now = now};
    g->listed = calloc(c->device_count + 1, sizeof *g->listed);
    if (!g->listed)
        return diag_no_memory();
    for (; g->count < c->device_count; g->count++)
        g->listed[g->count] = c->devices[g->count].id;
    qsort(g->listed, g->count, sizeof *g->listed, by_id);
    return 0;
}

void gone_release(struct gone *g)
{
    free(g->listed);
    *g = (struct gone){0};
}

bool gone_lists(const struct gone *g, const struct device_id *id)
{
    return bsearch(id, g->listed, g->count, sizeof *g->listed, by_id) != NULL;
}

bool gone_has(const struct gone *g, const struct index_device *d)
{
    return index_withdrawn(d) ||
           (g->now && d->expires && g->now >= d->expires &&
            !gone_lists(g, &d->id));
}
