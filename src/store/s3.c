/* S3, and what speaks like it.  libcurl signs (AWS Signature Version 4); what
 * it is given keeps clear of what its versions do differently (ota-publish(7),
 * S3): keys that are the same encoded or not, no query, and the hash of the
 * body in a header on every request. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sha256.h"
#include "aws.h"
#include "s3.h"

enum { CONNECTIONS = 64 };

static int add_headers(struct store_s3 *s, struct http_request *r)
{
    char line[128] = "x-amz-content-sha256: ";

    sha256_hex(r->body ? r->body : (const uint8_t *)"", r->len,
               line + strlen(line));
    if (http_header(r, line) || (s->token && http_header(r, s->token)))
        return -1;
    return 0;
}

struct http_request *store_s3_request(struct store_s3 *s, const char *method,
                                      const char *name, const void *bytes,
                                      size_t len)
{
    struct http_request *r = NULL;
    char *url;

    if (asprintf(&url, "%s/%s", s->base, name) < 0) {
        diag_no_memory();
        return NULL;
    }
    r = http_request_new(s->http, method, url);
    free(url);
    if (!r || (bytes && http_body(r, bytes, len)) || add_headers(s, r)) {
        http_request_free(r);
        return NULL;
    }
    r->ctx = s;
    snprintf(r->name, sizeof r->name, "%s", name);
    return r;
}

static void s3_ahead(struct store *store, enum store_verb verb,
                     const char *name, size_t max)
{
    struct store_s3 *s = (struct store_s3 *)store;
    struct http_request *r =
        store_s3_request(s, http_method(verb), name, NULL, 0);

    if (r && verb == STORE_GET)
        r->max = max;
    http_ahead_add(&s->early, r);
}

/* The one that was begun, or else a new one; NULL: reported. */
static struct http_request *request_of(struct store_s3 *s, enum store_verb verb,
                                       const char *name)
{
    struct http_request *r = http_ahead_take(&s->early, verb, name);

    return r ? r : store_s3_request(s, http_method(verb), name, NULL, 0);
}

static int s3_get(struct store *store, const char *name, size_t max,
                  uint8_t **bytes, size_t *len)
{
    struct store_s3 *s = (struct store_s3 *)store;
    struct http_request *r = request_of(s, STORE_GET, name);
    int result = http_get(r, max, bytes, len);

    if (r)
        http_note(r, store);
    if (r && r->date)
        s->ahead = r->date - (uint64_t)time(NULL);
    http_request_free(r);
    return result;
}

static int s3_size(struct store *store, const char *name, uint64_t *size)
{
    struct http_request *r =
        request_of((struct store_s3 *)store, STORE_SIZE, name);
    int result = http_size(r, size);

    store->age = http_age(r);
    http_request_free(r);
    return result;
}

static int s3_remove(struct store *store, const char *name)
{
    struct http_request *r =
        request_of((struct store_s3 *)store, STORE_REMOVE, name);
    int result = http_remove(r);

    http_request_free(r);
    return result;
}

/* -- puts -------------------------------------------------------------------
 */

static void put_done(struct http_request *r)
{
    struct store_s3 *s = r->ctx;

    if (!http_good(r)) {
        http_fail(r, "write");
        http_puts_failed(&s->puts, r->name, r->class);
    }
    http_request_free(r);
}

/* For CDNs and caches on the way: what is named by its content never changes.
 */
static const char *cache_of(enum store_class class)
{
    return class == STORE_PAYLOAD || class == STORE_SHARD
               ? "Cache-Control: public, max-age=31536000, immutable"
               : "Cache-Control: no-cache";
}

static int s3_put(struct store *store, const char *name, const uint8_t *bytes,
                  size_t len, enum store_class class)
{
    struct store_s3 *s = (struct store_s3 *)store;
    struct http_request *r;

    store_lock_renew(&s->lock);
    if (http_puts_settle(&s->puts, class))
        return -1;
    r = store_s3_request(s, "PUT", name, bytes, len);
    if (!r || http_header(r, cache_of(class))) {
        http_request_free(r);
        return -1;
    }
    r->class = class;
    r->done = put_done;
    http_count(r, store, class);
    http_start(s->http, r);
    if (class == STORE_HEAD)
        http_drain(s->http);
    return class == STORE_HEAD && s->puts.broken ? -1 : 0;
}

static int s3_flush(struct store *store)
{
    struct store_s3 *s = (struct store_s3 *)store;

    return http_puts_flush(&s->puts);
}

/* -- lock, opening, closing -------------------------------------------------
 */

static int s3_lock(struct store *store, unsigned wait_ms, bool break_lock)
{
    struct store_s3 *s = (struct store_s3 *)store;

    if (s->open_line)
        diag_warning("what goes to '%s' is signed, but anybody on the way can "
                     "read it: use https",
                     s->base);
    if (store_lock_take(&s->lock, wait_ms, break_lock, store->stop))
        return -1;
    store->forced = s->lock.forced;
    return 0;
}

