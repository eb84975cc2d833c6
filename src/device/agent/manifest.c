/* Asking for the manifest: under which names, with which ETag, and what is done
 * about the answer.  install.md, Polling. */
#include <stdio.h>
#include <string.h>

#include "poll.h"

/* What asking for one name came to. */
enum asked { ASKED_GOT, ASKED_SAME, ASKED_MISSING, ASKED_FAILED };

/* -- one GET ----------------------------------------------------------------
 */

/* "<base>/devices/<name>/manifest" with `after` behind it. */
static void manifest_url(const struct poll *p, const char *name,
                         const char *after, char out[ETAG_URL])
{
    int len;
    const char *base = poll_url(p, &len);

    snprintf(out, ETAG_URL, "%.*s/devices/%s/manifest%s", len, base, name,
             after);
}

/* How the device is, for whoever reads the server's log. */
static void add_query(const struct agent *a, const char *url,
                      char out[FETCH_URL])
{
    const struct ota_status *s = &a->status;
    int len = snprintf(out, FETCH_URL, "%s?v=%lu&p=%s", url,
                       (unsigned long)s->version, agent_phase(a));

    if (s->failed && len > 0 && len < FETCH_URL)
        snprintf(out + len, FETCH_URL - (size_t)len, "&f=%lu&e=%u",
                 (unsigned long)s->failed, s->reason);
}

static bool take(void *ctx, const uint8_t *buf, size_t len)
{
    struct poll *p = ctx;
    size_t room = sizeof(p->manifest) - p->manifest_len;
    size_t n = len < room ? len : room;

    memcpy(p->manifest + p->manifest_len, buf, n);
    p->manifest_len += n;
    return p->manifest_len < sizeof(p->manifest);
}

static enum asked no_answer(struct poll *p, const char *url,
                            const struct fetch_answer *a)
{
    char shown[FETCH_URL];

    p->again = true;
    fetch_shown(url, shown);
    if (a->result == FETCH_STATUS)
        say_error(0, "no news: '%s' answered %ld", shown, a->status);
    else
        say_error(0, "no news: cannot fetch '%s': %s", shown, a->why);
    return ASKED_FAILED;
}

static enum asked ask(struct poll *p, const char *url)
{
    bool same = *p->kept.text && strcmp(p->kept.url, url) == 0;
    char full[FETCH_URL];
    struct fetch_request request = {.url = full,
                                    .etag = same ? p->kept.text : NULL,
                                    .take = take,
                                    .ctx = p};
    struct fetch_answer answer;

    add_query(p->agent, url, full);
    p->manifest_len = 0;
    fetch_get(p->fetch, &request, &answer);
    if (answer.result == FETCH_STATUS && answer.status == 304 && same)
        return ASKED_SAME;
    if (answer.result == FETCH_STATUS &&
        (answer.status == 404 || answer.status == 410))
        return ASKED_MISSING;
    if (answer.result != FETCH_DONE && answer.result != FETCH_ENOUGH)
        return no_answer(p, url, &answer);
    snprintf(p->answer.url, sizeof(p->answer.url), "%s", url);
    memcpy(p->answer.text, answer.etag, sizeof(p->answer.text));
    return ASKED_GOT;
}

/* -- what was answered ------------------------------------------------------
 */

int manifest_stage(struct poll *p, int choose)
{
    struct ota_install *i = p->agent->install;
    int err = ota_stage(i, choose);

    if (err == OTA_OK)
        err = ota_stage_feed(i, p->manifest, p->manifest_len);
    if (err == OTA_OK && !ota_stage_wants_payload(i))
        err = ota_stage_finish(i); /* it was too short */
    return err;
}

/* The ETag of what stays refused is kept: install.md, Rules. */
static bool is_final(int err)
{
    return err == OTA_CURRENT || err == OTA_ERR_SIGNATURE ||
           err == OTA_ERR_DEVICE || err == OTA_ERR_VERSION ||
           err == OTA_ERR_FAILED_BEFORE || err == OTA_ERR_UNKNOWN_KEY;
}

static int stage_answer(struct poll *p)
{
    int err = ota_manifest_decode(&p->decoded, p->manifest, p->manifest_len);

    /* what follows the manifest is no payload here */
    if (err == OTA_OK && p->decoded.bytes_len != p->manifest_len)
        return OTA_ERR_TRAILING;
    return manifest_stage(p, OTA_CHOOSE_INSTALLED);
}

