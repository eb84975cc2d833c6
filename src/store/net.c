/* Objects on a server: read, looked for, removed, put and locked. */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "net.h"

static void net_ahead(struct store *s, enum store_verb verb, const char *name,
                      size_t max)
{
    struct store_net *n = (struct store_net *)s;

    request_ahead_add(&n->ahead, verb, n->kind->ask(n, verb, name, max));
}

/* The one that was begun, or else a new one, answered; NULL: reported. */
static struct request *answer_of(struct store_net *n, enum store_verb verb,
                                 const char *name, size_t max)
{
    struct request *r = request_ahead_take(&n->ahead, verb, name);

    if (r || !(r = n->kind->ask(n, verb, name, max)))
        return r;
    request_run(r);
    return r;
}

static int take_bytes(struct store_net *n, struct request *r, size_t max,
                      uint8_t **bytes, size_t *len)
{
    if (r->too_long)
        return STORE_LONG;
    if (n->kind->missing(r))
        return STORE_MISSING;
    if (!n->kind->good(r))
        return n->kind->fail(n, "read", r);
    if (r->got > max) /* more was asked for ahead */
        return STORE_LONG;
    *bytes = r->bytes ? r->bytes : malloc(1);
    *len = r->got;
    r->bytes = NULL;
    return *bytes ? 0 : diag_no_memory();
}

static int net_get(struct store *s, const char *name, size_t max,
                   uint8_t **bytes, size_t *len)
{
    struct store_net *n = (struct store_net *)s;
    struct request *r = answer_of(n, STORE_GET, name, max);
    int result;

    *bytes = NULL;
    *len = 0;
    if (!r)
        return -1;
    result = take_bytes(n, r, max, bytes, len);
    if (n->kind->got)
        n->kind->got(n, r, result);
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

static int net_size(struct store *s, const char *name, uint64_t *size)
{
    struct store_net *n = (struct store_net *)s;
    struct request *r = answer_of(n, STORE_SIZE, name, 0);
    int result = 0;

    *size = 0;
    s->age = UINT64_MAX;
    if (!r)
        return -1;
    if (n->kind->dated)
        n->kind->dated(n, r);
    s->age = age_of(r);
    if (n->kind->missing(r))
        result = STORE_MISSING;
    else if (!n->kind->good(r))
        result = n->kind->fail(n, "look for", r);
    else
        *size = r->size;
    request_free(r);
    return result;
}

/* A command by SFTP or FTP fails in the same way whatever the reason is. */
static int explain_removal(struct store_net *n, const char *name,
                           const struct request *r)
{
    uint64_t size;
    int result = 0;

    if (r->code == CURLE_QUOTE_ERROR)
        result = net_size(&n->store, name, &size);
    if (result)
        return result == STORE_MISSING ? 0 : -1;
    return n->kind->fail(n, "remove", r);
}

static int net_remove(struct store *s, const char *name)
{
    struct store_net *n = (struct store_net *)s;
    struct request *r = answer_of(n, STORE_REMOVE, name, 0);
    int result = 0;

    if (!r)
        return -1;
    if (!n->kind->good(r) && !n->kind->missing(r))
        result = explain_removal(n, name, r);
    request_free(r);
    if (result == 0 && n->kind->removed)
        n->kind->removed(n, name);
    return result;
}

static int net_put(struct store *s, const char *name, const uint8_t *bytes,
                   size_t len, enum store_class class)
{
    struct store_net *n = (struct store_net *)s;

    store_lock_renew(&n->lock);
    if (store_puts_settle(&n->puts, class))
        return -1;
    return n->kind->put(n, name, bytes, len, class);
}

static int net_flush(struct store *s)
{
    return store_puts_flush(&((struct store_net *)s)->puts);
}

static int net_lock(struct store *s, unsigned wait_ms, bool break_lock)
{
    struct store_net *n = (struct store_net *)s;

    if (n->open_line)
        n->kind->warn(n);
    if (store_lock_take(&n->lock, wait_ms, break_lock, s->stop))
        return -1;
    s->forced = n->lock.forced;
    if (n->kind->locked)
        n->kind->locked(n);
    return 0;
}

static bool net_lost(struct store *s)
{
    return store_lock_lost(&((struct store_net *)s)->lock);
}

static bool net_unlock(struct store *s)
{
    struct store_net *n = (struct store_net *)s;

    if (!n->engine)
        return true;
    request_ahead_forget(&n->ahead);
    engine_drain(n->engine);
    if ((s->stop && *s->stop) || engine_is_away(n->engine))
        engine_hurry(n->engine);
    s->stop = NULL; /* whoever stops, unlocks */
    return store_lock_release(&n->lock);
}

void store_net_close(struct store *s)
{
    struct store_net *n = (struct store_net *)s;

    net_unlock(s);
    engine_free(n->engine);
    n->kind->release(n);
    store_curl_release(&n->curl);
    free(n);
}

static const struct store_ops net_ops = {.get = net_get,
                                         .size = net_size,
                                         .ahead = net_ahead,
                                         .put = net_put,
                                         .flush = net_flush,
                                         .remove = net_remove,
                                         .lock = net_lock,
                                         .lost = net_lost,
                                         .unlock = net_unlock,
                                         .close = store_net_close};

struct store_net *store_net_new(size_t size, const struct net_kind *kind)
{
    struct store_net *n = calloc(1, size);

    if (!n) {
        diag_no_memory();
        return NULL;
    }
    n->store.ops = &net_ops;
    n->kind = kind;
    n->curl.stop = &n->store.stop;
    n->lock.ops = &kind->lock;
    n->lock.name = kind->lock_name;
    n->lock.store = n->puts.store = &n->store;
    return n;
}

int store_net_start(struct store_net *n, struct engine *engine)
{
    n->engine = n->puts.engine = engine;
    return engine ? 0 : -1;
}
