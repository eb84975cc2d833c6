/* Links: where a file really lies, and whether that is outside of what the
 * person meant. */
#include "tree_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static bool is_followed(const struct tree_job *job, const char *from)
{
    const struct config_allow *allow[] = {&job->config->allow,
                                          &job->release->allow};

    for (size_t i = 0; i < 2; i++) {
        if (allow[i]->follow_all)
            return true;
        for (size_t k = 0; k < allow[i]->follow_count; k++)
            if (tree_match(allow[i]->follow[k].text, from))
                return true;
    }
    return false;
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

/* The first link on the way that leads out, as far as *len of `path`; `target`
 * has PATH_MAX bytes. */
static bool find_link(const char *path, const char *home, size_t *len,
                      char *target)
{
    char part[PATH_MAX], *real;
    bool out = false;
    ssize_t n;

    for (size_t i = 1; i < sizeof part; i++) {
        if (path[i] && path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        n = readlink(part, target, PATH_MAX - 1);
        real = n > 0 ? realpath(part, NULL) : NULL;
        out = real && !tree_is_below(real, home);
        free(real);
        if (out) {
            target[n] = '\0';
            *len = i;
            return true;
        }
        if (!path[i])
            break;
    }
    return false;
}

int tree_link_check(struct tree_job *job, const struct tree_origin *o,
                    const char *real)
{
    char *home, target[PATH_MAX];
    size_t len = strlen(o->path);

    /* A path outside that was written in full is what the person meant. */
    if (climbs(o->from) && !o->prefix)
        return 0;
    home = home_of(job, o->from, o->prefix);
    if (!home || tree_is_below(real, home)) {
        free(home);
        return 0;
    }
    if (!find_link(o->path, home, &len, target))
        memcpy(target, "?", 2);
    free(home);
    job->sources->excused = true;
    if (is_followed(job, o->from))
        return 0;
    return tree_fail(job, DIAG_CONFIG, o->mark,
                     "'%.*s' is a link to '%s', out of the folder that is "
                     "packed: put the file itself there, or '%s' into 'follow'",
                     (int)len, o->path, target, o->from);
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
                         ? "'%s' is a link to '%s', which leads round in a "
                           "circle"
                         : "'%s' is a link to '%s', which is not there",
                     o->path, target);
}
