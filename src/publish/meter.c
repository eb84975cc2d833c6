/* How far a run is. */
#include "meter.h"
#include "pack/payload.h"

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
        m->total = m->to_pack = 0;
}

void meter_pack(struct meter *m, uint64_t bytes)
{
    if (!m)
        return;
    m->packed_before = payload_packed();
    m->to_pack = bytes;
}

size_t meter_packed(const struct meter *m)
{
    size_t packed = payload_packed() - m->packed_before;

    return packed < m->to_pack ? packed : m->to_pack;
}
