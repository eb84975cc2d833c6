/* What is published, as the server's index says: ota-index(5), ota-publish(7).
 * All strings and lists belong to the index and live as long as it does;
 * entries stay where they are (versions move when their release gets another),
 * and are changed by the functions below alone. */
#ifndef INDEX_INDEX_H
#define INDEX_INDEX_H

#include "keys/keys.h"
#include "pack/payload.h"
#include "store/store.h"

/* Limits of names here: of releases and devices, in bytes. */
enum { INDEX_NAME_MAX = 255 };

/* What to do where it is damaged: the second half alone loses something. */
#define INDEX_CURE                                                             \
    "put its 'index' folder back from a copy; only if there is none: "         \
    "'ota-pack publish --new-base' goes on above the versions that can "       \
    "still be read, without the versions to roll back to"

/* The same where it is older than what devices have. */
#define INDEX_OLD_CURE                                                         \
    "put back the newest copy of its 'index' folder; or, if it was you who "   \
    "put an older one there and it is to stay, run 'ota-pack publish "         \
    "--accept-rollback'"

/* A FILE or SLOT.  Of those in an index each distinct one is there once. */
struct index_file {
    const char *path;
    uint8_t type; /* OTA_FILE or OTA_SLOT */
    uint16_t mode;
    uint32_t size;
    uint8_t hash[OTA_HASH];
};

/* One distinct content of a version: the shared one of a release, or a
 * device's own. */
struct index_content {
    uint8_t digest[OTA_DIGEST];
    const struct index_file **files; /* in record order */
    uint32_t file_count;
    const char **dropped; /* DELETEs computed from history; sorted */
    uint32_t dropped_count;
    struct ota_alternative *payloads; /* as in manifests: full one last */
    uint8_t payload_count;            /* at most OTA_ALTERNATIVES */
};

/* Marks of a version. */
enum {
    INDEX_ROLLED_BACK = 1, /* a rollback left it: not to be published again */
    INDEX_KEPT = 2         /* never to be pruned */
};

/* One version of a release. */
struct index_version {
    uint32_t version;
    char label[OTA_LABEL + 1];
    uint64_t created;
    uint64_t expires; /* 0: never */
    uint16_t hardware;
    uint32_t ram;
    uint8_t flags; /* of the manifests: OTA_ENCRYPTED (refused for now) */
    uint8_t marks; /* INDEX_ROLLED_BACK, INDEX_KEPT */
    uint64_t left; /* when a device last went from it to another one, 0:
                    * never; kept by index_set_device() and index_write() */
    const char **deletes; /* DELETEs that were asked for; as `dropped` */
    uint32_t delete_count;
    struct index_content *shared; /* NULL: every device has its own */
};

struct index_release {
    const char *name;
    struct index_version *versions; /* ascending */
    uint32_t version_count;
};

struct index_device {
    struct device_id id;
    uint32_t version;
    const char *name;    /* or NULL */
    const char *release; /* name; its entry is in the index */
    uint8_t digest[OTA_DIGEST];
    uint64_t created, expires; /* of its manifest */
    struct index_content *own; /* NULL: the release's shared content */
};

/* Whether it was withdrawn: its digest is zeros.  It has no manifest; version
 * is the highest that it was given, and own, where there is one, has files and
 * no payload. */
bool index_withdrawn(const struct index_device *d);

/* An intent: release `release` goes to `version`; open until the final head. */
struct index_intent {
    const char *release;
    uint32_t version;
    uint64_t created, expires;
    uint8_t content[OTA_HASH]; /* tree_content_hash() of what was begun */
};

struct index {
    bool exists; /* false: nothing was ever published here */
    uint8_t base_id[16];
    uint64_t generation;
    uint64_t created;
    uint8_t key_id[OTA_KEY_ID];
    uint8_t wanted[OTA_HASH]; /* zeros: unknown */
    uint64_t refresh; /* when a manifest is to be signed anew, 0: never */
    bool doubt; /* manifests may be others than the entries say: all of them
                 * are to be read before anything is decided */
    uint8_t run_id[16];           /* of the open intents, zeros: none */
    struct index_intent *intents; /* by release name */
    size_t intent_count;
    struct index_private *priv; /* shards, tables, memory */
};

/* A payload that no entry names any more, for pruning. */
struct index_retired {
    uint8_t name[OTA_HASH]; /* as bytes: the hash of its first chunk */
    uint64_t until;         /* when a manifest last named it */
};

/* An empty index of a new base, with a random base id: exists is false, and
 * the shards need not be read.  For `--new-base`.  0, or -1 (reported). */
int index_new(struct index **out);

/* Reads and checks the head alone: one small get.  `key` (OTA_PUBLIC_KEY
 * bytes) must have signed it: another key is DIAG_KEY, a damaged head
 * DIAG_SERVER.  So is one that is older than s->memory has it, another one of
 * the same generation, one of another base than it has for this site, and none
 * where it has one, unless that says otherwise; where it accepts it,
 * doubt is set, and the next head goes above what is remembered.  A missing
 * head gives exists = false and a new base id.  0, or -1 (reported) and *out
 * is NULL. */
int index_read_head(struct store *s, const uint8_t *key, struct index **out);

