/* One request at a time, as the publisher or as a device. */
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "probe.h"

static const struct http_kind plain;

struct store_probe {
    struct store_curl curl;
    struct engine *engine;
    char *base; /* without '/' at its end */
};

static int set_up(struct store_probe *p, const struct config *c,
                  const struct config_server *s, bool login)
{
    char *host = store_curl_host(p->base);
    int result;

    if (!host)
        return diag_no_memory();
    p->curl.where = p->base;
    p->curl.protocols = "http,https";
    result = store_curl_init(&p->curl, c, s, login ? host : NULL);
    free(host);
    if (result)
        return -1;
    if (strncmp(p->base, s->url.text, strlen(p->base)) != 0)
        p->curl.pin = NULL; /* it is of another server */
    p->engine = http_new(&p->curl, 1, s->http2, &plain, NULL);
    return p->engine ? 0 : -1;
}

int store_probe_open(const struct config *c, const struct config_server *s,
                     const char *url, bool login, struct store_probe **out)
{
    struct store_probe *p = calloc(1, sizeof *p);

    *out = NULL;
    if (!p)
        return diag_no_memory();
    p->base = store_trimmed(url);
    if (!p->base)
        diag_no_memory();
    if (!p->base || set_up(p, c, s, login)) {
        store_probe_close(p);
        return -1;
    }
    *out = p;
    return 0;
}

void store_probe_close(struct store_probe *p)
{
    if (!p)
        return;
    engine_free(p->engine);
    store_curl_release(&p->curl);
    free(p->base);
    free(p);
}

void store_probe_hurry(struct store_probe *p)
{
    engine_hurry(p->engine);
}

static void take(struct store_answer *a, struct request *r)
{
    if (r->code != CURLE_OK) {
        snprintf(a->error, sizeof a->error, "%s",
                 *r->error ? r->error : curl_easy_strerror(r->code));
        return;
    }
    a->status = r->status;
    a->bytes = r->bytes;
    r->bytes = NULL;
    a->len = r->got;
    a->date = r->date;
    a->modified = r->modified;
    memcpy(a->etag, r->etag, sizeof a->etag);
    memcpy(a->encoding, r->encoding, sizeof a->encoding);
    memcpy(a->cache, r->cache, sizeof a->cache);
}

int store_probe_ask(struct store_probe *p, const struct store_request *request,
                    struct store_answer *out)
{
    struct request *r =
        http_request(p->engine, request->method, p->base, request->name);
    int result = -1;

    memset(out, 0, sizeof *out);
    if (!r || (request->header && http_header(r, request->header)) ||
        (request->body && http_body(r, request->body, request->len)))
        goto out;
    r->midway = request->midway;
    r->midway_ctx = request->ctx;
    request_run(r);
    take(out, r);
    result = 0;
out:
    request_free(r);
    return result;
}

void store_answer_release(struct store_answer *a)
{
    free(a->bytes);
    a->bytes = NULL;
}
