/* ota-pack.yml as a model: what the user asked for, with the place of each
 * thing, and nothing looked up on disk but lists of devices.  ota-pack.yml(5)
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "fleet.h"

/* A string of the configuration and where it stands; text NULL: not there. */
struct config_text {
    const char *text; /* NUL-terminated, variables expanded, no NUL inside */
    struct diag_mark mark;
};

/* One item of `files:`. */
struct config_file {
    struct config_text from; /* a path or pattern, relative to config.dir */
    struct config_text to;   /* or NULL: the same path on the device */
    struct config_text slot; /* or NULL: not a firmware image */
    uint16_t mode;           /* 0 to 0777; 0644 unless given, 0 for a slot */
};

/* What is packed although it is refused elsewhere: patterns of files. */
struct config_allow {
    struct config_text *secrets, *follow;
    size_t secret_count, follow_count;
    bool follow_all; /* `follow: true` */
};

struct config_release {
    struct config_text name;
    bool selected;                 /* it has a selected device */
    uint32_t version;              /* 0: auto */
    struct diag_mark version_mark; /* of the value, or of the release */
    struct config_text label;      /* at most OTA_LABEL bytes, or NULL */
    struct config_file *files;
    size_t file_count;
    struct config_text *exclude; /* patterns */
    size_t exclude_count;
    struct config_allow allow;   /* its own; config.allow holds besides */
    struct config_text *deletes; /* device paths: ota-bundle(5), Paths */
    size_t delete_count;
    uint16_t hardware; /* 0: any */
    uint32_t ram;      /* bytes that a device's reader may use */
    struct diag_mark ram_mark;
    uint32_t expires; /* seconds of life, 0: never */
};

enum config_server_kind {
    SERVER_FOLDER,
    SERVER_HTTP,
    SERVER_HTTPS,
    SERVER_SFTP,
    SERVER_FTP,
    SERVER_FTPS,
    SERVER_S3
};

/* Where an S3 bucket's name stands in a URL. */
enum config_style { STYLE_UNSET, STYLE_HOST, STYLE_PATH };

/* Where to publish, and what it takes to get there; texts are NULL where they
 * are not given. */
struct config_server {
    enum config_server_kind kind;
    struct config_text url;        /* a folder is relative to config.dir */
    struct config_text public_url; /* where devices read, http or https */
    struct config_text user;       /* as it is: escapes of the URL are undone */
    struct config_text password_command; /* a shell command */
    struct config_text ca, pin; /* a file; "sha256//..." as curl takes it */
    struct config_text region, endpoint, profile; /* S3 */
    struct config_text known_hosts, identity;     /* SSH: files */
    enum config_style style;                      /* S3 */
    bool http2;
    struct diag_mark mark;
};

struct config {
    const char *path;       /* as given on the command line */
    const char *dir;        /* its folder, "." or ending without '/' */
    struct config_text key; /* a file (relative to dir), or env:NAME */
    struct config_text *sign_command; /* argv, or NULL */
    size_t sign_command_count;
    struct config_server *servers; /* or NULL */
    size_t server_count;
    struct config_allow allow; /* for all releases */
    uint32_t keep; /* versions of each release that prune leaves, 1 or more */
    struct config_release *releases;
    size_t release_count;
    struct device *devices; /* by release, and as listed within */
    size_t device_count;
    struct config_private *priv;
};

/* Reads the file and every list of devices that it names.  Every mistake is
 * reported (DIAG_CONFIG, also where this file cannot be read; DIAG_INPUT for a
 * list that cannot).  What is wrong is left out of the model.  Returns 0 with a
 * model to go on looking into, also where there were mistakes (ask
 * diag_errors()), or -1 and NULL where there is nothing to go on with. */
int config_load(const char *path, struct config **out);
void config_free(struct config *c);

/* Narrows to the named releases and devices (ids in any spelling, or names of
 * devices).  None: everything.  0, or -1 (DIAG_USAGE, with a suggestion). */
int config_select(struct config *c, char *const *words, size_t count);

/* What a region of S3 may look like: it goes into a host's name. */
bool config_is_region(const char *text);

/* `relative` seen from the configuration's folder; absolute ones as they are.
 * Returns an allocated path, or NULL (out of memory, reported). */
char *config_resolve(const struct config *c, const char *relative);

#endif
