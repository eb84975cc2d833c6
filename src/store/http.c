/* One curl multi handle, a transfer for each request on its way, and a list of
 * those that wait for another try. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"

enum {
    MOST_TRANSFERS = 100,   /* more open new ones: ota-publish(7), HTTP */
    MOST_REASON = 16 << 10, /* bytes of a refusal that are kept */
    HURRY_MS = 3000
};

struct transfer {
    CURL *easy;
    struct request *request; /* NULL: idle */
};

struct http {
    struct engine engine; /* first */
    CURLM *multi;
    bool http2;
    const struct http_kind *kind;
    void *ctx;
    unsigned active;
    struct request *waiting, **waiting_end; /* for another try, or for room */
    struct transfer transfers[MOST_TRANSFERS];
};

/* -- requests ---------------------------------------------------------------
 */

struct request *http_request(struct engine *e, const char *method,
                             const char *base, const char *name)
{
    struct request *r = request_new(e, base, name);

    if (!r)
        return NULL;
    r->method = method;
    r->max = 64 * 1024;
    return r;
}

int http_header(struct request *r, const char *line)
{
    struct curl_slist *more = curl_slist_append(r->headers, line);

    if (!more)
        return diag_no_memory();
    r->headers = more;
    return 0;
}

int http_body(struct request *r, const uint8_t *bytes, size_t len)
{
    if (!(r->copy = malloc(len + 1)))
        return diag_no_memory();
    memcpy(r->copy, bytes, len);
    r->body = r->copy;
    r->len = len;
    /* no round trip is spent on asking: ota-publish(7), HTTP */
    return http_header(r, "Expect:") ||
                   http_header(r, "Content-Type: application/octet-stream")
               ? -1
               : 0;
}

bool http_good(const struct request *r)
{
    return r->code == CURLE_OK && r->status >= 200 && r->status < 300;
}

static const struct http_kind *kind_of(const struct request *r)
{
    return ((const struct http *)r->engine)->kind;
}

bool http_missing(const struct request *r)
{
    const struct http_kind *kind = kind_of(r);

    if (r->code != CURLE_OK)
        return false;
    return kind->missing ? kind->missing(r)
                         : r->status == 404 || r->status == 410;
}

static bool is_denied(const struct request *r)
{
    const struct http_kind *kind = kind_of(r);

    return kind->denied ? kind->denied(r)
                        : store_curl_is_denied(r->engine->curl, r->status);
}

int http_fail(const struct request *r, const char *verb)
{
    struct store_curl *curl = r->engine->curl;
    const struct http_kind *kind = kind_of(r);
    char text[1024];

    if (r->code == CURLE_OK && kind->explain &&
        kind->explain(r, text, sizeof text))
        return store_curl_refused(curl, verb, r->name, r->status, text,
                                  is_denied(r));
    return store_curl_fail(curl, verb, r->name, r->code, r->status, r->error);
}

/* -- answers ----------------------------------------------------------------
 */

static void note_first(struct request *r, const char *data, size_t len)
{
    size_t room = sizeof r->first - r->first_len;

    len = len < room ? len : room;
    memcpy(r->first + r->first_len, data, len);
    r->first_len += len;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct request *r = ctx;
    size_t len = size * count, take = len, room;
    long status = 0;

    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    note_first(r, data, len);
    room = (status < 300 ? r->max : MOST_REASON) - r->got;
    if (take > room && status < 300) {
        r->too_long = true;
        return 0;
    }
    if (take > room)
        take = room;
    return request_take(r, data, take) ? len : 0;
}

/* The value of the header of that name in a line, or NULL. */
static const char *value_of(const char *line, size_t len, const char *name,
                            size_t *value_len)
{
    size_t n = strlen(name);

    if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
        return NULL;
    line += n + 1;
    len -= n + 1;
    while (len && (*line == ' ' || *line == '\t')) {
        line++;
        len--;
    }
    while (len && strchr("\r\n \t", line[len - 1]))
        len--;
    *value_len = len;
    return line;
}

static uint64_t time_of(const char *value, size_t len)
{
    char text[64];
    time_t t;

    snprintf(text, sizeof text, "%.*s", (int)(len < 60 ? len : 60), value);
    t = curl_getdate(text, NULL);
    /* 0 is for what was not said: who stops the clock at 0 gets 1 */
    return t > 0 ? (uint64_t)t : t == 0;
}

static void copy_text(char *out, size_t size, const char *value, size_t len)
{
    if (len < size) {
        memcpy(out, value, len);
        out[len] = '\0';
    }
}

