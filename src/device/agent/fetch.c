/* The agent's only file with libcurl. */
#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "fetch.h"

#ifndef OTA_AGENT_VERSION
#define OTA_AGENT_VERSION "0.1.0"
#endif

enum {
    HEADERS_MAX = 16384, /* bytes of all headers, redirects' too */
    REDIRECTS_MAX = 5,
    REDIRECT_URL = 4096,   /* signed ones of clouds are long */
    REDIRECT_BODY = 65536, /* bytes of a page that says where to go */
    SPEED_MIN = 100,       /* bytes a second */
    CONNECT_MAX = 30       /* seconds */
};

struct fetch {
    CURL *curl;
    const struct options *options;
    uint64_t end; /* the deadline, milliseconds */
};

/* One GET on its way. */
struct transfer {
    CURL *curl;
    const struct fetch_request *request;
    struct fetch_answer *answer;
    size_t headers; /* bytes so far */
    bool has_range; /* Content-Range, which begins at: */
    uint64_t range;
    uint64_t skip; /* bytes of the body that we have already */
    bool body, enough;
    bool secure;           /* https, now or on the way here */
    char at[REDIRECT_URL]; /* what is asked for now */
};

static uint64_t milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct fetch *fetch_open(const struct options *o)
{
    struct fetch *f = calloc(1, sizeof(*f));

    if (!f || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        free(f);
        return NULL;
    }
    f->curl = curl_easy_init();
    f->options = o;
    f->end = milliseconds() + o->deadline * 1000;
    if (!f->curl) {
        fetch_close(f);
        return NULL;
    }
    return f;
}

void fetch_close(struct fetch *f)
{
    if (!f)
        return;
    curl_easy_cleanup(f->curl);
    curl_global_cleanup();
    free(f);
}

/* -- what comes -------------------------------------------------------------
 */

static int __attribute__((format(printf, 2, 3)))
refuse(struct transfer *t, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(t->answer->why, sizeof(t->answer->why), format, ap);
    va_end(ap);
    return 0;
}

/* What a server said, for messages: it never reaches a terminal as it is. */
static void copy_clean(char *out, size_t size, const char *text, size_t len)
{
    size_t i, n = len < size ? len : size - 1;

    for (i = 0; i < n; i++)
        out[i] = (char)(text[i] < 0x20 || text[i] > 0x7e ? '?' : text[i]);
    out[n] = '\0';
}

/* The value of header `name` in a line, or NULL. */
static const char *header_value(const char *line, size_t len, const char *name,
                                size_t *value_len)
{
    size_t n = strlen(name);

    if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
        return NULL;
    line += n + 1;
    len -= n + 1;
    while (len > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        len--;
    }
    while (len > 0 && strchr(" \t\r\n", line[len - 1]))
        len--;
    *value_len = len;
    return line;
}

static void take_range(struct transfer *t, const char *value, size_t len)
{
    static const char unit[] = "bytes ";
    size_t i = sizeof(unit) - 1;

    t->has_range = len > i && strncasecmp(value, unit, i) == 0;
    t->range = 0;
    for (; t->has_range && i < len && value[i] != '-'; i++) {
        if (value[i] < '0' || value[i] > '9' || t->range > UINT32_MAX)
            t->has_range = false;
        else
            t->range = t->range * 10 + (uint64_t)(value[i] - '0');
    }
}

static int64_t time_of(const char *value, size_t len)
{
    char text[64];
    time_t t;

    copy_clean(text, sizeof(text), value, len);
    t = curl_getdate(text, NULL);
    return t > 0 ? (int64_t)t : 0;
}

static uint64_t length_of(const char *value, size_t len)
{
    char text[24];

    copy_clean(text, sizeof(text), value, len);
    return strtoull(text, NULL, 10);
}

static void take_header(struct transfer *t, const char *line, size_t len)
{
    struct fetch_answer *a = t->answer;
    const char *v;
    size_t n;

    if ((v = header_value(line, len, "ETag", &n))) {
        if (etag_valid(v, n))
            copy_clean(a->etag, sizeof(a->etag), v, n);
    } else if ((v = header_value(line, len, "Content-Range", &n))) {
        take_range(t, v, n);
    } else if ((v = header_value(line, len, "Content-Type", &n))) {
        copy_clean(a->type, sizeof(a->type), v, n);
    } else if ((v = header_value(line, len, "Content-Encoding", &n))) {
        copy_clean(a->encoding, sizeof(a->encoding), v, n);
    } else if ((v = header_value(line, len, "Content-Length", &n))) {
        a->length = length_of(v, n);
    } else if ((v = header_value(line, len, "Last-Modified", &n))) {
        a->modified = time_of(v, n);
    } else if ((v = header_value(line, len, "Date", &n))) {
        a->date = time_of(v, n);
    }
}

/* Of one answer nothing counts for the next one: what a redirect or a 100 said
 * is forgotten. */
