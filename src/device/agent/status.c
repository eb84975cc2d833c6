/* `status`, for people or as one JSON object; `reset` of a damaged state. */
#include <stdio.h>

#include "status.h"
#include "trial.h"

static void print_hex(const uint8_t *buf, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++)
        printf("%02x", buf[i]);
}

/* None of the texts needs an escape. */
static void print_json(const struct agent *a)
{
    const struct ota_status *s = &a->status;

    printf("{\"type\":\"status\",\"phase\":\"%s\",\"version\":%lu,"
           "\"release\":\"",
           agent_phase(a), (unsigned long)s->version);
    print_hex(s->release, sizeof(s->release));
    printf("\",\"previous\":%lu,\"highest\":%lu,\"failed\":%lu,\"reason\":%u,"
           "\"message\":\"%s\",\"chances\":%u,\"wakes\":%u,\"can_undo\":%s,"
           "\"v\":1}\n",
           (unsigned long)s->previous, (unsigned long)s->highest,
           (unsigned long)s->failed, s->reason, agent_reason(s->reason),
           s->chances, s->wakes, s->can_undo ? "true" : "false");
}

/* What is staged: its manifest stands first in the journal, behind the head of
 * the file (8), that of the record (3) and the alternative (1); ota-install(7),
 * Journal.  0: it cannot be read. */
static uint32_t staged_version(const struct agent *a)
{
    enum { MANIFEST_AT = 12 };
    const struct ota_port *port = &a->port;
    uint8_t buf[OTA_MANIFEST_MAX];
    struct ota_manifest m;
    struct ota_stat st;
    int file, n;

    if (port->stat(port->ctx, ".ota/journal", &st) != OTA_OK ||
        st.kind != OTA_REGULAR)
        return 0;
    file = port->open(port->ctx, ".ota/journal", OTA_OPEN_READ);
    if (file < 0)
        return 0;
    n = port->read_at(port->ctx, file, MANIFEST_AT, buf, sizeof(buf));
    port->close(port->ctx, file);
    return n > 0 && ota_manifest_decode(&m, buf, (size_t)n) == OTA_OK
               ? m.version
               : 0;
}

static const char *staged(const struct agent *a, char out[AGENT_VERSION])
{
    uint32_t version = staged_version(a);

    return version ? agent_version(version, out) : "an update";
}

static void print_trial(const struct agent *a)
{
    const struct ota_status *s = &a->status;

    printf("version %lu is on trial: 'ota-agent confirm' keeps it\n",
           (unsigned long)s->version);
    if (s->chances)
        printf("%u more boot%s or poll%s may pass before that, or %u planned "
               "wake%s; then the next boot undoes it\n",
               s->chances, say_plural(s->chances), say_plural(s->chances),
               s->wakes, say_plural(s->wakes));
    else
        printf("no chance is left: the next boot undoes it\n");
}

/* A sentence for the phase, and what comes next. */
static void print_phase(const struct agent *a)
{
    char installed[AGENT_INSTALLED], version[AGENT_VERSION];

    if (a->status.phase == OTA_TRIAL) {
        print_trial(a);
        return;
    }
    if (a->status.phase == OTA_IDLE && !a->status.installed_any)
        return; /* what may be taken says it */
    if (a->status.phase <= OTA_READY)
        printf("%s\n", agent_installed(a, installed));
    if (a->status.phase == OTA_STAGING)
        printf("a part of %s is here: the next 'ota-agent poll' fetches the "
               "rest\n",
               staged(a, version));
    else if (a->status.phase == OTA_READY)
        printf("%s is staged: 'ota-agent boot' installs it\n",
               staged(a, version));
    else if (a->status.phase > OTA_READY)
        printf("%s is half %s: 'ota-agent boot' goes on, and start nothing "
               "before that\n",
               staged(a, version),
               a->status.phase <= OTA_IN ? "installed" : "undone");
}

/* Which versions come next, once the device is idle. */
static void print_taken(const struct agent *a)
{
    const struct ota_status *s = &a->status;
    const char *before = s->installed_any || s->phase != OTA_IDLE
                             ? ""
                             : "nothing is installed "
                               "yet; ";

    if (s->highest)
        printf("%sonly versions above %lu are taken\n", before,
               (unsigned long)s->highest);
    else if (*before)
        printf("%sany version is taken\n", before);
}

static void print_text(const struct agent *a)
{
    const struct ota_status *s = &a->status;
    char back[AGENT_VERSION];

    print_phase(a);
    if (s->can_undo)
        printf("%s can be brought back: 'ota-agent undo'\n",
               agent_version(s->previous, back));
    if (s->failed)
        printf("version %lu is not taken again: %s\n", (unsigned long)s->failed,
               agent_reason(s->reason));
    print_taken(a);
}

int status_run(struct agent *a)
{
    int status = agent_status(a);

    if (status == EXIT_STATE && a->options->json)
        printf("{\"type\":\"status\",\"phase\":\"damaged\",\"v\":1}\n");
    if (status != 0)
        return status;
    if (a->options->json)
        print_json(a);
    else
        print_text(a);
    return EXIT_DONE;
}

int status_reset(struct agent *a)
{
    int err = ota_status(a->install, &a->status);

    if (err == OTA_OK && !a->options->force)
        return say_error(EXIT_STATE,
                         "the state is not damaged, and nothing was forgotten "
                         "(--force does it anyway: what is installed is then "
                         "unknown, and cannot be undone)");
    if (err != OTA_OK && err != OTA_ERR_STATE)
        return agent_failed(a, err, NULL);
    if (err == OTA_OK && a->status.phase > OTA_READY &&
        a->status.phase != OTA_TRIAL && trial_boot(a) == EXIT_FAILED)
        say_error(0,
                  "the old files that could not be put back stay in "
                  "'%s/.ota/old' until the next update is fetched",
                  a->options->root);
    err = ota_reset(a->install);
    if (err != OTA_OK)
        return agent_failed(a, err, NULL);
    say("forgotten: the files stay, and the next full bundle is taken");
    return EXIT_DONE;
}
