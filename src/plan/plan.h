/* What a publish would change, and why: from configuration, files and index.
 * Nothing is written; of the store only manifests are read.  ota-publish(7),
 * Steps 4. */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "index/index.h"
#include "base/arena.h"

/* Why a device gets a manifest. */
enum plan_why {
    PLAN_SAME,    /* it gets none: what it has is what is asked for */
    PLAN_NEW,     /* not in the index */
    PLAN_CHANGED, /* other content or settings */
    PLAN_MOVED,   /* from another release */
    PLAN_REFRESH, /* the same version, signed anew before it expires */
    PLAN_WHYS
};

#define PLAN_NONE UINT32_MAX /* no group, no device */

/* One device that gets a manifest (with PLAN_ALL: each that is selected). */
struct plan_device {
    uint32_t device; /* index into config.devices */
    uint32_t group;  /* index into plan.groups */
    uint32_t next;   /* the group's next one in plan.devices, or PLAN_NONE */
    uint32_t before; /* version that it has, 0: none */
    uint8_t why;     /* enum plan_why */
    bool unread;     /* its manifest could not be read: it is left alone */
    bool done;       /* set by publish: its manifest is written */
};

/* Devices of one release that get the same version with the same payload. */
struct plan_group {
    uint32_t release; /* index into config.releases */
    uint32_t set;     /* index into the release's sets, or their number */
    uint32_t version;
    const struct tree_set *content;     /* what it installs */
    const struct index_content *source; /* whose payload has it, where the
                                         * files here are others; or NULL */
    uint16_t hardware;
    uint32_t ram;
    bool own; /* the devices' entries hold the content, not history */
    char label[OTA_LABEL + 1];
    const struct index_content *reuse;  /* it has the payload; NULL: pack */
    const struct index_content *before; /* what its devices have as a rule: the
                                         * latest version's content, or the
                                         * first device's; NULL: nothing */
    const char **deletes;  /* DELETEs of a payload to be packed, sorted; */
    uint32_t delete_count; /* owned here, the strings are not */
    const char **dropped;  /* for the index: paths of history that are not
                            * installed, also where they cannot be deleted */
    uint32_t dropped_count;
    uint32_t first, last; /* its devices in plan.devices */
    uint32_t sibling;     /* another group of the same set, or PLAN_NONE */
    uint32_t device_count;
    struct ota_alternative alternative; /* set by publish */
    bool failed; /* the same: its payload is not to be had again */
};

/* One release of the configuration. */
struct plan_release {
    uint32_t release;          /* index into config.releases */
    uint32_t before;           /* latest version in the index, 0: none */
    uint32_t version;          /* a new version in the history, 0: none */
    bool resumed;              /* an interrupted publish is taken up */
    uint64_t created;          /* of the manifests */
    uint64_t expires;          /* 0: never */
    uint8_t content[OTA_HASH]; /* for the intent */
    uint32_t group_first, group_count;   /* its share of plan.groups */
    uint32_t device_first, device_count; /* its share of plan.devices */
    uint32_t same_count;    /* selected devices that are up to date */
    uint32_t pending_count; /* devices that are not selected, to be changed */
    uint32_t rolled_back;   /* what is asked for was rolled back from this
                             * version: devices keep what is in force, and new
                             * ones get it; 0: it was not */
    uint32_t back_begun;    /* a rollback to this version was cut short, which
                             * publish completes first; 0: none was */
    uint32_t left_count;    /* devices that do not get what is asked for */
    const struct config_release *config; /* asked for, or what is in force */
    uint32_t counts[PLAN_WHYS];
};

/* A device whose manifest is newer than its index entry: an interrupted
 * publish wrote it, and this one does not replace it. */
struct plan_found {
    struct device_id id;
    uint32_t device; /* index into config.devices, or PLAN_NONE */
    uint32_t version;
    uint8_t digest[OTA_DIGEST];
    uint64_t created, expires;
    struct index_content *content; /* its payload's; NULL: not known */
};

/* A rollback: the one selected release is to have the content of a version that
 * it had. */
struct plan_back {
    uint32_t version;
    const struct index_content *content; /* of it, in the index */
};

/* Names of payloads, ascending, that cannot be had again: what has them gets a
 * higher version. */
struct plan_lost {
    uint8_t (*names)[OTA_HASH];
    size_t count;
};

/* Whether any payload of the content is one of them; lost NULL: none is. */
bool plan_is_lost(const struct plan_lost *lost, const struct index_content *c);

