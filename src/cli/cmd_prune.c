/* prune: removes what no device needs any more. */
#include <string.h>

#include "json.h"
#include "locking.h"
#include "msg.h"
#include "progress.h"
#include "publish/prune.h"
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
    struct prune_result all;
    struct meter meter;
};

static void print_json(const struct prune_item *i, bool dry_run)
{
    struct json j;

    json_begin(&j, stdout, i->object ? "payload" : "version");
    if (i->object) {
        json_string(&j, "object", i->object);
        json_number(&j, "size", i->size);
        json_bool(&j, "removed", !i->failed && !dry_run);
    } else {
        json_string(&j, "release", i->release);
        json_number(&j, "version", i->version);
        json_bool(&j, "whole", i->whole);
    }
    json_end(&j);
}

static void print_text(const struct prune_item *i)
{
    char size[MSG_SIZE];

    fputs("  - ", stdout);
    if (i->object) {
        printf("%s  %s\n", i->object, msg_size(i->size, size));
        return;
    }
    msg_text(stdout, i->release, strlen(i->release));
    printf(" version %lu%s\n", (unsigned long)i->version,
           i->whole ? "" : ", only its payload");
}

static void print(void *ctx, const struct prune_item *i)
{
    struct run *run = ctx;
    const struct cmd_global *g = run->g;

    if (!g->json && !g->verbose && !g->dry_run)
        return;
    progress_hide();
    project_head(run->p, g);
    if (g->json)
        print_json(i, g->dry_run);
    else if (!g->quiet && !i->failed)
        print_text(i);
    progress_show();
}

static void print_total(const struct cmd_global *g,
                        const struct prune_result *r)
{
    char size[MSG_SIZE];

    if (g->json || g->quiet)
        return;
    if (!r->payloads && !r->versions) {
        if (g->dry_run || (msg_idle() && !r->failed && !diag_errors()))
            puts("nothing to prune");
        return;
    }
    printf("%s: %zu payload%s of %s, %zu version%s of the history\n",
           g->dry_run ? "would remove" : "removed", r->payloads,
           r->payloads == 1 ? "" : "s", msg_size(r->bytes, size), r->versions,
           r->versions == 1 ? "" : "s");
}

static void prune_one(struct run *run)
{
    struct project *p = run->p;
    const struct cmd_global *g = run->g;
    struct session s = project_session(p, g, run->locking, &run->meter);
    const struct prune_options o = {
        .keep = p->config->keep, .each = print, .ctx = run};
    struct prune_result result, *all = &run->all;

    /* A signal that came too late to stop anything is none. */
    if (prune_run(&s, &o, &result) == 0)
        cmd_stopped = 0;
    progress_hide();
    if (result.payloads || result.versions || g->dry_run)
        project_head(run->p, g);
    print_total(g, &result);
    progress_show();
    all->versions += result.versions;
    all->payloads += result.payloads;
    all->failed += result.failed;
    all->bytes += result.bytes;
}

static void prune(struct project *p, struct cmd_global *g,
                  const struct locking *locking)
{
    struct run run = {.g = g, .p = p, .locking = locking};

    progress_begin(g, &run.meter, "payload");
    while (servers_next(p, g))
        prune_one(&run);
    progress_end();
    msg_summary_number("payloads", run.all.payloads);
    msg_summary_number("bytes", run.all.bytes);
    msg_summary_number("versions", run.all.versions);
    msg_summary_number("failed", run.all.failed);
}

int cmd_prune(struct cmd_global *g, int argc, char **argv)
{
    struct locking locking = {0};
    struct project p = {0};
    int first =
        cmd_options(g, argc, argv, "", long_options, locking_take, &locking);

    if (first < 0)
        return diag_status();
    if (first < argc)
        diag_error(DIAG_USAGE, "prune takes no argument: '%s'", argv[first]);
    else if (!project_open_published(&p, g, NULL, 0) && !project_private(&p))
        prune(&p, g, &locking);
    project_release(&p);
    return diag_status();
}
