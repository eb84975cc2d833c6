/* A server as devices see it, and the caches on the way to them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "doctor_private.h"

enum { CLOCK_MAX = 60, RANGE_FIRST = 100, RANGE_LEN = 50 };

static int ask_server(struct doctor *d, const char *name, const char *header,
                      struct store_answer *a)
{
    const struct store_request r = {
        .method = "GET", .name = name, .header = header};

    return store_probe_ask(d->reader, &r, a);
}

static bool is_object(const struct doctor *d, const struct store_answer *a)
{
    return a->status == 200 && a->len == d->len &&
           memcmp(a->bytes, d->bytes, d->len) == 0;
}

static void say_unreadable(struct doctor *d, const struct store_answer *a)
{
    const char *url = d->server->public_url.text ? d->server->public_url.text
                                                 : d->server->url.text;

    if (a->status == 0)
        doctor_say(d, "readable", DOCTOR_ERROR,
                   "devices get nothing from there: is it the right URL?",
                   "'%s': %s", url, a->error);
    else if (a->status == 401 || a->status == 403)
        doctor_say(d, "readable", DOCTOR_ERROR,
                   "let GET through without a login: all that is there is "
                   "signed",
                   "'%s' gives devices HTTP %ld", url, a->status);
    else if (a->status == 200)
        doctor_say(d, "readable", DOCTOR_ERROR,
                   "is it another folder, or an old copy of a cache?",
                   "'%s' gives devices other bytes than those that were put",
                   url);
    else
        doctor_say(d, "readable", DOCTOR_ERROR,
                   a->status >= 300 && a->status < 400
                       ? "use the URL that it leads to"
                       : "does the URL name the folder that is published to?",
                   "'%s' gives devices HTTP %ld", url, a->status);
}

static void look_at_encoding(struct doctor *d, const struct store_answer *plain)
{
    struct store_answer a;

    if (*plain->encoding && strcasecmp(plain->encoding, "identity") != 0) {
        doctor_say(d, "encoding", DOCTOR_ERROR,
                   "switch compression off there: devices do not undo it",
                   "'%s' without being asked for", plain->encoding);
        return;
    }
    if (ask_server(d, d->name, "Accept-Encoding: gzip", &a))
        return;
    if (*a.encoding && strcasecmp(a.encoding, "identity") != 0)
        doctor_say(d, "encoding", DOCTOR_WARNING,
                   "switch compression off there (nginx: gzip off): payloads "
                   "are compressed, and what is compressed on the way has no "
                   "ranges, and a weak ETag or none",
                   "'%s' for whoever accepts it", a.encoding);
    else
        doctor_say(d, "encoding", DOCTOR_OK, NULL, "none is applied");
    store_answer_release(&a);
}

static void look_at_clock(struct doctor *d, const struct store_answer *a)
{
    long long off = (long long)a->date - (long long)time(NULL);

    if (!a->date)
        doctor_say(d, "clock", DOCTOR_WARNING,
                   "devices without a clock of their own take the server's",
                   "the server sends no Date");
    else if (off > CLOCK_MAX || off < -CLOCK_MAX)
        doctor_say(d, "clock", DOCTOR_WARNING,
                   "set both by NTP: what expires, and locks, go by them",
                   "the server's is %lld s %s this machine's",
                   off < 0 ? -off : off, off < 0 ? "behind" : "ahead of");
    else
        doctor_say(d, "clock", DOCTOR_OK, NULL, "within %d s", CLOCK_MAX);
}

static void look_at_range(struct doctor *d)
{
    char header[64];
    struct store_answer a;
    size_t first = d->len > RANGE_FIRST + RANGE_LEN ? RANGE_FIRST : 0;
    size_t len = d->len > RANGE_LEN ? RANGE_LEN : d->len;

    snprintf(header, sizeof header, "Range: bytes=%zu-%zu", first,
             first + len - 1);
    if (ask_server(d, d->name, header, &a))
        return;
    if (a.status == 206 && a.len == len &&
        memcmp(a.bytes, d->bytes + first, len) == 0)
        doctor_say(d, "range", DOCTOR_OK, NULL, "answered with 206");
    else
        doctor_say(d, "range", DOCTOR_WARNING,
                   "a download that is cut begins anew: let ranges through",
                   a.status == 206 ? "HTTP %ld with other bytes"
                                   : "answered with HTTP %ld",
                   a.status);
    store_answer_release(&a);
}

/* 304 to who has it already: most of what a fleet ever asks. */
static void look_at_etag(struct doctor *d, const struct store_answer *plain)
{
    char header[160];
    struct store_answer a;

    if (!*plain->etag) {
        doctor_say(d, "etag", DOCTOR_WARNING,
                   "each poll of a device costs the whole manifest (lighttpd: "
                   "give mimetype.assign a default)",
                   "there is none");
        return;
    }
    memcpy(d->etag, plain->etag, sizeof d->etag);
    snprintf(header, sizeof header, "If-None-Match: %s", plain->etag);
    if (ask_server(d, d->name, header, &a))
        return;
    if (a.status == 304)
        doctor_say(d, "etag", DOCTOR_OK, NULL, "304 where nothing has changed");
    else
        doctor_say(d, "etag", DOCTOR_WARNING,
                   "each poll of a device costs the whole manifest: does "
                   "something on the way drop If-None-Match?",
                   "HTTP %ld where nothing has changed", a.status);
    store_answer_release(&a);
}

