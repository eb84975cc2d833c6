/* Finds the files that a pattern names.  Links to folders are not followed but
 * where `follow:` says so, and never round in a circle, so a walk ends; links
 * to files are files. */
#include "tree_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct walk {
    struct tree_job *job;
    struct diag_mark mark;
    const char *pattern;
    struct tree_found *found;
    bool refused; /* published files: said once */
    size_t len;   /* of the path that is looked at */
    char path[TREE_TEXT];
};

static int walk_folder(struct walk *w);

static int not_dots(const struct dirent *e)
{
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_excluded(const struct walk *w)
{
    const struct config_release *r = w->job->release;
    size_t i;

    for (i = 0; i < r->exclude_count; i++) {
        if (tree_match(r->exclude[i].text, w->path))
            return true;
    }
    return false;
}

/* Whether the path lies in the folder; *name is that, as far as *len. */
static bool is_below(const char *path, const char *folder, const char **name,
                     size_t *len)
{
    while (strncmp(folder, "./", 2) == 0)
        folder += 2;
    *name = folder;
    *len = strlen(folder);
    while (*len && folder[*len - 1] == '/')
        --*len;
    return *len && strncmp(path, folder, *len) == 0 && path[*len] == '/';
}

/* The server's folder that w->path lies in, as far as *len, or NULL: each
 * publish would pack what the one before has published. */
static const char *published(const struct walk *w, size_t *len)
{
    const struct config *c = w->job->config;
    const char *name;

    for (size_t i = 0; i < c->server_count; i++)
        if (c->servers[i].kind == SERVER_FOLDER &&
            is_below(w->path, c->servers[i].url.text, &name, len))
            return name;
    return NULL;
}

static int refuse_published(struct walk *w, const char *folder, size_t len)
{
    if (w->refused)
        return -1;
    w->refused = true;
    return tree_fail(w->job, DIAG_CONFIG, w->mark,
                     "'%s' matches what is published in '%.*s': put '%.*s/**' "
                     "into 'exclude'",
                     w->pattern, (int)len, folder, (int)len, folder);
}

static int push_path(struct tree_found *f, const char *path)
{
    struct tree_name *name = arena_alloc(&f->arena, sizeof *name);

    if (!name || !(name->path = arena_text(&f->arena, path, strlen(path))))
        return -1;
    name->next = NULL;
    if (f->last)
        f->last->next = name;
    else
        f->first = name;
    f->last = name;
    return 0;
}

/* Whether all that may lie in the folder of that path is excluded. */
static bool excluded_below(struct walk *w)
{
    static const char name[] = "/\001\001";
    size_t len = strlen(w->path);
    bool yes = is_excluded(w);

    if (!yes && len + sizeof name <= sizeof w->path) {
        memcpy(w->path + len, name, sizeof name);
        yes = is_excluded(w);
        w->path[len] = '\0';
    }
    return yes;
}

enum kind { IS_FILE, IS_FOLDER, IS_LINK /* to a folder */ };

static enum kind kind_of(const struct walk *w, unsigned char type)
{
    enum kind kind = IS_FILE;
    struct stat st;
    char *name;

    if (type == DT_DIR || type == DT_REG)
        return type == DT_DIR ? IS_FOLDER : IS_FILE;
    name = config_resolve(w->job->config, w->path);
    if (name && lstat(name, &st) == 0 && S_ISDIR(st.st_mode))
        kind = IS_FOLDER;
    else if (name && stat(name, &st) == 0 && S_ISDIR(st.st_mode))
        kind = IS_LINK;
    free(name);
    return kind;
}

static int enter(struct walk *w)
{
    memcpy(w->path + w->len++, "/", 2);
    return walk_folder(w);
}

static int visit_link(struct walk *w)
{
    char *name = config_resolve(w->job->config, w->path);
    struct tree_origin o = {.from = w->path,
                            .path = name,
                            .prefix = tree_wild_prefix(w->pattern),
                            .folder = true,
                            .mark = w->mark};
    int followed = name ? tree_link_folder(w->job, &o) : -1;

    free(name);
    return followed > 0 ? enter(w) : followed;
}

/* What w->path is now. */
static int visit(struct walk *w, unsigned char type)
{
    enum kind kind = kind_of(w, type);
    const char *folder;
    size_t len;

    if (kind == IS_FOLDER) {
        if (!tree_match_below(w->pattern, w->path) || is_excluded(w))
            return 0;
        return enter(w);
    }
    if (kind == IS_LINK)
        return tree_match_below(w->pattern, w->path) && !excluded_below(w)
                   ? visit_link(w)
                   : 0;
    if (!tree_match(w->pattern, w->path))
        return 0;
    if (is_excluded(w)) {
        w->found->excluded++;
        return 0;
    }
    folder = published(w, &len);
    return folder ? refuse_published(w, folder, len)
                  : push_path(w->found, w->path);
}

static int visit_name(struct walk *w, const struct dirent *e)
{
    size_t len = strlen(e->d_name), before = w->len;
    int err = 0;

    if (len + 2 > sizeof w->path - before)
        return tree_fail(w->job, DIAG_INPUT, w->mark,
                         "a path below '%s' is too long", w->path);
    memcpy(w->path + before, e->d_name, len + 1);
    w->len = before + len;
    if (!tree_passes_over(w->pattern, e->d_name))
        err = visit(w, e->d_type);
    else if (tree_match(w->pattern, w->path))
        w->found->passed++;
    w->len = before;
    w->path[before] = '\0';
    return err;
}

/* w->path is "" or ends in '/'.  Each folder is closed before those in it are
 * opened: depth costs no descriptors. */
static int walk_folder(struct walk *w)
{
    char *name = config_resolve(w->job->config, w->len ? w->path : ".");
    struct dirent **names;
    int n, i, err = 0;

    if (!name)
        return -1;
    n = scandir(name, &names, not_dots, by_name);
    if (n < 0)
        err =
            tree_fail(w->job, DIAG_INPUT, w->mark,
                      "cannot read the folder '%s': %s", name, strerror(errno));
    for (i = 0; i < n; i++) {
        err = visit_name(w, names[i]) ? -1 : err;
        free(names[i]);
    }
    if (n >= 0)
        free(names);
    free(name);
    return err;
}

static bool is_folder(const struct config *c, const char *folder)
{
    char *name = config_resolve(c, *folder ? folder : ".");
    struct stat st;
    bool yes = name && stat(name, &st) == 0 && S_ISDIR(st.st_mode);

    free(name);
    return yes;
}

/* Whether the pattern's own folder is one that no pattern means: .git. */
static bool prefix_passed_over(const struct walk *w)
{
    const char *name = w->path;

    while (*name) {
        size_t len = strcspn(name, "/");

        if (len && strncmp(name, "..", len) != 0 &&
            tree_passes_over(w->pattern, name))
            return true;
        name += len + (name[len] == '/');
    }
    return false;
}

int tree_walk(struct tree_job *job, struct diag_mark mark, const char *pattern,
              struct tree_found *found)
{
    struct walk w = {.job = job,
                     .mark = mark,
                     .pattern = pattern,
                     .found = found,
                     .len = tree_wild_prefix(pattern)};

    memset(found, 0, sizeof *found);
    memcpy(w.path, pattern, w.len);
    w.path[w.len] = '\0';
    if (!is_folder(job->config, w.path)) {
        found->no_folder = true;
        return 0;
    }
    if (prefix_passed_over(&w)) {
        found->passed = 1;
        return 0;
    }
    return walk_folder(&w);
}

void tree_found_release(struct tree_found *found)
{
    arena_release(&found->arena);
    memset(found, 0, sizeof *found);
}
