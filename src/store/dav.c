/* WebDAV, or any HTTP server that takes PUT: objects are read, looked at and
 * removed. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dav.h"

enum {
    CONNECTIONS = 64,
    STREAMS = 100,
    MOST_LISTED = 64 << 10 /* bytes of a folder's list */
};

static struct http_request *request_for(struct store_dav *d, const char *method,
                                        const char *name, const char *end)
{
    struct http_request *r = NULL;
    char *url;

    if (asprintf(&url, "%s%s%s%s", d->base, *name ? "/" : "", name, end) < 0) {
        diag_no_memory();
        return NULL;
    }
    r = http_request_new(d->http, method, url);
    free(url);
    if (r) {
        r->ctx = d;
        snprintf(r->name, sizeof r->name, "%s", name);
    }
    return r;
}

struct http_request *store_dav_request(struct store_dav *d, const char *method,
                                       const char *name)
{
    return request_for(d, method, name, "");
}

struct http_request *store_dav_folder(struct store_dav *d, const char *method,
                                      const char *name)
{
    return request_for(d, method, name, "/");
}

static struct http_request *verb_request(struct store_dav *d,
                                         enum store_verb verb, const char *name)
{
    struct http_request *r = store_dav_request(d, http_method(verb), name);

    if (!r || verb != STORE_GET ||
        http_header(r, "Cache-Control: no-cache") == 0)
        return r;
    http_request_free(r);
    return NULL;
}

static void dav_ahead(struct store *s, enum store_verb verb, const char *name,
                      size_t max)
{
    struct store_dav *d = (struct store_dav *)s;
    struct http_request *r = verb_request(d, verb, name);

    if (r && verb == STORE_GET)
        r->max = max;
    http_ahead_add(&d->ahead, r);
}

/* The one that was begun, or else a new one; NULL: reported. */
static struct http_request *request_of(struct store_dav *d,
                                       enum store_verb verb, const char *name)
{
    struct http_request *r = http_ahead_take(&d->ahead, verb, name);

    return r ? r : verb_request(d, verb, name);
}

static int dav_get(struct store *s, const char *name, size_t max,
                   uint8_t **bytes, size_t *len)
{
    struct store_dav *d = (struct store_dav *)s;
    struct http_request *r = request_of(d, STORE_GET, name);
    int result = http_get(r, max, bytes, len);

    if (r)
        http_note(r, s);
    if (r && result == 0) {
        if (r->modified > d->newest)
            d->newest = r->modified;
        if (r->date)
            d->skew = r->date - (uint64_t)time(NULL);
    }
    http_request_free(r);
    return result;
}

static int dav_size(struct store *s, const char *name, uint64_t *size)
{
    struct store_dav *d = (struct store_dav *)s;
    struct http_request *r = request_of(d, STORE_SIZE, name);
    int result = http_size(r, size);

    s->age = http_age(r);
    http_request_free(r);
    return result;
}

static void folder_removed(struct http_request *r)
{
    http_request_free(r);
}

/* Nothing but the folder itself is listed: RFC 4918, 9.1 and 14.24. */
static bool is_empty(const struct http_request *r)
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

static void folder_listed(struct http_request *r)
{
    struct store_dav *d = r->ctx;
    struct http_request *gone = NULL;

    if (is_empty(r) && (gone = store_dav_folder(d, "DELETE", r->name))) {
        gone->done = folder_removed;
        http_queue(d->http, gone);
    }
    http_request_free(r);
}

/* A device's folder goes with its last file.  DELETE takes all that is in a
 * folder (RFC 4918, 9.6.1), so it is looked into before; where a server cannot
 * list, it stays, empty. */
static void drop_folder(struct store_dav *d, const char *name)
{
    char folder[STORE_NAME];
    struct http_request *r;

    if (!store_device_folder(name, folder))
        return;
    r = store_dav_folder(d, "PROPFIND", folder);
    if (!r || http_header(r, "Depth: 1")) {
        http_request_free(r);
        return;
    }
    r->max = MOST_LISTED;
    r->once = true;
    r->done = folder_listed;
    http_start(d->http, r);
}

