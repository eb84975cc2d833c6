/* One curl multi handle, a transfer for each request on its way, and a list of
 * those that wait for another try. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"

enum {
    MOST_BYTES = 32 << 20,  /* of bodies on their way */
    MOST_TRANSFERS = 100,   /* more would connect: ota-publish(7), HTTP */
    MOST_REASON = 16 << 10, /* bytes of a refusal that are kept */
    HURRY_MS = 3000
};

struct transfer {
    CURL *easy;
    struct http_request *request; /* NULL: idle */
};

struct http {
    struct store_curl *curl;
    CURLM *multi;
    bool http2, hurry, away;
    const struct http_kind *kind;
    void *ctx;
    unsigned most, active;
    uint64_t bytes;               /* of bodies that are started */
    struct http_request *waiting; /* for another try */
    struct transfer transfers[MOST_TRANSFERS];
};

struct http *http_new(struct store_curl *c, unsigned most, bool http2,
                      const struct http_kind *kind, void *ctx)
{
    struct http *h = calloc(1, sizeof *h);

    if (!h || !(h->multi = curl_multi_init())) {
        free(h);
        diag_no_memory();
        return NULL;
    }
    h->curl = c;
    h->http2 = http2;
    h->kind = kind;
    h->ctx = ctx;
    h->most = most < MOST_TRANSFERS ? most : MOST_TRANSFERS;
    curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                      http2 ? 1L : (long)h->most);
    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)h->most);
    return h;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    for (unsigned i = 0; i < h->most; i++) {
        struct transfer *t = &h->transfers[i];

        if (t->request) {
            curl_multi_remove_handle(h->multi, t->easy);
            http_request_free(t->request);
        }
        curl_easy_cleanup(t->easy);
    }
    while (h->waiting) {
        struct http_request *r = h->waiting;

        h->waiting = r->next;
        http_request_free(r);
    }
    curl_multi_cleanup(h->multi);
    free(h);
}

/* -- requests ---------------------------------------------------------------
 */

struct http_request *http_request_new(struct http *h, const char *method,
                                      const char *url)
{
    struct http_request *r = calloc(1, sizeof *r);

    if (!r || !(r->url = strdup(url))) {
        free(r);
        diag_no_memory();
        return NULL;
    }
    r->http = h;
    r->method = method;
    r->max = 64 * 1024;
    return r;
}

int http_header(struct http_request *r, const char *line)
{
    struct curl_slist *more = curl_slist_append(r->headers, line);

    if (!more)
        return diag_no_memory();
    r->headers = more;
    return 0;
}

int http_body(struct http_request *r, const uint8_t *bytes, size_t len)
{
    if (!(r->body = malloc(len + 1)))
        return diag_no_memory();
    memcpy(r->body, bytes, len);
    r->len = len;
    /* no round trip is spent on asking: ota-publish(7), HTTP */
    return http_header(r, "Expect:") ||
                   http_header(r, "Content-Type: application/octet-stream")
               ? -1
               : 0;
}

void http_count(struct http_request *r, const struct store *s,
                enum store_class class)
{
    r->meter = store_meter(s, class);
    if (!r->meter)
        return;
    r->meter->objects++;
    r->meter->unsent += r->len;
}

void http_request_free(struct http_request *r)
{
    if (!r)
        return;
    if (r->meter) {
        r->meter->unsent -= r->len - r->sent;
        r->meter->objects--;
    }
    free(r->url);
    free(r->body);
    free(r->bytes);
    for (struct curl_slist *line = r->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data)); /* session tokens */
    curl_slist_free_all(r->headers);
    free(r);
}

bool http_good(const struct http_request *r)
{
    return r->code == CURLE_OK && r->status >= 200 && r->status < 300;
}

bool http_missing(const struct http_request *r)
{
    const struct http_kind *kind = r->http->kind;

    if (r->code != CURLE_OK)
        return false;
    return kind->missing ? kind->missing(r)
                         : r->status == 404 || r->status == 410;
}

static bool is_denied(const struct http_request *r)
{
    const struct http_kind *kind = r->http->kind;

    return kind->denied ? kind->denied(r)
                        : store_curl_is_denied(r->http->curl, r->status);
}

