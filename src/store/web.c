/* Objects by HTTP: requests for them, and what their answers tell. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "web.h"

struct request *store_web_request(struct store_web *w, const char *method,
                                  const char *name, const void *bytes,
                                  size_t len)
{
    const struct web_kind *kind = (const struct web_kind *)w->net.kind;
    struct request *r = http_request(w->net.engine, method, w->base, name);

    if (!r || (bytes && http_body(r, bytes, len)) || kind->dress(w, r)) {
        request_free(r);
        return NULL;
    }
    r->ctx = w;
    len = strlen(r->name);
    if (len && r->name[len - 1] == '/')
        r->name[len - 1] = '\0';
    return r;
}

struct request *store_web_ask(struct store_net *n, enum store_verb verb,
                              const char *name, size_t max)
{
    static const char *const methods[] = {
        [STORE_GET] = "GET", [STORE_SIZE] = "HEAD", [STORE_REMOVE] = "DELETE"};
    struct request *r =
        store_web_request((struct store_web *)n, methods[verb], name, NULL, 0);

    if (r && verb == STORE_GET)
        r->max = max;
    return r;
}

int store_web_fail(struct store_net *n, const char *verb,
                   const struct request *r)
{
    (void)n;
    return http_fail(r, verb);
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

void store_web_got(struct store_net *n, const struct request *r, int result)
{
    note_source(r, &n->store);
    if (result == 0 || result == STORE_MISSING)
        note_times(r, (struct store_web *)n);
}

int store_web_lock_write(struct store *s, const char *text)
{
    struct store_web *w = (struct store_web *)s;
    struct request *r =
        store_web_request(w, "PUT", w->net.lock.name, text, strlen(text));
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
    struct request *r =
        store_web_request(w, "DELETE", w->net.lock.name, NULL, 0);

    if (r)
        request_run(r);
    request_free(r);
}

uint64_t store_web_lock_now(struct store *s)
{
    return (uint64_t)time(NULL) + ((const struct store_web *)s)->skew;
}

int store_web_start(struct store_web *w, unsigned most, bool http2)
{
    const struct web_kind *kind = (const struct web_kind *)w->net.kind;

    return store_net_start(&w->net,
                           http_new(&w->net.curl, most, http2, &kind->http, w));
}
