/* What the index's files share: its tables in memory, and the limits of
 * ota-index(5). */
#ifndef INDEX_INDEX_PRIVATE_H
#define INDEX_INDEX_PRIVATE_H

#include "base/arena.h"
#include "index.h"
#include "index_bytes.h"

enum {
    INDEX_FORMAT = 1,
    INDEX_DOUBT = 2, /* flag of the head */
    INDEX_HEAD_MAX = 65536,
    INDEX_HEAD_FIXED = 116,
    INDEX_KEY_ID = 48, /* offset of the key id */
    INDEX_SIGNATURE = 64,
    INDEX_SHARDS_MAX = 1024,
    INDEX_SHARD_MEAN = 16384,   /* inflated bytes at which shards double */
    INDEX_SHARD_MAX = 64 << 20, /* bytes, stored and inflated */
    INDEX_FORMER_MAX = 512,
    INDEX_VERSION_MAX = 0x7fffffff,
    INDEX_OBJECT = sizeof "index/" + 2 * OTA_HASH /* a shard's object name */
};

#define INDEX_HEAD_NAME "index/head"

/* `left` or `until` of what changed since the last write: becomes its time. */
#define INDEX_NOW UINT64_MAX

/* Record types of a shard. */
enum {
    INDEX_END = 0,
    INDEX_FILE = 1,
    INDEX_RELEASE = 2,
    INDEX_VERSION = 3,
    INDEX_GROUP = 4,
    INDEX_DEVICE = 5,
    INDEX_RETIRED = 6
};

/* Mark of a VERSION in bytes alone: a list of deletes follows its label. */
enum { INDEX_DELETES = 4 };

/* Flags of a DEVICE. */
enum { INDEX_EUI64 = 1, INDEX_NAMED = 2, INDEX_OWN = 4 };

/* A shard as the head names it; zeros: empty. */
struct index_ref {
    uint8_t name[OTA_HASH];
    uint32_t stored, size; /* bytes as stored and inflated */
};

struct index_name {
    uint8_t bytes[OTA_HASH];
};

struct index_file_entry {
    struct index_file file; /* first: a pointer to it is one to the entry */
    uint32_t number;        /* in the shard at hand */
    bool used;              /* the shard at hand refers to it */
};

struct index_release_entry {
    struct index_release release; /* first, as above */
    uint32_t version_room;
    uint32_t hash; /* places it in a shard */
    bool listed;   /* it has a RELEASE record, or is new */
};

/* A retired payload and whose it was. */
struct index_held {
    struct index_retired retired;
    const void *holder; /* an index_device or an index_release */
    bool of_device;
};

/* Pointers found by what they point to; a power of two of them, NULL: free. */
struct index_table {
    void **slots;
    size_t count, room;
};

struct index_private {
    struct arena arena;
    bool loaded;               /* the shards are read, or there are none */
    bool begun;                /* a head was put, or that was tried */
    struct index_intent *used; /* of all intents: release and highest version */
    size_t used_count, used_room;
    uint8_t head[OTA_HASH]; /* hash of the head last read or written */
    uint8_t next[OTA_HASH]; /* of the one that is being put, else zeros */

    size_t shard_count; /* a power of two */
    struct index_ref *shards;
    bool *dirty; /* for each shard: it has to be written */
    struct index_name *former;
    size_t former_count;

    struct index_table strings, files, devices;
    struct index_device **order; /* all of them, by id if `sorted` */
    size_t device_count, order_room;
    bool sorted;
    struct index_device *block; /* entries not taken yet */
    size_t block_left;
    struct index_release_entry **releases; /* by name */
    size_t release_count, release_room;
    struct index_held *retired;
    size_t retired_count, retired_room;
};

/* index_slots.c */
/* Room for one more.  0, or -1 (reported). */
int index_slots_grow(struct index_table *t, uint64_t (*hash)(const void *));
/* Puts in what is not there, after index_slots_grow(). */
void index_slots_put(struct index_table *t, uint64_t hash, void *entry);

/* index_table.c */
/* Hash of the bytes that place a thing in a shard. */
uint32_t index_place(const void *bytes, size_t len);
void index_hash(const uint8_t *bytes, size_t len, uint8_t hash[OTA_HASH]);
/* Grows an allocated `*list` by doubling to hold one more than `count` items
 * of `size` bytes.  0, or -1 (reported). */
int index_grow(void *list, size_t count, size_t *room, size_t size);
/* The one copy of a text, or of a file; NULL: out of memory (reported). */
const char *index_string(struct index *x, const char *text, size_t len);
struct index_file_entry *
index_intern(struct index *x, const struct index_file *file, size_t path_len);
struct index_release_entry *index_find_release(const struct index *x,
                                               const char *name);
struct index_release_entry *index_take_release(struct index *x,
                                               const char *name, size_t len);
struct index_device *index_take_device(struct index *x,
                                       const struct device_id *id);
