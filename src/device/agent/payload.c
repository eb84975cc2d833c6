/* Fetching the payload: in pieces where the connection breaks, from each URL in
 * turn, and the full one where the delta will not do. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "bundle/format.h"
#include "poll.h"

enum { PIECES_MAX = 20 }; /* of one payload from one URL */

/* What one URL came to. */
enum got {
    GOT_ALL,
    GOT_MISSING, /* 404, 410 */
    GOT_NOTHING, /* the server or the way to it */
    GOT_ERROR    /* the installer's */
};

/* A payload on its way. */
struct payload {
    struct ota_install *install;
    uint32_t at, size; /* bytes */
    int err;           /* the installer's */
};

/* No more than the stated size is taken, whatever else comes. */
static bool take(void *ctx, const uint8_t *buf, size_t len)
{
    struct payload *l = ctx;
    size_t left = l->size - l->at, n = len < left ? len : left;

    if (n > 0)
        l->err = ota_stage_feed(l->install, buf, n);
    l->at += (uint32_t)n;
    return l->err == OTA_OK && n == len;
}

static void payload_url(const struct poll *p, char out[FETCH_URL])
{
    const uint8_t *name = ota_stage_payload(p->agent->install);
    int base_len, len;
    const char *base = poll_url(p, &base_len);
    size_t i;

    len = snprintf(out, FETCH_URL, "%.*s/payloads/%02x/", base_len, base,
                   name[0]);
    for (i = 0; i < OTA_HASH && len > 0 && len < FETCH_URL; i++)
        len += snprintf(out + len, FETCH_URL - (size_t)len, "%02x", name[i]);
}

static enum got no_answer(const struct fetch_request *r, uint32_t size,
                          const struct fetch_answer *a)
{
    char shown[FETCH_URL], words[ANSWER_WORDS];
    uint32_t whole = a->status == 206 ? size - r->from : size;

    fetch_shown(r->url, shown);
    if (a->result == FETCH_STATUS)
        say_error(0, "'%s' %s", shown, answer_status(a, words));
    else if (a->result == FETCH_FAILED)
        say_error(0, "cannot fetch '%s': %s", shown, a->why);
    else
        say_error(0, "'%s': %s", shown,
                  answer_words(a, "payload", whole, words));
    return a->result == FETCH_STATUS && (a->status == 404 || a->status == 410)
               ? GOT_MISSING
               : GOT_NOTHING;
}

/* From p->base.  Where the connection breaks it goes on, as long as each piece
 * brings something. */
static enum got from_url(struct poll *p, struct payload *l)
{
    char url[FETCH_URL];
    struct fetch_request request = {.url = url, .take = take, .ctx = l};
    struct fetch_answer answer;
    int pieces;

    payload_url(p, url);
    for (pieces = 1; l->at < l->size; pieces++) {
        request.from = l->at;
        fetch_get(p->fetch, &request, &answer);
        if (l->err == OTA_ERR_CHUNK && answer_is_foreign(&answer))
            return no_answer(&request, l->size, &answer);
        if (l->err != OTA_OK)
            return GOT_ERROR;
        if (l->at == l->size)
            break;
        if (l->at == request.from || pieces == PIECES_MAX ||
            answer.result != FETCH_CUT)
            return no_answer(&request, l->size, &answer);
        say_more("cut at %lu of %lu bytes: going on there",
                 (unsigned long)l->at, (unsigned long)l->size);
    }
    return GOT_ALL;
}

/* Is what the installer chose the full payload, the last alternative? */
static bool is_full(const struct poll *p)
{
    struct ota_alternative a;

    ota_manifest_alternative(&p->decoded, p->decoded.alternatives - 1U, &a);
    return memcmp(a.link + LINK_HASH, ota_stage_payload(p->agent->install),
                  OTA_HASH) == 0;
}

/* Another server may have the right bytes where these were wrong. */
static bool worth_another(enum got got, int err)
{
    return got == GOT_MISSING || got == GOT_NOTHING ||
           (got == GOT_ERROR && err == OTA_ERR_CHUNK);
}

/* From each URL in turn.  What is staged stays: the next one goes on there. */
static enum got fetch_chosen(struct poll *p, int choose, int *err)
{
    size_t count = p->agent->options->url.count, n;
    enum got got = GOT_ERROR;
    bool missing = true;

    for (n = 0; n < count; n++) {
        struct payload l = {.install = p->agent->install};

        *err = n > 0 ? manifest_stage(p, choose) : OTA_OK;
        if (*err != OTA_OK)
            return GOT_ERROR;
        l.at = ota_stage_offset(l.install);
        l.size = ota_stage_size(l.install);
        got = from_url(p, &l);
        *err = l.err;
        missing = missing && got == GOT_MISSING;
        if (!worth_another(got, l.err))
            break;
        if (n + 1 < count)
            p->base = (p->base + 1) % count;
    }
    return got == GOT_MISSING && !missing ? GOT_NOTHING : got;
}

/* The full one is not there either: as if the manifest had not come. */
static int drop(struct poll *p)
{
    int err = ota_stage_drop(p->agent->install);

    if (err != OTA_OK)
        return agent_failed(p->agent, err, NULL);
    return say_error(EXIT_SERVER,
                     "version %lu is announced, but its payload is not there: "
                     "later",
                     (unsigned long)p->decoded.version);
}

static int finish(struct poll *p, int err)
{
    char what[32];

    if (err == OTA_OK) {
        agent_staged(p->agent, p->decoded.version);
        return EXIT_RESTART;
    }
    snprintf(what, sizeof(what), "version %lu",
             (unsigned long)p->decoded.version);
    return agent_failed(p->agent, err, what);
}

int payload_fetch(struct poll *p)
{
    bool full = is_full(p);
    int choose = OTA_CHOOSE_INSTALLED, err = OTA_OK;
    enum got got;

    for (;;) {
        got = fetch_chosen(p, choose, &err);
        if (got == GOT_ALL)
            err = ota_stage_finish(p->agent->install);
        if (full || (got != GOT_MISSING && err != OTA_ERR_BASE))
            break;
        say_more("the delta will not do: taking the full payload");
        full = true;
        choose = OTA_CHOOSE_FULL;
        err = manifest_stage(p, choose);
        if (err != OTA_OK)
            return finish(p, err);
    }
    if (got == GOT_MISSING)
        return drop(p);
    return got == GOT_NOTHING ? EXIT_SERVER : finish(p, err);
}
