/* User, password and token of a server. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/keys.h"
#include "login.h"

enum { SECRETS_MAX = 1 << 20 };

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static int copy(char **to, const char *from)
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
}

static bool netrc_path(char path[PATH_MAX])
{
    const char *named = variable("NETRC"), *home = variable("HOME");

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

static void from_netrc(const char *host, struct store_login *l)
{
    char path[PATH_MAX], *user, *password, *text;
    size_t len;

    text = netrc_path(path) ? store_login_read(path, &len) : NULL;
    if (!text)
        return;
    if (store_netrc_find(text, host, l->user, &user, &password)) {
        if (!l->user)
            l->user = user;
        else
            free(user);
        l->password = password;
    }
    explicit_bzero(text, len);
    free(text);
}

static int take_password(const struct config_server *s, bool environment,
                         struct store_login *l)
{
    char *password;
    int result;

    if (keys_server_password(environment, s->password_command.text, &password))
        return -1;
    result = copy(&l->password, password);
    if (password)
        keys_password_free(password);
    return result;
}

static struct {
    bool on;
    const struct config_server *server; /* or NULL: of none yet */
    struct store_login login;
} kept;

static int copy_login(struct store_login *to, const struct store_login *from)
{
    return copy(&to->user, from->user) || copy(&to->password, from->password) ||
                   copy(&to->token, from->token)
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

    if (environment && (copy(&out->user, variable("OTA_PACK_SERVER_USER")) ||
                        copy(&out->token, variable("OTA_PACK_SERVER_TOKEN"))))
        return -1;
    if (check_token(out->token) || copy(&out->user, s->user.text) ||
        take_password(s, environment, out))
        return -1;
    if (!out->password && !out->token)
        from_netrc(host, out);
    return 0;
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
