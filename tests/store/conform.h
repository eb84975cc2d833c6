/* For conform.c: the store that is looked at, and one that looks on; objects
 * whose content follows from name and length. */
#ifndef CONFORM_H
#define CONFORM_H

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "store/store.h"
#include "../unit/tap.h"

enum { LARGE = 300000, ROOM = LARGE + 1 };

#define HEAD     "index/head"
#define MANIFEST "devices/246f28aabbcc/manifest"

static struct config *config;
static struct store *s, *other; /* who publishes, and who looks on */
static char said[512];
static enum diag_kind said_kind;

static inline void hear(void *ctx, const struct diag_event *e)
{
    (void)ctx;
    if (e->level != DIAG_ERROR)
        return;
    snprintf(said, sizeof said, "%s", e->message);
    printf("# %s\n", said);
    said_kind = e->kind;
}

/* An error was reported; forgets it. */
static inline bool heard(void)
{
    bool was = *said;

    *said = '\0';
    return was;
}

/* The password is taken out of the environment by who reads it. */
static inline struct store *opened(void)
{
    static char password[256];
    const char *given = getenv("OTA_PACK_SERVER_PASSWORD");
    struct store *store = NULL;

    if (given)
        snprintf(password, sizeof password, "%s", given);
    if (*password)
        setenv("OTA_PACK_SERVER_PASSWORD", password, 1);
    if (store_open(config, config->servers, true, &store) < 0) {
        printf("Bail out! no store: %s\n", said);
        exit(1);
    }
    return store;
}

static inline void reopen(void)
{
    s->ops->close(s);
    other->ops->close(other);
    s = opened();
    other = opened();
}

static inline uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static inline void nap(long ms)
{
    const struct timespec t = {.tv_sec = ms / 1000,
                               .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

/* -- objects: the content follows from name and length ----------------------
 */

static inline const uint8_t *content(const char *name, size_t len)
{
    static uint8_t bytes[ROOM];
    uint32_t x = 2166136261u ^ (uint32_t)len;

    for (; *name; name++)
        x = (x ^ (uint8_t)*name) * 16777619u;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(x >> 24);
    }
    return bytes;
}

/* The store has the bytes after that, or has sent them: ours are gone. */
static inline int put_bytes(const char *name, const void *bytes, size_t len,
                            enum store_class class)
{
    uint8_t *copy = malloc(len + 1);
    int result;

    if (!copy)
        exit(1);
    memcpy(copy, bytes, len);
    result = s->ops->put(s, name, copy, len, class);
    memset(copy, 0xee, len);
    free(copy);
    return result;
}

static inline int put(const char *name, size_t len, enum store_class class)
{
    return put_bytes(name, content(name, len), len, class);
}

static inline int put_text(const char *name, const char *text,
                           enum store_class class)
{
    return put_bytes(name, text, strlen(text), class);
}

static inline bool has_bytes(struct store *from, const char *name,
                             const void *want, size_t want_len)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    bool same = from->ops->get(from, name, ROOM, &bytes, &len) == 0 &&
                len == want_len && memcmp(bytes, want, len) == 0;

    free(bytes);
    return same;
}

static inline bool has(struct store *from, const char *name, size_t len)
{
    return has_bytes(from, name, content(name, len), len);
}

static inline bool has_text(struct store *from, const char *name,
                            const char *text)
{
    return has_bytes(from, name, text, strlen(text));
}

static inline bool is_missing(struct store *from, const char *name)
{
    uint8_t *bytes = (uint8_t *)said;
    uint64_t size;
    size_t len;

    return from->ops->get(from, name, ROOM, &bytes, &len) == STORE_MISSING &&
           !bytes && from->ops->size(from, name, &size) == STORE_MISSING;
}

/* Nothing of ours is empty, and neither Apache nor libcurl's SFTP tells that
 * an object is. */
static inline bool has_size(struct store *from, const char *name, uint64_t want)
{
    uint64_t size = 0;

    return from->ops->size(from, name, &size) == 0 &&
           (size == want || (want == 0 && size == UINT64_MAX));
}

#endif
