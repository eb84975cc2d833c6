/* rollback: a release gets the content of a version that it had. */
#include <string.h>

#include "locking.h"
#include "msg.h"
#include "plan_json.h"
#include "plan_print.h"
#include "progress.h"
#include "servers.h"

enum { OPT_TO = 256 };

struct args {
    struct locking locking;
    uint64_t to;
};

static const struct option long_options[] = {
    LOCKING_LONG,
    {"to", required_argument, NULL, OPT_TO},
    {0},
};

static int take_option(int c, const char *arg, void *ctx)
{
    struct args *a = ctx;

    if (c == OPT_TO)
        return cmd_number("--to", arg, 1, 0x7fffffff, &a->to);
    return locking_take(c, arg, &a->locking);
}

/* One server after the other. */
struct run {
    const struct cmd_global *g;
    struct project *p;
    struct publish_options o;
    const struct locking *locking;
    struct meter *meter;
    const char *release;
    uint32_t to;
    uint32_t at_least; /* that all servers can give */
    bool asking;       /* for that number, nothing else; one that fails then
                        * is left alone */
    struct publish_result all;
};

static void print_report(void *ctx, const struct plan *plan,
                         const struct publish_result *result)
{
    struct run *run = ctx;

    if (run->asking) {
        for (size_t i = 0; i < plan->release_count; i++)
            if (plan->releases[i].version > run->at_least)
                run->at_least = plan->releases[i].version;
        return;
    }
    progress_hide();
    project_head(run->p, run->g);
    if (run->g->dry_run && (!run->g->quiet || run->g->json))
        plan_print(plan, run->g);
    else if (!run->g->quiet || run->g->json)
        plan_print_done(plan, result, run->p->store->where, run->g);
    progress_show();
}

static void say_idle(const struct run *run)
{
    if (!msg_idle())
        return;
    progress_hide();
    project_head(run->p, run->g);
    fputs("nothing to do: '", stdout);
    msg_text(stdout, run->release, strlen(run->release));
    printf("' has the content of version %lu\n", (unsigned long)run->to);
    progress_show();
}

static int go_back(struct run *run)
{
    struct session s =
        project_session(run->p, run->g, run->locking, run->meter);
    struct publish_result result = {0};
    int failed;

    s.dry_run |= run->asking;
    failed = publish_rollback(&s, &run->o, run->release, run->to, run->at_least,
                              &result);
    if (run->asking)
        return failed;
    /* A signal that came too late to stop anything is none. */
    if (!failed)
        cmd_stopped = 0;
    if (!failed && !result.written && !run->g->dry_run)
        say_idle(run);
    run->all.written += result.written;
    run->all.failed += result.failed;
    run->all.payloads += result.payloads;
    run->all.payload_bytes += result.payload_bytes;
    return failed;
}

static int rollback(struct project *p, struct cmd_global *g,
                    const struct args *a, const char *release,
                    struct meter *meter)
{
    struct run run = {.g = g,
                      .p = p,
                      .release = release,
                      .to = (uint32_t)a->to,
                      .locking = &a->locking,
                      .meter = meter,
                      .o = {.jobs = g->jobs, .report = print_report}};

    run.o.ctx = &run;
    run.asking = true;
    while (p->config->server_count > 1 && servers_next(p, g))
        if (go_back(&run))
            project_down(p);
    run.asking = false;
    while (servers_next(p, g))
        go_back(&run);
    plan_json_totals(&run.all);
    if (run.all.written && (run.all.failed || diag_errors()))
        return DIAG_PARTIAL;
    return diag_status();
}

int cmd_rollback(struct cmd_global *g, int argc, char **argv)
{
    struct args a = {0};
    struct meter meter = {0};
    struct project p = {0};
    int first = cmd_options(g, argc, argv, "", long_options, take_option, &a);
    int status = 0;

    if (first < 0)
        return diag_status();
    progress_begin(g, &meter, "device");
    if (argc - first != 1)
        diag_error(DIAG_USAGE, "rollback takes one RELEASE and "
                               "'--to VERSION'");
    else if (!a.to)
        diag_error(DIAG_USAGE, "rollback needs the version to go back to: "
                               "--to VERSION");
    else if (!project_open_published(&p, g, NULL, 0) && !project_private(&p))
        status = rollback(&p, g, &a, argv[first], &meter);
    progress_end();
    project_release(&p);
    return status ? status : diag_status();
}
