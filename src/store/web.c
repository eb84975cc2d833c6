/* Objects by HTTP: read, looked for, removed, put and locked. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "web.h"

struct request *store_web_request(struct store_web *w, const char *method,
                                  const char *name, const void *bytes,
                                  size_t len)
{
    struct request *r = NULL;
    char *url;

    if (asprintf(&url, "%s/%s", w->base, name) < 0) {
        diag_no_memory();
        return NULL;
    }
    r = http_request(w->engine, method, url);
    free(url);
    if (!r || (bytes && http_body(r, bytes, len)) || w->kind->dress(w, r)) {
        request_free(r);
        return NULL;
    }
    r->ctx = w;
    snprintf(r->name, sizeof r->name, "%s", name);
    len = strlen(r->name);
    if (len && r->name[len - 1] == '/')
        r->name[len - 1] = '\0';
    return r;
}

/* -- what may be asked ahead ------------------------------------------------
 */

static const char *const methods[] = {
    [STORE_GET] = "GET", [STORE_SIZE] = "HEAD", [STORE_REMOVE] = "DELETE"};

static void web_ahead(struct store *s, enum store_verb verb, const char *name,
                      size_t max)
{
    struct store_web *w = (struct store_web *)s;
    struct request *r = store_web_request(w, methods[verb], name, NULL, 0);

    if (r && verb == STORE_GET)
        r->max = max;
    request_ahead_add(&w->ahead, verb, r);
}

/* The one that was begun, or else a new one, answered; NULL: reported. */
static struct request *answer_of(struct store *s, enum store_verb verb,
                                 const char *name, size_t max)
{
    struct store_web *w = (struct store_web *)s;
    struct request *r = request_ahead_take(&w->ahead, verb, name);

    if (r || !(r = store_web_request(w, methods[verb], name, NULL, 0)))
        return r;
    if (verb == STORE_GET)
        r->max = max;
    request_run(r);
    return r;
}

static void note_source(const struct request *r, struct store *s)
{
    struct store_source *from = &s->source;

    from->known = r->code != CURLE_ABORTED_BY_CALLBACK;
    snprintf(from->type, sizeof from->type, "%s", r->type);
    snprintf(from->encoding, sizeof from->encoding, "%s", r->encoding);
    memcpy(from->first, r->first, r->first_len);
    from->first_len = r->first_len;
}

/* What a good answer says about time. */
static void note_times(const struct request *r, struct store_web *w)
{
    if (r->modified > w->newest)
        w->newest = r->modified;
    if (r->date)
        w->skew = r->date - (uint64_t)time(NULL);
}

static int web_get(struct store *s, const char *name, size_t max,
                   uint8_t **bytes, size_t *len)
{
    struct request *r = answer_of(s, STORE_GET, name, max);
    int result = 0;

    *bytes = NULL;
    *len = 0;
    if (!r)
        return -1;
    note_source(r, s);
    if (r->too_long) {
        result = STORE_LONG;
    } else if (http_missing(r)) {
        result = STORE_MISSING;
    } else if (!http_good(r)) {
        result = http_fail(r, "read");
    } else if (!(*bytes = r->bytes ? r->bytes : malloc(1))) {
        result = diag_no_memory();
    } else {
        *len = r->got;
        r->bytes = NULL;
    }
    if (result == 0 || result == STORE_MISSING)
        note_times(r, (struct store_web *)s);
    request_free(r);
    return result;
}

/* As store.age. */
static uint64_t age_of(const struct request *r)
{
    if (!r->date || !r->modified)
        return UINT64_MAX;
    return r->date > r->modified ? r->date - r->modified : 0;
}

static int web_size(struct store *s, const char *name, uint64_t *size)
{
    struct request *r = answer_of(s, STORE_SIZE, name, 0);
    int result = 0;

    *size = 0;
    s->age = UINT64_MAX;
    if (!r)
        return -1;
    s->age = age_of(r);
    if (http_missing(r))
        result = STORE_MISSING;
    else if (!http_good(r))
        result = http_fail(r, "look for");
    else
        *size = r->size;
    request_free(r);
    return result;
}

