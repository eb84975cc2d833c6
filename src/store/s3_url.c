/* Where a bucket is: in the host's name, or in the path. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "s3.h"

/* A certificate for *.HOST is for one label; other stores often have no names
 * for their buckets at all. */
static bool is_path_style(const struct config_server *s, const char *bucket,
                          size_t len)
{
    if (s->style != STYLE_UNSET)
        return s->style == STYLE_PATH;
    return s->endpoint.text || memchr(bucket, '.', len);
}

static char *endpoint_of(const struct config_server *s, const char *region)
{
    const char *top = strncmp(region, "cn-", 3) == 0 ? "com.cn" : "com";
    char *url;

    if (s->endpoint.text)
        return store_trimmed(s->endpoint.text);
    return asprintf(&url, "https://s3.%s.amazonaws.%s", region, top) < 0 ? NULL
                                                                         : url;
}

char *store_s3_url(const struct config_server *s, const char *region)
{
    char *where = store_trimmed(s->url.text + strlen("s3://"));
    size_t len = where ? strcspn(where, "/") : 0, scheme;
    char *endpoint = endpoint_of(s, region), *url = NULL;
    int n = -1;

    if (where && endpoint && is_path_style(s, where, len)) {
        n = asprintf(&url, "%s/%s", endpoint, where);
    } else if (where && endpoint) {
        scheme = (size_t)(strstr(endpoint, "://") + 3 - endpoint);
        n = asprintf(&url, "%.*s%.*s.%s%s", (int)scheme, endpoint, (int)len,
                     where, endpoint + scheme, where + len);
    }
    free(where);
    free(endpoint);
    if (n >= 0)
        return url;
    diag_no_memory();
    return NULL;
}