static bool s3_lost(struct store *store)
{
    return store_lock_lost(&((struct store_s3 *)store)->lock);
}

static bool s3_unlock(struct store *store)
{
    struct store_s3 *s = (struct store_s3 *)store;

    if ((store->stop && *store->stop) || http_is_away(s->http))
        http_hurry(s->http);
    store->stop = NULL; /* whoever stops, unlocks */
    return store_lock_release(&s->lock);
}

static void s3_close(struct store *store)
{
    struct store_s3 *s = (struct store_s3 *)store;

    if (!s)
        return;
    if (s->http)
        s3_unlock(store);
    http_ahead_release(&s->early);
    http_free(s->http);
    store_curl_release(&s->curl);
    if (s->token)
        explicit_bzero(s->token, strlen(s->token));
    free(s->token);
    free(s->sign);
    free(s->base);
    free(s->where);
    free(s);
}

static const struct store_ops s3_ops = {.get = s3_get,
                                        .size = s3_size,
                                        .ahead = s3_ahead,
                                        .put = s3_put,
                                        .flush = s3_flush,
                                        .remove = s3_remove,
                                        .lock = s3_lock,
                                        .lost = s3_lost,
                                        .unlock = s3_unlock,
                                        .close = s3_close};

/* It takes the place of the login that HTTP has, by which the secret itself
 * would be sent. */
static void set_signing(void *ctx, CURL *easy)
{
    const struct store_s3 *s = ctx;

    if (curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, s->sign) == CURLE_OK)
        return;
    curl_easy_setopt(easy, CURLOPT_USERNAME, NULL);
    curl_easy_setopt(easy, CURLOPT_PASSWORD, NULL);
}

static int check_signing(const struct store_s3 *s)
{
    CURL *easy = curl_easy_init();
    bool signs =
        easy && curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, s->sign) == CURLE_OK;

    curl_easy_cleanup(easy);
    return signs ? 0
                 : diag_error(DIAG_FAILED,
                              "this libcurl (%s) cannot sign requests for S3",
                              curl_version());
}

static const struct http_kind kind = {.setup = set_signing,
                                      .again = store_s3_again,
                                      .missing = store_s3_missing,
                                      .denied = store_s3_denied,
                                      .explain = store_s3_explain};

/* Moves the keys from `a` to where requests find them. */
static int take_keys(struct store_s3 *s, struct store_aws *a)
{
    s->curl.login.user = a->id;
    s->curl.login.password = a->secret;
    s->curl.login.user_from = a->from;
    s->curl.noun = "access key";
    a->id = a->secret = a->from = NULL;
    if (asprintf(&s->sign, "aws:amz:%s:s3", a->region) < 0) {
        s->sign = NULL;
        return diag_no_memory();
    }
    if (a->token &&
        asprintf(&s->token, "x-amz-security-token: %s", a->token) < 0) {
        s->token = NULL;
        return diag_no_memory();
    }
    return 0;
}

static int find_region(const struct config_server *s, struct store_aws *a)
{
    if (a->region)
        return 0;
    if (!s->endpoint.text)
        return diag_error_at(DIAG_CONFIG, s->url.mark,
                             "'%s' has no region: name it with 'region', or in "
                             "AWS_REGION",
                             s->url.text);
    a->region = strdup("us-east-1"); /* what other stores are called */
    return a->region ? 0 : diag_no_memory();
}

static int set_up(struct store_s3 *s, const struct config *c,
                  const struct config_server *server)
{
    struct store_aws a;
    size_t len = strlen(server->url.text);
    int result;

    if (store_aws(server, &a))
        return -1;
    result = find_region(server, &a) || take_keys(s, &a) ||
             !(s->base = store_s3_url(server, a.region));
    store_aws_release(&a);
    if (result)
        return -1;
    while (server->url.text[len - 1] == '/')
        len--;
    s->where = strndup(server->url.text, len);
    if (!s->where)
        return diag_no_memory();
    s->curl.where = s->store.where = s->lock.where = s->where;
    s->curl.protocols = strncmp(s->base, "https:", 6) == 0 ? "https" : "http";
    s->curl.stop = &s->store.stop;
    s->open_line =
        s->curl.protocols[4] == '\0' && !store_s3_is_loopback(s->base);
    return store_curl_init(&s->curl, c, server, NULL) || check_signing(s) ? -1
                                                                          : 0;
}

int store_s3_open(const struct config *c, const struct config_server *server,
                  struct store **out)
{
    struct store_s3 *s = calloc(1, sizeof *s);

    *out = NULL;
    if (!s)
        return diag_no_memory();
    s->store.ops = &s3_ops;
    if (set_up(s, c, server) ||
        !(s->http = http_new(&s->curl, CONNECTIONS, false, &kind, s))) {
        s3_close(&s->store);
        return -1;
    }
    s->puts = (struct http_puts){.store = &s->store, .http = s->http};
    s->lock.ops = &store_s3_lock_ops;
    s->lock.ctx = s;
    *out = &s->store;
    return 0;
}
