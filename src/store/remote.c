/* Folders on another machine: objects are read, looked at and removed. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/diag.h"
#include "remote.h"

struct pool_job *store_remote_job(struct store_remote *r, enum pool_kind kind,
                                  const char *name)
{
    struct pool_job *j = NULL;
    char *url;

    if (asprintf(&url, "%s%s", r->base_url, name) < 0) {
        diag_no_memory();
        return NULL;
    }
    j = pool_job_new(r->pool, kind, url);
    free(url);
    if (j) {
        j->ctx = r;
        snprintf(j->name, sizeof j->name, "%s", name);
    }
    return j;
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
                      const struct pool_job *j)
{
    if (r->protocol->explain && r->protocol->explain(r, verb, j))
        return -1;
    return store_curl_fail(&r->curl, verb, j->name, j->code, j->status,
                           j->error);
}

static bool is_missing(const struct pool_job *j)
{
    return j->code == CURLE_REMOTE_FILE_NOT_FOUND;
}

void store_remote_forget(struct store_remote *r)
{
    for (unsigned i = 0; i < r->wanted_count; i++) {
        pool_wait(r->pool, r->wanted[i]);
        pool_job_free(r->wanted[i]);
    }
    r->wanted_count = 0;
}

/* A device's folder goes with its last file. */
static int add_removal(struct store_remote *r, struct pool_job *j,
                       const char *name)
{
    const char *end = strrchr(name, '/');
    char folder[STORE_NAME];

    if (store_remote_command(r, &j->before, REMOTE_REMOVE, false, name, NULL))
        return -1;
    if (strncmp(name, "devices/", 8) != 0 || end < name + 8)
        return 0;
    snprintf(folder, sizeof folder, "%.*s", (int)(end - name), name);
    return store_remote_command(r, &j->before, REMOTE_RMDIR, true, folder,
                                NULL);
}

static const enum pool_kind kinds[] = {[STORE_GET] = POOL_READ,
                                       [STORE_SIZE] = POOL_SIZE,
                                       [STORE_REMOVE] = POOL_COMMAND};

/* NULL: reported. */
static struct pool_job *verb_job(struct store_remote *r, enum store_verb verb,
                                 const char *name, size_t max)
{
    bool removes = verb == STORE_REMOVE;
    struct pool_job *j = store_remote_job(r, kinds[verb], removes ? "" : name);

    if (!j || (removes && add_removal(r, j, name))) {
        pool_job_free(j);
        return NULL;
    }
    j->max = max;
    j->timed = verb == STORE_SIZE && r->store.asks_age;
    snprintf(j->name, sizeof j->name, "%s", name);
    return j;
}

static void remote_ahead(struct store *s, enum store_verb verb,
                         const char *name, size_t max)
{
    struct store_remote *r = (struct store_remote *)s;
    struct pool_job *j =
        r->wanted_count < STORE_AHEAD ? verb_job(r, verb, name, max) : NULL;

    if (!j)
        return;
    r->wanted[r->wanted_count++] = j;
    pool_start(r->pool, j);
}

/* One that was begun, out of their list, or NULL. */
static struct pool_job *take_wanted(struct store_remote *r,
                                    enum store_verb verb, const char *name)
{
    for (unsigned i = 0; i < r->wanted_count; i++) {
        struct pool_job *j = r->wanted[i];

        if (j->kind != kinds[verb] || strcmp(j->name, name) != 0)
            continue;
        r->wanted_count--;
        memmove(&r->wanted[i], &r->wanted[i + 1],
                (r->wanted_count - i) * sizeof *r->wanted);
        pool_wait(r->pool, j);
        return j;
    }
    return NULL;
}

/* The one that was begun, or else a new one, answered; NULL: reported. */
static struct pool_job *answer_of(struct store_remote *r, enum store_verb verb,
                                  const char *name, size_t max)
{
    struct pool_job *j = take_wanted(r, verb, name);

    if (j)
        return j;
    j = verb_job(r, verb, name, max);
    if (j)
        pool_run(r->pool, j);
    return j;
}

static int remote_get(struct store *s, const char *name, size_t max,
                      uint8_t **bytes, size_t *len)
{
    struct store_remote *r = (struct store_remote *)s;
    struct pool_job *j = answer_of(r, STORE_GET, name, max);
    int result = 0;

    *bytes = NULL;
    *len = 0;
    if (!j)
        return -1;
    if (j->too_long || j->got > max) {
        result = STORE_LONG;
    } else if (is_missing(j)) {
        result = STORE_MISSING;
    } else if (j->code != CURLE_OK) {
        result = store_remote_fail(r, "read", j);
    } else if (!(*bytes = j->bytes ? j->bytes : malloc(1))) {
        result = diag_no_memory();
    } else {
        *len = j->got;
        j->bytes = NULL;
    }
    pool_job_free(j);
    return result;
}