int http_fail(const struct http_request *r, const char *verb)
{
    const struct http *h = r->http;
    char text[1024];

    if (r->code == CURLE_OK && h->kind->explain &&
        h->kind->explain(r, text, sizeof text))
        return store_curl_refused(h->curl, verb, r->name, r->status, text,
                                  is_denied(r));
    return store_curl_fail(h->curl, verb, r->name, r->code, r->status,
                           r->error);
}

/* -- answers ----------------------------------------------------------------
 */

static void note_first(struct http_request *r, const char *data, size_t len)
{
    size_t room = sizeof r->first - r->first_len;

    len = len < room ? len : room;
    memcpy(r->first + r->first_len, data, len);
    r->first_len += len;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct http_request *r = ctx;
    size_t len = size * count, take = len, room;
    long status = 0;
    uint8_t *bigger;

    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    note_first(r, data, len);
    room = (status < 300 ? r->max : MOST_REASON) - r->got;
    if (take > room && status < 300) {
        r->too_long = true;
        return 0;
    }
    if (take > room)
        take = room;
    bigger = realloc(r->bytes, r->got + take + 1);
    if (!bigger)
        return 0;
    memcpy(bigger + r->got, data, take);
    r->bytes = bigger;
    r->got += take;
    return len;
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
    struct http_request *r = ctx;
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

static void note_sent(struct http_request *r, size_t sent)
{
    if (!r->meter)
        return;
    r->meter->unsent -= sent;
    r->meter->unsent += r->sent;
    r->sent = sent;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down,
                       curl_off_t up_total, curl_off_t up)
{
    struct http_request *r = ctx;

    (void)down_total;
    (void)down;
    (void)up_total;
    if (up >= 0 && (uint64_t)up <= r->len)
        note_sent(r, (size_t)up);
    return 0;
}

static void take_answer(struct http_request *r, CURL *easy, CURLcode code)
{
    curl_off_t size = -1, after = 0;

    r->code = code;
    if (store_curl_stopped(r->http->curl))
        r->code = CURLE_ABORTED_BY_CALLBACK;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &r->status);
    curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &after);
    r->size = size < 0 ? UINT64_MAX : (uint64_t)size;
    r->after = (long)(after < 3600 ? after : 3600);
}

/* -- transfers --------------------------------------------------------------
 */

/* What one call gives is sent before the next one is made. */
static size_t on_send(char *to, size_t size, size_t count, void *ctx)
{
    struct http_request *r = ctx;
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

static void set_method(CURL *easy, struct http_request *r)
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

static void set_progress(CURL *easy, struct http_request *r)
{
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, r->meter ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, r);
}

