/* The byte tables of ota-bundle(5), once: offsets and lengths of everything
 * that is read from a wire, and the integers there (little-endian). */
#ifndef BUNDLE_FORMAT_H
#define BUNDLE_FORMAT_H

#include <stdint.h>

#define STATIC_ASSERT(name, cond) typedef char assert_##name[(cond) ? 1 : -1]

/* Manifest */
enum {
    MANIFEST_FORMAT = 4,
    MANIFEST_FLAGS = 5,
    MANIFEST_LENGTH = 6,
    MANIFEST_KEY_ID = 8,
    MANIFEST_DEVICE = 16,
    MANIFEST_DEVICE_LEN = 24,
    MANIFEST_COUNT = 25,
    MANIFEST_HARDWARE = 26,
    MANIFEST_VERSION = 28,
    MANIFEST_CREATED = 32,
    MANIFEST_EXPIRES = 40,
    MANIFEST_RELEASE = 48,
    MANIFEST_LABEL = 64,
    MANIFEST_HEAD = 96, /* length of the fixed part */
    SIGNATURE = 64
};

/* A payload alternative */
enum {
    ALT_BASE = 0,
    ALT_SIZE = 16,
    ALT_SPACE = 20,
    ALT_WINDOW = 24,
    ALT_RESERVED = 25,
    ALT_CHUNK_MAX = 26,
    ALT_RECORDS = 28,
    ALT_LINK = 30,
    ALT_PLAIN = 64, /* length where not encrypted */
    ALT_WRAPPED = 64,
    ALT_CHECK = 96,
    ALT_ENCRYPTED = 112 /* length where encrypted */
};

/* A link: length and segment flag, hash */
enum { LINK_HASH = 2, LINK_SEGMENT = 0x8000, LINK_LENGTH = 0x7fff };

/* Records: the fixed part of FILE, SLOT and BASE before the path */
enum { FILE_SIZE = 2, FILE_HASH = 6, FILE_HEAD = 38, BASE_HEAD = 36 };

/* A public key: "Ed", id, key */
enum { KEY_ID = 2, KEY_KEY = 10 };

/* .ota/keys0 and keys1: magic and format, count, two zeros, keys, CRC-32 */
#define KEYS_MAGIC "OTAK\1"
enum { KEYS_COUNT = 5, KEYS_HEAD = 8 };

static inline uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get32(const uint8_t *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static inline uint64_t get64(const uint8_t *p)
{
    return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static inline void put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void put32(uint8_t *p, uint32_t v)
{
    put16(p, (uint16_t)v);
    put16(p + 2, (uint16_t)(v >> 16));
}

static inline void put64(uint8_t *p, uint64_t v)
{
    put32(p, (uint32_t)v);
    put32(p + 4, (uint32_t)(v >> 32));
}

#endif
