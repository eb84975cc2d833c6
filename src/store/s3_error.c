/* What S3 says where it refuses: a code and a sentence in XML, of which an
 * answer to HEAD has none.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "s3.h"

enum { CODE = 64, MESSAGE = 200 };

/* The text of <element>, cut to `size`, without control characters and a last
 * full stop; "" where there is none. */
static void element(const struct request *r, const char *name, char *out,
                    size_t size)
{
    char begin[CODE];
    const char *from, *to;
    size_t rest, len;

    *out = '\0';
    snprintf(begin, sizeof begin, "<%s>", name);
    from = r->got ? memmem(r->bytes, r->got, begin, strlen(begin)) : NULL;
    if (!from)
        return;
    from += strlen(begin);
    rest = r->got - (size_t)(from - (const char *)r->bytes);
    to = memchr(from, '<', rest);
    len = to ? (size_t)(to - from) : rest;
    if (len >= size)
        len = size - 1;
    if (len && from[len - 1] == '.')
        len--;
    for (size_t i = 0; i < len; i++)
        out[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : ' ';
    out[len] = '\0';
}

static bool has_code(const struct request *r, const char *code)
{
    char is[CODE];

    element(r, "Code", is, sizeof is);
    return strcmp(is, code) == 0;
}

/* Only where S3 says so: an index that is taken for missing is begun anew.  A
 * 403 may mean the same, where listing is not allowed, and is an error too. */
bool store_s3_missing(const struct request *r)
{
    return r->status == 404 &&
           (strcmp(r->method, "GET") != 0 || has_code(r, "NoSuchKey"));
}

/* Refusals by status that are for a moment. */
bool store_s3_again(const struct request *r)
{
    return has_code(r, "RequestTimeout") || has_code(r, "OperationAborted");
}

static const struct {
    const char *code, *advice;
} advices[] = {
    {"AccessDenied",
     "the key needs s3:GetObject, s3:PutObject and s3:DeleteObject there, and "
     "s3:ListBucket, without which S3 denies what is not there: a policy is in "
     "ota-pack.yml(5), S3"},
    {"SignatureDoesNotMatch",
     "the secret access key is not the one of this key id, or something on the "
     "way changes requests"},
    {"InvalidAccessKeyId", "the key id is of another store, or was deleted"},
    {"InvalidToken", "the session token is not the one of this key id"},
    {"ExpiredToken", "the session has expired: get a new one"},
    {"TokenRefreshRequired", "the session has expired: get a new one"},
    {"NoSuchBucket", "make the bucket first, or correct 'server'"},
    {"SlowDown", "the store is overloaded: try again later"}};

static bool is_other_region(const struct request *r)
{
    return r->status == 301 || r->status == 307 ||
           has_code(r, "AuthorizationHeaderMalformed") ||
           has_code(r, "IllegalLocationConstraintException");
}

static void advise_region(const struct request *r, char *out, size_t size)
{
    char region[CODE];

    element(r, "Region", region, sizeof region);
    if (config_is_region(region))
        snprintf(out, size, " (the bucket is there: 'region: %s')", region);
    else
        snprintf(out, size,
                 " (the bucket is elsewhere: 'region' or 'endpoint' is not "
                 "its)");
}

static void advise_clock(const struct request *r, char *out, size_t size)
{
    int64_t off = r->date ? (int64_t)time(NULL) - (int64_t)r->date : 0;

    if (off)
        snprintf(out, size,
                 " (this machine's clock is %lld seconds %s: set it)",
                 (long long)llabs(off), off > 0 ? "ahead" : "behind");
    else
        snprintf(out, size, " (set this machine's clock)");
}

static void advise(const struct request *r, const char *code, char *out,
                   size_t size)
{
    *out = '\0';
    if (is_other_region(r))
        advise_region(r, out, size);
    else if (strcmp(code, "RequestTimeTooSkewed") == 0)
        advise_clock(r, out, size);
    else if (!*code && r->status == 403)
        code = "AccessDenied"; /* HEAD */
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
        if (strcmp(code, advices[i].code) == 0)
            snprintf(out, size, " (%s)", advices[i].advice);
    if (!*code && !*out && r->got && r->status < 500)
        snprintf(out, size,
                 " (no S3 store answers like this: is 'endpoint' "
                 "right?)");
}

/* A session that is over has status 400, a wrong clock 403. */
bool store_s3_denied(const struct request *r)
{
    if (r->status == 400)
        return has_code(r, "ExpiredToken") || has_code(r, "InvalidToken") ||
               has_code(r, "TokenRefreshRequired");
    return (r->status == 401 || r->status == 403) &&
           !has_code(r, "RequestTimeTooSkewed");
}

bool store_s3_explain(const struct request *r, char *text, size_t size)
{
    char code[CODE], message[MESSAGE], advice[400];

    element(r, "Code", code, sizeof code);
    element(r, "Message", message, sizeof message);
    advise(r, code, advice, sizeof advice);
    snprintf(text, size, "%s%s%s%s%s", *code ? " " : "", code,
             *message ? ": " : "", message, advice);
    return *text;
}