/* The highest version that anything in it has, 0: none. */
uint32_t index_highest(const struct index *x);
/* The highest version that this machine remembers of where `s` is. */
uint32_t index_remembered(struct store *s);
/* There is no head: 0; -1 (reported) where this machine remembers one, unless
 * s->memory says otherwise. */
int index_check_absent(struct store *s);

/* For `--new-base`: what devices were given before. */
struct index_old {
    struct index *index; /* what can still be read of one that our key signed,
                          * or NULL */
    uint32_t above;      /* the highest version of all, where the index alone
                          * does not say it; 0: not known, or it does */
    bool other;          /* there is an index of another key: */
    uint8_t key_id[OTA_KEY_ID];
    uint8_t head[OTA_HASH]; /* of what is there, whoever signed it */
};

/* 0, or -1 (reported); to be released in both cases. */
int index_read_old(struct store *s, const uint8_t *key, struct index_old *out);
void index_old_release(struct index_old *old);
/* A new base takes the place of what was there when `old` was read, and of
 * nothing that was put since. */
void index_replace(struct index *x, const struct index_old *old);
/* The highest version that is known, 0: none is. */
uint32_t index_old_highest(const struct index_old *old);

/* Another one has taken its place at `now`: this machine remembers that it is
 * not to come back. */
void index_replaced(struct store *s, const uint8_t base[16], uint64_t now);

/* Whether the head on the server is the one that `x` last read or wrote (run
 * id, and all the rest), or tried to, and none where there was none: 1, 0, or
 * -1 (reported).  index_confirm: 0 where it is,
 * else -1 (reported, DIAG_SERVER: somebody else published). */
int index_is_ours(const struct index *x, struct store *s);
/* The same, where the lock was not lost either. */
int index_confirm(const struct index *x, struct store *s);

/* Reads the shards: all of them.  Does nothing where there are none, or they
 * are read.  0, or -1 (reported). */
int index_read_shards(struct index *x, struct store *s);

/* Look up; NULL if not there. */
struct index_release *index_release(const struct index *x, const char *name);
struct index_device *index_device(const struct index *x,
                                  const struct device_id *id);

/* All of them: releases by name, devices by id.  A new entry moves those that
 * come after it. */
size_t index_release_count(const struct index *x);
struct index_release *index_release_at(const struct index *x, size_t i);
size_t index_device_count(const struct index *x);
struct index_device *index_device_at(const struct index *x, size_t i);
size_t index_retired_count(const struct index *x);
const struct index_retired *index_retired_at(const struct index *x, size_t i);
/* The entry of `version`, or NULL. */
struct index_version *index_version(const struct index_release *r,
                                    uint32_t version);

/* What the device has: its own content, or the shared one of its version; NULL
 * where the index does not say it. */
const struct index_content *index_content_of(const struct index *x,
                                             const struct index_device *d);

/* Changes in memory, of an index whose shards are read.  Each copies what it
 * is given and returns the entry in the index, or NULL (reported).  An entry
 * with that id or version is replaced; saying again what is there is no change.
 * The order of files and dropped does not matter.  A release that is not there
 * is added. */
struct index_device *index_set_device(struct index *x,
                                      const struct index_device *d);
struct index_version *index_add_version(struct index *x, const char *release,
                                        const struct index_version *v);

/* Takes a version's payloads out of the history, or with `whole` all of it (no
 * device may have it).  They count as retired since the version was left.  0,
 * or -1 (reported). */
int index_prune_version(struct index *x, const char *release, uint32_t version,
                        bool whole);

/* Drops what is noted of retired payloads; their names ascend. */
void index_forget(struct index *x, const struct index_retired *list,
                  size_t count);
int index_retired_compare(const void *a, const void *b); /* by name */

/* Replaces the intents and makes a new random run id, zeros where count is 0.
 * `list` may hold entries of x->intents.  0, or -1 (reported). */
int index_set_intents(struct index *x, const struct index_intent *list,
                      size_t count);

/* Writes the shards that changed, then the head with generation + 1; it is
 * signed before it is asked whether the head that is there is still the one
 * that `x` knows.  x->wanted, x->refresh and x->doubt are set before.  Whatever
 * was changed is written: so the intent's head first, then index_set_device()
 * and the others.  exists is then true.  0, or -1 (reported) with `x` as it
 * was. */
int index_write(struct index *x, struct store *s, struct signer *key,
                uint64_t created);

/* Unlocks the server, after a run that failed or did not.  Where the lock did
 * not keep somebody else from publishing while `x` was written, manifests may
 * be his or ours, and a number may stand for two contents: the head that is
 * there is kept, and says so (doubt, and the releases of our intents), so that
 * the next publish, of whoever, gives their devices a higher version.  0, or -1
 * (reported): it was so, or it had failed. */
int index_unlock(const struct index *x, struct store *s, bool failed,
                 struct signer *key, uint64_t created);

/* After the final head: removes the shards that it dropped and has no room to
 * list.  Those that it lists are removed by the next index_write(), so that
 * whoever read the head before this one still finds them. */
int index_sweep(struct index *x, struct store *s);

void index_free(struct index *x);

#endif
