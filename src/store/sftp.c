/* SFTP: whose key the server has, who we are, and the commands. */
#include <stdatomic.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "remote.h"

enum { SSH_PORT = 22, KEYS = 4 };

struct store_sftp {
    struct store_remote remote; /* first */
    char *known_hosts;
    bool agent;
    char *keys[KEYS]; /* files of ours, the first ones that are there */
    atomic_uint key;  /* the one that is tried */
    atomic_int match; /* enum curl_khmatch of the server's key */
};

static int sftp_command(struct curl_slist **list, enum remote_verb verb,
                        bool may_fail, const char *path, const char *to)
{
    static const char *const words[] = {[REMOTE_MKDIR] = "mkdir",
                                        [REMOTE_RMDIR] = "rmdir",
                                        [REMOTE_REMOVE] = "rm",
                                        [REMOTE_RENAME] = "rename"};
    char line[2 * STORE_NAME + 4096 + 32], *out = line;
    const char *const both[] = {path, verb == REMOTE_RENAME ? to : NULL};
    struct curl_slist *more;

    if (strlen(path) + strlen(to) > sizeof line / 2 - 32)
        return diag_error(DIAG_SERVER, "'%s' is too long a path", path);
    out += sprintf(out, "%s%s", may_fail ? "*" : "", words[verb]);
    for (size_t i = 0; i < 2 && both[i]; i++) {
        out += sprintf(out, " \"");
        for (const char *p = both[i]; *p; p++) {
            if (*p == '"' || *p == '\\')
                *out++ = '\\';
            *out++ = *p;
        }
        out += sprintf(out, "\"");
    }
    if (!(more = curl_slist_append(*list, line)))
        return diag_no_memory();
    *list = more;
    return 0;
}

/* A REQUEST_COMMAND without commands asks for the folder's time. */
static int sftp_ask_folder(struct request *q, const char *path)
{
    (void)q, (void)path;
    return 0;
}

static bool sftp_has_folder(const struct request *q)
{
    return q->modified;
}

/* Called in any thread. */
static int on_host_key(CURL *easy, const struct curl_khkey *known,
                       const struct curl_khkey *found, enum curl_khmatch match,
                       void *ctx)
{
    struct store_sftp *s = ctx;

    (void)easy, (void)known, (void)found;
    atomic_store(&s->match, (int)match);
    return match == CURLKHMATCH_OK ? CURLKHSTAT_FINE : CURLKHSTAT_REJECT;
}

static void sftp_setup(void *ctx, CURL *easy)
{
    struct store_sftp *s = ctx;
    const char *key = s->keys[atomic_load(&s->key)];
    long types = 0;

    if (s->agent)
        types |= CURLSSH_AUTH_AGENT;
    if (key)
        types |= CURLSSH_AUTH_PUBLICKEY;
    if (s->remote.net.curl.login.password)
        types |= CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD;
    curl_easy_setopt(easy, CURLOPT_SSH_AUTH_TYPES, types);
    curl_easy_setopt(easy, CURLOPT_SSH_PRIVATE_KEYFILE, key);
    curl_easy_setopt(easy, CURLOPT_SSH_KNOWNHOSTS, s->known_hosts);
    curl_easy_setopt(easy, CURLOPT_SSH_KEYFUNCTION, on_host_key);
    curl_easy_setopt(easy, CURLOPT_SSH_KEYDATA, s);
}

static bool sftp_denied(void *ctx)
{
    struct store_sftp *s = ctx;
    unsigned next = atomic_load(&s->key) + 1;

    if (next >= KEYS || !s->keys[next])
        return false;
    atomic_store(&s->key, next);
    return true;
}

/* "HOST", or as known_hosts has it with a port. */
static void known_name(const struct store_remote *r, char *out, size_t size)
{
    if (r->port == SSH_PORT)
        snprintf(out, size, "%s", r->host);
    else
        snprintf(out, size, "[%s]:%u", r->host, r->port);
}

/* As whom, and with what. */
static void describe_login(const struct store_sftp *s, char *out, size_t size)
{
    const struct store_login *l = &s->remote.net.curl.login;
    size_t len = (size_t)snprintf(out, size, "user '%s' (%s) with ", l->user,
                                  l->user_from ? l->user_from : "?");
    const size_t begin = len;

    if (s->agent && len < size)
        len += (size_t)snprintf(out + len, size - len,
                                "the keys of the ssh agent");
    for (unsigned i = 0; i < KEYS && s->keys[i] && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%sthe key '%s'",
                                len > begin ? ", " : "", s->keys[i]);
    if (l->password && len < size)
        len += (size_t)snprintf(out + len, size - len, "%sthe password of %s",
                                len > begin ? ", " : "",
                                l->password_from ? l->password_from : "?");
    if (len == begin && len < size)
        snprintf(out + len, size - len,
                 "nothing: no ssh agent, no key in ~/.ssh and no password is "
                 "there");
}