/* Signed by a key that came after ours: the last manifest that one of ours
 * signed names the new one.  *cut: it may be there, but there was no answer. */
static int ask_by_key(struct poll *p, const char *name, bool *cut)
{
    char ids[TRUST_IDS][TRUST_ID_TEXT], after[TRUST_ID_TEXT + 1];
    char url[ETAG_URL];
    size_t count = trust_ids(&p->agent->trust, &p->agent->port, ids), i;
    struct etag first = p->answer;
    int err = OTA_ERR_UNKNOWN_KEY, got;
    enum asked asked;

    for (i = 0; i < count && err != OTA_OK; i++) {
        snprintf(after, sizeof(after), ".%s", ids[i]);
        manifest_url(p, name, after, url);
        asked = ask(p, url);
        *cut = *cut || asked == ASKED_FAILED;
        if (asked != ASKED_GOT)
            continue;
        got = stage_answer(p);
        if (got != OTA_ERR_UNKNOWN_KEY)
            err = got;
    }
    p->answer = first;
    return err;
}

static int refused(struct poll *p, int err)
{
    char shown[FETCH_URL], what[FETCH_URL + 16];

    snprintf(what, sizeof(what), "no news: '%s'",
             fetch_shown(p->answer.url, shown));
    if (err == OTA_ERR_IO || err == OTA_ERR_SPACE || err == OTA_ERR_STATE)
        return agent_failed(p->agent, err, what);
    if (err == OTA_ERR_VERSION || err == OTA_ERR_FAILED_BEFORE)
        return say_error(EXIT_REFUSED, "%s: version %lu: %s (%s)", what,
                         (unsigned long)p->decoded.version, ota_strerror(err),
                         ota_error_name(err));
    return say_error(EXIT_REFUSED, "%s: %s (%s)", what, ota_strerror(err),
                     ota_error_name(err));
}

static int take_answer(struct poll *p, const char *name)
{
    int err = stage_answer(p);
    bool cut = false;

    if (err == OTA_ERR_UNKNOWN_KEY)
        err = ask_by_key(p, name, &cut);
    p->again = cut || !is_final(err);
    if (err == OTA_OK)
        return EXIT_RESTART;
    if (err == OTA_CURRENT) {
        say_more("nothing new: version %lu is installed",
                 (unsigned long)p->agent->status.version);
        return EXIT_DONE;
    }
    return refused(p, err);
}

/* -- names ------------------------------------------------------------------
 */

/* The keyed name first, unless the plain one is the one that answered. */
static size_t names_of(struct poll *p, const char *names[2])
{
    char plain[ETAG_URL];
    const char *device = p->agent->device;

    names[0] = *p->keyed ? p->keyed : device;
    names[1] = device;
    if (!*p->keyed)
        return 1;
    manifest_url(p, device, "", plain);
    if (*p->kept.text && strcmp(p->kept.url, plain) == 0) {
        names[0] = device;
        names[1] = p->keyed;
    }
    return 2;
}

int manifest_ask(struct poll *p)
{
    char url[ETAG_URL], shown[FETCH_URL];
    const char *names[2];
    size_t count = names_of(p, names), i;

    p->again = false;
    for (i = 0; i < count; i++) {
        manifest_url(p, names[i], "", url);
        switch (ask(p, url)) {
        case ASKED_GOT:
            return take_answer(p, names[i]);
        case ASKED_SAME:
            p->answer = p->kept;
            say_more("nothing new: not modified");
            return EXIT_DONE;
        case ASKED_FAILED:
            return EXIT_SERVER;
        case ASKED_MISSING:
            break;
        }
    }
    p->again = true;
    return say_error(EXIT_SERVER, "no news: '%s' is not there",
                     fetch_shown(url, shown));
}

int manifest_report(struct poll *p)
{
    char url[ETAG_URL];
    const char *names[2];
    size_t count = names_of(p, names), i;
    enum asked asked = ASKED_MISSING;

    for (i = 0; i < count && asked == ASKED_MISSING; i++) {
        manifest_url(p, names[i], "", url);
        asked = ask(p, url);
    }
    return asked == ASKED_FAILED ? EXIT_SERVER : EXIT_DONE;
}
