/* What the tests of payloads share: sets made by hand, messages kept. */
#ifndef PAYLOAD_HELP_H
#define PAYLOAD_HELP_H

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "pack/payload.h"
#include "tap.h"

enum { FILES = 16 };

/* A set under test, and what its files hold. */
struct fixture {
    struct tree_set set;
    const struct tree_entry *list[FILES];
    struct tree_entry entries[FILES];
    char source[FILES][32];
    uint8_t *content[FILES];
};

enum fill { FILL_RANDOM, FILL_TEXT, FILL_ZERO };

static uint64_t seed = 1;

static inline uint32_t next_random(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

static inline void fill_bytes(uint8_t *buf, size_t len, enum fill fill)
{
    static const char *const words[] = {"import ", "machine", "\n    ",
                                        "self.",   "return ", "0x40"};
    size_t i, w = 0, at = 0;

    for (i = 0; i < len; i++) {
        if (fill == FILL_TEXT) {
            if (!words[w][at]) {
                w = next_random() % 6;
                at = 0;
            }
            buf[i] = (uint8_t)words[w][at++];
        } else {
            buf[i] = fill == FILL_RANDOM ? (uint8_t)next_random() : 0;
        }
    }
}

static inline void put(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(path, "w");

    if (!f || fwrite(bytes, 1, len, f) != len || fclose(f))
        abort();
}

/* Entries are added in record order. */
static inline void add(struct fixture *f, uint8_t type, const char *path,
                       size_t len, enum fill fill)
{
    size_t i = f->set.count++;
    struct tree_entry *e = &f->entries[i];
    uint8_t full[64];

    f->content[i] = malloc(len + 1);
    if (!f->content[i])
        abort();
    fill_bytes(f->content[i], len, fill);
    snprintf(f->source[i], sizeof f->source[i], "source%zu", i);
    put(f->source[i], f->content[i], len);
    crypto_hash_sha512(full, f->content[i], len);
    *e = (struct tree_entry){.path = path,
                             .source = f->source[i],
                             .type = type,
                             .size = (uint32_t)len,
                             .mode = type == OTA_FILE ? 0644 : 0};
    memcpy(e->hash, full, OTA_HASH);
    f->list[i] = e;
    f->set.entries = f->list;
    f->set.bytes += len;
    f->set.space += type == OTA_FILE ? (uint32_t)len : 0;
}

static inline void clear(struct fixture *f)
{
    size_t i;

    for (i = 0; i < f->set.count; i++)
        free(f->content[i]);
    memset(f, 0, sizeof *f);
}

static inline struct payload_shape shape_of(unsigned window, unsigned chunk)
{
    return (struct payload_shape){(uint8_t)window, (uint16_t)chunk};
}

static inline bool same_payload(const struct payload *a,
                                const struct payload *b)
{
    return a->alt.size == b->alt.size && a->alt.space == b->alt.space &&
           a->alt.records == b->alt.records &&
           a->alt.window_bits == b->alt.window_bits &&
           a->alt.chunk_max == b->alt.chunk_max &&
           !memcmp(a->alt.link, b->alt.link, OTA_LINK) &&
           !memcmp(a->bytes, b->bytes, a->alt.size);
}

static char said[4096];

static inline void remember(void *ctx, const struct diag_event *e)
{
    size_t len = strlen(said);

    (void)ctx;
    snprintf(said + len, sizeof said - len, "%d: %s\n", (int)e->kind,
             e->message);
}

#endif
