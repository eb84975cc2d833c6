/* How ota-pack.yml becomes a model: for config*.c and their tests alone. */
#ifndef CONFIG_CONFIG_PRIVATE_H
#define CONFIG_CONFIG_PRIVATE_H

#include "config.h"
#include "fleet_reading.h"

enum {
    CONFIG_DEPTH = 32,         /* levels of nesting */
    CONFIG_NODES = 4000000,    /* keys and values of a file */
    CONFIG_EXPANDED = 1000000, /* values that aliases stand for */
    CONFIG_FILE = 64 << 20,    /* bytes of a configuration or a list */
    CONFIG_TEXT = 4096,        /* bytes of a value */
    CONFIG_NAME = 64,          /* bytes of a release's name */
    CONFIG_RAM = 24 * 1024,    /* bytes, where `ram` is not given */
    CONFIG_KEEP = 3            /* versions, where `keep` is not given */
};

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP, NODE_ALIAS };

/* A piece of YAML.  Of a map, keys and values follow each other. */
struct node {
    struct node *next;
    union {
        const char *text;    /* NUL-terminated, but may hold others */
        struct node *first;  /* of a list or map */
        struct node *target; /* of an alias; never an alias */
    };
    uint32_t line, col, width;
    uint32_t len; /* of the text, in bytes */
    uint8_t kind; /* enum node_kind */
    bool plain;   /* text without quotes */
    bool exact;   /* the source has the text as it is, on one line */
    bool said;    /* a mistake in it was reported: once is enough */
};

/* Parses the source's text; nodes are the arena's.  Mistakes that leave a
 * tree to go on with are reported and set nothing.  0, or -1 (reported). */
int config_yaml_parse(struct arena *arena, const struct diag_source *source,
                      struct node **root);

struct config_private {
    struct arena arena; /* all of the model's texts and lists */
    struct fleet fleet;
    struct config_source *sources; /* texts that marks point into */
};

/* A text that was read, and its name. */
struct config_source {
    struct diag_source source;
    char *bytes; /* owned; the source's text is behind its byte order mark */
    struct config_source *next;
};

/* Gives all bytes of a file, allocated.  0, or -1 with a reason for people. */
typedef int config_reader(void *ctx, const char *path, char **bytes,
                          size_t *len, const char **reason);

/* What may stand at the top or in a release. */
struct config_settings {
    bool has_hardware, has_ram, has_expires;
    uint16_t hardware;
    uint32_t ram, expires;
    struct diag_mark ram_mark;
};

/* The work in progress. */
struct loader {
    struct config_settings settings; /* of the top; first: see config_setting */
    struct config_allow *allow;      /* of what is being read */
    struct config *config;
    struct arena *arena; /* the model's */
    struct fleet *fleet; /* the model's */
    const struct diag_source *source;
    struct node *releases;
    config_reader *read;
    void *read_ctx;
    struct config_text *lists; /* files of devices that were read */
    size_t list_count, list_room;
    bool in_list; /* what is taken is an item: for messages */
    bool no_memory;
};

/* config_load() over bytes that are already there, which it takes and frees.
 * Lists of devices come from `read`. */
int config_parse(const char *path, char *bytes, size_t len, config_reader *read,
                 void *ctx, struct config **out);

/* Keeps a text for marks.  Takes the bytes, also where it fails; NULL: memory.
 */
struct diag_source *config_keep(struct config *c, const char *name, char *bytes,
                                size_t len);

/* ---- maps */

struct config_field {
    const char *name;
    /* 0, or -1 (reported) */
    int (*take)(struct loader *l, struct node *key, struct node *value,
                void *into);
};

struct config_schema {
    const struct config_field *fields;
    size_t count;      /* at most 32 */
    const char *place; /* " in release 'x'", for unknown keys, or "" */
    /* For keys that are no field; NULL: they are unknown. */
    int (*other)(struct loader *l, struct node *key, struct node *value,
                 void *into);
};

/* Calls each key's function: the map's own keys, then what `<<` brings and the
 * map has not.  Returns a bit for each field that was there, or meant. */
uint32_t config_walk(struct loader *l, struct node *map,
                     const struct config_schema *schema, void *into);

/* The value of `name` in the map or what it merges, or NULL. */
struct node *config_get(struct node *map, const char *name);

/* The node that an alias stands for; any other as it is. */
struct node *config_node(struct node *n);

/* The list that is the value of `key`, and how many items it has (1 or more);
 * NULL (reported) if it is none. */
struct node *config_list(struct loader *l, struct node *key, struct node *value,
                         size_t *count);

/* ---- texts */

struct diag_mark config_mark(const struct loader *l, const struct node *n);

/* DIAG_CONFIG at the node, once for a text.  Returns -1. */
int config_wrong(struct loader *l, struct node *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A value as text: variables expanded, printable.  `what` is for messages.
 * 0, or -1 (reported; the text is then NULL, the mark set). */
int config_take_text(struct loader *l, const char *what, struct node *value,
                     struct config_text *out);

/* The same, and it may not be empty. */
int config_take_word(struct loader *l, const char *what, struct node *value,
                     struct config_text *out);

/* The same for an item of a list, which has no name of its own. */
int config_take_item(struct loader *l, const char *list, struct node *item,
                     struct config_text *out);

/* A list of texts. */
int config_take_texts(struct loader *l, struct node *key, struct node *value,
                      struct config_text **list, size_t *count);

/* ---- parts */

/* hardware, ram, expires: `into` begins with struct config_settings. */
int config_take_hardware(struct loader *l, struct node *key, struct node *value,
                         void *into);
int config_take_ram(struct loader *l, struct node *key, struct node *value,
                    void *into);
int config_take_expires(struct loader *l, struct node *key, struct node *value,
                        void *into);

/* allow-secrets, follow: into loader.allow. */
int config_take_secrets(struct loader *l, struct node *key, struct node *value,
                        void *into);
int config_take_follow(struct loader *l, struct node *key, struct node *value,
                       void *into);

/* keep: at the top alone. */
int config_take_keep(struct loader *l, struct node *key, struct node *value,
                     void *into);

/* server, servers */
int config_take_server(struct loader *l, struct node *key, struct node *value,
                       void *into);
int config_take_servers(struct loader *l, struct node *key, struct node *value,
                        void *into);

/* What to write in place of a `server:` that has no "scheme://" and cannot be
 * meant for a folder (ota-pack.yml(5), Servers), cut to fit; false: it is a
 * folder. */
bool config_server_cure(const char *text, char *cure, size_t max);

/* The items of `releases:`, `files:`, `devices:`. */
void config_take_releases(struct loader *l);
void config_take_files(struct loader *l, struct config_release *r,
                       struct node *key, struct node *value);
void config_take_devices(struct loader *l, uint32_t release, struct node *key,
                         struct node *value);

/* Where a known key belongs ("in a release"), or NULL. */
const char *config_belongs(const char *key);

#endif
