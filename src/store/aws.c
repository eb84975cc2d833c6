/* Keys and region for S3.  The variables stay set: a `sign_command` may need
 * them too. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "aws.h"
#include "login.h"

struct profile {
    const struct config_server *server;
    const char *name;
    bool named;  /* somebody asked for it */
    bool needed; /* no keys are known yet */
    bool found;
    bool in_config;    /* the keys are not in `credentials` */
    const char *other; /* by which its keys come from elsewhere, or NULL */
    char credentials[PATH_MAX], config[PATH_MAX];
};

static void wipe(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void store_aws_release(struct store_aws *a)
{
    wipe(&a->id);
    wipe(&a->secret);
    wipe(&a->token);
    wipe(&a->region);
    wipe(&a->from);
}

static void move_text(char **to, char **from)
{
    if (*to)
        return;
    *to = *from;
    *from = NULL;
}

/* -- variables --------------------------------------------------------------
 */

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* Without the newline that a secret of CI may end with. */
static int copy_variable(char **to, const char *name)
{
    static const char blank[] = " \t\r\n";
    const char *value = variable(name);
    size_t len;

    if (!value || *to)
        return 0;
    value += strspn(value, blank);
    len = strlen(value);
    while (len && strchr(blank, value[len - 1]))
        len--;
    *to = strndup(value, len);
    return *to ? 0 : diag_no_memory();
}

static int from_variables(struct store_aws *out)
{
    if (copy_variable(&out->id, "AWS_ACCESS_KEY_ID") ||
        copy_variable(&out->secret, "AWS_SECRET_ACCESS_KEY"))
        return -1;
    if (!out->id != !out->secret)
        return diag_error(
            DIAG_KEY, "%s is set, and %s is not",
            out->id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
            out->id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    if (!out->id)
        return 0;
    return copy_variable(&out->token, "AWS_SESSION_TOKEN") ||
                   store_login_note(&out->from, "AWS_ACCESS_KEY_ID")
               ? -1
               : 0;
}

static int take_region(const struct config_server *s, struct store_aws *out)
{
    if (s->region.text && !(out->region = strdup(s->region.text)))
        return diag_no_memory();
    return copy_variable(&out->region, "AWS_REGION") ||
                   copy_variable(&out->region, "AWS_DEFAULT_REGION")
               ? -1
               : 0;
}

/* -- files ------------------------------------------------------------------
 */

/* Where the file is: the variable, or ~/.aws/NAME; "": nowhere. */
static void place_of(char path[PATH_MAX], const char *name, const char *file)
{
    const char *named = variable(name), *home = variable("HOME");
    bool at_home = named && strncmp(named, "~/", 2) == 0 && home;
    int len = 0;

    if (named)
        len = snprintf(path, PATH_MAX, "%s%s", at_home ? home : "",
                       at_home ? named + 1 : named);
    else if (home)
        len = snprintf(path, PATH_MAX, "%s/.aws/%s", home, file);
    if (len <= 0 || len >= PATH_MAX)
        *path = '\0';
}

/* A file that is not there says nothing. */
static int read_profile(struct profile *p, bool config, struct store_aws *out)
{
    const char *path = config ? p->config : p->credentials, *other = NULL;
    size_t len;
    char *text = *path ? store_login_read(path, &len) : NULL;

    *out = (struct store_aws){0};
    if (!text)
        return p->needed && *path && errno != ENOENT && errno != ENOTDIR
                   ? diag_error(DIAG_KEY, "cannot read '%s': %s", path,
                                strerror(errno))
                   : 0;
    if (store_aws_profile(text, config, p->name, out, &other))
        p->found = true;
    if (other)
        p->other = other;
    explicit_bzero(text, len);
    free(text);
    return 0;
}

/* Id, secret and token of one file belong together. */
static void take_keys(struct store_aws *out, struct store_aws *from)
{
    if (!out->id && from->id && from->secret) {
        move_text(&out->id, &from->id);
        move_text(&out->secret, &from->secret);
        move_text(&out->token, &from->token);
    }
}

static int note_profile(const struct profile *p, struct store_aws *out)
{
    return store_login_note(&out->from, "the profile '%s' in '%s'", p->name,
                            p->in_config ? p->config : p->credentials);
}

static int from_files(struct profile *p, struct store_aws *out)
{
    struct store_aws one, two = {0};
    int result = read_profile(p, false, &one);

    if (!result)
        result = read_profile(p, true, &two);
    take_keys(out, &one);
    p->in_config = !out->id;
    take_keys(out, &two);
    move_text(&out->region, &two.region);
    move_text(&out->region, &one.region);
    store_aws_release(&one);
    store_aws_release(&two);
    return result;
}

/* -- both -------------------------------------------------------------------
 */

static int is_missing(const struct profile *p)
{
    struct diag_mark mark = p->server->url.mark;

    if (!p->found && p->named)
        return diag_error_at(DIAG_KEY, mark,
                             "the profile '%s' is neither in '%s' nor in '%s'",
                             p->name, p->credentials, p->config);
    if (p->other)
        return diag_error_at(
            DIAG_KEY, mark,
            "the profile '%s' gets its keys from '%s', which is not supported "
            "here: eval \"$(aws configure export-credentials --profile '%s' "
            "--format env)\" puts them where they are found",
            p->name, p->other, p->name);
    return diag_error_at(DIAG_KEY, mark,
                         "no access key for '%s': set AWS_ACCESS_KEY_ID and "
                         "AWS_SECRET_ACCESS_KEY, or have both for the profile "
                         "'%s' in '%s'",
                         p->server->url.text, p->name, p->credentials);
}

/* They go into header lines. */
static bool is_plain(const char *text)
{
    for (; text && *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static int check(const struct config_server *s, const struct store_aws *a)
{
    if (!is_plain(a->id) || !is_plain(a->secret) || !is_plain(a->token))
        return diag_error_at(DIAG_KEY, s->url.mark,
                             "the access key for '%s' has blanks or other "
                             "characters that no key has",
                             s->url.text);
    if (a->region && !config_is_region(a->region))
        return diag_error_at(
            DIAG_CONFIG, s->url.mark,
            "the region '%s', from AWS_REGION or the profile, is not valid",
            a->region);
    return 0;
}

static int look(struct profile *p, struct store_aws *out)
{
    const struct config_server *s = p->server;

    if (take_region(s, out) || (!s->profile.text && from_variables(out)))
        return -1;
    place_of(p->credentials, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
    place_of(p->config, "AWS_CONFIG_FILE", "config");
    p->name = s->profile.text ? s->profile.text : variable("AWS_PROFILE");
    p->named = p->name != NULL;
    if (!p->named)
        p->name = "default";
    if (!out->id || !out->region) {
        bool needed = !out->id;

        if (from_files(p, out))
            return -1;
        if (needed &&
            (!out->id || (p->other && strcmp(p->other, "role_arn") == 0)))
            return is_missing(p);
        if (needed && note_profile(p, out))
            return -1;
    }
    return check(s, out);
}

int store_aws(const struct config_server *s, struct store_aws *out)
{
    struct profile p = {.server = s};

    *out = (struct store_aws){0};
    if (look(&p, out) == 0)
        return 0;
    store_aws_release(out);
    return -1;
}
