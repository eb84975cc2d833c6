/* What holds for all stores. */
#include "store.h"

struct store_meter *store_meter(const struct store *s, enum store_class class)
{
    return class == STORE_SHARD || class == STORE_HEAD ? NULL : s->meter;
}
