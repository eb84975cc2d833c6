/* User, password and token of a server. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/keys.h"
#include "login.h"

enum { SECRETS_MAX = 1 << 20 };

static const char *from_variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static int copy_text(char **to, const char *from)
{
    if (!from || *to)
        return 0;
    *to = strdup(from);
    return *to ? 0 : diag_no_memory();
}

static void wipe(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void store_login_release(struct store_login *l)
{
    wipe(&l->user);
    wipe(&l->password);
    wipe(&l->token);
    wipe(&l->user_from);
    wipe(&l->password_from);
}

int store_login_note(char **to, const char *fmt, ...)
{
    va_list ap;
    int len;

    free(*to);
    va_start(ap, fmt);
    len = vasprintf(to, fmt, ap);
    va_end(ap);
    if (len >= 0)
        return 0;
    *to = NULL;
    return diag_no_memory();
}

void store_login_who(const struct store_login *l, const char *noun, char *out,
                     size_t size)
{
    size_t len;

    if (l->token) {
        snprintf(out, size, "the token of OTA_PACK_SERVER_TOKEN");
        return;
    }
    if (!l->user) {
        snprintf(out, size, "nobody, since no user is named");
        return;
    }
    len = (size_t)snprintf(out, size, "%s '%s' (%s)", noun, l->user,
                           l->user_from ? l->user_from : "?");
    if (len >= size)
        return;
    if (!l->password)
        snprintf(out + len, size - len, " without a password");
    else if (l->password_from)
        snprintf(out + len, size - len, " with the password of %s",
                 l->password_from);
}

static bool netrc_path(char path[PATH_MAX])
{
    const char *named = from_variable("NETRC"), *home = from_variable("HOME");

    if (named)
        return snprintf(path, PATH_MAX, "%s", named) < PATH_MAX;
    return home && snprintf(path, PATH_MAX, "%s/.netrc", home) < PATH_MAX;
}

char *store_login_read(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    ssize_t n = 1;

    *len = 0;
    if (fd < 0)
        return NULL;
    text = calloc(1, SECRETS_MAX + 1);
    while (text && n > 0 && *len < SECRETS_MAX) {
        n = read(fd, text + *len, SECRETS_MAX - *len);
        *len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return text;
}

static int take_entry(struct store_login *l, char *user, char *password,
                      const char *path)
{
    if (!l->user && user) {
        l->user = user;
        if (store_login_note(&l->user_from, "'%s'", path))
            return -1;
    } else {
        free(user);
    }
    l->password = password;
    return password ? store_login_note(&l->password_from, "'%s'", path) : 0;
}

static int from_netrc(const char *host, struct store_login *l)
{
    char path[PATH_MAX], *user, *password, *text;
    size_t len;
    int result = 0;

    text = netrc_path(path) ? store_login_read(path, &len) : NULL;
    if (!text)
        return 0;
    if (store_netrc_find(text, host, l->user, &user, &password))
        result = take_entry(l, user, password, path);
    explicit_bzero(text, len);
    free(text);
    return result;
}

/* The first of these that keys_server_password() asks, before it does: a
 * variable is gone then. */
static const char *password_source(const struct config_server *s,
                                   bool environment)
{
    static const char *const names[] = {"OTA_PACK_SERVER_PASSWORD",
                                        "OTA_PACK_SERVER_PASSWORD_FILE",
                                        "OTA_PACK_SERVER_PASSWORD_COMMAND"};

    for (unsigned i = 0; environment && i < 3; i++)
        if (from_variable(names[i]))
            return names[i];
    return s->password_command.text ? "'password_command'" : NULL;
}

static int take_password(const struct config_server *s, bool environment,
                         struct store_login *l)
{
    const char *from = password_source(s, environment);
    char *password;
    int result;

    if (keys_server_password(environment, s->password_command.text, &password))
        return -1;
    result = copy_text(&l->password, password);
    if (password)
        keys_password_free(password);
    if (!result && l->password && from)
        result = store_login_note(&l->password_from, "%s", from);
    return result;
}

static int take_user(const struct config *c, const struct config_server *s,
                     bool environment, struct store_login *l)
{
    const char *named = from_variable("OTA_PACK_SERVER_USER");

    if (environment && named)
        return copy_text(&l->user, named) ||
                       store_login_note(&l->user_from, "OTA_PACK_SERVER_USER")
                   ? -1
                   : 0;
    if (!s->user.text)
        return 0;
    /* A user of the URL has the URL's place. */
    return copy_text(&l->user, s->user.text) ||
                   store_login_note(&l->user_from, "%s of '%s'",
                                    s->user.mark.line == s->url.mark.line &&
                                            s->user.mark.col == s->url.mark.col
                                        ? "the URL"
                                        : "'user'",
                                    c->path)
               ? -1
               : 0;
}

static struct {
    bool on;
    const struct config_server *server; /* or NULL: of none yet */
    struct store_login login;
} kept;

static int copy_login(struct store_login *to, const struct store_login *from)
{
    return copy_text(&to->user, from->user) ||
                   copy_text(&to->password, from->password) ||
                   copy_text(&to->token, from->token) ||
                   copy_text(&to->user_from, from->user_from) ||
                   copy_text(&to->password_from, from->password_from)
               ? -1
               : 0;
}

void store_login_keep(bool keep)
{
    store_login_release(&kept.login);
    kept.server = NULL;
    kept.on = keep;
}

/* It becomes part of a line that a newline would end. */
static int check_token(const char *token)
{
    for (; token && *token; token++)
        if (*token <= ' ' || *token == 0x7f)
            return diag_error(DIAG_KEY, "OTA_PACK_SERVER_TOKEN holds a blank, "
                                        "a newline or something else that no "
                                        "token has");
    return 0;
}

static int find_login(const struct config *c, const struct config_server *s,
                      const char *host, struct store_login *out)
{
    bool environment = c->server_count == 1;

    if (take_user(c, s, environment, out) ||
        (environment &&
         copy_text(&out->token, from_variable("OTA_PACK_SERVER_TOKEN"))) ||
        check_token(out->token) || take_password(s, environment, out))
        return -1;
    return out->password || out->token ? 0 : from_netrc(host, out);
}

int store_login(const struct config *c, const struct config_server *s,
                const char *host, struct store_login *out)
{
    int result;

    *out = (struct store_login){0};
    result = kept.server == s ? copy_login(out, &kept.login)
                              : find_login(c, s, host, out);
    if (!result && kept.on && kept.server != s) {
        store_login_keep(true);
        kept.server = s;
        result = copy_login(&kept.login, out);
    }
    if (result)
        store_login_release(out);
    return result;
}
