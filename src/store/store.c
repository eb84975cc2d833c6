/* What holds for all stores. */
#include "base/diag.h"
#include "store.h"

int store_get(struct store *s, const char *name, size_t max, uint8_t **bytes,
              size_t *len)
{
    int result = s->ops->get(s, name, max, bytes, len);

    if (result != STORE_LONG)
        return result;
    return diag_error(DIAG_SERVER,
                      "'%s/%s' is not one of ours: it has more than %zu bytes",
                      s->where, name, max);
}

void store_ahead(struct store *s, enum store_verb verb, const char *name,
                 size_t max)
{
    if (s->ops->ahead)
        s->ops->ahead(s, verb, name, max);
}

bool store_lost(struct store *s)
{
    return s->ops->lost && s->ops->lost(s);
}

struct store_meter *store_meter(const struct store *s, enum store_class class)
{
    return class == STORE_SHARD || class == STORE_HEAD ? NULL : s->meter;
}
