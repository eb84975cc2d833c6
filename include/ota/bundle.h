/* The bundle: manifest, payload, and the reader that turns bytes nobody can
 * trust into records that the publisher signed.  ota-bundle(5), ota-reader(3).
 *
 * Everything here is portable C99 without malloc, stdio, errno or globals; it
 * runs on a microcontroller and in the host tool.  Integers are native, hashes
 * and keys are bytes as on the wire. */
#ifndef OTA_BUNDLE_H
#define OTA_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a reader refuses, in the order of ota-bundle(5), Refusals: the error's
 * number is its place there, from 1, negated.  ota_strerror() has a sentence
 * and ota_error_name() the name for each. */
enum ota_err {
    OTA_OK = 0,
    OTA_ERR_TRUNCATED = -1,     /* ends before it should */
    OTA_ERR_MAGIC = -2,         /* not a bundle */
    OTA_ERR_FORMAT = -3,        /* a format number other than 1 */
    OTA_ERR_RESERVED = -4,      /* a field out of its range */
    OTA_ERR_UNKNOWN_KEY = -5,   /* signed by a key that is not trusted */
    OTA_ERR_SIGNATURE = -6,     /* the signature does not verify */
    OTA_ERR_DEVICE = -7,        /* made for another device */
    OTA_ERR_HARDWARE = -8,      /* made for other hardware */
    OTA_ERR_FAILED_BEFORE = -9, /* this version was undone here */
    OTA_ERR_VERSION = -10,      /* not above the highest so far */
    OTA_ERR_EXPIRED = -11,      /* past its time */
    OTA_ERR_MEMORY = -12,       /* the arena is too small */
    OTA_ERR_SPACE = -13,        /* the device's disk is too full */
    OTA_ERR_CHUNK = -14,        /* a chunk's hash or link is wrong */
    OTA_ERR_DEFLATE = -15,      /* a segment is not one deflate stream */
    OTA_ERR_RECORD = -16,       /* a record breaks the rules */
    OTA_ERR_PATH = -17,         /* a path breaks the rules */
    OTA_ERR_BASE = -18,         /* the file a delta builds on differs */
    OTA_ERR_SLOT = -19,         /* no such slot, or too small */
    OTA_ERR_CONTENT = -20,      /* what was written has another hash */
    OTA_ERR_TRAILING = -21,     /* bytes after the end */
    OTA_ERR_DEVICE_KEY = -22,   /* encrypted, and no key that fits */
    OTA_ERR_STATE = -23,        /* not allowed in this phase */
    OTA_ERR_IO = -24            /* the port or sink reported a failure */
};

enum {
    OTA_HASH = 32,          /* a hash: the first bytes of SHA-512 */
    OTA_DIGEST = 16,        /* a release digest */
    OTA_KEY_ID = 8,         /* a signing key's number */
    OTA_PUBLIC_KEY = 42,    /* "Ed", key id, Ed25519 key: minisign, decoded */
    OTA_DEVICE_KEY = 32,    /* what opens encrypted payloads */
    OTA_LABEL = 32,         /* label field, zero padded */
    OTA_PATH = 255,         /* longest path in bytes, terminator apart */
    OTA_KEYS = 4,           /* most keys that a device trusts */
    OTA_ALTERNATIVES = 8,   /* most payload alternatives of a manifest */
    OTA_LINK = 34,          /* length and flag (2), hash (32) */
    OTA_CHUNK_MIN = 35,     /* shortest chunk on the wire */
    OTA_CHUNK_MAX = 32767,  /* longest one */
    OTA_MANIFEST_MIN = 224, /* one alternative, not encrypted */
    OTA_MANIFEST_MAX = 1056 /* eight encrypted ones */
};

/* Manifest flags (ota-bundle(5), Manifest). */
enum { OTA_ENCRYPTED = 1 };

/* The fixed part of a manifest, decoded.  The label is NUL-terminated here. */
struct ota_manifest {
    uint8_t flags;
    uint8_t alternatives; /* 1 to OTA_ALTERNATIVES; the last one is full */
    uint8_t device_len;   /* 6 or 8 */
    uint8_t device[8];    /* a MAC-48 is followed by two zeros */
    uint8_t key_id[OTA_KEY_ID];
    uint16_t hardware; /* 0: any */
    uint32_t version;  /* 1 to 0x7fffffff */
    uint64_t created;  /* seconds since 1970 */
    uint64_t expires;  /* seconds since 1970, 0: never */
    uint8_t release[OTA_DIGEST];
    char label[OTA_LABEL + 1];
    const uint8_t *bytes; /* the manifest as signed, borrowed */
    size_t bytes_len;     /* its length, signature included */
};

/* One payload alternative, decoded (ota-bundle(5), Alternative). */
struct ota_alternative {
    uint8_t base[OTA_DIGEST]; /* zeros: a full payload */
    uint32_t size;            /* payload bytes on the wire */
    uint32_t space;           /* bytes that its FILE records write */
    uint8_t window_bits;      /* 9 to 15 */
    uint16_t chunk_max;       /* longest chunk on the wire, bytes */
    uint16_t records;         /* FILE, SLOT and DELETE records */
    uint8_t link[OTA_LINK];   /* of the first chunk, as on the wire */
    uint8_t wrapped_key[OTA_DEVICE_KEY]; /* only where encrypted */
    uint8_t key_check[16];               /* only where encrypted */
};

