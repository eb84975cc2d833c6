/* The agent's only file with libcurl. */
#include <curl/curl.h>
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
    SPEED_MIN = 100, /* bytes a second */
    CONNECT_MAX = 30 /* seconds */
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

static int refuse(struct transfer *t, const char *why)
{
    snprintf(t->answer->why, sizeof(t->answer->why), "%s", why);
    return 0;
}

/* The value of header `name` in a line, or NULL. */
static const char *header(const char *line, size_t len, const char *name,
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

static size_t on_header(char *line, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size * count, value_len;
    const char *value;

    t->headers += len;
    if (t->headers > HEADERS_MAX)
        return (size_t)refuse(t, "more headers than any server needs");
    if (len > 5 && memcmp(line, "HTTP/", 5) == 0) {
        t->has_range = false;
        t->answer->etag[0] = '\0';
    }
    value = header(line, len, "ETag", &value_len);
    if (value && etag_valid(value, value_len))
        snprintf(t->answer->etag, sizeof(t->answer->etag), "%.*s",
                 (int)value_len, value);
    value = header(line, len, "Content-Range", &value_len);
    if (value)
        take_range(t, value, value_len);
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

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size * count, skip;

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

/* Never to a lesser scheme than the one we were given. */
static void set_schemes(struct transfer *t, bool secure)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(PROTOCOLS_STR, "http,https");
    SET(REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
    SET(PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    SET(REDIR_PROTOCOLS,
        (long)(secure ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    SET(FOLLOWLOCATION, 1L);
    SET(MAXREDIRS, (long)REDIRECTS_MAX);
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

    SET(URL, r->url);
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

/* -- what it came to --------------------------------------------------------
 */

static enum fetch_result judge(const struct transfer *t, CURLcode code)
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
    return t->body && (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR)
               ? FETCH_CUT
               : FETCH_FAILED;
}

/* libcurl refuses a header line of 100 KB, and calls that out of memory. */
static void explain(struct transfer *t, CURLcode code, const char *error)
{
    if (code == CURLE_OUT_OF_MEMORY && !t->body)
        refuse(t, "out of memory, or more headers than any server needs");
    else
        refuse(t, *error ? error : curl_easy_strerror(code));
}

void fetch_get(struct fetch *f, const struct fetch_request *request,
               struct fetch_answer *answer)
{
    struct transfer transfer = {
        .curl = f->curl, .request = request, .answer = answer};
    struct transfer *t = &transfer;
    char error[CURL_ERROR_SIZE] = "";
    uint64_t now = milliseconds();
    struct curl_slist *headers;
    CURLcode code;

    memset(answer, 0, sizeof(*answer));
    if (now >= f->end) {
        answer->result = FETCH_FAILED;
        refuse(t, "the poll's deadline is over");
        return;
    }
    curl_easy_reset(f->curl);
    set_schemes(t, strncasecmp(request->url, "https:", 6) == 0);
    set_limits(t, f, f->end - now);
    headers = set_request(t);
    SET(ERRORBUFFER, error);
    if (f->options->cacert) {
        SET(CAINFO, f->options->cacert);
        SET(CAPATH, NULL); /* a default, which would be trusted besides */
    }
    code = curl_easy_perform(f->curl);
    answer->result = judge(t, code);
    if (!answer->why[0] && code != CURLE_OK)
        explain(t, code, error);
    curl_easy_reset(f->curl);
    curl_slist_free_all(headers);
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
