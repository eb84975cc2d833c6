/* What the files of tree share among themselves: memory, the list that a rule
 * adds to, and how a mistake is said. */
#ifndef PACK_TREE_INTERNAL_H
#define PACK_TREE_INTERNAL_H

#include "base/arena.h"
#include "base/table.h"
#include "tree.h"

enum {
    TREE_TEXT = 4096 /* longest path of this machine, with NUL */
};

/* A file of this machine that was read. */
struct tree_source {
    const char *path, *real; /* without links */
    uint32_t size;
    uint8_t hash[OTA_HASH];
};

/* All that were read, by path: none is read twice. */
struct tree_sources {
    struct arena arena;
    struct table table;
    struct secret_scan *scan; /* made for the first file */
    bool excused;    /* the file is taken only since a release allows it */
    bool has_public; /* of the key that signs: */
    uint8_t public[OTA_PUBLIC_KEY];
};

/* A file as it was asked for. */
struct tree_origin {
    const char *from; /* as in `files:`, or as a pattern found it */
    const char *path; /* the same as this process opens it */
    size_t prefix;    /* of a pattern: folders before its first wildcard */
    bool folder;      /* a link to one, that a walk came upon */
    struct diag_mark mark;
};

/* An entry and its path with case folded (the same pointer where that changes
 * nothing but ASCII). */
struct tree_item {
    struct tree_entry entry;
    const char *folded;
};

struct tree_list {
    struct tree_item **items;
    size_t count, room;
};

int tree_list_add(struct tree_list *list, struct tree_item *item);

/* What is being looked up: one release, or the part of it that is one
 * device's. */
struct tree_job {
    const struct config *config;
    const struct config_release *release;
    const struct device *device; /* NULL: for all of the release */
    struct tree_sources *sources;
    struct arena *arena;    /* for entries and their strings */
    struct tree_list *list; /* where they go */
    size_t prefix; /* of the pattern that finds files: see tree_origin */
    bool failed;
    bool said_windows, said_twin; /* warned of: tree_names.c */
};

/* Reports, naming the device if there is one; returns -1. */
int tree_fail(struct tree_job *job, enum diag_kind kind, struct diag_mark mark,
              const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Reads and hashes the file unless that was done.  NULL: reported. */
const struct tree_source *tree_source_get(struct tree_job *job,
                                          const struct tree_origin *o);
void tree_sources_release(struct tree_sources *s);

/* Before a file is read into sources.scan; then what was found there: 0, or -1
 * (reported); and what is worth a warning.  ota-pack.yml(5), Files. */
int tree_secret_begin(struct tree_sources *s, const struct config *c);
int tree_secret_check(struct tree_job *job, const struct tree_origin *o);
void tree_secret_warn(struct tree_job *job, const struct tree_origin *o,
                      uint32_t size);

/* Whether the absolute path lies in the folder, or is it. */
bool tree_is_below(const char *path, const char *folder);
/* Refuses a file that a link has led out to: 0, or -1 (reported). */
int tree_link_check(struct tree_job *job, const struct tree_origin *o,
                    const char *real);
/* The same for a link to a folder that a walk came upon: 1 where it leads out
 * and is followed, 0 where it leads to what is packed anyway, or -1. */
int tree_link_folder(struct tree_job *job, const struct tree_origin *o);
/* Says where a link leads that cannot be opened (errno): -1, or 1 where it is
 * none. */
int tree_link_missing(struct tree_job *job, const struct tree_origin *o);

/* Refuses a server's folder in which the key, the configuration or a file that
 * is packed lies: 0, or -1 (reported). */
int tree_served_check(const struct config *c,
                      const struct tree_sources *sources);

/* A rule of `files:` before devices come into it. */
enum tree_rule { TREE_RULE_BAD, TREE_RULE_SHARED, TREE_RULE_DEVICE };
enum tree_rule tree_rule_check(struct tree_job *job,
                               const struct config_file *f);

/* Adds what the rule brings.  0, or -1 (reported). */
int tree_rule_apply(struct tree_job *job, const struct config_file *f);

/* Files below the configuration's folder that match, as paths relative to it
 * and in order; `excluded` counts those that match but are excluded.
 * `no_folder`: the pattern's own folder is not there. */
struct tree_name {
    const char *path;
    struct tree_name *next;
};

struct tree_found {
    struct arena arena; /* of the names */
    struct tree_name *first, *last;
    size_t excluded, passed; /* over: tree_passes_over() */
    bool no_folder;
};

int tree_walk(struct tree_job *job, struct diag_mark mark, const char *pattern,
              struct tree_found *found);
void tree_found_release(struct tree_found *found);

/* True if the text has a wildcard; the length of the folders before the first
 * component that has one, with the last '/'. */
bool tree_wild(const char *text);
size_t tree_wild_prefix(const char *pattern);
/* True if something below `folder` can match. */
bool tree_match_below(const char *pattern, const char *folder);
/* True if the pattern does not mean the file or folder of that name: a hidden
 * one, unless the pattern has a component with a dot first that matches; what
 * editors, version control, merges and desktops leave.  ota-pack.yml(5), Files
 */
bool tree_passes_over(const char *pattern, const char *name);

/* The path with Unicode's simple case folding, ASCII left as it is.  `path` is
 * valid UTF-8.  NULL: reported. */
const char *tree_fold(struct arena *a, const char *path);
uint32_t tree_fold_char(uint32_t c);
/* The path with each letter and its accent as one character (base/compose.h),
 * as above: the same pointer where nothing changes. */
const char *tree_compose(struct arena *a, const char *path);

/* Warns of a path that Windows cannot have. */
void tree_names_warn(struct tree_job *job, const struct tree_entry *e);
/* Warns, once a release, of paths that look the same; the list is in the order
 * of tree_set_check(). */
void tree_names_twins(struct tree_job *job, const struct tree_list *list);

/* Sorts into record order. */
void tree_set_sort(struct tree_list *list);
/* Reports paths that clash, and drops the later ones.  Order is lost. */
void tree_set_check(struct tree_job *job, struct tree_list *list);
/* Makes the set of a sorted list, without its entries.  0, or -1 (reported) if
 * it is too large. */
int tree_set_measure(struct tree_job *job, const struct tree_list *list,
                     struct tree_set *set);

#endif
