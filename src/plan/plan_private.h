/* What the plan's files share while a plan is made. */
#ifndef PLAN_PLAN_PRIVATE_H
#define PLAN_PLAN_PRIVATE_H

#include "plan.h"

/* A manifest on the server that is newer than the index entry. */
struct plan_truth {
    struct plan_found found;
    uint8_t link[OTA_LINK]; /* of its full payload */
    bool wanted;            /* it has the content that is asked for */
    bool replaced;          /* by this run */
};

/* One selected release while it is planned. */
struct plan_work {
    struct plan_release *out;
    const struct config_release *config;
    const struct tree_release *tree;
    const struct index_release *history; /* or NULL */
    const struct index_version *latest;  /* or NULL */
    const struct index_version *join;    /* the version that devices join: the
                                          * latest, or what is in force */
    struct tree_set *force; /* what a rollback put in force, or NULL */
    const struct index_intent *match; /* open, of the content asked for */
    uint32_t begun; /* highest version of other content that is no history */
    bool named;     /* an intent names it: in doubt, its numbers are used up */
    uint32_t used, used_any; /* highest version of its intents, and of all: but
                              * for the one that is gone on with */
    bool settings_same;      /* as the latest version's */
    bool shared_same;        /* the latest version's shared content is ours */
    uint32_t highest;        /* version that was ever used here */
    uint32_t device_first, device_end; /* in config.devices */
    const char *covered_for; /* release that the answer is for, or NULL */
    bool covered;
    uint32_t *set_group; /* for each set, and then for what is no set of the
                          * tree: the latest group, or PLAN_NONE */
};

struct plan_maker {
    struct plan *plan;
    struct plan_work *works;
    size_t work_count;
    uint32_t *floors; /* of each, in a new base: it has that version, or 0 */
    uint8_t *why;     /* enum plan_why of each configured device */
    bool *unread;     /* of each: plan_device */
    bool *left;       /* it does not get what is asked for */
    struct plan_truth *truths; /* by device id */
    size_t truth_count, truth_room;
    uint32_t *by_name; /* works, sorted by release name */
    size_t group_room;
    uint32_t open; /* highest version of an open intent, 0: none is */
    bool doubt;    /* any manifest may be another than its entry says */
    bool twice;    /* and a number of what intents name may have two contents */
    unsigned unread_count;
    bool unsure; /* what a device has that this run leaves alone is unknown */
    uint32_t burnt; /* highest version of any intent */
};

/* Grows `*list` to hold one more of `size` bytes.  0, or -1 (reported). */
int plan_grow(void *list, size_t count, size_t *room, size_t size);

const struct index_content *plan_content_of(const struct index *x,
                                            const struct index_device *d);
bool plan_settings_same(const struct config_release *c,
                        const struct index_version *v);
/* Also label and deletes: all that devices notice but files. */
bool plan_asked_same(const struct config_release *c,
                     const struct index_version *v);
const char *plan_label(const struct config_release *c);
struct plan_work *plan_find_work(const struct plan_maker *m, const char *name);
struct plan_truth *plan_find_truth(const struct plan_maker *m,
                                   const struct device_id *id);

/* plan_state.c: what each device has against what it is to have. */
int plan_states(struct plan_maker *m);
/* The version that a new one must be above: it has other content. */
uint32_t plan_floor(const struct plan_maker *m, uint32_t device);
/* The version that it has. */
uint32_t plan_has(const struct plan_maker *m, uint32_t device);

/* plan_floor.c: in a new base, what each device and release had before it. */
int plan_read_floors(struct plan_maker *m);
void plan_find_old_highest(struct plan_maker *m);

/* plan_times.c: 0, or -1 (reported) where devices would refuse what is signed.
 */
enum { PLAN_DAY = 86400 /* seconds that clocks may be apart */ };
int plan_check_times(const struct plan *p);

/* plan_manifest.c */
int plan_read_manifests(struct plan_maker *m);
/* The manifest as of the device, if it is one: *good is false where it is
 * missing (*bytes is NULL) or does not verify, which is no news.  m borrows
 * *bytes, to be freed.  0, or -1 (reported). */
int plan_read_manifest(const struct plan_request *r, const struct device_id *id,
                       struct ota_manifest *m, uint8_t **bytes, bool *good);

/* plan_found.c: the contents of the truths; they are in another order then. */
int plan_read_contents(struct plan_maker *m);

/* plan_force.c: what a release has instead of content that was rolled back. */
int plan_find_force(struct plan_maker *m, struct plan_work *w);
/* plan.c: the intents of the release, for out->content. */
void plan_find_intents(struct plan_maker *m, struct plan_work *w);

/* plan_version.c: groups with versions. */
int plan_versions(struct plan_maker *m, struct plan_work *w);

/* plan_group.c */
struct plan_pick {
    uint32_t set, version;
    bool own;
    const char *label;
    const struct tree_set *content;
    const struct index_content *reuse, *source;
    uint16_t hardware;
    uint32_t ram;
};
int plan_add_device(struct plan_maker *m, struct plan_work *w, uint32_t device,
                    const struct plan_pick *pick);

/* plan_deletes.c */
int plan_group_deletes(struct plan_maker *m, struct plan_work *w,
                       struct plan_group *g);
/* Whether the latest version's payload deletes all that `device` may have. */
int plan_covered(struct plan_maker *m, struct plan_work *w, uint32_t device,
                 bool *covered);

/* Paths in record order (ota-bundle(5), Order), each once. */
struct plan_paths {
    struct plan_path {
        const char *path;
        bool installed; /* by what is published now */
        bool below;     /* a FILE that is to be: it cannot be deleted */
        uint32_t added; /* of two spellings the one that was added last */
    } * list;
    size_t count, room;
    size_t sorted; /* so many were in order when it was last compacted */
    uint32_t added;
};
int plan_paths_add(struct plan_paths *p, const char *path, bool installed);
void plan_paths_sort(struct plan_paths *p);
bool plan_paths_has(const struct plan_paths *p, const char *path);

#endif