static void set_options(struct http *h, struct transfer *t)
{
    struct http_request *r = t->request;
    const struct store_login *login = &h->curl->login;
    CURL *easy = t->easy;

    curl_easy_reset(easy);
    store_curl_setup(h->curl, easy, r->error);
    set_method(easy, r);
    set_progress(easy, r);
    if (h->hurry)
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

static void reset_answer(struct http_request *r)
{
    free(r->bytes);
    r->bytes = NULL;
    r->got = 0;
    r->status = 0;
    r->size = UINT64_MAX;
    r->modified = r->date = 0;
    r->after = 0;
    r->too_long = r->answered = false;
    r->etag[0] = r->encoding[0] = r->cache[0] = r->type[0] = '\0';
    r->error[0] = '\0';
    r->first_len = 0;
}

static void finish(struct http *h, struct http_request *r)
{
    r->answered = true;
    h->bytes -= r->len;
    h->away = store_curl_is_away(r->code);
    if (r->done)
        r->done(r);
}

/* One that does not get as far as a transfer. */
static void give_up(struct http *h, struct http_request *r, CURLcode code)
{
    r->code = code;
    finish(h, r);
}

static void launch(struct http *h, struct http_request *r)
{
    struct transfer *t = h->transfers;

    while (t->request)
        t++;
    reset_answer(r);
    note_sent(r, 0);
    r->tries++;
    if (!t->easy && !(t->easy = curl_easy_init())) {
        give_up(h, r, CURLE_OUT_OF_MEMORY);
        return;
    }
    t->request = r;
    r->easy = t->easy;
    set_options(h, t);
    if (curl_multi_add_handle(h->multi, t->easy) != CURLM_OK) {
        t->request = NULL;
        give_up(h, r, CURLE_OUT_OF_MEMORY);
        return;
    }
    h->active++;
}

static void wait_for_another(struct http *h, struct http_request *r)
{
    r->due = store_curl_ms() + store_curl_delay(r->tries, r->after);
    r->next = h->waiting;
    h->waiting = r;
}

static bool is_worth_it(const struct http_request *r)
{
    const struct http_kind *kind = r->http->kind;

    if (r->once || r->midway || r->http->hurry || r->http->away ||
        r->tries >= STORE_TRIES || (r->final && r->status == r->final))
        return false;
    return store_curl_again(r->code, r->status, r->tries) ||
           (r->code == CURLE_OK && kind->again && kind->again(r));
}

static void complete(struct http *h, CURLMsg *m)
{
    struct http_request *r;
    struct transfer *t = NULL;

    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
    r = t->request;
    take_answer(r, t->easy, m->data.result);
    curl_multi_remove_handle(h->multi, t->easy);
    t->request = NULL;
    h->active--;
    if (is_worth_it(r))
        wait_for_another(h, r);
    else
        finish(h, r);
}

/* Starts what has waited long enough, or gives all up when asked to stop.
 * Returns the ms until the next one is due. */
static int wake(struct http *h)
{
    bool stopped = store_curl_stopped(h->curl);
    uint64_t now = store_curl_ms();
    struct http_request *r = h->waiting;
    int soonest = 1000;

    h->waiting = NULL;
    while (r) {
        struct http_request *next = r->next;

        if (stopped) {
            give_up(h, r, CURLE_ABORTED_BY_CALLBACK);
        } else if (r->due <= now && h->active < h->most) {
            launch(h, r);
        } else {
            int left = r->due > now ? (int)(r->due - now) : 1;

            soonest = left < soonest ? left : soonest;
            r->next = h->waiting;
            h->waiting = r;
        }
        r = next;
    }
    return soonest;
}

/* Cuts what is on its way. */
static void stop_all(struct http *h)
{
    for (unsigned i = 0; i < h->most; i++) {
        struct transfer *t = &h->transfers[i];
        struct http_request *r = t->request;

        if (!r)
            continue;
        curl_multi_remove_handle(h->multi, t->easy);
        t->request = NULL;
        h->active--;
        give_up(h, r, CURLE_ABORTED_BY_CALLBACK);
    }
}

/* One round: what has come is taken, and if there is nothing, waited for. */
static void drive(struct http *h)
{
    int running, left, pause = wake(h);
    bool any = false;
    CURLMsg *m;

    curl_multi_perform(h->multi, &running);
    while ((m = curl_multi_info_read(h->multi, &left))) {
        if (m->msg != CURLMSG_DONE)
            continue;
        complete(h, m);
        any = true;
    }
    if (store_curl_stopped(h->curl))
        stop_all(h);
    else if (!any && (h->active || h->waiting))
        curl_multi_poll(h->multi, NULL, 0, pause, NULL);
}

void http_start(struct http *h, struct http_request *r)
{
    r->tries = 0;
    r->answered = false;
    h->bytes += r->len;
    while (h->active >= h->most || (h->active && h->bytes > MOST_BYTES))
        drive(h);
    if (store_curl_stopped(h->curl))
        give_up(h, r, CURLE_ABORTED_BY_CALLBACK);
    else
        launch(h, r);
}

void http_queue(struct http *h, struct http_request *r)
{
    r->tries = 0;
    r->answered = false;
    r->due = 0;
    h->bytes += r->len;
    r->next = h->waiting;
    h->waiting = r;
}

void http_run(struct http *h, struct http_request *r)
{
    http_start(h, r);
    http_wait(h, r);
}

void http_wait(struct http *h, struct http_request *r)
{
    while (!r->answered)
        drive(h);
}

void http_hurry(struct http *h)
{
    h->hurry = true;
}

bool http_is_away(const struct http *h)
{
    return h && h->away;
}

void http_drain(struct http *h)
{
    while (h->active || h->waiting)
        drive(h);
}