/* What the reader's owner knows, against which a manifest is checked.  All
 * pointers are borrowed and must outlive the reader. */
struct ota_device {
    uint8_t id[8];  /* a MAC-48 is followed by two zeros */
    uint8_t id_len; /* 6 or 8 */
    const uint8_t (*keys)[OTA_PUBLIC_KEY]; /* the trusted keys */
    size_t key_count;
    const uint8_t *device_key; /* OTA_DEVICE_KEY bytes, or NULL */
    const uint8_t *installed;  /* OTA_DIGEST bytes, or NULL: nothing */
    uint32_t highest;          /* highest version so far, 0: none */
    uint32_t failed;           /* the version that was undone, 0: none */
    uint64_t now;              /* seconds since 1970, 0: no clock */
    uint16_t hardware;         /* 0: the device does not know its own */
    uint16_t path_max;         /* longest path in bytes, 0: OTA_PATH */
};

/* Memory that zlib's inflate takes for a window of 2^w bytes: its state is
 * 7,120 bytes on 32 bits and 7,160 on 64. */
#define OTA_INFLATE_MEMORY(w) (7168 + ((size_t)1 << (w)))

/* What the reader keeps besides chunk and inflate: the same on all machines,
 * checked when it is compiled. */
#define OTA_READER_STATE 2048

/* Bytes of the arena for a payload whose window is 2^w bytes and whose longest
 * chunk has c bytes.  The manifest shares the chunk's place. */
#define OTA_READER_MEMORY(w, c)                                                \
    (OTA_INFLATE_MEMORY(w) + OTA_READER_STATE +                                \
     ((c) > OTA_MANIFEST_MAX ? (size_t)(c) : (size_t)OTA_MANIFEST_MAX))

/* Record types (ota-bundle(5), Records). */
enum ota_type {
    OTA_END = 0,
    OTA_FILE = 1,
    OTA_SLOT = 2,
    OTA_BASE = 3,
    OTA_DATA = 4,
    OTA_COPY = 5,
    OTA_DELETE = 6,
    OTA_KEYS_RECORD = 7
};

/* A FILE or SLOT, and the file that it is built from. */
struct ota_file {
    uint8_t type;  /* OTA_FILE or OTA_SLOT, or OTA_BASE */
    uint16_t mode; /* permission bits, 0: the device's default */
    uint32_t size; /* bytes */
    uint8_t hash[OTA_HASH];
    char path[OTA_PATH + 1]; /* NUL-terminated; a SLOT's is its name */
};

/* All that a reader needs to go on at a segment start, and nothing that it
 * keeps elsewhere (ota-bundle(5), Segments).  A caller may store and restore
 * it; its bytes in memory are no wire format. */
struct ota_checkpoint {
    uint8_t link[OTA_LINK]; /* of the segment's first chunk */
    uint32_t offset;        /* payload bytes before it */
    uint32_t chunk;         /* its index from 0 */
    uint32_t space;         /* bytes that FILE records have claimed */
    uint32_t written;       /* of the open file, in bytes */
    uint32_t base_pos;      /* in the open file's base, in bytes */
    uint16_t records;       /* FILE, SLOT and DELETE records so far */
    uint8_t key_count;      /* 0: no KEYS record */
    bool open;              /* `file` is open */
    bool has_base;          /* and `base` belongs to it */
    bool content;           /* there was a FILE or SLOT */
    bool done;              /* END was read */
    struct ota_file file;   /* the last FILE, SLOT or DELETE (its path) */
    struct ota_file base;   /* the open file's BASE, else of no meaning */
    uint8_t keys[OTA_KEYS][OTA_PUBLIC_KEY];
};

/* What receives a bundle's records.  Each call is about authenticated bytes
 * only and comes in the order of ota-bundle(5), Order; pointers are borrowed
 * for the call.  Each returns OTA_OK or a negative enum ota_err, which ends the
 * reading and is what ota_reader_feed() returns.  Any may be NULL except
 * base_read where a delta is to be read. */
struct ota_sink {
    void *ctx;
    /* The manifest is verified and alternative `index` was chosen.
     * OTA_ERR_SPACE or OTA_ERR_MEMORY makes the reader choose the full one and
     * ask again. */
    int (*begin)(void *ctx, const struct ota_manifest *m,
                 const struct ota_alternative *a, unsigned index);
    int (*keys)(void *ctx, const uint8_t (*keys)[OTA_PUBLIC_KEY],
                size_t key_count);
    /* A FILE or SLOT; `base` is NULL, or what it is built from: size and hash
     * are to be checked before OTA_OK, else OTA_ERR_BASE. */
    int (*open)(void *ctx, const struct ota_file *file,
                const struct ota_file *base);
    /* Up to `len` bytes at `offset` of the open file's base. */
    int (*base_read)(void *ctx, uint32_t offset, uint8_t *buf, size_t len);
    int (*data)(void *ctx, const uint8_t *buf, size_t len);
    /* The file is whole, and its bytes had the stated hash (unless it was
     * open at the checkpoint that the reader went on from: then the sink
     * hashes it). */
    int (*close)(void *ctx, const struct ota_file *file);
    int (*remove)(void *ctx, const char *path);
    /* A segment starts here, the first one apart. */
    int (*segment)(void *ctx, const struct ota_checkpoint *at);
    /* All of it was good and nothing followed: from ota_reader_finish(). */
    int (*end)(void *ctx);
    /* Called once a chunk and around the signature check; for watchdogs. */
    int (*yield)(void *ctx);
};

