/* Which site a server is, however it is written: what is remembered of one
 * site holds for every spelling of it. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <curl/curl.h>
#include <sodium.h>

#include "base/diag.h"
#include "store.h"

enum { LINKS = 40 /* more of them are a loop */ };

static void set_site(struct store *s, const char *text)
{
    uint8_t site[STORE_SITE];

    crypto_generichash(site, sizeof site, (const uint8_t *)text, strlen(text),
                       NULL, 0);
    if (s->site_count && memcmp(s->sites[0], site, sizeof site) == 0)
        return;
    memcpy(s->sites[s->site_count++], site, sizeof site);
}

/* -- folders ----------------------------------------------------------------
 */

/* Without ".", and with one '/' between two names. */
static void tidy(char *path)
{
    char *out = path;

    for (const char *p = path; *p;) {
        size_t len = strcspn(p, "/");

        if (len && !(len == 1 && *p == '.')) {
            *out++ = '/';
            memmove(out, p, len);
            out += len;
        }
        p += len;
        p += strspn(p, "/");
    }
    *out = '\0';
}

/* As it is written, from the root on; NULL: no memory, or no such folder. */
static char *as_spelled(const struct config *c, const char *url)
{
    char *dir = *url == '/' ? strdup("") : realpath(c->dir, NULL), *path = NULL;

    if (dir && asprintf(&path, "/%s/%s", dir, url) < 0)
        path = NULL;
    free(dir);
    if (path)
        tidy(path);
    return path;
}

/* Where `path` leads if its last name is a link; false: it is none. */
static bool follow(char path[PATH_MAX])
{
    char to[PATH_MAX], *slash = strrchr(path, '/');
    ssize_t len = readlink(path, to, sizeof to - 1);
    size_t kept;

    if (len <= 0 || !slash)
        return false;
    kept = *to == '/' ? 0 : (size_t)(slash + 1 - path);
    if ((size_t)len >= PATH_MAX - kept)
        return false;
    memcpy(path + kept, to, (size_t)len);
    path[kept + (size_t)len] = '\0';
    return true;
}

/* Behind all links, also where what they lead to is not there: a disk that is
 * not mounted is to be known again.  *rest is what realpath() cannot follow.
 * False: too many of them, or too long. */
static bool resolve(const char *from, char path[PATH_MAX], char rest[PATH_MAX])
{
    char *real, text[PATH_MAX];

    snprintf(path, PATH_MAX, "%s", from);
    *rest = '\0';
    for (unsigned links = 0; links < LINKS && *path;) {
        char *slash;

        if ((real = realpath(path, NULL))) {
            snprintf(path, PATH_MAX, "%s", real);
            free(real);
            return true;
        }
        if (follow(path)) {
            links++;
            continue;
        }
        slash = strrchr(path, '/');
        if (!slash || snprintf(text, sizeof text, "%s%s", slash, rest) >=
                          (int)sizeof text)
            return false;
        memcpy(rest, text, strlen(text) + 1);
        *slash = '\0';
    }
    return !*path;
}

/* By its name and by where that leads: neither another folder under the name,
 * nor the folder under another name, is a new site. */
static int set_folder(const struct config *c, const char *url, struct store *s)
{
    char path[PATH_MAX], rest[PATH_MAX], real[2 * PATH_MAX];
    char *text = as_spelled(c, url);

    if (!text)
        return errno == ENOMEM ? diag_no_memory() : 0;
    set_site(s, text);
    if (resolve(text, path, rest)) {
        snprintf(real, sizeof real, "%s%s", path, rest);
        tidy(real);
        set_site(s, real);
    }
    free(text);
    return 0;
}

/* -- URLs -------------------------------------------------------------------
 */

static char *part_of(CURLU *u, CURLUPart part, unsigned flags)
{
    char *text = NULL;

    curl_url_get(u, part, &text, flags);
    return text;
}

static void lower(char *text)
{
    for (; text && *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text |= 0x20;
}

/* A path of SFTP and FTP is one of the user's. */
static void set_url(const struct config_server *server, CURLU *u,
                    struct store *s)
{
    bool of_user = server->kind != SERVER_HTTP &&
                   server->kind != SERVER_HTTPS && server->user.text;
    char *scheme = part_of(u, CURLUPART_SCHEME, 0);
    char *host = part_of(u, CURLUPART_HOST, 0);
    char *port = part_of(u, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT);
    char *path = part_of(u, CURLUPART_PATH, CURLU_URLDECODE);
    char text[2 * PATH_MAX];

    lower(host);
    if (path)
        tidy(path);
    snprintf(text, sizeof text, "%s://%s@%s:%s%s %s", scheme ? scheme : "",
             of_user ? server->user.text : "", host ? host : "",
             port ? port : "", path ? path : "",
             server->endpoint.text ? server->endpoint.text : "");
    set_site(s, text);
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
}

int store_site_find(const struct config *c, const struct config_server *server,
                    struct store *s)
{
    CURLU *u;

    s->site_count = 0;
    if (server->kind == SERVER_FOLDER)
        return set_folder(c, server->url.text, s);
    if (!(u = curl_url()))
        return diag_no_memory();
    if (curl_url_set(u, CURLUPART_URL, server->url.text,
                     CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
        set_url(server, u, s);
    else
        set_site(s, server->url.text);
    curl_url_cleanup(u);
    return 0;
}
