/* How far a run is. */
#include "meter.h"

void meter_begin(struct meter *m, struct store *s, size_t total)
{
    if (!m)
        return;
    s->meter = &m->way;
    m->done = m->bytes = 0;
    m->total = total;
}

void meter_count(struct meter *m, size_t done, size_t bytes)
{
    if (!m)
        return;
    m->done += done;
    m->bytes += bytes;
}

void meter_end(struct meter *m)
{
    if (m)
        m->total = 0;
}
