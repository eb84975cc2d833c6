/* Links: where a file really lies, and whether that is outside of what the
 * person meant. */
#include "tree_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool tree_is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    while (len && folder[len - 1] == '/')
        len--;
    return strncmp(path, folder, len) == 0 &&
           (path[len] == '/' || (path[len] == '\0' && len));
}

/* Whether the text names a place outside without any link. */
static bool climbs(const char *from)
{
    return *from == '/' || !strncmp(from, "../", 3) || strstr(from, "/../");
}

/* The first `len` bytes of `from`: a file, or a link on the way to it. */
static bool is_followed(const struct tree_job *job, const char *from,
                        size_t len)
{
    const struct config_allow *allow[] = {&job->config->allow,
                                          &job->release->allow};
    char *part = strndup(from, len);
    bool yes = false;

    for (size_t i = 0; part && i < 2; i++) {
        yes = yes || allow[i]->follow_all;
        for (size_t k = 0; k < allow[i]->follow_count && !yes; k++)
            yes = tree_match(allow[i]->follow[k].text, part);
    }
    free(part);
    return yes;
}

/* The real folder that files are to lie in: the configuration's, or, for what
 * was named outside of it, the one that was named (`prefix` bytes of `from`).
 */
static char *home_of(const struct tree_job *job, const char *from,
                     size_t prefix)
{
    char *text = climbs(from) ? strndup(from, prefix) : strdup(""), *name,
         *real;

    name = text ? config_resolve(job->config, *text ? text : ".") : NULL;
    real = name ? realpath(name, NULL) : NULL;
    free(text);
    free(name);
    return real;
}

/* A link on the way to a file. */
struct link {
    size_t len; /* of the path, as far as the link */
    char *real; /* where it leads, to be freed */
    char target[PATH_MAX];
};

/* The next link that leads out of `home`, or of `other` unless that is NULL,
 * behind the first link->len bytes of `path`. */
static bool find_link(const char *path, const char *home, const char *other,
                      struct link *link)
{
    char part[PATH_MAX];
    ssize_t n;

    for (size_t i = link->len + 1; i < sizeof part && path[i - 1]; i++) {
        if (path[i] && path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        n = readlink(part, link->target, PATH_MAX - 1);
        link->real = n > 0 ? realpath(part, NULL) : NULL;
        if (link->real && !tree_is_below(link->real, home) &&
            !(other && tree_is_below(link->real, other))) {
            link->target[n] = '\0';
            link->len = i;
            return true;
        }
        free(link->real);
    }
    return false;
}

static int refuse(struct tree_job *job, const struct tree_origin *o,
                  const struct link *link, size_t len)
{
    return tree_fail(job, DIAG_CONFIG, o->mark,
                     "'%.*s' is a link to '%s', out of the folder that is "
                     "packed: put %s itself there, or add '%.*s' to 'follow'",
                     (int)link->len, o->path, link->target,
                     o->folder || link->len < strlen(o->path) ? "the folder"
                                                              : "the file",
                     (int)len, o->from);
}

/* Each link that leads out has to be followed by name, or the file has: one
 * that was named is no leave for those behind it. */
static int check_links(struct tree_job *job, const struct tree_origin *o,
                       const char *home)
{
    size_t before = strlen(o->path) - strlen(o->from);
    struct link link = {0};
    char *other = NULL;
    bool any = false;
    int err = 0;

    if (is_followed(job, o->from, strlen(o->from)))
        return 0;
    while (!err && find_link(o->path, home, other, &link)) {
        size_t len = link.len > before ? link.len - before : 0;

        any = true;
        free(other);
        other = link.real;
        if (!is_followed(job, o->from, len))
            err = refuse(job, o, &link, len ? len : strlen(o->from));
    }
    free(other);
    if (any)
        return err;
    link.len = strlen(o->path);
    memcpy(link.target, "?", 2);
    return refuse(job, o, &link, strlen(o->from));
}

int tree_link_check(struct tree_job *job, const struct tree_origin *o,
                    const char *real)
{
    char *home;
    int err = 0;

    /* A path outside that was written in full is what the person meant. */
    if (climbs(o->from) && !o->prefix)
        return 0;
    home = home_of(job, o->from, o->prefix);
    if (home && !tree_is_below(real, home)) {
        job->sources->excused = true;
        err = check_links(job, o, home);
    }
    free(home);
    return err;
}

/* Whether a folder on the way to the link lies in that one, or is it: following
 * it has no end. */
static bool is_around(const char *path, const char *real)
{
    char part[PATH_MAX], *folder;
    bool around = false;

    for (size_t i = 0; i < sizeof part - 1 && path[i] && !around; i++) {
        if (path[i] != '/')
            continue;
        memcpy(part, path, i + 1);
        part[i + 1] = '\0';
        folder = realpath(part, NULL);
        around = folder && tree_is_below(folder, real);
        free(folder);
    }
    return around;
}

int tree_link_folder(struct tree_job *job, const struct tree_origin *o)
{
    char *real = realpath(o->path, NULL);
    char *home = real ? home_of(job, o->from, o->prefix) : NULL;
    int result = 0;

    if (home && !tree_is_below(real, home)) {
        result = check_links(job, o, home) ? -1 : 1;
        if (result > 0 && is_around(o->path, real))
            result = tree_fail(job, DIAG_CONFIG, o->mark,
                               "'%s' is a link to '%s', a folder that it lies "
                               "in itself: put '%s' into 'exclude'",
                               o->path, real, o->from);
    }
    free(home);
    free(real);
    return result;
}

int tree_link_missing(struct tree_job *job, const struct tree_origin *o)
{
    char target[PATH_MAX];
    ssize_t n = readlink(o->path, target, sizeof target - 1);

    if (n < 0)
        return 1;
    target[n] = '\0';
    return tree_fail(job, DIAG_INPUT, o->mark,
                     errno == ELOOP
                         ? "'%s' is a link to '%s', which leads back to itself"
                         : "'%s' is a link to '%s', which is not there",
                     o->path, target);
}
