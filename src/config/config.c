/* ota-pack.yml, from the file to the model. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/file.h"
#include "config_private.h"

/* ---- files */

static int grow(char **bytes, size_t *room)
{
    size_t more = *room ? 2 * *room : 64 * 1024;
    char *p = realloc(*bytes, more);

    if (!p)
        return -1;
    *bytes = p;
    *room = more;
    return 0;
}

/* Reads to the end of fd, which need not be a file.  0 or an errno. */
static int read_all(int fd, char **bytes, size_t *len)
{
    size_t room = 0;
    ssize_t n;

    *len = 0;
    while (*len == room) {
        if (grow(bytes, &room) < 0)
            return ENOMEM;
        n = file_read(fd, *bytes + *len, room - *len);
        if (n < 0)
            return errno;
        *len += (size_t)n;
        if (*len > CONFIG_FILE)
            return EFBIG;
    }
    return 0;
}

static int read_file(void *ctx, const char *path, char **bytes, size_t *len,
                     const char **reason)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), error;
    char *fit;

    (void)ctx;
    *bytes = NULL;
    if (fd < 0) {
        *reason = strerror(errno);
        return -1;
    }
    error = read_all(fd, bytes, len);
    close(fd);
    if (error) {
        free(*bytes);
        *bytes = NULL;
        *reason = error == EFBIG ? "larger than 64 MiB" : strerror(error);
        return -1;
    }
    if ((fit = realloc(*bytes, *len ? *len : 1)))
        *bytes = fit;
    return 0;
}

struct diag_source *config_keep(struct config *c, const char *name, char *bytes,
                                size_t len)
{
    static const char bom[] = "\xef\xbb\xbf";
    struct arena *a = &c->priv->arena;
    struct config_source *s = arena_alloc(a, sizeof *s);
    size_t skip = len >= 3 && memcmp(bytes, bom, 3) == 0 ? 3 : 0;

    if (!s || !(s->source.name = arena_text(a, name, strlen(name)))) {
        free(bytes);
        return NULL;
    }
    s->bytes = bytes;
    s->source.text = bytes + skip;
    s->source.len = len - skip;
    s->next = c->priv->sources;
    c->priv->sources = s;
    return &s->source;
}

/* ---- the top of the file */

static int take_key(struct loader *l, struct node *key, struct node *value,
                    void *into)
{
    struct config_text *t = &l->config->key;
    const char *env;
    size_t len;

    (void)into;
    if (config_take_word(l, key->text, value, t) < 0)
        return -1;
    if (strncmp(t->text, "env:", 4) != 0)
        return 0;
    env = t->text + 4;
    len = strspn(env, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
                      "0123456789");
    if (!len || env[len] || (*env >= '0' && *env <= '9'))
        return config_wrong(l, value,
                            "'%s' does not name an environment variable: "
                            "write it like env:OTA_PACK_KEY",
                            t->text);
    return 0;
}

static int take_sign_command(struct loader *l, struct node *key,
                             struct node *value, void *into)
{
    struct config *c = l->config;

    (void)into;
    return config_take_texts(l, key, value, &c->sign_command,
                             &c->sign_command_count);
}

static int take_releases(struct loader *l, struct node *key, struct node *value,
                         void *into)
{
    (void)key;
    (void)into;
    l->releases = value;
    return 0;
}

static const struct config_field fields[] = {
    {"key", take_key},
    {"releases", take_releases},
    {"server", config_take_server},
    {"servers", config_take_servers},
    {"sign_command", take_sign_command},
    {"hardware", config_take_hardware},
    {"ram", config_take_ram},
    {"expires", config_take_expires},
    {"keep", config_take_keep},
    {"allow-secrets", config_take_secrets},
    {"follow", config_take_follow},
};

