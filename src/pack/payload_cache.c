/* Compressed runs, kept from one set to the next. */
#include <stdlib.h>
#include <string.h>
#include "payload_internal.h"

enum { LIMIT = 4 << 20, BUCKETS = 1024 };

struct kept {
    struct kept *next;
    uint8_t key[PAYLOAD_KEY];
    struct payload_segments segments;
    size_t bytes;
    unsigned used; /* the number of the last set that had it */
};

struct payload_cache {
    struct kept *buckets[BUCKETS];
    size_t bytes;
    unsigned now;
};

struct payload_cache *payload_cache_new(void)
{
    struct payload_cache *c = calloc(1, sizeof *c);

    if (!c)
        diag_no_memory();
    return c;
}

static struct kept **bucket(struct payload_cache *c, const uint8_t *key)
{
    return &c->buckets[(key[0] | (unsigned)key[1] << 8) % BUCKETS];
}

void payload_cache_next(struct payload_cache *c)
{
    c->now++;
}

const struct payload_segments *
payload_cache_find(struct payload_cache *c, const uint8_t key[PAYLOAD_KEY])
{
    struct kept *k = *bucket(c, key);

    while (k && memcmp(k->key, key, PAYLOAD_KEY) != 0)
        k = k->next;
    if (!k)
        return NULL;
    k->used = c->now;
    return &k->segments;
}

static void drop(struct payload_cache *c, struct kept **at)
{
    struct kept *k = *at;

    *at = k->next;
    c->bytes -= k->bytes;
    payload_segments_release(&k->segments);
    free(k);
}

/* All of them, or those that this set did not use. */
static void sweep(struct payload_cache *c, bool all)
{
    size_t i;

    for (i = 0; i < BUCKETS; i++) {
        struct kept **at = &c->buckets[i];

        while (*at) {
            if (all || (*at)->used != c->now)
                drop(c, at);
            else
                at = &(*at)->next;
        }
    }
}

void payload_cache_trim(struct payload_cache *c)
{
    if (c->bytes > LIMIT)
        sweep(c, false);
}

void payload_cache_keep(struct payload_cache *c, const uint8_t key[PAYLOAD_KEY],
                        struct payload_segment *list, size_t count)
{
    struct payload_segment *copy = malloc(count * sizeof *copy);
    struct kept *k = malloc(sizeof *k), **at = bucket(c, key);
    size_t i;

    if (!copy || !k) {
        free(copy);
        free(k);
        return;
    }
    *k = (struct kept){.next = *at,
                       .segments = {copy, count, count},
                       .bytes = sizeof *k + count * sizeof *copy,
                       .used = c->now};
    memcpy(k->key, key, PAYLOAD_KEY);
    for (i = 0; i < count; i++) {
        copy[i] = list[i];
        list[i].lent = true;
        k->bytes += list[i].len;
    }
    c->bytes += k->bytes;
    *at = k;
}

void payload_cache_free(struct payload_cache *c)
{
    if (!c)
        return;
    sweep(c, true);
    free(c);
}
