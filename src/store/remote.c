/* Folders on another machine: objects are read, looked at and removed. */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "remote.h"

struct request *store_remote_request(struct store_remote *r,
                                     enum request_kind kind, const char *name)
{
    struct request *q = NULL;
    char *url;

    if (asprintf(&url, "%s%s", r->base_url, name) < 0) {
        diag_no_memory();
        return NULL;
    }
    q = pool_request(r->engine, kind, url);
    free(url);
    if (q) {
        q->ctx = r;
        snprintf(q->name, sizeof q->name, "%s", name);
    }
    return q;
}

int store_remote_command(struct store_remote *r, struct curl_slist **list,
                         enum remote_verb verb, bool may_fail, const char *name,
                         const char *to)
{
    char *path = NULL, *target = NULL;
    int result = -1;

    if (asprintf(&path, "%s%s", r->path, name) < 0 ||
        asprintf(&target, "%s%s", r->path, to ? to : "") < 0)
        diag_no_memory();
    else
        result = r->protocol->command(list, verb, may_fail, path, target);
    free(path);
    free(target);
    return result;
}

int store_remote_tops(struct store_remote *r, struct curl_slist **list)
{
    static const char *const tops[] = {"devices", "index", "payloads", ".part"};

    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++)
        if (store_remote_command(r, list, REMOTE_MKDIR, true, tops[i], NULL))
            return -1;
    return 0;
}

int store_remote_fail(struct store_remote *r, const char *verb,
                      const struct request *q)
{
    if (r->protocol->explain && r->protocol->explain(r, verb, q))
        return -1;
    return store_curl_fail(&r->curl, verb, q->name, q->code, q->status,
                           q->error);
}

static bool is_missing(const struct request *q)
{
    return q->code == CURLE_REMOTE_FILE_NOT_FOUND;
}

/* A device's folder goes with its last file. */
static int add_removal(struct store_remote *r, struct request *q,
                       const char *name)
{
    char folder[STORE_NAME];

    if (store_remote_command(r, &q->before, REMOTE_REMOVE, false, name, NULL))
        return -1;
    if (!store_device_folder(name, folder))
        return 0;
    return store_remote_command(r, &q->before, REMOTE_RMDIR, true, folder,
                                NULL);
}

static const enum request_kind kinds[] = {[STORE_GET] = REQUEST_READ,
                                          [STORE_SIZE] = REQUEST_SIZE,
                                          [STORE_REMOVE] = REQUEST_COMMAND};

/* NULL: reported. */
static struct request *verb_request(struct store_remote *r,
                                    enum store_verb verb, const char *name,
                                    size_t max)
{
    bool removes = verb == STORE_REMOVE;
    struct request *q =
        store_remote_request(r, kinds[verb], removes ? "" : name);

    if (!q || (removes && add_removal(r, q, name))) {
        request_free(q);
        return NULL;
    }
    q->max = max;
    snprintf(q->name, sizeof q->name, "%s", name);
    return q;
}

static void remote_ahead(struct store *s, enum store_verb verb,
                         const char *name, size_t max)
{
    struct store_remote *r = (struct store_remote *)s;

    request_ahead_add(&r->ahead, verb, verb_request(r, verb, name, max));
}

/* The one that was begun, or else a new one, answered; NULL: reported. */
static struct request *answer_of(struct store_remote *r, enum store_verb verb,
                                 const char *name, size_t max)
{
    struct request *q = request_ahead_take(&r->ahead, verb, name);

    if (q || !(q = verb_request(r, verb, name, max)))
        return q;
    request_run(q);
    return q;
}

static int remote_get(struct store *s, const char *name, size_t max,
                      uint8_t **bytes, size_t *len)
{
    struct store_remote *r = (struct store_remote *)s;
    struct request *q = answer_of(r, STORE_GET, name, max);
    int result = 0;

    *bytes = NULL;
    *len = 0;
    if (!q)
        return -1;
    if (q->too_long || q->got > max) {
        result = STORE_LONG;
    } else if (is_missing(q)) {
        result = STORE_MISSING;
    } else if (q->code != CURLE_OK) {
        result = store_remote_fail(r, "read", q);
    } else if (!(*bytes = q->bytes ? q->bytes : malloc(1))) {
        result = diag_no_memory();
    } else {
        *len = q->got;
        q->bytes = NULL;
    }
    request_free(q);
    return result;
}

static int remote_size(struct store *s, const char *name, uint64_t *size)
{
    struct store_remote *r = (struct store_remote *)s;
    struct request *q = answer_of(r, STORE_SIZE, name, 0);
    int result = 0;

    *size = 0;
    s->age = UINT64_MAX;
    if (!q)
        return -1;
    if (is_missing(q))
        result = STORE_MISSING;
    else if (q->code != CURLE_OK)
        result = store_remote_fail(r, "look for", q);
    else
        *size = q->size;
    request_free(q);
    return result;
}

static int remote_remove(struct store *s, const char *name)
{
    struct store_remote *r = (struct store_remote *)s;
    struct request *q = answer_of(r, STORE_REMOVE, name, 0);
    int result = 0;
    uint64_t size;

    if (!q)
        return -1;
    if (q->code == CURLE_QUOTE_ERROR)
        result = remote_size(s, name, &size);
    if (result == STORE_MISSING)
        result = 0;
    else if (result == 0 && q->code != CURLE_OK)
        result = store_remote_fail(r, "remove", q);
    request_free(q);
    return result;
}