static bool sftp_explain(struct store_remote *r, const char *verb,
                         const struct request *q)
{
    struct store_sftp *s = (struct store_sftp *)r;
    char name[300], scan[300], who[1024];

    if (q->code == CURLE_LOGIN_DENIED) {
        describe_login(s, who, sizeof who);
        store_curl_denied(&r->net.curl, verb, q->name,
                          *q->error ? q->error : curl_easy_strerror(q->code),
                          who);
        return true;
    }
    if (q->code != CURLE_PEER_FAILED_VERIFICATION)
        return false;
    known_name(r, name, sizeof name);
    if (r->port == SSH_PORT)
        snprintf(scan, sizeof scan, "ssh-keyscan %.255s", r->host);
    else
        snprintf(scan, sizeof scan, "ssh-keyscan -p %u %.255s", r->port,
                 r->host);
    if (atomic_load(&s->match) == CURLKHMATCH_MISMATCH)
        diag_error(DIAG_SERVER,
                   "'%s': the key of %s is not the one in '%s': nothing was "
                   "sent; somebody may be in between; if its owner has changed "
                   "the key, 'ssh-keygen -f %s -R %s' removes the old one",
                   r->where, name, s->known_hosts, s->known_hosts, name);
    else
        diag_error(DIAG_SERVER,
                   "'%s': the key of %s is not in '%s': nothing was sent; if "
                   "the fingerprint that '%s | ssh-keygen -lf -' shows is the "
                   "one that its owner told you, add it: %s >>%s",
                   r->where, name, s->known_hosts, scan, scan, s->known_hosts);
    return true;
}

static void sftp_release(struct store_remote *r)
{
    struct store_sftp *s = (struct store_sftp *)r;

    free(s->known_hosts);
    for (unsigned i = 0; i < KEYS; i++)
        free(s->keys[i]);
}

static const struct remote_protocol sftp = {
    .schemes = "sftp",
    .hooks = {.setup = sftp_setup, .denied = sftp_denied},
    .command = sftp_command,
    .ask_folder = sftp_ask_folder,
    .has_folder = sftp_has_folder,
    .explain = sftp_explain,
    .release = sftp_release};

/* -- settings ---------------------------------------------------------------
 */

/* ~/.ssh/NAME, allocated; NULL: no memory (reported). */
static char *in_ssh(const char *name)
{
    const char *home = getenv("HOME");
    char *path;

    if (asprintf(&path, "%s/.ssh/%s", home ? home : "", name) >= 0)
        return path;
    diag_no_memory();
    return NULL;
}

static int add_default_keys(struct store_sftp *s)
{
    static const char *const names[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
    unsigned count = 0;

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = in_ssh(names[i]);

        if (!path)
            return -1;
        if (access(path, R_OK) == 0)
            s->keys[count++] = path;
        else
            free(path);
    }
    return 0;
}

/* As ssh does it: whoever runs us, unless it says otherwise. */
static int add_user(struct store_login *l)
{
    const struct passwd *pw = l->user ? NULL : getpwuid(geteuid());

    if (!pw)
        return 0;
    l->user = strdup(pw->pw_name);
    return l->user ? store_login_note(&l->user_from, "who runs this")
                   : diag_no_memory();
}

/* sftp://host/~/x is x in the home folder, as commands take it. */
static void take_home(char *path)
{
    if (strncmp(path, "/~/", 3) == 0)
        memmove(path, path + 3, strlen(path + 3) + 1);
}

static int add_settings(struct store_sftp *s, const struct config *c,
                        const struct config_server *server)
{
    const char *agent = getenv("SSH_AUTH_SOCK");

    atomic_store(&s->match, CURLKHMATCH_MISSING);
    s->agent = agent && *agent;
    s->known_hosts = server->known_hosts.text
                         ? config_resolve(c, server->known_hosts.text)
                         : in_ssh("known_hosts");
    if (!s->known_hosts)
        return -1;
    if (!server->identity.text)
        return add_default_keys(s);
    s->keys[0] = config_resolve(c, server->identity.text);
    if (!s->keys[0])
        return -1;
    if (access(s->keys[0], R_OK) == 0)
        return 0;
    return diag_error_at(DIAG_CONFIG, server->identity.mark,
                         "identity '%s' is not there, or cannot be read",
                         server->identity.text);
}

int store_sftp_open(const struct config *c, const struct config_server *server,
                    struct store **out)
{
    struct store_sftp *s =
        (struct store_sftp *)store_net_new(sizeof *s, &store_remote_kind);

    *out = NULL;
    if (!s)
        return -1;
    if (store_remote_open(&s->remote, c, server, &sftp, "sftp", SSH_PORT) ||
        add_settings(s, c, server) || add_user(&s->remote.net.curl.login)) {
        store_net_close(&s->remote.net.store);
        return -1;
    }
    take_home(s->remote.path);
    *out = &s->remote.net.store;
    return 0;
}
