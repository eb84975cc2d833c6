/* Where a bucket is: in the host's name, or in the path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_s3.h"

/* A certificate for *.HOST is for one label; other stores often have no names
 * for their buckets at all. */
static bool is_path_style(const struct config_server *s, const char *bucket,
                          size_t len)
{
    if (s->style != STYLE_UNSET)
        return s->style == STYLE_PATH;
    return s->endpoint.text || memchr(bucket, '.', len);
}

char *store_s3_url(const struct config_server *s, const char *region)
{
    const char *bucket = s->url.text + strlen("s3://");
    size_t len = strcspn(bucket, "/"), host;
    bool in_path = is_path_style(s, bucket, len);
    char *endpoint = NULL, *url = NULL;
    const char *tail = strncmp(region, "cn-", 3) == 0 ? ".cn" : "";
    int n;

    n = s->endpoint.text ? asprintf(&endpoint, "%s", s->endpoint.text)
                         : asprintf(&endpoint, "https://s3.%s.amazonaws.com%s",
                                    region, tail);
    if (n > 0) {
        while (endpoint[n - 1] == '/')
            endpoint[--n] = '\0';
        host = (size_t)(strstr(endpoint, "://") + 3 - endpoint);
        n = in_path ? asprintf(&url, "%s/%s", endpoint, bucket)
                    : asprintf(&url, "%.*s%.*s.%s%s", (int)host, endpoint,
                               (int)len, bucket, endpoint + host, bucket + len);
    }
    free(endpoint);
    if (n < 0) {
        diag_no_memory();
        return NULL;
    }
    while (url[n - 1] == '/')
        url[--n] = '\0';
    return url;
}

bool store_s3_is_loopback(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    size_t len = strcspn(host, ":/");

    return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
           (len >= 9 && strncmp(host + len - 9, "localhost", 9) == 0 &&
            (len == 9 || host[len - 10] == '.'));
}
