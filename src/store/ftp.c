/* FTP, with TLS or without: its lines and its commands. */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "remote.h"

enum { FTP_PORT = 21, IMPLICIT_PORT = 990 };

struct store_ftp {
    struct store_remote remote; /* first */
    bool tls;
};

static int add_line(struct curl_slist **list, bool may_fail, const char *word,
                    const char *path)
{
    struct curl_slist *more = NULL;
    char *line;

    if (asprintf(&line, "%s%s%s%s", may_fail ? "*" : "", word, *path ? " " : "",
                 path) >= 0) {
        more = curl_slist_append(*list, line);
        free(line);
    }
    if (!more)
        return diag_no_memory();
    *list = more;
    return 0;
}

static int ftp_command(struct curl_slist **list, enum remote_verb verb,
                       bool may_fail, const char *path, const char *to)
{
    static const char *const words[] = {[REMOTE_MKDIR] = "MKD",
                                        [REMOTE_RMDIR] = "RMD",
                                        [REMOTE_REMOVE] = "DELE",
                                        [REMOTE_RENAME] = "RNFR"};

    if (add_line(list, may_fail, words[verb], path))
        return -1;
    return verb == REMOTE_RENAME ? add_line(list, may_fail, "RNTO", to) : 0;
}

/* The first half of a rename asks whether it is there; ProFTPD takes nothing
 * but the second half then, and to its own name that does nothing. */
static int ftp_ask_folder(struct request *q, const char *path)
{
    char *folder = strndup(path, strlen(path) - 1);
    int result = -1;

    if (!folder)
        return diag_no_memory();
    if (add_line(&q->before, false, "RNFR", folder) == 0)
        result = add_line(&q->before, true, "RNTO", folder);
    free(folder);
    return result;
}

static bool ftp_has_folder(const struct request *q)
{
    return q->code == CURLE_OK;
}

/* TLS 1.3 gives each session once, and vsftpd wants the control connection's on
 * the second data connection too (ota-publish(7), SFTP and FTP). */
static void ftp_setup(void *ctx, CURL *easy)
{
    const struct store_ftp *f = ctx;

    curl_easy_setopt(easy, CURLOPT_FTP_FILEMETHOD, (long)CURLFTPMETHOD_NOCWD);
    curl_easy_setopt(easy, CURLOPT_FTP_SKIP_PASV_IP, 1L);
    if (!f->tls)
        return;
    curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    curl_easy_setopt(easy, CURLOPT_FTPSSLAUTH, (long)CURLFTPAUTH_TLS);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                     (long)CURL_SSLVERSION_TLSv1_2 |
                         (long)CURL_SSLVERSION_MAX_TLSv1_2);
}

static const char *advice(long status)
{
    if (status == 452 || status == 552)
        return " (its disk is full, or what this user may have of it)";
    if (status == 451)
        return " (is its disk full?)";
    if (status >= 500)
        return STORE_MAY_NOT;
    return "";
}

/* By the server's own words.  Where a transfer over TLS is refused, libcurl
 * 7.88 asks for another port and takes the refusal for the answer to that. */
static bool ftp_explain(struct store_remote *r, const char *verb,
                        const struct request *q)
{
    if (!*q->said || q->code == CURLE_LOGIN_DENIED ||
        q->code == CURLE_ABORTED_BY_CALLBACK)
        return false;
    diag_error(DIAG_SERVER, "cannot %s '%s%s%s': the server says '%s'%s", verb,
               r->where, *q->name ? "/" : "", q->name, q->said,
               advice(strtol(q->said, NULL, 10)));
    return true;
}

static const struct remote_protocol ftp = {.schemes = "ftp,ftps",
                                           .tops_first = true,
                                           .replaces = true,
                                           .hooks = {.setup = ftp_setup},
                                           .command = ftp_command,
                                           .ask_folder = ftp_ask_folder,
                                           .has_folder = ftp_has_folder,
                                           .explain = ftp_explain};

/* ftps: what is meant is nearly always AUTH TLS on port 21 (RFC 4217); port 990
 * has TLS from the first byte, which libcurl calls ftps. */
static const char *libcurl_scheme(const struct config_server *s)
{
    const char *host = strstr(s->url.text, "://") + 3;
    size_t len = strcspn(host, "/");

    return s->kind == SERVER_FTPS && len > 4 &&
                   strncmp(host + len - 4, ":990", 4) == 0
               ? "ftps"
               : "ftp";
}

/* Commands and transfers begin at the login's folder; a second '/' leads to the
 * root. */
static void drop_slash(char *path)
{
    memmove(path, path + 1, strlen(path));
}

int store_ftp_open(const struct config *c, const struct config_server *server,
                   struct store **out)
{
    struct store_ftp *f =
        (struct store_ftp *)store_net_new(sizeof *f, &store_remote_kind);
    const char *scheme = libcurl_scheme(server);

    *out = NULL;
    if (!f)
        return -1;
    f->tls = server->kind == SERVER_FTPS;
    if (store_remote_open(&f->remote, c, server, &ftp, scheme,
                          strcmp(scheme, "ftps") == 0 ? IMPLICIT_PORT
                                                      : FTP_PORT)) {
        store_net_close(&f->remote.net.store);
        return -1;
    }
    drop_slash(f->remote.path);
    *out = &f->remote.net.store;
    return 0;
}
