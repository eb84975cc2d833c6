/* Where a bucket is, and what of S3's refusals is shown. */
#include <stdlib.h>
#include <string.h>

#include "store/s3.h"
#include "tap.h"

static const struct {
    const char *url, *endpoint, *region;
    enum config_style style;
    const char *want;
} urls[] = {
    {"s3://abc", 0, "eu-north-1", STYLE_UNSET,
     "https://abc.s3.eu-north-1.amazonaws.com"},
    {"s3://abc/", 0, "us-east-1", STYLE_HOST,
     "https://abc.s3.us-east-1.amazonaws.com"},
    {"s3://abc/x/y//", 0, "us-east-1", STYLE_PATH,
     "https://s3.us-east-1.amazonaws.com/abc/x/y"},
    {"s3://a.bc/x", 0, "us-east-1", STYLE_UNSET,
     "https://s3.us-east-1.amazonaws.com/a.bc/x"},
    {"s3://a.bc/x", 0, "us-east-1", STYLE_HOST,
     "https://a.bc.s3.us-east-1.amazonaws.com/x"},
    {"s3://abc/a.b", 0, "cn-north-1", STYLE_UNSET,
     "https://abc.s3.cn-north-1.amazonaws.com.cn/a.b"},
    {"s3://abc/x/", "http://127.0.0.1:9000", "r", STYLE_UNSET,
     "http://127.0.0.1:9000/abc/x"},
    {"s3://abc/x/", "https://h:9000//", "r", STYLE_HOST,
     "https://abc.h:9000/x"},
    {"s3://abc", "https://h/s3/", "r", STYLE_UNSET, "https://h/s3/abc"},
    {"s3://abc", "https://h/s3/", "r", STYLE_HOST, "https://abc.h/s3"},
};

static void test_urls(void)
{
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct config_server s = {.kind = SERVER_S3,
                                  .url.text = urls[i].url,
                                  .endpoint.text = urls[i].endpoint,
                                  .style = urls[i].style};
        char *url = store_s3_url(&s, urls[i].region);

        check(url && strcmp(url, urls[i].want) == 0, "%s: %s", urls[i].url,
              url ? url : "-");
        free(url);
    }
}

static void test_loopback(void)
{
    static const struct {
        const char *url;
        bool is_here;
    } hosts[] = {
        {"http://127.0.0.1:9/b", true},   {"http://[::1]/b", true},
        {"http://localhost/b", true},     {"http://b.localhost:9/x", true},
        {"http://192.168.0.1/b", false},  {"http://localhost.x/b", false},
        {"http://notlocalhost/b", false}, {"http://x/localhost", false}};

    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        char *host = store_curl_host(hosts[i].url);

        check(host && store_curl_is_loopback(host) == hosts[i].is_here,
              "%s is %shere", hosts[i].url, hosts[i].is_here ? "" : "not ");
        free(host);
    }
}

#define ERROR(code, message)                                                   \
    "<Error><Code>" code "</Code><Message>" message "</Message></Error>"

static const struct {
    long status;
    const char *method, *body;
    bool missing, again;
    const char *want;
} answers[] = {
    {404, "GET", ERROR("NoSuchKey", "none"), true, false, " NoSuchKey: none"},
    {404, "HEAD", "", true, false, ""},
    {404, "GET", "", false, false, ""},
    {404, "GET", "<html>", false, false,
     " (no S3 store answers like this: is 'endpoint' right?)"},
    {404, "GET", ERROR("NoSuchBucket", "none."), false, false,
     " NoSuchBucket: none (make the bucket first, or correct 'server')"},
    {502, "GET", "<html>", false, false, ""},
    {400, "PUT", ERROR("RequestTimeout", ""), false, true, " RequestTimeout"},
    {500, "PUT", ERROR("X", "a\n\033[31mb\x80 c"), false, false,
     " X: a  [31mb  c"},
    {500, "PUT", "<Code>X</Code><Message>cut", false, false, " X: cut"},
    {500, "PUT", "<Code>", false, false, ""},
    {301, "GET", "<Code>X</Code><Region>r-1</Region>", false, false,
     " X (the bucket is there: 'region: r-1')"},
};

static void test_answers(void)
{
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct request r = {.method = answers[i].method,
                            .status = answers[i].status,
                            .got = strlen(answers[i].body)};
        char text[1024];

        r.bytes = (uint8_t *)strndup(answers[i].body, r.got);
        store_s3_explain(&r, text, sizeof text);
        check(store_s3_missing(&r) == answers[i].missing &&
                  store_s3_again(&r) == answers[i].again &&
                  strcmp(text, answers[i].want) == 0,
              "%ld to %s:%s", answers[i].status, answers[i].method,
              answers[i].want);
        if (strcmp(text, answers[i].want) != 0)
            printf("# is:%s\n", text);
        free(r.bytes);
    }
}

int main(void)
{
    test_urls();
    test_loopback();
    test_answers();
    return tap_done();
}
