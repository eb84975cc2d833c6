/* A server's folder is read by anybody: neither the key, nor the configuration,
 * nor what is packed may lie in it. */
#include "tree_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One component more, '.' and '..' carried out; there is room. */
static void step(char *path, const char *name, size_t len)
{
    size_t end = strlen(path);
    char *slash = strrchr(path, '/');

    if (len == 2 && !memcmp(name, "..", 2))
        slash[slash == path] = '\0';
    else if (len && (len > 1 || *name != '.'))
        snprintf(path + end, len + 2, "%s%.*s", end > 1 ? "/" : "", (int)len,
                 name);
}

/* What is not there yet, below the real folder that is. */
static char *add_rest(const char *real, const char *rest)
{
    size_t len = strlen(real);
    char *out = malloc(len + strlen(rest) + 2);

    if (!out)
        return NULL;
    memcpy(out, real, len + 1);
    while (*rest) {
        len = strcspn(rest, "/");
        step(out, rest, len);
        rest += len + (rest[len] == '/');
    }
    return out;
}

/* Without links, also where the last folders are not there yet.  To be freed;
 * NULL: nothing can be known. */
static char *real_path(const char *path)
{
    char *text = strdup(path), *real = NULL, *out;

    while (text && !(real = realpath(*text ? text : ".", NULL))) {
        char *slash = strrchr(text, '/');

        if (slash == text) {
            real = strdup("/");
            break;
        }
        *(slash ? slash : text) = '\0';
    }
    out = real ? add_rest(real, path + strlen(text)) : NULL;
    free(real);
    free(text);
    return out;
}

struct served {
    const struct config_server *server;
    const char *folder; /* real */
};

/* 0, or -1 (reported): `name` is the file's real path. */
static int check_file(const struct served *s, const char *what,
                      const char *shown, const char *name)
{
    if (!name || !tree_is_below(name, s->folder))
        return 0;
    return diag_error_at(DIAG_CONFIG, s->server->url.mark,
                         "%s '%s' lies in '%s', which anybody can read: "
                         "keep it outside of that, or publish into a folder of "
                         "its own, like 'public/'",
                         what, shown, s->server->url.text);
}

static int check_path(const struct served *s, const char *what,
                      const char *shown, const char *path)
{
    char *real = path ? real_path(path) : NULL;
    int result = check_file(s, what, shown, real);

    free(real);
    return result;
}

static int check_key(const struct served *s, const struct config *c)
{
    char *path;
    int result;

    if (!c->key.text || !strncmp(c->key.text, "env:", 4) ||
        c->sign_command_count)
        return 0;
    path = config_resolve(c, c->key.text);
    /* Where it will lie, if it is not there yet. */
    result = check_path(s, "the secret key", c->key.text, path);
    free(path);
    return result;
}

static int check_sources(const struct served *s,
                         const struct tree_sources *sources)
{
    for (size_t i = 0; i < sources->table.room; i++) {
        const struct tree_source *source = sources->table.slots[i];

        if (source && check_file(s, "the source", source->path, source->real))
            return -1;
    }
    return 0;
}

/* sources NULL: they are not looked at. */
static int check_server(const struct config *c, const struct config_server *s,
                        const struct tree_sources *sources)
{
    char *path = config_resolve(c, s->url.text);
    char *folder = path ? real_path(path) : NULL;
    struct served served = {s, folder};
    int result = path ? 0 : -1;

    if (folder) {
        result = check_key(&served, c);
        if (!result)
            result = check_path(&served, "the configuration", c->path, c->path);
        if (!result && sources)
            result = check_sources(&served, sources);
    }
    free(folder);
    free(path);
    return result;
}

int tree_served_check(const struct config *c,
                      const struct tree_sources *sources)
{
    int result = 0;

    for (size_t i = 0; i < c->server_count; i++)
        if (c->servers[i].kind == SERVER_FOLDER)
            result |= check_server(c, &c->servers[i], sources);
    return result;
}

int tree_served_keys(const struct config *c, const struct config_server *server)
{
    return server->kind == SERVER_FOLDER ? check_server(c, server, NULL) : 0;
}
