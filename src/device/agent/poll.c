/* `poll`: what the phase allows, each URL in turn, back-off and ETag. */
#include <stdio.h>
#include <string.h>

#include "backoff.h"
#include "poll.h"
#include "trial.h"

/* A base URL as it is given: http or https, nothing after the path. */
static int check_urls(const struct options *o)
{
    size_t i;

    if (o->url.count == 0)
        return options_missing(o, "where is it published?", "url");
    for (i = 0; i < o->url.count; i++) {
        const char *url = o->url.items[i];

        if ((strncmp(url, "http://", 7) != 0 &&
             strncmp(url, "https://", 8) != 0) ||
            strpbrk(url, "?# \t\r\n") || strlen(url) > ETAG_URL / 2)
            return options_wrong(
                o, EXIT_USAGE, url,
                "'%s' is not the http or https URL of a folder", url);
    }
    return 0;
}

const char *poll_url(const struct poll *p, int *len)
{
    const char *url = p->agent->options->url.items[p->base];

    *len = (int)strlen(url);
    while (*len > 0 && url[*len - 1] == '/')
        --*len;
    return url;
}

/* -- idle: is there news? ---------------------------------------------------
 */

/* Of the answer that ended the poll.  One that came with the ETag that is kept,
 * and about which something remains to be done, takes that out of use. */
static void keep_etag(struct poll *p, const struct etag *kept)
{
    const struct ota_port *port = &p->agent->port;
    int err = OTA_OK;

    if (p->keep)
        err = etag_keep(port, kept, &p->answer);
    else if (*kept->text && strcmp(kept->text, p->answer.text) == 0 &&
             strcmp(kept->url, p->answer.url) == 0)
        err = etag_forget(port);
    if (err != OTA_OK)
        say_more("the ETag could not be kept");
}

static int ask_one(struct poll *p)
{
    int status = manifest_ask(p);

    if (status != EXIT_RESTART)
        return status;
    status = payload_fetch(p);
    p->again = status != EXIT_RESTART;
    return status;
}

/* Until one of them knows something: anything that was not answered, or not
 * with what verifies, is no news. */
static int ask_all(struct poll *p)
{
    const struct options *o = p->agent->options;
    struct etag kept;
    char trust[ETAG_TRUST];
    int status = EXIT_SERVER;
    size_t i;

    etag_load(&p->agent->port, &kept);
    trust_mark(&p->agent->trust, &p->agent->config, trust);
    if (strcmp(kept.trust, trust) != 0) /* what was refused may be welcome */
        memset(&kept, 0, sizeof(kept));
    if (o->unconditional == 0 || trust_random((uint32_t)o->unconditional) != 0)
        p->kept = kept;
    for (i = 0; i < o->url.count; i++) {
        p->base = i;
        status = ask_one(p);
        if (status != EXIT_SERVER && status != EXIT_REFUSED)
            break;
    }
    memcpy(p->answer.trust, trust, sizeof(trust));
    keep_etag(p, &kept);
    return status;
}

/* -- the other phases -------------------------------------------------------
 */

static const char *chances_left(unsigned left)
{
    static char text[64];

    if (left == 0)
        return "none is left: 'ota-agent confirm' keeps it";
    snprintf(text, sizeof(text),
             "%u more %s left: 'ota-agent confirm' keeps it", left,
             left == 1 ? "is" : "are");
    return text;
}

/* A trial that is never confirmed ends, also where nobody restarts.  The
 * confirm command may fail now and then, as when the machine has just started,
 * until no chance is left. */
static int on_trial(struct poll *p)
{
    struct agent *a = p->agent;
    uint32_t version = a->status.version;
    unsigned chances = a->status.chances; /* before this poll */
    int err = ota_poll(a->install), proved, reported;

    if (err != OTA_OK)
        return agent_failed(a, err, NULL);
    proved = trial_prove(a);
    if (a->status.phase != OTA_TRIAL || a->status.version != version ||
        (proved != EXIT_DONE && proved != EXIT_UNDONE))
        return proved;
    if (chances == 0) {
        if (!a->options->now)
            say_error(0,
                      "version %lu was not confirmed, and no chance is left: "
                      "restart, or 'ota-agent boot', to go back",
                      (unsigned long)version);
        return EXIT_RESTART;
    }
    say("version %lu is on trial: this poll used up a chance, and %s",
        (unsigned long)version, chances_left(chances - 1));
    reported = manifest_report(p);
    return proved == EXIT_DONE ? reported : EXIT_FAILED;
}

/* Nothing is fetched where a restart comes first. */
static int by_phase(struct poll *p)
{
    int status;

    switch ((enum ota_phase)p->agent->status.phase) {
    case OTA_IDLE:
    case OTA_STAGING:
        status = ask_all(p);
        backoff_note(p->agent, p->again);
        return status;
    case OTA_TRIAL:
        return on_trial(p);
    default:
        return EXIT_RESTART;
    }
}

static int run(struct agent *a)
{
    struct poll poll = {.agent = a};
    int status;

    if (a->trust.has_device_key)
        trust_keyed_name(&a->trust, poll.keyed);
    poll.fetch = fetch_open(a->options);
    if (!poll.fetch)
        return say_error(EXIT_FAILED, "out of memory");
    status = by_phase(&poll);
    fetch_close(poll.fetch);
    if (status != EXIT_RESTART)
        return status;
    if (a->options->now)
        return trial_now(a);
    say("restart needed");
    return status;
}

int poll_run(struct agent *a)
{
    int status = check_urls(a->options);
    unsigned left;

    if (status == 0)
        status = agent_identify(a);
    if (status == 0)
        status = agent_status(a);
    if (status != 0)
        return status;
    left = a->options->force ? 0 : backoff_left(a);
    if (left) {
        say("the last polls failed: the next one in %u seconds", left);
        return EXIT_SERVER;
    }
    return run(a);
}
