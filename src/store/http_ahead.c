/* Requests that are begun before their answers are asked for. */
#include <string.h>

#include "http.h"

void http_ahead_add(struct http_ahead *a, struct http_request *r)
{
    if (!r || a->count == STORE_AHEAD) {
        http_request_free(r);
        return;
    }
    a->list[a->count++] = r;
    http_start(r->http, r);
}

struct http_request *http_ahead_take(struct http_ahead *a, const char *method,
                                     const char *name)
{
    for (size_t i = 0; i < a->count; i++) {
        struct http_request *r = a->list[i];

        if (strcmp(r->method, method) != 0 || strcmp(r->name, name) != 0)
            continue;
        a->list[i] = a->list[--a->count];
        http_wait(r->http, r);
        return r;
    }
    return NULL;
}

/* What is not answered belongs to the engine still. */
void http_ahead_release(struct http_ahead *a)
{
    while (a->count) {
        struct http_request *r = a->list[--a->count];

        if (r->answered)
            http_request_free(r);
    }
}
