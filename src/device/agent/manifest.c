/* Asking for the manifest: under which names, with which ETag, and what is done
 * about the answer.  ota-agent(1), Polling. */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "poll.h"
#include "refusal.h"

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

static enum asked no_answer(struct poll *p, const char *url)
{
    const struct fetch_answer *a = &p->got;
    char shown[FETCH_URL], words[ANSWER_WORDS];

    p->again = true;
    fetch_shown(url, shown);
    if (a->result == FETCH_STATUS)
        say_error(0, "no news: '%s' %s", shown, answer_status(a, words));
    else if (a->result == FETCH_CUT)
        say_error(0, "no news: '%s': %s", shown,
                  answer_words(a, "manifest", a->length, words));
    else
        say_error(0, "no news: cannot fetch '%s': %s", shown, a->why);
    return ASKED_FAILED;
}

static enum asked ask_server(struct poll *p, const char *url)
{
    bool same = *p->kept.text && strcmp(p->kept.url, url) == 0;
    char full[FETCH_URL];
    struct fetch_request request = {.url = full,
                                    .etag = same ? p->kept.text : NULL,
                                    .take = take,
                                    .ctx = p};
    const struct fetch_answer *got = &p->got;

    add_query(p->agent, url, full);
    p->manifest_len = 0;
    fetch_get(p->fetch, &request, &p->got);
    if (got->result == FETCH_STATUS && got->status == 304 && same)
        return ASKED_SAME;
    if (got->result == FETCH_STATUS &&
        (got->status == 404 || got->status == 410))
        return ASKED_MISSING;
    if (got->result != FETCH_DONE && got->result != FETCH_ENOUGH)
        return no_answer(p, url);
    snprintf(p->answer.url, sizeof(p->answer.url), "%s", url);
    memcpy(p->answer.text, got->etag, sizeof(p->answer.text));
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

/* The same ETag may come to stand for another manifest: the file's time is not
 * that of its publishing, or it changed within the second in which it was
 * served.  RFC 9110, 8.8.2.2; nginx makes its ETag of time and size alone. */
static bool is_frozen(const struct fetch_answer *a, uint64_t created)
{
    return a->modified >= 0 && ((uint64_t)a->modified < created ||
                                (a->date > 0 && a->modified >= a->date));
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
    int err = OTA_ERR_UNKNOWN_KEY, got;
    enum asked asked;

    for (i = 0; i < count && err != OTA_OK; i++) {
        snprintf(after, sizeof(after), ".%s", ids[i]);
        manifest_url(p, name, after, url);
        asked = ask_server(p, url);
        *cut = *cut || asked == ASKED_FAILED;
        if (asked != ASKED_GOT)
            continue;
        got = stage_answer(p);
        if (got != OTA_ERR_UNKNOWN_KEY)
            err = got;
    }
    return err;
}

/* No manifest at all: what answered is not our server, or not all of it. */
static int foreign(struct poll *p)
{
    char shown[FETCH_URL], words[ANSWER_WORDS];

    return say_error(EXIT_SERVER, "no news: '%s': %s",
                     fetch_shown(p->answer.url, shown),
                     answer_words(&p->got, "manifest", p->got.length, words));
}

static int refused(struct poll *p, int err)
{
    char shown[FETCH_URL], what[FETCH_URL + 48], version[AGENT_VERSION] = "";

    if (err == OTA_ERR_MAGIC || err == OTA_ERR_TRUNCATED)
        return foreign(p);
    if (err == OTA_ERR_VERSION || err == OTA_ERR_FAILED_BEFORE)
        snprintf(version, sizeof(version), ": version %lu",
                 (unsigned long)p->decoded.version);
    snprintf(what, sizeof(what), "no news: '%s'%s",
             fetch_shown(p->answer.url, shown), version);
    return agent_failed(p->agent, err, what);
}

static int take_answer(struct poll *p, const char *name)
{
    int err = stage_answer(p);
    char installed[AGENT_INSTALLED];
    bool cut = false;

    p->keep = refusal_is_final(err) && !is_frozen(&p->got, p->decoded.created);
    if (err == OTA_ERR_UNKNOWN_KEY)
        err = ask_by_key(p, name, &cut);
    p->again = cut || !refusal_is_final(err);
    if (err == OTA_OK)
        return EXIT_RESTART;
    if (err == OTA_CURRENT) {
        say_idle("nothing new: %s", agent_installed(p->agent, installed));
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
    char url[ETAG_URL], shown[FETCH_URL], installed[AGENT_INSTALLED];
    const char *names[2];
    size_t count = names_of(p, names), i;

    p->again = p->keep = false;
    memset(&p->answer, 0, sizeof(p->answer));
    for (i = 0; i < count; i++) {
        manifest_url(p, names[i], "", url);
        switch (ask_server(p, url)) {
        case ASKED_GOT:
            return take_answer(p, names[i]);
        case ASKED_SAME:
            say_idle("nothing new: %s", agent_installed(p->agent, installed));
            return EXIT_DONE;
        case ASKED_FAILED:
            return EXIT_SERVER;
        case ASKED_MISSING:
            break;
        }
    }
    p->again = true;
    return say_error(EXIT_SERVER,
                     "no news: '%s' is not there: is this device in the list "
                     "that is published, and '--url' its folder?",
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
        asked = ask_server(p, url);
    }
    return asked == ASKED_FAILED ? EXIT_SERVER : EXIT_DONE;
}
