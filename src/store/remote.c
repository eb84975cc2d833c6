/* Folders on another machine: objects are read, looked at and removed. */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "remote.h"

struct request *store_remote_request(struct store_remote *r,
                                     enum request_kind kind, const char *name)
{
    struct request *q = request_new(r->net.engine, r->base, name);

    if (q) {
        q->kind = kind;
        q->ctx = r;
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

int store_remote_fail(struct store_net *n, const char *verb,
                      const struct request *q)
{
    struct store_remote *r = (struct store_remote *)n;

    if (r->protocol->explain && r->protocol->explain(r, verb, q))
        return -1;
    return store_curl_fail(&n->curl, verb, q->name, q->code, q->status,
                           q->error);
}

static bool is_good(const struct request *q)
{
    return q->code == CURLE_OK;
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

static struct request *remote_ask(struct store_net *n, enum store_verb verb,
                                  const char *name, size_t max)
{
    static const enum request_kind kinds[] = {[STORE_GET] = REQUEST_READ,
                                              [STORE_SIZE] = REQUEST_SIZE,
                                              [STORE_REMOVE] = REQUEST_COMMAND};
    struct store_remote *r = (struct store_remote *)n;
    bool removes = verb == STORE_REMOVE;
    struct request *q =
        store_remote_request(r, kinds[verb], removes ? "" : name);

    if (!q || (removes && add_removal(r, q, name))) {
        request_free(q);
        return NULL;
    }
    q->max = max;
    q->timed = verb == STORE_SIZE && n->store.asks_age;
    snprintf(q->name, sizeof q->name, "%s", name);
    return q;
}

/* Whatever comes of it: what cannot be written there is told then. */
static void make_tops(struct store_remote *r)
{
    struct request *q = store_remote_request(r, REQUEST_COMMAND, "");

    if (q && store_remote_tops(r, &q->before) == 0)
        request_run(q);
    request_free(q);
}

static void remote_warn(const struct store_net *n)
{
    diag_warning("the password of '%s' is sent unencrypted: use ftps or sftp",
                 n->store.where);
}

static void remote_locked(struct store_net *n)
{
    struct store_remote *r = (struct store_remote *)n;

    r->since = store_curl_ms();
    if (r->protocol->tops_first)
        make_tops(r);
    if (r->met)
        store_remote_sweep(r);
}

static void remote_release(struct store_net *n)
{
    struct store_remote *r = (struct store_remote *)n;

    if (r->protocol->release)
        r->protocol->release(r);
    free(r->where);
    free(r->base);
    free(r->path);
    free(r->host);
}

const struct net_kind store_remote_kind = {
    .lock = {.make = store_remote_lock_make,
             .write = store_remote_lock_write,
             .remove = store_remote_lock_remove,
             .now = store_remote_lock_now},
    .lock_name = STORE_LOCK_IN_FOLDER,
    .ask = remote_ask,
    .good = is_good,
    .missing = is_missing,
    .fail = store_remote_fail,
    .dated = store_remote_dated,
    .put = store_remote_put,
    .warn = remote_warn,
    .locked = remote_locked,
    .release = remote_release};

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
    char *host = NULL, *raw = NULL, *decoded = NULL, *named = NULL, *bare;
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
    bare = store_trimmed(raw);
    good = r->host && r->path && bare &&
           asprintf(&r->base, "%s://%s:%u%s", scheme, host, port, bare) > 0;
    free(bare);
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
    return diag_error_at(DIAG_CONFIG, s->url.mark,
                         "'%s' is not the URL of a folder", s->url.text);
}

int store_remote_open(struct store_remote *r, const struct config *c,
                      const struct config_server *s,
                      const struct remote_protocol *protocol,
                      const char *scheme, unsigned port)
{
    struct pool_hooks hooks = protocol->hooks;

    r->protocol = protocol;
    if (parse_url(r, s, scheme, port))
        return -1;
    r->net.store.where = r->net.curl.where = r->where;
    r->net.curl.protocols = protocol->schemes;
    r->replaces = protocol->replaces;
    store_dice(r->mark, (sizeof r->mark - 1) / 2);
    if (store_curl_init(&r->net.curl, c, s, r->host))
        return -1;
    r->net.open_line = s->kind == SERVER_FTP && r->net.curl.login.password &&
                       !store_curl_is_loopback(r->host);
    hooks.ctx = r;
    if (s->kind == SERVER_FTPS)
        hooks.hold_port = r->port;
    return store_net_start(&r->net, pool_new(&r->net.curl, &hooks));
}