/* Which alternative a reader takes. */
enum {
    OTA_CHOOSE_INSTALLED = -1, /* first whose base is installed, else full */
    OTA_CHOOSE_FULL = -2       /* the last: full, and the one in an .otab */
};

struct ota_reader;

/* Sets up a reader in `arena` (aligned to 8, `arena_len` bytes; it must hold
 * OTA_READER_STATE + OTA_MANIFEST_MAX, and OTA_READER_MEMORY() of the chosen
 * alternative once the manifest is there).  `choose` is one of OTA_CHOOSE_* or
 * an alternative's index.  device, sink and arena are borrowed until the
 * reader is no longer used; there is nothing to release, but call
 * ota_reader_wipe() if there was a device key.  Returns the reader, which is
 * the arena, or NULL where the arena is too small or not aligned. */
struct ota_reader *ota_reader_init(void *arena, size_t arena_len,
                                   const struct ota_device *device,
                                   const struct ota_sink *sink, int choose);

/* Takes `len` bytes: the manifest, then the chosen alternative's payload, in
 * pieces of any size.  Returns OTA_OK, or the first error, which stays. */
int ota_reader_feed(struct ota_reader *r, const uint8_t *buf, size_t len);

/* There are no more bytes.  Returns OTA_OK if the bundle was whole and all of
 * it was accepted, else the error (OTA_ERR_TRUNCATED where bytes lack). */
int ota_reader_finish(struct ota_reader *r);

/* Goes on at `at`, after exactly the manifest was fed: what is fed next are
 * payload bytes from at->offset.  The open file's hash and the release digest
 * are then the caller's to check.  Returns OTA_OK, OTA_ERR_STATE if not at
 * that point, or OTA_ERR_RECORD if `at` is not possible. */
int ota_reader_resume(struct ota_reader *r, const struct ota_checkpoint *at);

/* True once the manifest is verified and the payload is expected. */
bool ota_reader_in_payload(const struct ota_reader *r);

/* Bytes of arena that the chosen alternative needs; 0 before it is known. */
size_t ota_reader_needs(const struct ota_reader *r);

/* Wipes the arena. */
void ota_reader_wipe(struct ota_reader *r);

/* Verifies a manifest of `len` bytes by ota-bundle(5), Order of the checks, and
 * decodes it into `m`, which borrows `buf`.  Bytes behind the manifest are left
 * alone.  Returns OTA_OK or the first error. */
int ota_manifest_check(struct ota_manifest *m, const uint8_t *buf, size_t len,
                       const struct ota_device *device);

/* Decodes without verifying: for tools that show what a file says.  The same
 * range checks as ota_manifest_check(), no signature, no device. */
int ota_manifest_decode(struct ota_manifest *m, const uint8_t *buf, size_t len);

/* Decodes alternative `index`, below m->alternatives, of a decoded manifest. */
void ota_manifest_alternative(const struct ota_manifest *m, unsigned index,
                              struct ota_alternative *a);

/* Writes a manifest without its signature to `buf` of OTA_MANIFEST_MAX bytes
 * from m (bytes and bytes_len apart) and m->alternatives alternatives.
 * Returns its length with the signature, whose 64 bytes are left to the
 * caller: it is over all that precedes it. */
size_t ota_manifest_encode(const struct ota_manifest *m,
                           const struct ota_alternative *a, uint8_t *buf);

/* The rules for a path (ota-bundle(5), Paths): OTA_OK or OTA_ERR_PATH. */
int ota_path_check(const char *path, size_t len);

/* Record order: below, equal to or above zero as a comes before, is (but for
 * ASCII case) or comes after b. */
int ota_path_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/* True if `path` lies below the directory `dir`, ASCII case ignored. */
bool ota_path_below(const char *path, size_t len, const char *dir,
                    size_t dir_len);

/* Reads a device's id from `len` bytes of text: aa:bb.., aa-bb.., aabb.ccdd..
 * or bare hex, of 6 bytes (a MAC-48, which two zeros follow in `id`) or 8 (an
 * EUI-64).  Returns how many; 0: it is none, and `id` is as it was. */
uint8_t ota_device_parse(const char *text, size_t len, uint8_t id[8]);

/* A sentence for people, and the name in ota-bundle(5), Refusals; "ok" for 0.
 * Neither is NULL for any number. */
const char *ota_strerror(int err);
const char *ota_error_name(int err);

#endif