struct index_version *
index_take_version(struct index *x, struct index_release *r, uint32_t version);
/* Notes a payload that a device (else a release) had.  0, or -1 (reported). */
int index_retire(struct index *x, const void *holder, bool of_device,
                 const uint8_t name[OTA_HASH], uint64_t until);
/* Whether an entry of a device or release names the payload. */
bool index_holds(const void *holder, bool of_device,
                 const uint8_t name[OTA_HASH]);
void index_table_release(struct index_private *p);

/* index_content.c */
/* Files in record order (ota-bundle(5), Order): slots, then files. */
int index_compare_files(const struct index_file *a, const struct index_file *b);
/* The order of a shard's table. */
int index_compare_entries(const struct index_file *a,
                          const struct index_file *b);
/* A copy in the index, its lists in order; NULL (reported). */
struct index_content *index_copy_content(struct index *x,
                                         const struct index_content *c);
bool index_same_content(const struct index_content *a,
                        const struct index_content *b);
bool index_names_payload(const struct index_content *c,
                         const uint8_t name[OTA_HASH]);
/* What is wrong with an alternative, or NULL. */
const char *index_check_payload(const struct ota_alternative *a);
/* Paths in record order, each once: copied (`*list` becomes the index's), and
 * to and from bytes.  0, or -1 (reported); what is wrong with the bytes is in
 * `in`. */
int index_copy_paths(struct index *x, const char ***list, uint32_t *count);
bool index_same_paths(const char *const *a, uint32_t a_count,
                      const char *const *b, uint32_t b_count);
void index_put_paths(struct index_out *o, const char *const *list,
                     uint32_t count);
int index_get_paths(struct index *x, struct index_in *in, const char ***list,
                    uint32_t *count);

void index_put_content(struct index_out *o, const struct index_content *c);
/* NULL where memory is out (reported) or with in->bad set. */
struct index_content *index_get_content(struct index *x, struct index_in *in,
                                        struct index_file_entry *const *files,
                                        size_t file_count);

/* index_encode.c */
/* All entries by shard. */
struct index_places {
    struct index_device **devices; /* shard by shard */
    size_t *start;                 /* of each shard in it, and the end */
};
int index_place_all(struct index *x, size_t shard_count,
                    struct index_places *p);
void index_places_release(struct index_places *p);
/* The order of groups: 0 for two devices of one. */
int index_compare_groups(const struct index_device *a,
                         const struct index_device *b);
/* Stamps what was left or retired since the last write. */
void index_settle(struct index *x, uint64_t now);
/* Appends shard `shard` to `o`, nothing where it is empty.  0, or -1
 * (reported). */
int index_encode_shard(struct index *x, const struct index_places *places,
                       size_t shard_count, size_t shard, struct index_out *o);

/* index_decode.c */
/* Adds what an inflated shard holds.  0; 1 with *bad; -1 (reported). */
int index_decode_shard(struct index *x, size_t shard, const uint8_t *bytes,
                       size_t len, const char **bad);

/* index_head.c */
/* Whether it is a head, whole and signed; `key` NULL: whole, as it seems. */
/* The bytes that it says to have, 1: it is none. */
size_t index_head_size(const uint8_t *bytes, size_t len);
bool index_is_head(const uint8_t *bytes, size_t len, const uint8_t *key);
/* Checks a head and takes it into `x`.  0, or -1 (reported). */
int index_decode_head(struct index *x, const uint8_t *bytes, size_t len,
                      const uint8_t *key, struct store *s);
/* A signed head of what `x` says with these shards.  0, or -1 (reported). */
int index_encode_head(const struct index *x, const struct index_ref *shards,
                      size_t shard_count, const struct index_name *former,
                      size_t former_count, struct signer *key,
                      struct index_out *o);
/* DIAG_SERVER, with what to do; returns -1. */
int index_damaged(const char *where, const char *what, const char *bad);

/* index.c */
/* As index_read_head(), whatever this machine remembers. */
int index_fetch_head(struct store *s, const uint8_t *key, struct index **out);

/* What is there in place of a head, whole or not: 1 with *bytes; 0: nothing
 * that could be one; -1 (reported). */
int index_find_head(struct store *s, const uint8_t *key, uint8_t **bytes,
                    size_t *len);
/* Reads a shard.  0; 1 with *bad; -1 (reported). */
int index_try_shard(struct index *x, struct store *s, size_t shard,
                    const char **bad);
/* Asks for the next shards, from `first` on. */
void index_ask_ahead(const struct index *x, struct store *s, size_t first);

/* index_memory.c */
/* Remembers the head that was written. */
void index_keep(const struct index *x, struct store *s);
/* Remembers the versions that the shards have. */
void index_learn(const struct index *x, struct store *s);

/* index_write.c */
void index_object(const uint8_t name[OTA_HASH], char out[INDEX_OBJECT]);

#endif
