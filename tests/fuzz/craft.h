/* Bundles made around what a fuzzer says, and the device they are for. */
#ifndef FUZZ_CRAFT_H
#define FUZZ_CRAFT_H

#include <ota/bundle.h>
#include <stdlib.h>

#define require(cond) ((cond) ? (void)0 : craft_broken(#cond, __LINE__))

enum {
    INPUT_MAX = 16384,
    BASE_LEN = 4096,
    CHUNKS_MAX = 1024,
    BUNDLE_MAX = 1 << 18
};

/* The first bytes of an input. */
enum { IN_KIND, IN_SHAPE, IN_FLAGS, IN_PIECE, IN_FLIP, IN_CUT = 6, IN_HEAD };

enum kind { RECORDS, DEFLATED, MANIFEST, RAW };

enum {
    ENCRYPTED = 1,
    DELTA = 2,    /* the payload is that of a first, delta alternative */
    UNMENDED = 4, /* records as they are */
    NO_DEVICE_KEY = 8,
    SMALL_ARENA = 16,
    NO_SPACE = 32,  /* the sink refuses the delta */
    ODD_COUNTS = 64 /* space and records are wrong */
};

struct bundle {
    uint8_t bytes[BUNDLE_MAX];
    size_t len;
};

extern const uint8_t craft_device[8];
extern const uint8_t craft_key_id[OTA_KEY_ID];
extern const uint8_t craft_device_key[OTA_DEVICE_KEY];
extern const uint8_t craft_installed[OTA_DIGEST];
/* Filled in by craft_init(). */
extern uint8_t craft_public_key[1][OTA_PUBLIC_KEY];
extern uint8_t craft_base[BASE_LEN]; /* what each BASE is a beginning of */

void craft_init(void);

/* The bundle for an input of at least IN_HEAD and at most INPUT_MAX bytes. */
void craft_bundle(struct bundle *b, const uint8_t *in, size_t len);

/* The window and chunk that the input asks for; the rest zero. */
void craft_shape(const uint8_t *in, struct ota_alternative *alt);

void craft_hash(const uint8_t *buf, size_t len, uint8_t out[OTA_HASH]);
void craft_broken(const char *what, int line);

#endif
