/* withdraw: a device is given nothing any more. */
#include <string.h>

#include "json.h"
#include "locking.h"
#include "msg.h"
#include "project.h"
#include "publish/withdraw.h"

static const struct option long_options[] = {
    LOCKING_LONG,
    {0},
};

static void print(void *ctx, const struct index_device *d, uint32_t version)
{
    const struct cmd_global *g = ctx;
    char id[DEVICE_TEXT];
    struct json j;

    if (g->json) {
        json_begin(&j, stdout, "device");
        device_id_hex(&d->id, id);
        json_string(&j, "id", id);
        json_string(&j, "name", d->name);
        json_string(&j, "release", d->release);
        json_number(&j, "version", version);
        json_end(&j);
        return;
    }
    if (g->quiet)
        return;
    device_id_text(&d->id, id);
    printf("  - %s ", id);
    if (d->name) {
        msg_text(stdout, d->name, strlen(d->name));
        putchar(' ');
    }
    fputs(" had '", stdout);
    msg_text(stdout, d->release, strlen(d->release));
    printf("' version %lu\n", (unsigned long)version);
}

static void withdraw_one(struct project *p, const struct cmd_global *g,
                         struct withdraw_options *o,
                         struct withdraw_result *all)
{
    struct withdraw_result result;

    o->store = p->store;
    o->signer = p->signer;
    project_head(p, g);
    /* A signal that came too late to stop anything is none. */
    if (withdraw_run(o, &result) == 0)
        cmd_stopped = 0;
    if (result.withdrawn && !g->json && !g->quiet)
        printf("%s: %zu device%s\n",
               g->dry_run ? "would be withdrawn" : "withdrawn",
               result.withdrawn, result.withdrawn == 1 ? "" : "s");
    all->found += result.found;
    all->withdrawn += result.withdrawn;
    all->failed += result.failed;
}

static int withdraw(struct project *p, struct cmd_global *g,
                    const struct locking *locking, char *const *words,
                    size_t count)
{
    struct withdraw_options o = {.config = p->config,
                                 .words = words,
                                 .word_count = count,
                                 .some = p->config->server_count > 1,
                                 .now = p->now,
                                 .dry_run = g->dry_run,
                                 .lock_wait_ms = locking->wait_ms,
                                 .break_lock = locking->break_lock,
                                 .stop = &cmd_stopped,
                                 .each = print,
                                 .ctx = g};
    struct withdraw_result all = {0};

    do {
        if (!project_store(p, true) && !project_signer(p, g))
            withdraw_one(p, g, &o, &all);
    } while (!cmd_stopped && project_next(p));
    if (!all.found && !diag_errors())
        diag_error(DIAG_USAGE, "no server knows any of these devices");
    msg_summary_number("withdrawn", all.withdrawn);
    msg_summary_number("failed", all.failed);
    if (all.withdrawn && (all.failed || diag_status() == DIAG_SERVER))
        return DIAG_PARTIAL;
    return diag_status();
}

int cmd_withdraw(struct cmd_global *g, int argc, char **argv)
{
    struct locking locking = {0};
    struct project p = {0};
    int first =
        cmd_options(g, argc, argv, "", long_options, locking_take, &locking);
    int status = 0;

    if (first < 0)
        return diag_status();
    if (first == argc)
        diag_error(DIAG_USAGE, "withdraw needs a DEVICE");
    else if (!project_open_published(&p, g, NULL, 0))
        status =
            withdraw(&p, g, &locking, argv + first, (size_t)(argc - first));
    project_release(&p);
    return status ? status : diag_status();
}