static void begin_answer(struct transfer *t)
{
    char why[FETCH_WHY];

    memcpy(why, t->answer->why, sizeof(why));
    memset(t->answer, 0, sizeof(*t->answer));
    memcpy(t->answer->why, why, sizeof(why));
    t->answer->modified = t->answer->date = -1;
    t->has_range = false;
}

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size * count;

    t->headers += len;
    if (t->headers > HEADERS_MAX)
        return (size_t)refuse(t, "more headers than any server sends");
    if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
        begin_answer(t);
    take_header(t, line, len);
    return len;
}

/* The first bytes of a body: are they what was asked for?  A server that
 * ignores Range sends all of it. */
static bool begin_body(struct transfer *t)
{
    uint32_t from = t->request->from;

    t->body = true;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->answer->status);
    if (t->answer->status == 200)
        t->skip = from;
    else if (t->answer->status != 206)
        return false;
    else if (from == 0 || !t->has_range || t->range != from)
        return refuse(t, "it answered with another range");
    return true;
}

/* The first bytes of a body tell what it is, and all of them are counted. */
static void look_at(struct fetch_answer *a, const char *bytes, size_t len)
{
    size_t room = a->got < FETCH_FIRST ? FETCH_FIRST - (size_t)a->got : 0;

    if (room > 0)
        memcpy(a->first + a->got, bytes, len < room ? len : room);
    a->got += len;
}

static bool is_redirect(long status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size * count, skip;
    long status = 0;

    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    look_at(t->answer, bytes, len);
    if (is_redirect(status)) /* only its headers count */
        return t->answer->got <= REDIRECT_BODY ? len : 0;
    if (!t->body && !begin_body(t))
        return 0;
    skip = t->skip < len ? (size_t)t->skip : len;
    t->skip -= skip;
    if (skip == len)
        return len;
    if (t->request->take(t->request->ctx, (const uint8_t *)bytes + skip,
                         len - skip))
        return len;
    t->enough = true;
    return 0;
}

/* -- what is asked ----------------------------------------------------------
 */

#define SET(option, value) curl_easy_setopt(t->curl, CURLOPT_##option, value)

/* Redirects are followed here and not by libcurl, which would go from http to
 * https and back: https is never left again. */
static void set_schemes(struct transfer *t)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(PROTOCOLS_STR, t->secure ? "https" : "http,https");
#else
    SET(PROTOCOLS,
        (long)(t->secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(FOLLOWLOCATION, 0L);
}

static void set_limits(struct transfer *t, const struct fetch *f, uint64_t left)
{
    long stall = f->options->stall ? (long)f->options->stall : 1;

    SET(NOSIGNAL, 1L);
    SET(TIMEOUT_MS, (long)left);
    SET(CONNECTTIMEOUT, stall < CONNECT_MAX ? stall : (long)CONNECT_MAX);
    SET(LOW_SPEED_LIMIT, (long)SPEED_MIN);
    SET(LOW_SPEED_TIME, stall);
}

static struct curl_slist *set_request(struct transfer *t)
{
    const struct fetch_request *r = t->request;
    struct curl_slist *headers = NULL;
    char text[ETAG_TEXT + 32];

    SET(URL, t->at);
    SET(USERAGENT, "ota-agent/" OTA_AGENT_VERSION);
    SET(ACCEPT_ENCODING, "identity");
    SET(HTTP_CONTENT_DECODING, 0L);
    if (r->etag) {
        snprintf(text, sizeof(text), "If-None-Match: %s", r->etag);
        headers = curl_slist_append(NULL, text);
        SET(HTTPHEADER, headers);
    }
    if (r->from) {
        snprintf(text, sizeof(text), "%lu-", (unsigned long)r->from);
        SET(RANGE, text);
    }
    SET(HEADERFUNCTION, on_header);
    SET(HEADERDATA, t);
    SET(WRITEFUNCTION, on_body);
    SET(WRITEDATA, t);
    return headers;
}

/* A part of a URL, to be freed with curl_free(), or NULL. */
static char *part(CURLU *url, CURLUPart what, unsigned flags)
{
    char *text = NULL;

    return curl_url_get(url, what, &text, flags) == CURLUE_OK ? text : NULL;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart what)
{
    char *of_a = part(a, what, CURLU_DEFAULT_PORT);
    char *of_b = part(b, what, CURLU_DEFAULT_PORT);
    bool same = of_a && of_b && strcasecmp(of_a, of_b) == 0;

    curl_free(of_a);
    curl_free(of_b);
    return same;
}

/* A redirect to the same server, written out in full, has lost the login that
 * the configured URL has; no other server gets it. */
static void set_login(struct transfer *t)
{
    CURLU *ours = curl_url(), *at = curl_url();
    char *user = NULL, *password = NULL;

    if (ours && at && !curl_url_set(ours, CURLUPART_URL, t->request->url, 0) &&
        !curl_url_set(at, CURLUPART_URL, t->at, 0) &&
        same_part(ours, at, CURLUPART_SCHEME) &&
        same_part(ours, at, CURLUPART_HOST) &&
        same_part(ours, at, CURLUPART_PORT)) {
        user = part(ours, CURLUPART_USER, CURLU_URLDECODE);
        password = part(ours, CURLUPART_PASSWORD, CURLU_URLDECODE);
    }
    SET(USERNAME, user);
    SET(PASSWORD, password);
    curl_free(user);
    curl_free(password);
    curl_url_cleanup(ours);
    curl_url_cleanup(at);
}

/* -- what it came to --------------------------------------------------------
 */

/* Was it on its way, and broke off? */
static bool is_cut(CURLcode code)
{
    return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR ||
           code == CURLE_HTTP2_STREAM;
}

static enum fetch_result judge_transfer(const struct transfer *t, CURLcode code)
{
    struct fetch_answer *a = t->answer;

    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &a->status);
    if (t->enough)
        return FETCH_ENOUGH;
    if (a->why[0])
        return FETCH_FAILED;
    if (a->status && a->status != 200 && a->status != 206 &&
        (code == CURLE_OK || code == CURLE_WRITE_ERROR))
        return FETCH_STATUS;
    if (code == CURLE_OK)
        return FETCH_DONE;
    return t->body && is_cut(code) ? FETCH_CUT : FETCH_FAILED;
}

