/* An object read, looked for and removed, and the order of puts. */
#include <stdlib.h>
#include <string.h>

#include "http.h"

const char *http_method(enum store_verb verb)
{
    static const char *const methods[] = {
        [STORE_GET] = "GET", [STORE_SIZE] = "HEAD", [STORE_REMOVE] = "DELETE"};

    return methods[verb];
}

void http_note(const struct http_request *r, struct store *s)
{
    struct store_source *from = &s->source;

    from->known = r->answered && r->code != CURLE_ABORTED_BY_CALLBACK;
    snprintf(from->type, sizeof from->type, "%s", r->type);
    snprintf(from->encoding, sizeof from->encoding, "%s", r->encoding);
    memcpy(from->first, r->first, r->first_len);
    from->first_len = r->first_len;
}

int http_get(struct http_request *r, size_t max, uint8_t **bytes, size_t *len)
{
    *bytes = NULL;
    *len = 0;
    if (!r)
        return -1;
    if (!r->answered) {
        r->max = max;
        http_run(r->http, r);
    }
    if (r->too_long)
        return STORE_LONG;
    if (http_missing(r))
        return STORE_MISSING;
    if (!http_good(r))
        return http_fail(r, "read");
    *bytes = r->bytes ? r->bytes : malloc(1);
    *len = r->got;
    r->bytes = NULL;
    return *bytes ? 0 : diag_no_memory();
}

void http_ahead_add(struct http_ahead *a, struct http_request *r)
{
    if (!r || a->count == STORE_AHEAD) {
        http_request_free(r);
        return;
    }
    a->list[a->count++] = r;
    http_start(r->http, r);
}

struct http_request *http_ahead_take(struct http_ahead *a, enum store_verb verb,
                                     const char *name)
{
    const char *method = http_method(verb);

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

int http_size(struct http_request *r, uint64_t *size)
{
    *size = 0;
    if (!r)
        return -1;
    if (!r->answered)
        http_run(r->http, r);
    if (http_missing(r))
        return STORE_MISSING;
    if (!http_good(r))
        return http_fail(r, "look for");
    *size = r->size;
    return 0;
}

uint64_t http_age(const struct http_request *r)
{
    if (!r || !r->date || !r->modified)
        return UINT64_MAX;
    return r->date > r->modified ? r->date - r->modified : 0;
}

int http_remove(struct http_request *r)
{
    if (!r)
        return -1;
    if (!r->answered)
        http_run(r->http, r);
    return http_good(r) || http_missing(r) ? 0 : http_fail(r, "remove");
}