static uint64_t age_of(struct store_remote *r, const struct pool_job *j)
{
    int64_t now;

    if (!j->timed || j->modified <= 0 || !store_remote_now(r, &now))
        return UINT64_MAX;
    return now > j->modified ? (uint64_t)(now - j->modified) : 0;
}

static int remote_size(struct store *s, const char *name, uint64_t *size)
{
    struct store_remote *r = (struct store_remote *)s;
    struct pool_job *j = answer_of(r, STORE_SIZE, name, 0);
    int result = 0;

    *size = 0;
    s->age = UINT64_MAX;
    if (!j)
        return -1;
    if (is_missing(j))
        result = STORE_MISSING;
    else if (j->code != CURLE_OK)
        result = store_remote_fail(r, "look for", j);
    else {
        *size = j->size;
        s->age = age_of(r, j);
    }
    pool_job_free(j);
    return result;
}

static int remote_remove(struct store *s, const char *name)
{
    struct store_remote *r = (struct store_remote *)s;
    struct pool_job *j = answer_of(r, STORE_REMOVE, name, 0);
    int result = 0;
    uint64_t size;

    if (!j)
        return -1;
    if (j->code == CURLE_QUOTE_ERROR)
        result = remote_size(s, name, &size);
    if (result == STORE_MISSING)
        result = 0;
    else if (result == 0 && j->code != CURLE_OK)
        result = store_remote_fail(r, "remove", j);
    pool_job_free(j);
    return result;
}

/* Whatever comes of it: what cannot be written there is told then. */
static void make_tops(struct store_remote *r)
{
    struct pool_job *j = store_remote_job(r, POOL_COMMAND, "");

    if (j && store_remote_tops(r, &j->before) == 0)
        pool_run(r->pool, j);
    pool_job_free(j);
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

    if (!r->pool)
        return true;
    store_remote_forget(r);
    pool_drain(r->pool);
    if ((s->stop && *s->stop) || pool_is_away(r->pool))
        pool_hurry(r->pool);
    s->stop = NULL; /* whoever stops, unlocks */
    return store_lock_release(&r->lock);
}

void store_remote_close(struct store *s)
{
    struct store_remote *r = (struct store_remote *)s;

    if (!r)
        return;
    remote_unlock(s);
    pool_free(r->pool);
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
                                            .flush = store_remote_flush,
                                            .remove = remote_remove,
                                            .lock = remote_lock,
                                            .lost = remote_lost,
                                            .unlock = remote_unlock,
                                            .close = store_remote_close};

/* -- the URL ----------------------------------------------------------------
 */

static char *without_slash(const char *url)
{
    size_t len = strlen(url);

    while (len && url[len - 1] == '/')
        len--;
    return strndup(url, len);
}

/* "/a/b/" of "/a//b//"'s end: one '/' at the end, "/" for "". */
static char *as_folder(const char *path)
{
    size_t len = strlen(path);
    char *out;

    while (len && path[len - 1] == '/')
        len--;
    return asprintf(&out, "%.*s/", (int)len, path) < 0 ? NULL : out;
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
    r->where = without_slash(s->url.text);
    if (good && r->where)
        return 0;
    return diag_error_at(DIAG_CONFIG, s->url.mark, "'%s' is no URL of a folder",
                         s->url.text);
}

static void make_mark(struct store_remote *r)
{
    unsigned dice = 0;

    (void)!getrandom(&dice, sizeof dice, 0);
    snprintf(r->mark, sizeof r->mark, "%08x", dice);
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
    r->store.where = r->curl.where = r->lock.where = r->where;
    r->curl.protocols = protocol->schemes;
    r->curl.stop = &r->store.stop;
    r->replaces = protocol->replaces;
    r->lock.ops = &store_remote_lock_ops;
    r->lock.ctx = r;
    make_mark(r);
    if (store_curl_init(&r->curl, c, s, r->host))
        return -1;
    r->open_line = s->kind == SERVER_FTP && r->curl.login.password &&
                   !store_curl_is_loopback(r->host);
    hooks.ctx = r;
    if (s->kind == SERVER_FTPS)
        hooks.hold_port = r->port;
    r->pool = pool_new(&r->curl, &hooks);
    return r->pool ? 0 : -1;
}
