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
           "\"message\":\"%s\",\"chances\":%u,\"wakes\":%u,\"can_undo\":%s}\n",
           (unsigned long)s->previous, (unsigned long)s->highest,
           (unsigned long)s->failed, s->reason, agent_reason(s->reason),
           s->chances, s->wakes, s->can_undo ? "true" : "false");
}

static void print_text(const struct agent *a)
{
    const struct ota_status *s = &a->status;
    char back[AGENT_VERSION];

    if (s->installed_any)
        printf("version %lu is installed: %s\n", (unsigned long)s->version,
               agent_phase(a));
    else
        printf("nothing is installed: %s\n", agent_phase(a));
    if (s->phase == OTA_TRIAL)
        printf("%u more boot%s to confirm it, or %u planned wake%s\n",
               s->chances, say_plural(s->chances), s->wakes,
               say_plural(s->wakes));
    if (s->can_undo)
        printf("%s can be brought back: ota-agent undo\n",
               agent_version(s->previous, back));
    if (s->failed)
        printf("version %lu is not taken again: %s\n", (unsigned long)s->failed,
               agent_reason(s->reason));
    printf("only versions above %lu are taken\n", (unsigned long)s->highest);
}

int status_run(struct agent *a)
{
    int status = agent_status(a);

    if (status == EXIT_STATE && a->options->json)
        printf("{\"type\":\"status\",\"phase\":\"damaged\"}\n");
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
        return say_error(EXIT_STATE, "the state is not damaged: with --force "
                                     "it is forgotten all the same");
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