static void take_top(struct loader *l, struct node *root)
{
    static const struct config_schema schema = {
        fields, sizeof fields / sizeof fields[0], "", NULL};
    uint32_t seen = config_walk(l, root, &schema, l);

    if (!(seen & 1))
        config_wrong(l, root, "no 'key': the secret key's file, or env:NAME");
    if (!(seen & 2))
        config_wrong(l, root, "no 'releases'");
    if (l->releases)
        config_take_releases(l);
}

/* ---- the whole */

static int set_path(struct config *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct arena *a = &c->priv->arena;

    c->path = arena_text(a, path, strlen(path));
    if (!slash)
        c->dir = ".";
    else
        c->dir =
            arena_text(a, path, slash == path ? 1 : (size_t)(slash - path));
    return c->path && c->dir ? 0 : -1;
}

static struct config *new_config(const char *path)
{
    struct config *c = calloc(1, sizeof *c);
    struct config_private *priv = calloc(1, sizeof *priv);

    if (!c || !priv) {
        free(c);
        free(priv);
        diag_no_memory();
        return NULL;
    }
    c->priv = priv;
    c->keep = CONFIG_KEEP;
    priv->fleet.arena = &priv->arena;
    if (set_path(c, path) < 0) {
        config_free(c);
        return NULL;
    }
    return c;
}

/* The tree of nodes goes as soon as the model is there. */
static int load(struct loader *l)
{
    struct arena nodes = {0};
    struct config *c = l->config;
    struct node *root;
    int r = config_yaml_parse(&nodes, l->source, &root);

    if (r == 0 && (!root || root->kind != NODE_MAP)) {
        struct diag_mark start = {l->source, 1, 1, 0};

        r = diag_error_at(DIAG_CONFIG, start,
                          root ? "the configuration must be a map: 'key: ...'"
                               : "the configuration is empty: delete it, then "
                                 "'ota-pack init' writes one");
    }
    if (r == 0) {
        take_top(l, root);
        c->devices = l->fleet->devices;
        c->device_count = l->fleet->count;
        r = l->no_memory ? -1 : 0;
    }
    arena_release(&nodes);
    free(l->lists);
    return r;
}

int config_parse(const char *path, char *bytes, size_t len, config_reader *read,
                 void *ctx, struct config **out)
{
    struct config *c = new_config(path);
    struct loader l = {.config = c, .read = read, .read_ctx = ctx};

    *out = NULL;
    if (!c) {
        free(bytes);
        return -1;
    }
    l.arena = &c->priv->arena;
    l.allow = &c->allow;
    l.fleet = &c->priv->fleet;
    diag_gather();
    l.source = config_keep(c, path, bytes, len);
    if (!l.source || load(&l) < 0) {
        config_free(c);
        c = NULL;
    }
    diag_gathered();
    *out = c;
    return c ? 0 : -1;
}

int config_load(const char *path, struct config **out)
{
    const char *reason, *hint = "";
    char *bytes;
    size_t len;

    *out = NULL;
    if (access(path, F_OK) < 0)
        hint = " ('ota-pack init' writes one, -c names another)";
    if (read_file(NULL, path, &bytes, &len, &reason) < 0)
        return diag_error(DIAG_CONFIG, "cannot read '%s': %s%s", path, reason,
                          hint);
    return config_parse(path, bytes, len, read_file, NULL, out);
}

void config_free(struct config *c)
{
    if (!c)
        return;
    diag_forget();
    for (struct config_source *s = c->priv->sources; s; s = s->next)
        free(s->bytes);
    fleet_release(&c->priv->fleet);
    arena_release(&c->priv->arena);
    free(c->priv);
    free(c);
}

char *config_resolve(const struct config *c, const char *relative)
{
    size_t dir_len = strlen(c->dir);
    char *out = NULL;
    int r;

    if (*relative == '/' || strcmp(c->dir, ".") == 0)
        r = (out = strdup(relative)) ? 0 : -1;
    else
        r = asprintf(&out, "%s%s%s", c->dir,
                     c->dir[dir_len - 1] == '/' ? "" : "/", relative);
    if (r >= 0)
        return out;
    diag_no_memory();
    return NULL;
}