static int web_remove(struct store *s, const char *name)
{
    struct store_web *w = (struct store_web *)s;
    struct request *r = answer_of(s, STORE_REMOVE, name, 0);
    int result = 0;

    if (!r)
        return -1;
    if (!http_good(r) && !http_missing(r))
        result = http_fail(r, "remove");
    request_free(r);
    if (result == 0 && w->kind->removed)
        w->kind->removed(w, name);
    return result;
}

/* -- puts -------------------------------------------------------------------
 */

static int web_put(struct store *s, const char *name, const uint8_t *bytes,
                   size_t len, enum store_class class)
{
    struct store_web *w = (struct store_web *)s;

    store_lock_renew(&w->lock);
    if (store_puts_settle(&w->puts, class) ||
        w->kind->put(w, name, bytes, len, class))
        return -1;
    if (class != STORE_HEAD)
        return 0;
    engine_drain(w->engine);
    return w->puts.broken ? -1 : 0;
}

static int web_flush(struct store *s)
{
    return store_puts_flush(&((struct store_web *)s)->puts);
}

/* -- the lock ---------------------------------------------------------------
 */

int store_web_lock_write(struct store *s, const char *text)
{
    struct store_web *w = (struct store_web *)s;
    struct request *r =
        store_web_request(w, "PUT", w->lock.name, text, strlen(text));
    int result = 0;

    if (!r)
        return -1;
    request_run(r);
    if (!http_good(r))
        result = http_fail(r, "lock");
    request_free(r);
    return result;
}

void store_web_lock_remove(struct store *s)
{
    struct store_web *w = (struct store_web *)s;
    struct request *r = store_web_request(w, "DELETE", w->lock.name, NULL, 0);

    if (r)
        request_run(r);
    request_free(r);
}

uint64_t store_web_lock_now(struct store *s)
{
    return (uint64_t)time(NULL) + ((const struct store_web *)s)->skew;
}

static int web_lock(struct store *s, unsigned wait_ms, bool break_lock)
{
    struct store_web *w = (struct store_web *)s;

    if (w->open_line)
        w->kind->warn(w);
    if (store_lock_take(&w->lock, wait_ms, break_lock, s->stop))
        return -1;
    s->forced = w->lock.forced;
    return 0;
}

static bool web_lost(struct store *s)
{
    return store_lock_lost(&((struct store_web *)s)->lock);
}

static bool web_unlock(struct store *s)
{
    struct store_web *w = (struct store_web *)s;

    if (!w->engine)
        return true;
    if ((s->stop && *s->stop) || engine_is_away(w->engine))
        engine_hurry(w->engine);
    s->stop = NULL; /* whoever stops, unlocks */
    engine_drain(w->engine);
    return store_lock_release(&w->lock);
}

/* -- opening and closing ----------------------------------------------------
 */

static void web_close(struct store *s)
{
    struct store_web *w = (struct store_web *)s;

    if (!w)
        return;
    web_unlock(s);
    request_ahead_forget(&w->ahead);
    engine_free(w->engine);
    if (w->kind->release)
        w->kind->release(w);
    store_curl_release(&w->curl);
    free(w->base);
    free(w);
}

static const struct store_ops web_ops = {.get = web_get,
                                         .size = web_size,
                                         .ahead = web_ahead,
                                         .put = web_put,
                                         .flush = web_flush,
                                         .remove = web_remove,
                                         .lock = web_lock,
                                         .lost = web_lost,
                                         .unlock = web_unlock,
                                         .close = web_close};

struct store_web *store_web_new(size_t size, const struct web_kind *kind)
{
    struct store_web *w = calloc(1, size);

    if (!w) {
        diag_no_memory();
        return NULL;
    }
    w->store.ops = &web_ops;
    w->curl.stop = &w->store.stop;
    w->kind = kind;
    w->puts.store = w->lock.store = &w->store;
    w->lock.ops = &kind->lock;
    w->lock.name = kind->lock_name;
    return w;
}

int store_web_start(struct store_web *w, unsigned most, bool http2)
{
    w->engine = http_new(&w->curl, most, http2, &w->kind->http, w);
    w->puts.engine = w->engine;
    return w->engine ? 0 : -1;
}