/* Whatever comes of it: what cannot be written there is told then. */
static void make_tops(struct store_remote *r)
{
    struct request *q = store_remote_request(r, REQUEST_COMMAND, "");

    if (q && store_remote_tops(r, &q->before) == 0)
        request_run(q);
    request_free(q);
}

static int remote_flush(struct store *s)
{
    return store_puts_flush(&((struct store_remote *)s)->puts);
}

static int remote_lock(struct store *s, unsigned wait_ms, bool break_lock)
{
    struct store_remote *r = (struct store_remote *)s;
    int result;

    if (r->open_line)
        diag_warning("the password of '%s' goes over the line as it is: use "
                     "ftps or sftp",
                     r->where);
    result = store_lock_take(&r->lock, wait_ms, break_lock, s->stop);
    if (result)
        return -1;
    s->forced = r->lock.forced;
    r->since = store_curl_ms();
    if (r->protocol->tops_first)
        make_tops(r);
    if (r->met)
        store_remote_sweep(r);
    return 0;
}

static bool remote_lost(struct store *s)
{
    return store_lock_lost(&((struct store_remote *)s)->lock);
}

static bool remote_unlock(struct store *s)
{
    struct store_remote *r = (struct store_remote *)s;

    if (!r->engine)
        return true;
    request_ahead_forget(&r->ahead);
    engine_drain(r->engine);
    if ((s->stop && *s->stop) || engine_is_away(r->engine))
        engine_hurry(r->engine);
    s->stop = NULL; /* whoever stops, unlocks */
    return store_lock_release(&r->lock);
}

void store_remote_close(struct store *s)
{
    struct store_remote *r = (struct store_remote *)s;

    if (!r)
        return;
    remote_unlock(s);
    engine_free(r->engine);
    if (r->protocol->release)
        r->protocol->release(r);
    store_curl_release(&r->curl);
    free(r->where);
    free(r->base_url);
    free(r->path);
    free(r->host);
    free(r);
}

static const struct store_ops remote_ops = {.get = remote_get,
                                            .size = remote_size,
                                            .ahead = remote_ahead,
                                            .put = store_remote_put,
                                            .flush = remote_flush,
                                            .remove = remote_remove,
                                            .lock = remote_lock,
                                            .lost = remote_lost,
                                            .unlock = remote_unlock,
                                            .close = store_remote_close};

/* -- the URL ----------------------------------------------------------------
 */

/* "/a/b/" of "/a//b//"'s end: one '/' at the end, "/" for "". */
static char *as_folder(const char *path)
{
    char *bare = store_trimmed(path), *out = NULL;

    if (bare && asprintf(&out, "%s/", bare) < 0)
        out = NULL;
    free(bare);
    return out;
}

static bool take_url(struct store_remote *r, CURLU *u, const char *scheme,
                     unsigned port)
{
    char *host = NULL, *raw = NULL, *decoded = NULL, *named = NULL, *folder;
    bool good = false;

    if (curl_url_get(u, CURLUPART_HOST, &host, 0) ||
        curl_url_get(u, CURLUPART_PATH, &raw, 0) ||
        curl_url_get(u, CURLUPART_PATH, &decoded, CURLU_URLDECODE))
        goto out;
    if (curl_url_get(u, CURLUPART_PORT, &named, 0) == CURLUE_OK)
        port = (unsigned)strtoul(named, NULL, 10);
    r->port = port;
    r->host = strdup(host);
    r->path = as_folder(decoded);
    folder = as_folder(raw);
    good =
        r->host && r->path && folder &&
        asprintf(&r->base_url, "%s://%s:%u%s", scheme, host, port, folder) > 0;
    free(folder);
out:
    curl_free(host);
    curl_free(raw);
    curl_free(decoded);
    curl_free(named);
    return good;
}

static int parse_url(struct store_remote *r, const struct config_server *s,
                     const char *scheme, unsigned port)
{
    CURLU *u = curl_url();
    bool good = u && curl_url_set(u, CURLUPART_URL, s->url.text, 0) == 0 &&
                take_url(r, u, scheme, port);

    curl_url_cleanup(u);
    r->where = store_trimmed(s->url.text);
    if (good && r->where)
        return 0;
    return diag_error_at(DIAG_CONFIG, s->url.mark, "'%s' is no URL of a folder",
                         s->url.text);
}

int store_remote_open(struct store_remote *r, const struct config *c,
                      const struct config_server *s,
                      const struct remote_protocol *protocol,
                      const char *scheme, unsigned port)
{
    struct pool_hooks hooks = protocol->hooks;

    r->store.ops = &remote_ops;
    r->protocol = protocol;
    if (parse_url(r, s, scheme, port))
        return -1;
    r->store.where = r->curl.where = r->where;
    r->curl.protocols = protocol->schemes;
    r->curl.stop = &r->store.stop;
    r->replaces = protocol->replaces;
    r->lock.ops = &store_remote_lock_ops;
    r->lock.store = &r->store;
    r->lock.name = STORE_LOCK_IN_FOLDER;
    r->puts.store = &r->store;
    store_dice(r->mark, (sizeof r->mark - 1) / 2);
    if (store_curl_init(&r->curl, c, s, r->host))
        return -1;
    r->open_line = s->kind == SERVER_FTP && r->curl.login.password &&
                   !store_curl_is_loopback(r->host);
    hooks.ctx = r;
    if (s->kind == SERVER_FTPS)
        hooks.hold_port = r->port;
    r->engine = pool_new(&r->curl, &hooks);
    r->puts.engine = r->engine;
    return r->engine ? 0 : -1;
}