/* What was asked for; all pointers are borrowed and must outlive the plan. */
struct plan_request {
    const struct config *config;
    const struct tree *tree;
    const struct index *index;   /* with its shards */
    struct store *store;         /* manifests are read from it, or NULL */
    const uint8_t *key;          /* OTA_PUBLIC_KEY bytes */
    uint64_t now;                /* sign_time() */
    bool all;                    /* PLAN_SAME devices get groups, too (build) */
    bool new_base;               /* nothing of it is gone on from, */
    const struct index_old *old; /* but versions are: or NULL */
    bool again;                  /* also content that was rolled back */
    const struct plan_back *back; /* NULL: the configuration is the user's */
    const struct plan_lost *lost; /* or NULL */
    /* For each release of the configuration, the least that `auto` takes: so
     * that several servers get one number.  NULL: there are no others. */
    const uint32_t *at_least;
};

struct plan {
    struct plan_request request;
    struct plan_release *releases; /* the selected ones, as configured */
    size_t release_count;
    struct plan_group *groups;
    size_t group_count;
    struct plan_device *devices; /* as configured */
    size_t device_count;
    const struct index_device **not_listed;
    size_t not_listed_count;
    struct plan_found *found;
    size_t found_count;
    struct plan_found *replaced; /* the same, of those that it does replace */
    size_t replaced_count;
    struct index_intent *intents; /* to be open after this run is done */
    size_t intent_count;
    uint64_t refresh; /* for the head, once all of this is done */
    bool narrowed;    /* some devices of the configuration are not selected */
    bool doubt;       /* for the head, once all of this is done */
    uint8_t wanted[OTA_HASH]; /* zeros where narrowed */
    struct arena memory;      /* of the contents found */
};

/* Makes a plan.  0, or -1: refused or failed, each reason reported, nothing to
 * be released. */
int plan_make(const struct plan_request *request, struct plan *out);
void plan_release(struct plan *p);

/* Manifests to be written. */
size_t plan_changes(const struct plan *p);

/* Whether the index would say other things afterwards, though no manifest is
 * to be written. */
bool plan_index_differs(const struct plan *p);

/* Whether a publish of just this would write anything. */
bool plan_writes(const struct plan *p);

/* The hash over all that the configuration asks for (ota-index(5), Head);
 * zeros where it is narrowed. */
void plan_wanted(const struct config *c, const struct tree *t,
                 uint8_t wanted[OTA_HASH]);

/* With the head alone: nothing is to be done. */
bool plan_nothing(const struct config *c, const struct tree *t,
                  const struct index *head, uint64_t now);

/* The version from which a rollback has left the content that the release is
 * to have, or 0.  Files of devices' own are not looked at. */
uint32_t plan_rolled_back(const struct plan_request *r, size_t release);

/* The version that a rollback goes back to which was cut short, or 0. */
uint32_t plan_back_begun(const struct index *x, const struct index_release *r);

/* The files of a content as a set without bytes, in `memory`; NULL: no memory
 * (reported). */
struct tree_set *plan_content_set(struct arena *memory,
                                  const struct index_content *c);

/* The settings that the version was made with, in place of those of *out:
 * hardware, ram, label, deletes; `version: auto`.  0, or -1 (reported). */
int plan_version_settings(struct arena *memory, const struct index_version *v,
                          struct config_release *out);

/* What the intent of a publish or rollback to that shared content says. */
void plan_content_hash(const struct index_version *v, uint8_t hash[OTA_HASH]);

/* When a manifest is to be signed anew: with a third of its life left.  0:
 * never. */
uint64_t plan_refresh_time(uint64_t created, uint64_t expires);

/* Whether a publish has begun it and not brought it to the end; else it only
 * keeps a number from being used. */
bool plan_intent_open(const struct index_intent *i);

/* DELETEs that the configuration lists and its release installs, or that lie
 * below such a file.  0, or -1 (each reported at its place). */
int plan_check_deletes(const struct config *c, const struct tree *t);

/* How one path of a group differs from `before`. */
struct plan_file {
    char sign; /* '+', '~' or '-' */
    const char *path;
    uint8_t type;                     /* OTA_FILE or OTA_SLOT */
    uint64_t before, after;           /* bytes; UINT64_MAX: not known */
    uint16_t mode_before, mode_after; /* in a '~' */
};

/* Calls `each` for every path that differs, in record order, then for paths
 * that are deleted and not in `before`. */
void plan_each_file(const struct plan_group *g,
                    void (*each)(void *ctx, const struct plan_file *f),
                    void *ctx);

#endif
