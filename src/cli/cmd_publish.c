/* publish: carries the plan out. */
#include <stdlib.h>

#include "locking.h"
#include "msg.h"
#include "plan_json.h"
#include "plan_print.h"
#include "progress.h"
#include "repair_print.h"
#include "servers.h"

enum { OPT_NEW_BASE = 256, OPT_AGAIN, OPT_ACCEPT, OPT_REPAIR };

struct publish_args {
    struct locking locking;
    bool new_base, again, accept, repair;
};

static const struct option long_options[] = {
    LOCKING_LONG,
    {"new-base", no_argument, NULL, OPT_NEW_BASE},
    {"again", no_argument, NULL, OPT_AGAIN},
    {"accept-rollback", no_argument, NULL, OPT_ACCEPT},
    {"repair", no_argument, NULL, OPT_REPAIR},
    {0},
};

static int take_option(int c, const char *arg, void *ctx)
{
    struct publish_args *a = ctx;

    if (c == OPT_NEW_BASE)
        a->new_base = true;
    else if (c == OPT_AGAIN)
        a->again = true;
    else if (c == OPT_ACCEPT)
        a->accept = true;
    else if (c == OPT_REPAIR)
        a->repair = true;
    else
        return locking_take(c, arg, &a->locking);
    return 0;
}

/* The run, and what was done on all of them. */
struct done {
    const struct cmd_global *g;
    struct project *p;
    const struct locking *locking;
    struct meter *meter;
    struct publish_options o;
    struct publish_result all;
    const struct repair_result *repair; /* to be told yet, or NULL */
};

static void tell_repair(struct done *done)
{
    if (done->repair)
        repair_print(done->g, done->repair);
    done->repair = NULL;
}

static void print_report(void *ctx, const struct plan *plan,
                         const struct publish_result *result)
{
    struct done *done = ctx;

    tell_repair(done);
    progress_hide();
    project_head(done->p, done->g);
    if (!done->g->quiet || done->g->json)
        plan_print_done(plan, result, done->p->store->where, done->g);
    progress_show();
}

/* It was the server, or its login. */
static bool is_servers(int status)
{
    return status == DIAG_SERVER || status == DIAG_KEY;
}

static size_t selected_devices(const struct config *c)
{
    size_t count = 0;

    for (size_t i = 0; i < c->device_count; i++)
        count += c->devices[i].selected;
    return count;
}

static void say_idle(const struct done *done, const struct publish_result *r)
{
    size_t count = selected_devices(done->p->config);

    if (!msg_idle())
        return;
    progress_hide();
    project_head(done->p, done->g);
    if (!r->same && !r->left)
        printf("nothing to do: %zu device%s, nothing has changed since the "
               "last publish\n",
               count, count == 1 ? "" : "s");
    else if (r->left)
        printf("nothing to do: %zu up to date, %zu left alone\n", r->same,
               r->left);
    else
        printf("nothing to do: %s%zu device%s up to date\n",
               r->same == 1 ? "" : "all ", r->same,
               r->same == 1 ? " is" : "s are");
    progress_show();
}

/* For the mail that cron makes of it: which one it was, and what is so now. */
static void say_failed(const struct project *p, size_t written)
{
    const struct config *c = p->config;
    char *path = realpath(c->path, NULL);
    const char *server = c->servers[p->server].url.text;

    if (cmd_stopped || !is_servers(diag_status()))
        goto out;
    if (written)
        diag_note("that is of '%s', published to '%s'", path ? path : c->path,
                  server);
    else
        diag_note("nothing of '%s' was published to '%s': devices keep what "
                  "they have",
                  path ? path : c->path, server);
out:
    free(path);
}

static void say_shut(const struct project *p)
{
    if (p->config->server_count)
        say_failed(p, 0);
}

static void publish_one(struct done *done)
{
    struct project *p = done->p;
    struct session s = project_session(p, done->g, done->locking, done->meter);
    struct publish_result result = {0};

    done->repair = done->o.repair;
    /* A signal that came too late to stop anything is none. */
    if (publish_run(&s, &done->o, &result) == 0)
        cmd_stopped = 0;
    else
        say_failed(p, result.written);
    if (!result.written && !result.failed && !diag_errors())
        say_idle(done, &result);
    done->all.written += result.written;
    done->all.failed += result.failed;
    done->all.payloads += result.payloads;
    done->all.payload_bytes += result.payload_bytes;
    tell_repair(done);
    if (done->o.repair)
        repair_release(done->o.repair);
}

/* Whether what was asked for goes together. */
static int check_args(const struct cmd_global *g, const struct publish_args *a)
{
    if (a->repair && a->new_base)
        return diag_error(DIAG_USAGE,
                          "'--new-base' forgets what was published: there is "
                          "nothing to '--repair'");
    if (a->repair && g->dry_run)
        return diag_error(DIAG_USAGE,
                          "'ota-pack verify --server' says what '--repair' "
                          "would put again, and writes nothing");
    return 0;
}

static int publish(struct project *p, struct cmd_global *g,
                   const struct publish_args *a, struct meter *meter)
{
    struct repair_result repair = {0};
    struct done done = {.g = g,
                        .p = p,
                        .locking = &a->locking,
                        .meter = meter,
                        .o = {.config = p->config,
                              .tree = p->tree,
                              .jobs = g->jobs,
                              .again = a->again,
                              .repair = a->repair ? &repair : NULL,
                              .report = print_report}};

    done.o.ctx = &done;
    servers_numbers(p, g);
    done.o.at_least = p->at_least;
    p->shut = say_shut;
    while (servers_next(p, g))
        publish_one(&done);
    plan_json_totals(&done.all);
    if (done.all.written && (done.all.failed || is_servers(diag_status())))
        return DIAG_PARTIAL;
    return diag_status();
}

int cmd_publish(struct cmd_global *g, int argc, char **argv)
{
    struct publish_args a = {0};
    struct meter meter = {0};
    struct project p;
    int first = cmd_options(g, argc, argv, "", long_options, take_option, &a);
    int status = 0;

    if (first < 0 || check_args(g, &a))
        return diag_status();
    progress_begin(g, &meter, "device");
    if (!project_open(&p, g, argv + first, (size_t)(argc - first))) {
        p.new_base = a.new_base;
        p.again = a.again;
        if (a.accept)
            p.memory.older = MEMORY_ACCEPT;
        if (g->dry_run)
            servers_show_plan(&p, g);
        else
            status = publish(&p, g, &a, &meter);
    }
    progress_end();
    project_release(&p);
    return status ? status : diag_status();
}
