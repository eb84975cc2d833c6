/* Requests to a server: begun, tried again and waited for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/diag.h"
#include "request.h"

enum {
    MOST_BYTES = 32 << 20,  /* of bodies on their way */
    TRIES = 6,              /* of one request */
    TIMEOUTS = 2,           /* so many of them take that long */
    FIRST_DELAY = 400,      /* ms: given up after about 10 s of no answer */
    MOST_DELAY = 20 * 1000, /* ms, by ourselves */
    MOST_ASKED_FOR = 120 * 1000, /* ms, by the server */
};

void engine_free(struct engine *e)
{
    if (e)
        e->ops->free(e);
}

void engine_drain(struct engine *e)
{
    while (e->pending)
        e->ops->drive(e);
}

void engine_hurry(struct engine *e)
{
    e->hurry = true;
}

bool engine_is_away(const struct engine *e)
{
    return e->away;
}

/* -- one request ------------------------------------------------------------
 */

struct request *request_new(struct engine *e, const char *base,
                            const char *name)
{
    struct request *r = calloc(1, sizeof *r);

    if (!r || asprintf(&r->url, "%s/%s", base, name) < 0) {
        free(r);
        diag_no_memory();
        return NULL;
    }
    r->engine = e;
    snprintf(r->name, sizeof r->name, "%s", name);
    return r;
}

void request_free(struct request *r)
{
    if (!r)
        return;
    if (r->counted) {
        r->meter->unsent -= r->len - r->sent;
        r->meter->objects--;
    }
    free(r->url);
    free(r->copy);
    free(r->bytes);
    for (struct curl_slist *line = r->headers; line; line = line->next)
        explicit_bzero(line->data, strlen(line->data)); /* session tokens */
    curl_slist_free_all(r->headers);
    curl_slist_free_all(r->before);
    curl_slist_free_all(r->after);
    free(r);
}

void request_count(struct request *r, const struct store *s,
                   enum store_class class)
{
    r->meter = store_meter(s, class);
    if (!r->meter)
        return;
    r->counted = true;
    r->meter->objects++;
    r->meter->unsent += r->len;
}

static void add(struct request *r, enum request_turn turn)
{
    struct engine *e = r->engine;

    r->answered = false;
    r->tries = 0;
    e->pending++;
    e->bytes += r->len;
    e->ops->begin(e, r, turn);
}

void request_start(struct request *r)
{
    struct engine *e = r->engine;

    while (e->pending >= e->most ||
           (e->pending && e->bytes + r->len > MOST_BYTES))
        e->ops->drive(e);
    add(r, TURN_NOW);
}

void request_queue(struct request *r)
{
    add(r, TURN_NEXT);
}

static void wait_for(struct request *r)
{
    while (!r->answered)
        r->engine->ops->drive(r->engine);
}

void request_run(struct request *r)
{
    add(r, TURN_FIRST);
    wait_for(r);
}

/* -- its answer -------------------------------------------------------------
 */

void request_reset(struct request *r)
{
    free(r->bytes);
    r->bytes = NULL;
    r->got = 0;
    request_note_sent(r, 0);
    r->too_long = false;
    r->status = 0;
    r->size = UINT64_MAX;
    r->modified = r->date = 0;
    r->wait_s = 0;
    r->etag[0] = r->encoding[0] = r->cache[0] = r->type[0] = '\0';
    r->error[0] = r->said[0] = '\0';
    r->first_len = 0;
    r->hold.port = 0;
    r->hold.socket = -1;
}

bool request_take(struct request *r, const void *bytes, size_t len)
{
    uint8_t *bigger = realloc(r->bytes, r->got + len + 1);

    if (!bigger)
        return false;
    memcpy(bigger + r->got, bytes, len);
    r->bytes = bigger;
    r->got += len;
    return true;
}

void request_note_sent(struct request *r, size_t sent)
{
    if (r->meter) {
        r->meter->unsent += r->sent;
        r->meter->unsent -= sent;
    }
    r->sent = sent;
}

void request_settled(struct request *r)
{
    r->engine->away = store_curl_is_away(r->code);
}

void request_answered(struct request *r)
{
    struct engine *e = r->engine;

    e->pending--;
    e->bytes -= r->len;
    r->answered = true;
    if (r->done)
        r->done(r);
}

/* -- another try ------------------------------------------------------------
 */

bool request_may_pass(CURLcode code, long status)
{
    switch (code) {
    case CURLE_OK:
        return status == 408 || status == 425 || status == 429 ||
               (status >= 500 && status != 501 && status != 505 &&
                status != 507);
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR: /* cut in its midst, too */
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_AGAIN:
    case CURLE_SSH:
    case CURLE_FTP_ACCEPT_TIMEOUT:
    case CURLE_FTP_CANT_GET_HOST:
    case CURLE_FTP_WEIRD_SERVER_REPLY:
        return true;
    default:
        return false;
    }
}

bool request_passes(const struct request *r)
{
    unsigned most = r->code == CURLE_OPERATION_TIMEDOUT ? TIMEOUTS : TRIES;

    return r->tries < most && r->engine->ops->passes(r);
}

bool request_again(const struct request *r)
{
    const struct engine *e = r->engine;

    return !r->once && !r->midway && !e->hurry && !e->away &&
           !(r->final && r->status == r->final) && request_passes(r);
}

unsigned request_delay(const struct request *r)
{
    unsigned delay = FIRST_DELAY, dice = 0;

    (void)!getrandom(&dice, sizeof dice, GRND_NONBLOCK);
    for (unsigned n = 1; n < r->tries && delay < MOST_DELAY; n++)
        delay *= 2;
    delay = delay / 2 + dice % (delay / 2 + 1);
    if (r->wait_s > 0 && (unsigned long)r->wait_s * 1000 > delay)
        delay = (unsigned)r->wait_s * 1000;
    return delay < MOST_ASKED_FOR ? delay : MOST_ASKED_FOR;
}

/* -- asked ahead ------------------------------------------------------------
 */

void request_ahead_add(struct request_ahead *a, enum store_verb verb,
                       struct request *r)
{
    if (!r || a->count == STORE_AHEAD) {
        request_free(r);
        return;
    }
    r->verb = verb;
    a->list[a->count++] = r;
    request_start(r);
}

struct request *request_ahead_take(struct request_ahead *a,
                                   enum store_verb verb, const char *name)
{
    for (size_t i = 0; i < a->count; i++) {
        struct request *r = a->list[i];

        if (r->verb != verb || strcmp(r->name, name) != 0)
            continue;
        a->count--;
        memmove(&a->list[i], &a->list[i + 1], (a->count - i) * sizeof *a->list);
        wait_for(r);
        return r;
    }
    return NULL;
}

void request_ahead_forget(struct request_ahead *a)
{
    for (size_t i = 0; i < a->count; i++) {
        wait_for(a->list[i]);
        request_free(a->list[i]);
    }
    a->count = 0;
}
