/* A reader's state, shared by reader.c (chunks and segments) and record.c. */
#ifndef BUNDLE_READER_H
#define BUNDLE_READER_H

#include "crypto.h"
#include "inflate.h"

#include <ota/bundle.h>

/* A function whose frame does not become part of its caller's: what it needs
 * for a moment is not there while others are called.  `make stack`. */
#if defined(__GNUC__)
#define APART __attribute__((noinline))
#else
#define APART
#endif

enum reader_phase {
    READER_MANIFEST,
    READER_PAYLOAD,
    READER_DONE,    /* all was read, and nothing may follow */
    READER_FINISHED /* and the sink was told so */
};

/* What the next inflated byte belongs to. */
enum record_step {
    RECORD_TYPE,
    RECORD_HEAD, /* fixed fields before a path, or a public key */
    RECORD_PATH_LEN,
    RECORD_PATH,
    RECORD_COUNT, /* of KEYS */
    RECORD_N,     /* of DATA */
    RECORD_SEEK,
    RECORD_COPY_N,
    RECORD_SAME,
    RECORD_DIFF,
    RECORD_BYTES,     /* of DATA */
    RECORD_DIFF_BYTES /* of COPY */
};

/* The record that is being read is collected in the checkpoint's `base`: a
 * path is read either for BASE or while no file is open. */
struct record_parser {
    uint8_t step;       /* enum record_step */
    uint8_t type;       /* enum ota_type of the record that is read */
    uint8_t have, need; /* bytes of a field that is collected */
    bool first_run;     /* of a COPY */
    bool opened;        /* the sink was told of the open file */
    bool check_hash;    /* `content` covers the open file from its start */
    uint32_t value;     /* of a varint, so far */
    uint32_t left;      /* bytes that the DATA or COPY still makes */
    uint32_t run;       /* bytes left of a COPY's diff run */
};

struct ota_reader {
    const struct ota_device *device;
    const struct ota_sink *sink;
    size_t arena_len;
    size_t needs;
    int choose;
    int error;     /* the first one, which stays */
    uint8_t phase; /* enum reader_phase */
    bool delta, encrypted, resumed;
    bool any_signer; /* KEYS may leave out the key that signed */
    bool inflated;   /* the segment gave a byte */
    uint8_t *buf;    /* the manifest, then each chunk */
    size_t have, need;
    uint32_t size, space; /* of the alternative, in bytes */
    uint16_t chunk_max, records;
    const uint8_t *signer; /* OTA_PUBLIC_KEY bytes of the device's, or NULL */
    uint8_t release[OTA_DIGEST];
    uint8_t payload_key[OTA_DEVICE_KEY];
    struct ota_checkpoint at; /* as of now; whole at a segment start */
    struct record_parser record;
    struct ota_hash content; /* of the open file */
    struct ota_hash digest;  /* of the release */
    struct ota_inflate inflate;
    uint8_t out[256];  /* inflated bytes on their way to the records */
    uint8_t base[128]; /* base bytes on their way to the sink */
};

/* For tools that show what nobody vouches for, right after init: KEYS need not
 * name the key that signed the manifest. */
void ota_reader_any_signer(struct ota_reader *r);

/* Takes inflated bytes.  OTA_OK or an error. */
int ota_record_feed(struct ota_reader *r, const uint8_t *buf, size_t len);

/* True between two records. */
bool ota_record_complete(const struct ota_reader *r);

#endif
