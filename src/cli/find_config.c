/* The configuration: the one that -c names, else the nearest upwards, as git
 * looks for a repository. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "find_config.h"

/* It says which commands are run: only our own are, or root's. */
static bool is_trusted(const struct stat *st)
{
    return st->st_uid == geteuid() || st->st_uid == 0;
}

/* Of the entry, of what it leads to, and of its folder. */
static int check_owner(const char *path)
{
    struct stat entry, file, folder;
    char name[PATH_MAX];

    snprintf(name, sizeof name, "%.*s",
             (int)(strlen(path) - strlen(CMD_CONFIG)), path);
    if (lstat(path, &entry) == 0 && stat(path, &file) == 0 &&
        stat(name, &folder) == 0 && is_trusted(&entry) && is_trusted(&file) &&
        is_trusted(&folder))
        return 0;
    return diag_error(DIAG_CONFIG,
                      "'%s' or its folder belongs to another user, whose "
                      "commands would be run: if you trust it, say so with "
                      "'-c %s'",
                      path, path);
}

/* The folder above, unless it is this one (the root) or, as for git, another
 * file system's. */
static bool has_parent(const char *folder, bool *boundary)
{
    char above[PATH_MAX];
    struct stat here, up;

    snprintf(above, sizeof above, "%s..", folder);
    if (stat(*folder ? folder : ".", &here) < 0 || stat(above, &up) < 0 ||
        (here.st_dev == up.st_dev && here.st_ino == up.st_ino))
        return false;
    *boundary = here.st_dev != up.st_dev;
    return !*boundary;
}

bool find_config_above(char path[PATH_MAX], bool *boundary)
{
    char folder[PATH_MAX - sizeof CMD_CONFIG] = "";
    struct stat st;
    size_t len = 0;

    *boundary = false;
    while (len + 3 < sizeof folder && has_parent(folder, boundary)) {
        memcpy(folder + len, "../", 4);
        len += 3;
        snprintf(path, PATH_MAX, "%s%s", folder, CMD_CONFIG);
        if (lstat(path, &st) == 0)
            return true;
    }
    return false;
}

static bool is_here(void)
{
    struct stat st;

    return lstat(CMD_CONFIG, &st) == 0 || errno != ENOENT;
}

bool find_config_any(const struct cmd_global *g)
{
    char path[PATH_MAX];
    bool boundary;

    return g->config_named || is_here() || find_config_above(path, &boundary);
}

int find_config(const struct cmd_global *g, struct config **out)
{
    char path[PATH_MAX];
    bool boundary;

    *out = NULL;
    if (g->config_named || is_here())
        return config_load(g->config, out);
    if (!find_config_above(path, &boundary))
        return diag_error(DIAG_CONFIG,
                          "there is no '%s' here or in a folder above%s "
                          "('ota-pack init' writes one, -c names another)",
                          g->config, boundary ? " on this file system" : "");
    if (check_owner(path))
        return -1;
    if (!g->quiet && !g->json && isatty(STDERR_FILENO))
        diag_note("using '%s'", path);
    return config_load(path, out);
}
