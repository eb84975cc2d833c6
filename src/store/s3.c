/* S3, and what speaks like it.  libcurl signs (AWS Signature Version 4); what
 * it is given keeps clear of what its versions do differently (ota-publish(7),
 * S3): keys that are the same encoded or not, no query, and the hash of the
 * body in a header on every request. */
#include <stdlib.h>
#include <string.h>

#include "sha256.h"
#include "aws.h"
#include "s3.h"

enum { CONNECTIONS = 64 };

static int s3_dress(struct store_web *w, struct request *r)
{
    const struct store_s3 *s = (const struct store_s3 *)w;
    char line[128] = "x-amz-content-sha256: ";

    sha256_hex(r->body ? r->body : (const uint8_t *)"", r->len,
               line + strlen(line));
    return http_header(r, line) || (s->token && http_header(r, s->token)) ? -1
                                                                          : 0;
}

static void put_done(struct request *r)
{
    struct store_web *w = r->ctx;

    if (!http_good(r)) {
        http_fail(r, "write");
        store_puts_failed(&w->net.puts, r->name, r->class);
    }
    request_free(r);
}

/* For CDNs and caches on the way: what is named by its content never changes.
 */
static const char *cache_of(enum store_class class)
{
    return store_is_content(class)
               ? "Cache-Control: public, max-age=31536000, immutable"
               : "Cache-Control: no-cache";
}

static int s3_put(struct store_net *n, const char *name, const uint8_t *bytes,
                  size_t len, enum store_class class)
{
    struct request *r =
        store_web_request((struct store_web *)n, "PUT", name, bytes, len);

    if (!r || http_header(r, cache_of(class))) {
        request_free(r);
        return -1;
    }
    r->class = class;
    r->done = put_done;
    request_count(r, &n->store, class);
    request_start(r);
    if (class != STORE_HEAD)
        return 0;
    engine_drain(n->engine);
    return n->puts.broken ? -1 : 0;
}

static void s3_warn(const struct store_net *n)
{
    diag_warning("what goes to '%s' is signed, but anybody on the way can read "
                 "it: use https",
                 ((const struct store_web *)n)->base);
}

static void s3_release(struct store_net *n)
{
    struct store_s3 *s = (struct store_s3 *)n;

    if (s->token)
        explicit_bzero(s->token, strlen(s->token));
    free(s->token);
    free(s->sign);
    free(s->where);
    free(s->web.base);
}

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

static const struct web_kind kind = {
    .net = {.lock = {.make = store_s3_lock_make,
                     .write = store_web_lock_write,
                     .remove = store_web_lock_remove,
                     .now = store_web_lock_now},
            .lock_name = STORE_LOCK_OBJECT,
            .ask = store_web_ask,
            .good = http_good,
            .missing = http_missing,
            .fail = store_web_fail,
            .got = store_web_got,
            .put = s3_put,
            .warn = s3_warn,
            .release = s3_release},
    .http = {.setup = set_signing,
             .again = store_s3_again,
             .missing = store_s3_missing,
             .denied = store_s3_denied,
             .explain = store_s3_explain},
    .dress = s3_dress};

/* Moves the keys from `a` to where requests find them. */
static int take_keys(struct store_s3 *s, struct store_aws *a)
{
    s->web.net.curl.login.user = a->id;
    s->web.net.curl.login.password = a->secret;
    s->web.net.curl.login.user_from = a->from;
    s->web.net.curl.noun = "access key";
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

static bool is_open(const char *url)
{
    char *host = strncmp(url, "https:", 6) != 0 ? store_curl_host(url) : NULL;
    bool is_far = host && !store_curl_is_loopback(host);

    free(host);
    return is_far;
}

static int set_up(struct store_s3 *s, const struct config *c,
                  const struct config_server *server)
{
    struct store_aws a;
    int result;

    if (store_aws(server, &a))
        return -1;
    result = find_region(server, &a) || take_keys(s, &a) ||
             !(s->web.base = store_s3_url(server, a.region));
    store_aws_release(&a);
    if (result)
        return -1;
    s->where = store_trimmed(server->url.text);
    if (!s->where)
        return diag_no_memory();
    s->web.net.curl.where = s->web.net.store.where = s->where;
    s->web.net.curl.protocols =
        strncmp(s->web.base, "https:", 6) == 0 ? "https" : "http";
    s->web.net.open_line = is_open(s->web.base);
    return store_curl_init(&s->web.net.curl, c, server, NULL) ||
                   check_signing(s)
               ? -1
               : 0;
}

int store_s3_open(const struct config *c, const struct config_server *server,
                  struct store **out)
{
    struct store_net *n = store_net_new(sizeof(struct store_s3), &kind.net);

    *out = NULL;
    if (!n)
        return -1;
    if (set_up((struct store_s3 *)n, c, server) ||
        store_web_start((struct store_web *)n, CONNECTIONS, false)) {
        store_net_close(&n->store);
        return -1;
    }
    *out = &n->store;
    return 0;
}
