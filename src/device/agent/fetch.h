/* GET over HTTP, in constant memory, with limits for all that a server could
 * do: time, speed, length, headers, redirects. */
#ifndef AGENT_FETCH_H
#define AGENT_FETCH_H

#include "etag.h"
#include "options.h"

enum { FETCH_URL = ETAG_URL + 256, FETCH_WHY = 512, FETCH_FIRST = 16 };

enum fetch_result {
    FETCH_DONE,   /* the body came to its end */
    FETCH_ENOUGH, /* the taker wanted no more */
    FETCH_STATUS, /* another status than 200 or 206 */
    FETCH_CUT,    /* the connection broke while the body came */
    FETCH_FAILED  /* no answer, or one that breaks a limit */
};

/* Takes bytes of the body; false: no more. */
typedef bool fetch_take(void *ctx, const uint8_t *buf, size_t len);

struct fetch_request {
    const char *url;
    const char *etag; /* If-None-Match, or NULL */
    uint32_t from;    /* what is taken begins there: Range, if not 0 */
    fetch_take *take;
    void *ctx;
};

struct fetch_answer {
    enum fetch_result result;
    long status; /* 0: none came */
    char etag[ETAG_TEXT];
    int64_t modified, date;      /* Last-Modified and Date, seconds since 1970;
                                  * 0: not readable, -1: not said */
    char type[64], encoding[32]; /* Content-..., "" where not said */
    char url[FETCH_URL];         /* where it came from in the end, to show */
    uint64_t length, got;        /* of the body: as it was said, 0 where it was
                                  * not; bytes that came */
    uint8_t first[FETCH_FIRST];  /* as far as it got */
    char why[FETCH_WHY];         /* of FETCH_CUT and FETCH_FAILED */
};

struct fetch;

/* One poll's connections; its deadline begins.  NULL: out of memory. */
struct fetch *fetch_open(const struct options *o);
void fetch_close(struct fetch *f); /* takes NULL */

void fetch_get(struct fetch *f, const struct fetch_request *request,
               struct fetch_answer *answer);

/* A URL for people: without the password that it may hold. */
const char *fetch_shown(const char *url, char out[FETCH_URL]);

#endif