/* libcurl refuses a header line of 100 KB, and calls that out of memory. */
static void explain_error(struct transfer *t, CURLcode code, const char *error)
{
    if (code == CURLE_OUT_OF_MEMORY && !t->body)
        refuse(t, "out of memory, or more headers than any server sends");
    else
        refuse(t, "%s", *error ? error : curl_easy_strerror(code));
}

static CURLcode get_once(struct fetch *f, struct transfer *t, uint64_t now,
                         char error[CURL_ERROR_SIZE])
{
    struct curl_slist *headers;
    CURLcode code;

    curl_easy_reset(f->curl);
    begin_answer(t);
    set_schemes(t);
    set_limits(t, f, f->end - now);
    headers = set_request(t);
    set_login(t);
    error[0] = '\0';
    SET(ERRORBUFFER, error);
    if (f->options->cacert) {
        SET(CAINFO, f->options->cacert);
        SET(CAPATH, NULL); /* a default, which would be trusted besides */
    }
    code = curl_easy_perform(f->curl);
    SET(HTTPHEADER, NULL);
    SET(ERRORBUFFER, NULL);
    curl_slist_free_all(headers);
    return code;
}

/* Goes where a redirect leads.  False: there is none, or it is not followed,
 * and `why` says so. */
static bool redirected(struct transfer *t, unsigned count)
{
    char *to = NULL, shown[FETCH_URL], clean[FETCH_URL];
    long status = 0;

    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(t->curl, CURLINFO_REDIRECT_URL, &to);
    if (!is_redirect(status) || !to || t->answer->why[0])
        return false;
    fetch_shown(to, shown);
    copy_clean(clean, sizeof(clean), shown, strlen(shown));
    if (strlen(to) >= sizeof(t->at))
        return refuse(t, "it redirects to a URL that is too long");
    if (count == REDIRECTS_MAX)
        return refuse(t, "more than %d redirects, the last one to '%.200s'",
                      REDIRECTS_MAX, clean);
    if (strncasecmp(to, "https://", 8) == 0)
        t->secure = true;
    else if (strncasecmp(to, "http://", 7) != 0)
        return refuse(t,
                      "it redirects to '%.200s': only http and https are "
                      "followed",
                      clean);
    else if (t->secure)
        return refuse(t,
                      "it redirects from https to '%.200s', which is not "
                      "followed",
                      clean);
    memcpy(t->at, to, strlen(to) + 1);
    return true;
}

static void where_from(struct transfer *t)
{
    char shown[FETCH_URL];

    fetch_shown(t->at, shown);
    copy_clean(t->answer->url, sizeof(t->answer->url), shown, strlen(shown));
}

void fetch_get(struct fetch *f, const struct fetch_request *request,
               struct fetch_answer *answer)
{
    struct transfer transfer = {
        .curl = f->curl, .request = request, .answer = answer};
    struct transfer *t = &transfer;
    char error[CURL_ERROR_SIZE];
    unsigned count = 0;
    uint64_t now;
    CURLcode code;

    memset(answer, 0, sizeof(*answer));
    t->secure = strncasecmp(request->url, "https:", 6) == 0;
    snprintf(t->at, sizeof(t->at), "%s", request->url);
    do {
        now = milliseconds();
        if (now >= f->end) {
            answer->result = FETCH_FAILED;
            refuse(t, "the poll ran out of time");
            break;
        }
        code = get_once(f, t, now, error);
        if (code == CURLE_OK && redirected(t, count++))
            continue;
        answer->result = judge_transfer(t, code);
        if (!answer->why[0] && code != CURLE_OK)
            explain_error(t, code, error);
        break;
    } while (true);
    where_from(t);
    curl_easy_reset(f->curl);
}

const char *fetch_shown(const char *url, char out[FETCH_URL])
{
    const char *host = strstr(url, "://"), *at, *slash;

    host = host ? host + 3 : url;
    slash = host + strcspn(host, "/?#");
    at = memrchr(host, '@', (size_t)(slash - host));
    snprintf(out, FETCH_URL, "%.*s%s", (int)(host - url), url,
             at ? at + 1 : host);
    return out;
}
