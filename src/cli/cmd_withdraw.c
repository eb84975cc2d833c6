/* withdraw: a device is given nothing any more. */
#include <string.h>

#include "json.h"
#include "locking.h"
#include "msg.h"
#include "progress.h"
#include "publish/withdraw.h"
#include "servers.h"

static const struct option long_options[] = {
    LOCKING_LONG,
    {0},
};

/* One server after the other. */
struct run {
    const struct cmd_global *g;
    struct project *p;
    const struct locking *locking;
    struct withdraw_options o;
    struct withdraw_result all;
    struct meter meter;
};

static void print_json(const struct index_device *d, uint32_t version)
{
    char id[DEVICE_TEXT];
    struct json j;

    json_begin(&j, stdout, "device");
    device_id_hex(&d->id, id);
    json_string(&j, "id", id);
    json_string(&j, "name", d->name);
    json_string(&j, "release", d->release);
    json_number(&j, "version", version);
    json_end(&j);
}

static void print_text(const struct index_device *d, uint32_t version)
{
    char id[DEVICE_TEXT];

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

static void print_device(void *ctx, const struct index_device *d,
                         uint32_t version)
{
    struct run *run = ctx;
    const struct cmd_global *g = run->g;

    progress_hide();
    project_head(run->p, g);
    if (g->json)
        print_json(d, version);
    else if (!g->quiet)
        print_text(d, version);
    progress_show();
}

static void withdraw_one(struct run *run)
{
    const struct cmd_global *g = run->g;
    struct session s = project_session(run->p, g, run->locking, &run->meter);
    struct withdraw_result result, *all = &run->all;

    /* A signal that came too late to stop anything is none. */
    if (withdraw_run(&s, &run->o, &result) == 0)
        cmd_stopped = 0;
    progress_hide();
    if (result.withdrawn && !g->json && !g->quiet)
        printf("%s: %zu device%s\n",
               g->dry_run ? "would be withdrawn" : "withdrawn",
               result.withdrawn, result.withdrawn == 1 ? "" : "s");
    if (result.found && !result.withdrawn && !result.failed && msg_idle() &&
        !diag_errors())
        puts("nothing to do: they have no manifest");
    progress_show();
    all->found += result.found;
    all->withdrawn += result.withdrawn;
    all->failed += result.failed;
}

static int withdraw(struct project *p, struct cmd_global *g,
                    const struct locking *locking, char *const *words,
                    size_t count)
{
    struct run run = {.g = g,
                      .p = p,
                      .locking = locking,
                      .o = {.config = p->config,
                            .words = words,
                            .word_count = count,
                            .some = p->config->server_count > 1,
                            .each = print_device}};
    const struct withdraw_result *all = &run.all;

    run.o.ctx = &run;
    progress_begin(g, &run.meter, "device");
    while (servers_next(p, g))
        withdraw_one(&run);
    progress_end();
    if (!all->found && !diag_errors())
        diag_error(DIAG_USAGE, "no server knows any of these devices");
    msg_summary_number("withdrawn", all->withdrawn);
    msg_summary_number("failed", all->failed);
    if (all->withdrawn && (all->failed || diag_status() == DIAG_SERVER))
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
    else if (!project_open_published(&p, g, NULL, 0) && !project_private(&p))
        status =
            withdraw(&p, g, &locking, argv + first, (size_t)(argc - first));
    project_release(&p);
    return status ? status : diag_status();
}
