/* publish: carries the plan out. */
#include <string.h>

#include "msg.h"
#include "plan_json.h"
#include "plan_print.h"
#include "project.h"

enum { OPT_LOCK_TIMEOUT = 256, OPT_BREAK_LOCK, OPT_NEW_BASE };

static const struct option long_options[] = {
    {"lock-timeout", required_argument, NULL, OPT_LOCK_TIMEOUT},
    {"break-lock", no_argument, NULL, OPT_BREAK_LOCK},
    {"new-base", no_argument, NULL, OPT_NEW_BASE},
    {0},
};

/* "90", "5s", "2m", "1h": to milliseconds. */
static int take_time(const char *arg, unsigned *ms)
{
    static const char units[] = "smh";
    static const unsigned factors[] = {1000, 60000, 3600000};
    const char *s = arg, *unit;
    uint64_t value = 0, factor = 1000;

    for (; *s >= '0' && *s <= '9' && value <= 1000000; s++)
        value = value * 10 + (unsigned)(*s - '0');
    unit = *s ? strchr(units, *s) : NULL;
    if (unit) {
        factor = factors[unit - units];
        s++;
    }
    if (s == arg || *arg < '0' || *arg > '9' || *s ||
        value * factor > UINT32_MAX)
        return diag_error(DIAG_USAGE,
                          "'%s' is no time: '--lock-timeout' takes '5s' or "
                          "'2m'",
                          arg);
    *ms = (unsigned)(value * factor);
    return 0;
}

static int take(int c, const char *arg, void *ctx)
{
    struct publish_options *o = ctx;

    if (c == OPT_LOCK_TIMEOUT)
        return take_time(arg, &o->lock_wait_ms);
    if (c == OPT_BREAK_LOCK)
        o->break_lock = true;
    else
        o->new_base = true;
    return 0;
}

/* The run, and what was done on all of them. */
struct done {
    const struct cmd_global *g;
    struct project *p;
    struct publish_result all;
};

static void report(void *ctx, const struct plan *plan,
                   const struct publish_result *result)
{
    const struct done *done = ctx;

    project_head(done->p, done->g);
    if (!done->g->quiet || done->g->json)
        plan_print_done(plan, result, done->g);
}

static void publish_one(struct project *p, struct publish_options *o,
                        struct done *done)
{
    struct publish_result result = {0};

    o->store = p->store;
    o->at_least = p->at_least;
    /* A signal that came too late to stop anything is none. */
    if (publish_run(o, &result) == 0)
        cmd_stopped = 0;
    done->all.written += result.written;
    done->all.failed += result.failed;
    done->all.payloads += result.payloads;
    done->all.payload_bytes += result.payload_bytes;
}

static int publish(struct project *p, struct cmd_global *g,
                   const struct publish_options *options)
{
    struct publish_options o = *options;
    struct done done = {.g = g, .p = p};

    project_numbers(p, g);
    o.config = p->config;
    o.tree = p->tree;
    o.now = p->now;
    o.jobs = g->jobs;
    o.stop = &cmd_stopped;
    o.report = report;
    o.ctx = &done;
    do {
        if (project_store(p, true) || project_signer(p, g))
            continue;
        o.signer = p->signer;
        publish_one(p, &o, &done);
    } while (!cmd_stopped && project_next(p));
    plan_json_totals(&done.all);
    if (done.all.written && (done.all.failed || diag_status() == DIAG_SERVER))
        return DIAG_PARTIAL;
    return diag_status();
}

int cmd_publish(struct cmd_global *g, int argc, char **argv)
{
    struct publish_options o = {0};
    struct project p;
    int first = cmd_options(g, argc, argv, "", long_options, take, &o);
    int status = 0;

    if (first < 0)
        return diag_status();
    if (!project_open(&p, g, argv + first, (size_t)(argc - first))) {
        p.new_base = o.new_base;
        if (g->dry_run)
            project_show_plan(&p, g);
        else
            status = publish(&p, g, &o);
    }
    project_release(&p);
    return status ? status : diag_status();
}