/* The seconds of "NAME=SECONDS" in a Cache-Control, -1: it is not there. */
static long long seconds_of(const char *cache, const char *name)
{
    const char *at = strcasestr(cache, name);

    return at ? strtoll(at + strlen(name), NULL, 10) : -1;
}

static void look_at_manifest_cache(struct doctor *d, const char *cache)
{
    long long shared = seconds_of(cache, "s-maxage="),
              age = seconds_of(cache, "max-age=");

    if (shared > age)
        age = shared;
    if (strcasestr(cache, "no-cache") || strcasestr(cache, "no-store") ||
        age == 0)
        doctor_say(d, "cache", DOCTOR_OK, NULL,
                   "manifests are asked for each time");
    else if (age > 0)
        doctor_say(
            d, "cache", DOCTOR_WARNING,
            "send 'Cache-Control: no-cache' for devices/",
            "manifests may be cached: devices may hear up to %lld s late", age);
    else
        doctor_say(d, "cache", DOCTOR_WARNING,
                   "send 'Cache-Control: no-cache' for devices/ (nginx: "
                   "add_header): a cache on the way may keep old ones",
                   "nothing is said about caching manifests");
}

static void look_at_payload_cache(struct doctor *d)
{
    struct store_answer a;

    if (ask_server(d, DOCTOR_PAYLOAD, NULL, &a))
        return;
    if (a.status != 200)
        doctor_say(d, "payload", DOCTOR_ERROR,
                   "devices hear of updates, and cannot get them",
                   "devices get HTTP %ld for payloads", a.status);
    else if (strcasestr(a.cache, "no-store") || strcasestr(a.cache, "private"))
        doctor_say(d, "payload", DOCTOR_WARNING,
                   "send 'Cache-Control: public, max-age=31536000, immutable' "
                   "for payloads/: they never change",
                   "caches may not keep payloads");
    else
        doctor_say(d, "payload", DOCTOR_OK, NULL, "caches may keep payloads");
    store_answer_release(&a);
}

/* nginx and others make an ETag of a file's time and size: where each deploy
 * sets the same time, the next manifest of that size has the ETag of the last
 * one. */
static void look_at_times(struct doctor *d)
{
    struct store_answer a;

    if (!*d->published || ask_server(d, d->published, NULL, &a))
        return;
    if (a.status == 200 && a.modified && a.modified < d->created)
        doctor_say(d, "times", DOCTOR_WARNING,
                   "let files keep the time at which they were put there (no "
                   "touch, no cp -p of fixed times): devices trust no ETag "
                   "here, so that each poll costs the whole manifest",
                   "the Last-Modified of '%s' lies %llu s before it was made",
                   d->published, (unsigned long long)(d->created - a.modified));
    else if (a.status == 200)
        doctor_say(d, "times", DOCTOR_OK, NULL,
                   a.modified ? "Last-Modified is that of publishing"
                              : "no Last-Modified is sent");
    store_answer_release(&a);
}

void doctor_read(struct doctor *d)
{
    struct store_answer a;

    if (!d->reader || !d->name || ask_server(d, d->name, NULL, &a))
        return;
    if (!is_object(d, &a) && !*a.encoding) {
        say_unreadable(d, &a);
        d->written = false;
    } else {
        doctor_say(d, "readable", DOCTOR_OK, NULL, "without a login");
        look_at_encoding(d, &a);
        look_at_clock(d, &a);
        look_at_range(d);
        look_at_etag(d, &a);
        look_at_times(d);
        if (d->written) {
            look_at_manifest_cache(d, a.cache);
            look_at_payload_cache(d);
        }
    }
    store_answer_release(&a);
}

/* What a device gets that has the old one.  True: it was told that nothing has
 * changed, and *a is what there is all the same. */
static bool ask_for_news(struct doctor *d, struct store_answer *a)
{
    char header[160];

    snprintf(header, sizeof header, "If-None-Match: %s", d->etag);
    if (ask_server(d, d->name, *d->etag ? header : NULL, a) || a->status != 304)
        return false;
    store_answer_release(a);
    return !ask_server(d, d->name, NULL, a);
}

void doctor_replaced(struct doctor *d, const uint8_t *bytes)
{
    struct store_answer a;
    bool no_news;

    if (!d->reader || !d->written)
        return;
    no_news = ask_for_news(d, &a);
    if (a.status != 200)
        doctor_say(d, "replace", DOCTOR_ERROR,
                   "devices get no manifest once it was replaced",
                   a.status ? "HTTP %ld" : "no answer", a.status);
    else if (a.len != DOCTOR_BYTES || memcmp(a.bytes, bytes, a.len) != 0)
        doctor_say(d, "replace", DOCTOR_WARNING,
                   "a cache on the way keeps manifests: have it ask each time",
                   "devices still get what was there before");
    else if (no_news)
        doctor_say(d, "replace", DOCTOR_WARNING,
                   "a device that polls between two publishes within a second "
                   "misses the second one: leave a second between them",
                   "another manifest of that size has the same ETag");
    else
        doctor_say(d, "replace", DOCTOR_OK, NULL,
                   *d->etag ? "the ETag changes at once"
                            : "seen at once, without an ETag");
    store_answer_release(&a);
}