/* A server's lines may be anything: each is looked at within its length. */
static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct request *r = ctx;
    size_t len = size * count, n;
    const char *v;

    if ((v = value_of(line, len, "ETag", &n))) {
        copy_text(r->etag, sizeof r->etag, v, n);
    } else if ((v = value_of(line, len, "Content-Encoding", &n))) {
        copy_text(r->encoding, sizeof r->encoding, v, n);
    } else if ((v = value_of(line, len, "Content-Type", &n))) {
        copy_text(r->type, sizeof r->type, v, n);
    } else if ((v = value_of(line, len, "Cache-Control", &n))) {
        copy_text(r->cache, sizeof r->cache, v, n);
    } else if ((v = value_of(line, len, "Last-Modified", &n))) {
        r->modified = time_of(v, n);
    } else if ((v = value_of(line, len, "Date", &n))) {
        r->date = time_of(v, n);
    }
    return len;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down,
                       curl_off_t up_total, curl_off_t up)
{
    struct request *r = ctx;

    (void)down_total;
    (void)down;
    (void)up_total;
    if (up >= 0 && (uint64_t)up <= r->len)
        request_note_sent(r, (size_t)up);
    return 0;
}

static void take_answer(struct request *r, CURL *easy, CURLcode code)
{
    curl_off_t size = -1, after = 0;

    r->code = code;
    if (store_curl_stopped(r->engine->curl))
        r->code = CURLE_ABORTED_BY_CALLBACK;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &r->status);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after);
    r->size = size < 0 ? UINT64_MAX : (uint64_t)size;
    r->wait_s = (long)(after < 3600 ? after : 3600);
}

/* -- transfers --------------------------------------------------------------
 */

/* What one call gives is sent before the next one is made. */
static size_t on_send(char *to, size_t size, size_t count, void *ctx)
{
    struct request *r = ctx;
    size_t room = size * count, half = r->len / 2, len;

    if (r->sent == half)
        r->midway(r->midway_ctx);
    len = (r->sent < half ? half : r->len) - r->sent;
    if (len > room)
        len = room;
    memcpy(to, r->body + r->sent, len);
    r->sent += len;
    return len;
}

static void set_method(CURL *easy, struct request *r)
{
    if (strcmp(r->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (r->midway) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->len);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
        curl_easy_setopt(easy, CURLOPT_READDATA, r);
    } else if (r->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, (const char *)r->body);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->len);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->method);
}

static void set_progress(CURL *easy, struct request *r)
{
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, r->meter ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, r);
}

static void set_options(struct http *h, struct transfer *t)
{
    struct request *r = t->request;
    const struct store_login *login = &h->engine.curl->login;
    CURL *easy = t->easy;

    curl_easy_reset(easy);
    store_curl_setup(h->engine.curl, easy, r->error);
    set_method(easy, r);
    set_progress(easy, r);
    if (h->engine.hurry)
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)HURRY_MS);
    curl_easy_setopt(easy, CURLOPT_URL, r->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, r->headers);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
    if (h->http2)
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     h->http2 ? (long)CURL_HTTP_VERSION_2TLS
                              : (long)CURL_HTTP_VERSION_1_1);
    /* At once, so that no body is sent in vain. */
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    if (login->token) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, login->token);
    }
    if (h->kind->setup)
        h->kind->setup(h->ctx, easy);
}

static void finish(struct request *r)
{
    request_settled(r);
    request_answered(r);
}

/* One that does not get as far as an answer. */
static void give_up(struct request *r, CURLcode code)
{
    r->code = code;
    finish(r);
}

static void launch_request(struct http *h, struct request *r)
{
    struct transfer *t = h->transfers;

    while (t->request)
        t++;
    request_reset(r);
    r->tries++;
    if (!t->easy && !(t->easy = curl_easy_init())) {
        give_up(r, CURLE_OUT_OF_MEMORY);
        return;
    }
    t->request = r;
    r->easy = t->easy;
    set_options(h, t);
    if (curl_multi_add_handle(h->multi, t->easy) != CURLM_OK) {
        t->request = NULL;
        give_up(r, CURLE_OUT_OF_MEMORY);
        return;
    }
    h->active++;
}

static void add_waiting(struct http *h, struct request *r, uint64_t due)
{
    r->due = due;
    r->next = NULL;
    *h->waiting_end = r;
    h->waiting_end = &r->next;
}

