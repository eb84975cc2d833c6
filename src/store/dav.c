/* WebDAV, or any HTTP server that takes PUT: requests, and folders that go. */
#include <stdlib.h>
#include <string.h>

#include "dav.h"

enum {
    CONNECTIONS = 64,
    STREAMS = 100,
    MOST_LISTED = 64 << 10 /* bytes of a folder's list */
};

struct request *store_dav_folder(struct store_web *w, const char *method,
                                 const char *name)
{
    char folder[STORE_NAME + 1];

    snprintf(folder, sizeof folder, "%s/", name);
    return store_web_request(w, method, folder, NULL, 0);
}

/* Nothing on the way answers in the server's place. */
static int dav_dress(struct store_web *w, struct request *r)
{
    (void)w;
    return strcmp(r->method, "GET") == 0
               ? http_header(r, "Cache-Control: no-cache")
               : 0;
}

static void folder_removed(struct request *r)
{
    request_free(r);
}

/* Nothing but the folder itself is listed: RFC 4918, 9.1 and 14.24. */
static bool is_empty(const struct request *r)
{
    static const char tag[] = "response";
    unsigned count = 0;

    if (r->code != CURLE_OK || r->status != 207 || r->too_long)
        return false;
    for (size_t i = 1; i + sizeof tag <= r->got; i++)
        if (memcmp(r->bytes + i, tag, sizeof tag - 1) == 0 &&
            (r->bytes[i - 1] == ':' || r->bytes[i - 1] == '<'))
            count++;
    return count == 2; /* where it begins and where it ends */
}

static void folder_listed(struct request *r)
{
    struct store_web *w = r->ctx;
    struct request *gone = NULL;

    if (is_empty(r) && (gone = store_dav_folder(w, "DELETE", r->name))) {
        gone->done = folder_removed;
        request_queue(gone);
    }
    request_free(r);
}

/* A device's folder goes with its last file.  DELETE takes all that is in a
 * folder (RFC 4918, 9.6.1), so it is looked into before; where a server cannot
 * list, it stays, empty. */
static void drop_folder(struct store_net *n, const char *name)
{
    struct store_web *w = (struct store_web *)n;
    char folder[STORE_NAME];
    struct request *r;

    if (!store_device_folder(name, folder))
        return;
    r = store_dav_folder(w, "PROPFIND", folder);
    if (!r || http_header(r, "Depth: 1")) {
        request_free(r);
        return;
    }
    r->max = MOST_LISTED;
    r->once = true;
    r->done = folder_listed;
    request_start(r);
}

static void dav_warn(const struct store_net *n)
{
    diag_warning("the password of '%s' is sent unencrypted: use https",
                 n->store.where);
}

static void dav_release(struct store_net *n)
{
    free(((struct store_web *)n)->base);
}

static const struct web_kind dav = {
    .net = {.lock = {.make = store_dav_lock_make,
                     .write = store_web_lock_write,
                     .remove = store_dav_lock_remove,
                     .now = store_web_lock_now},
            .lock_name = STORE_LOCK_IN_FOLDER,
            .ask = store_web_ask,
            .good = http_good,
            .missing = http_missing,
            .fail = store_web_fail,
            .got = store_web_got,
            .removed = drop_folder,
            .put = store_dav_put,
            .warn = dav_warn,
            .release = dav_release},
    .dress = dav_dress};

/* Without `login` nobody logs in. */
static int set_up(struct store_web *w, const struct config *c,
                  const struct config_server *s, bool login)
{
    char *host = store_curl_host(s->url.text);
    bool is_loopback;
    int result;

    w->base = store_trimmed(s->url.text);
    if (!host || !w->base) {
        free(host);
        return diag_no_memory();
    }
    w->net.curl.where = w->net.store.where = w->base;
    w->net.curl.protocols = s->kind == SERVER_HTTPS ? "https" : "http";
    result = store_curl_init(&w->net.curl, c, s, login ? host : NULL);
    is_loopback = store_curl_is_loopback(host);
    free(host);
    if (result)
        return -1;
    w->net.open_line = s->kind == SERVER_HTTP && !is_loopback &&
                       (w->net.curl.login.password || w->net.curl.login.token);
    return store_web_start(w, s->http2 ? STREAMS : CONNECTIONS, s->http2);
}

static int open_any(const struct config *c, const struct config_server *s,
                    bool login, struct store **out)
{
    struct store_net *n = store_net_new(sizeof(struct store_dav), &dav.net);

    *out = NULL;
    if (!n)
        return -1;
    if (set_up((struct store_web *)n, c, s, login)) {
        store_net_close(&n->store);
        return -1;
    }
    *out = &n->store;
    return 0;
}

int store_dav_open(const struct config *c, const struct config_server *s,
                   struct store **out)
{
    return open_any(c, s, true, out);
}

/* As devices see it: a password is for the server that is published to. */
int store_public_open(const struct config *c, const struct config_server *s,
                      struct store **out)
{
    struct config_server seen = {.url = s->public_url,
                                 .ca = s->ca,
                                 .http2 = s->http2,
                                 .kind = SERVER_HTTP};

    if (strncmp(s->public_url.text, "https://", 8) == 0)
        seen.kind = SERVER_HTTPS;
    else
        seen.http2 = false;
    return open_any(c, &seen, false, out);
}