static int dav_remove(struct store *s, const char *name)
{
    struct store_dav *d = (struct store_dav *)s;
    struct http_request *r = request_of(d, STORE_REMOVE, name);
    int result = http_remove(r);

    http_request_free(r);
    if (result == 0)
        drop_folder(d, name);
    return result;
}

static int dav_flush(struct store *s)
{
    return store_puts_flush(&((struct store_dav *)s)->puts);
}

static void dav_drain(struct store *s)
{
    http_drain(((struct store_dav *)s)->http);
}

static int dav_lock(struct store *s, unsigned wait_ms, bool break_lock)
{
    struct store_dav *d = (struct store_dav *)s;

    if (d->open_line && (d->curl.login.password || d->curl.login.token))
        diag_warning("the password of '%s' goes over the line as it is: use "
                     "https",
                     d->base);
    if (store_lock_take(&d->lock, wait_ms, break_lock, s->stop))
        return -1;
    s->forced = d->lock.forced;
    return 0;
}

static bool dav_lost(struct store *s)
{
    return store_lock_lost(&((struct store_dav *)s)->lock);
}

static bool dav_unlock(struct store *s)
{
    struct store_dav *d = (struct store_dav *)s;

    if ((s->stop && *s->stop) || http_is_away(d->http))
        http_hurry(d->http);
    s->stop = NULL; /* whoever stops, unlocks */
    if (d->http)
        http_drain(d->http);
    return store_lock_release(&d->lock);
}

static void dav_close(struct store *s)
{
    struct store_dav *d = (struct store_dav *)s;

    if (!d)
        return;
    dav_unlock(s);
    http_ahead_release(&d->ahead);
    http_free(d->http);
    store_curl_release(&d->curl);
    free(d->base);
    free(d);
}

static const struct store_ops dav_ops = {.get = dav_get,
                                         .size = dav_size,
                                         .ahead = dav_ahead,
                                         .put = store_dav_put,
                                         .flush = dav_flush,
                                         .remove = dav_remove,
                                         .lock = dav_lock,
                                         .lost = dav_lost,
                                         .unlock = dav_unlock,
                                         .close = dav_close};

static const struct http_kind plain = {0};

/* Without `login` nobody logs in. */
static int set_up(struct store_dav *d, const struct config *c,
                  const struct config_server *s, bool login)
{
    char *host = store_curl_host(s->url.text);
    bool is_loopback;
    int result;

    d->base = store_trimmed(s->url.text);
    if (!host || !d->base) {
        free(host);
        return diag_no_memory();
    }
    d->curl.where = d->store.where = d->base;
    d->curl.protocols = s->kind == SERVER_HTTPS ? "https" : "http";
    d->curl.stop = &d->store.stop;
    result = store_curl_init(&d->curl, c, s, login ? host : NULL);
    is_loopback = store_curl_is_loopback(host);
    free(host);
    if (result)
        return -1;
    d->open_line = s->kind == SERVER_HTTP && !is_loopback;
    d->http = http_new(&d->curl, s->http2 ? STREAMS : CONNECTIONS, s->http2,
                       &plain, NULL);
    d->puts = (struct store_puts){.store = &d->store, .drain = dav_drain};
    return d->http ? 0 : -1;
}

static int open_any(const struct config *c, const struct config_server *s,
                    bool login, struct store **out)
{
    struct store_dav *d = calloc(1, sizeof *d);

    *out = NULL;
    if (!d)
        return diag_no_memory();
    d->store.ops = &dav_ops;
    if (set_up(d, c, s, login)) {
        dav_close(&d->store);
        return -1;
    }
    d->lock.ops = &store_dav_lock_ops;
    d->lock.store = &d->store;
    d->lock.name = STORE_LOCK_IN_FOLDER;
    *out = &d->store;
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