static void complete_request(struct http *h, CURLMsg *m)
{
    struct request *r;
    struct transfer *t = NULL;

    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
    r = t->request;
    take_answer(r, t->easy, m->data.result);
    curl_multi_remove_handle(h->multi, t->easy);
    t->request = NULL;
    h->active--;
    if (request_again(r))
        add_waiting(h, r, store_curl_ms() + request_delay(r));
    else
        finish(r);
}

/* Starts what has waited long enough, or gives all up when asked to stop.
 * Returns the ms until the next one is due. */
static int wake(struct http *h)
{
    bool stopped = store_curl_stopped(h->engine.curl);
    uint64_t now = store_curl_ms();
    struct request *r = h->waiting;
    uint64_t soonest = 1000;

    h->waiting = NULL;
    h->waiting_end = &h->waiting;
    while (r) {
        struct request *next = r->next;

        if (stopped) {
            give_up(r, CURLE_ABORTED_BY_CALLBACK);
        } else if (r->due <= now && h->active < h->engine.most) {
            launch_request(h, r);
        } else {
            if (r->due > now && r->due - now < soonest)
                soonest = r->due - now;
            add_waiting(h, r, r->due);
        }
        r = next;
    }
    return (int)soonest;
}

/* Cuts what is on its way. */
static void stop_all(struct http *h)
{
    for (unsigned i = 0; i < h->engine.most; i++) {
        struct transfer *t = &h->transfers[i];
        struct request *r = t->request;

        if (!r)
            continue;
        curl_multi_remove_handle(h->multi, t->easy);
        t->request = NULL;
        h->active--;
        give_up(r, CURLE_ABORTED_BY_CALLBACK);
    }
}

/* One round: what has come is taken, and if there is nothing, waited for. */
static void http_drive(struct engine *e)
{
    struct http *h = (struct http *)e;
    int running, left, pause = wake(h);
    bool any = false;
    CURLMsg *m;

    curl_multi_perform(h->multi, &running);
    while ((m = curl_multi_info_read(h->multi, &left))) {
        if (m->msg != CURLMSG_DONE)
            continue;
        complete_request(h, m);
        any = true;
    }
    if (store_curl_stopped(h->engine.curl))
        stop_all(h);
    else if (!any && (h->active || h->waiting))
        curl_multi_poll(h->multi, NULL, 0, pause, NULL);
}

static void http_begin(struct engine *e, struct request *r,
                       enum request_turn turn)
{
    struct http *h = (struct http *)e;

    if (turn == TURN_NEXT) {
        add_waiting(h, r, 0);
    } else if (store_curl_stopped(e->curl)) {
        give_up(r, CURLE_ABORTED_BY_CALLBACK);
    } else if (h->active < e->most) {
        launch_request(h, r);
    } else {
        r->due = 0;
        r->next = h->waiting;
        if (!r->next)
            h->waiting_end = &r->next;
        h->waiting = r;
    }
}

static bool http_passes(const struct request *r)
{
    const struct http_kind *kind = kind_of(r);

    return request_may_pass(r->code, r->status) ||
           (r->code == CURLE_OK && kind->again && kind->again(r));
}

static void http_free(struct engine *e)
{
    struct http *h = (struct http *)e;

    for (unsigned i = 0; i < h->engine.most; i++) {
        struct transfer *t = &h->transfers[i];

        if (t->request) {
            curl_multi_remove_handle(h->multi, t->easy);
            request_free(t->request);
        }
        curl_easy_cleanup(t->easy);
    }
    while (h->waiting) {
        struct request *r = h->waiting;

        h->waiting = r->next;
        request_free(r);
    }
    curl_multi_cleanup(h->multi);
    free(h);
}

static const struct engine_ops http_ops = {.begin = http_begin,
                                           .drive = http_drive,
                                           .passes = http_passes,
                                           .free = http_free};

struct engine *http_new(struct store_curl *c, unsigned most, bool http2,
                        const struct http_kind *kind, void *ctx)
{
    struct http *h = calloc(1, sizeof *h);

    if (!h || !(h->multi = curl_multi_init())) {
        free(h);
        diag_no_memory();
        return NULL;
    }
    h->engine.ops = &http_ops;
    h->engine.curl = c;
    h->waiting_end = &h->waiting;
    h->http2 = http2;
    h->kind = kind;
    h->ctx = ctx;
    h->engine.most = most < MOST_TRANSFERS ? most : MOST_TRANSFERS;
    curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      http2 ? 1L : (long)h->engine.most);
    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)h->engine.most);
    return &h->engine;
}
