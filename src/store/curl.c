/* libcurl's settings and answers, as far as all of its protocols share them. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "curl.h"

enum {
    CONNECT_S = 20, /* until a server has let us in */
    SLOW_S = 60,    /* with less than one byte a second: given up */
};

static bool initialized;

int store_curl_init(struct store_curl *c, const struct config *config,
                    const struct config_server *s, const char *host)
{
    if (!initialized && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return diag_no_memory();
    initialized = true;
    c->pin = s->pin.text;
    if (s->ca.text && !(c->ca = config_resolve(config, s->ca.text)))
        return -1;
    c->anonymous = !host && !c->login.user;
    return host ? store_login(config, s, host, &c->login) : 0;
}

void store_curl_release(struct store_curl *c)
{
    free(c->ca);
    store_login_release(&c->login);
}

char *store_curl_host(const char *url)
{
    const char *host = strstr(url, "://") + 3, *at;
    size_t len = strcspn(host, "/");

    if ((at = memchr(host, '@', len)))
        host = at + 1;
    if (*host == '[') /* an IPv6 address */
        return strndup(host + 1, strcspn(host + 1, "]"));
    return strndup(host, strcspn(host, ":/"));
}

bool store_curl_is_loopback(const char *host)
{
    static const char local[] = ".localhost";
    size_t len = strlen(host), n = sizeof local - 1;

    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "[::1]") == 0 || strcmp(host, local + 1) == 0 ||
           (len > n && strcmp(host + len - n, local) == 0);
}

bool store_curl_stopped(const struct store_curl *c)
{
    return c->stop && *c->stop && **c->stop;
}

void store_curl_setup(const struct store_curl *c, CURL *easy, char *error)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* does not wait for DNS */
#endif
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, c->protocols);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "ota-pack");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)SLOW_S);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
    if (c->ca)
        curl_easy_setopt(easy, CURLOPT_CAINFO, c->ca);
    if (c->pin)
        curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, c->pin);
    if (c->login.user)
        curl_easy_setopt(easy, CURLOPT_USERNAME, c->login.user);
    if (c->login.password)
        curl_easy_setopt(easy, CURLOPT_PASSWORD, c->login.password);
}

bool store_curl_is_away(CURLcode code)
{
    return code == CURLE_COULDNT_RESOLVE_HOST ||
           code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT;
}

uint64_t store_curl_ms(void)
{
    return clock_ms();
}

static const char *status_advice(long status)
{
    if (status == 404 || status == 409)
        return " (the folder is not there, and could not be made)";
    if (status == 405 || status == 501)
        return " (the server takes no PUT there: is WebDAV on?)";
    if (status == 413)
        return " (larger than the server takes: nginx has "
               "client_max_body_size)";
    if (status == 507)
        return " (the server's disk is full)";
    if (status == 500)
        return " (the server's own log says why: a full disk, or a folder that "
               "it may not write?)";
    if (status >= 300 && status < 400)
        return " (a redirect: use the URL that it leads to)";
    return "";
}

static const char *code_advice(CURLcode code)
{
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return " (nothing was sent: 'ca' names the file of a private "
               "certificate authority, 'known_hosts' the known SSH keys)";
    if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
        return " (nothing was sent: the server's key is not what 'pin' says; "
               "somebody may be in between, or its owner has changed it)";
    if (store_curl_is_away(code))
        return " (is the server up, the port right, and no firewall in "
               "between?)";
    if (code == CURLE_REMOTE_ACCESS_DENIED)
        return " (the server does not let this user do that there)";
    if (code == CURLE_QUOTE_ERROR)
        return STORE_MAY_NOT;
    if (code == CURLE_SSH)
        return " (the connection broke, or the server could not do it and does "
               "not say why: is its disk full?)";
    if (code == CURLE_REMOTE_DISK_FULL)
        return " (the server's disk is full)";
    return "";
}

bool store_curl_is_denied(const struct store_curl *c, long status)
{
    return (status == 401 || status == 403) && !c->anonymous;
}

static const char login_advice[] =
    "name its user and password: ota-pack.yml(5), Servers";

/* Behind a message; `said`: that has given the reason. */
static void describe_denied(const struct store_curl *c, long status, char *out,
                            size_t size)
{
    char who[512];

    store_login_who(&c->login, c->noun ? c->noun : "user", who, sizeof who);
    if (!c->login.user && !c->login.token)
        snprintf(out, size, " (%s: %s)",
                 status == 401 ? "it wants a login"
                               : "it does not let everybody do that",
                 login_advice);
    else if (status == 401)
        snprintf(out, size, " (it does not take %s)", who);
    else
        snprintf(out, size, " (it does not let %s do that there)", who);
}

int store_curl_refused(const struct store_curl *c, const char *verb,
                       const char *name, long status, const char *more,
                       bool denied)
{
    char who[640] = "";

    if (denied)
        describe_denied(c, status, who, sizeof who);
    return diag_error(denied ? DIAG_KEY : DIAG_SERVER,
                      "cannot %s '%s%s%s': HTTP %ld%s%s", verb, c->where,
                      *name ? "/" : "", name, status, more, who);
}

int store_curl_denied(const struct store_curl *c, const char *verb,
                      const char *name, const char *said, const char *who)
{
    return diag_error(DIAG_KEY,
                      "cannot %s '%s%s%s': %s (the server does not take %s)",
                      verb, c->where, *name ? "/" : "", name, said, who);
}

int store_curl_fail(struct store_curl *c, const char *verb, const char *name,
                    CURLcode code, long status, const char *error)
{
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return -1; /* asked to stop, which is told once */
    if (store_curl_is_away(code)) {
        if (c->away_told)
            return -1;
        c->away_told = true;
    }
    if (code == CURLE_OK)
        return store_curl_refused(c, verb, name, status, status_advice(status),
                                  store_curl_is_denied(c, status));
    if (code == CURLE_LOGIN_DENIED) {
        char who[512];

        store_login_who(&c->login, "user", who, sizeof who);
        return store_curl_denied(
            c, verb, name, *error ? error : curl_easy_strerror(code), who);
    }
    return diag_error(DIAG_SERVER, "cannot %s '%s%s%s': %s%s", verb, c->where,
                      *name ? "/" : "", name,
                      *error ? error : curl_easy_strerror(code),
                      code_advice(code));
}
