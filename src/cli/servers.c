/* All servers of the configuration, one after the other. */
#include <stdlib.h>

#include "plan_print.h"
#include "servers.h"

static int work_on_one(struct project *p, const struct cmd_global *g,
                       const struct servers_work *w)
{
    if (w->bare || (!project_store(p, true) && !project_signer(p, g)))
        return w->each(w->ctx);
    if (w->shut)
        w->shut(w->ctx);
    return -1;
}

void servers_each(struct project *p, const struct cmd_global *g,
                  const struct servers_work *w)
{
    do
        work_on_one(p, g, w);
    while (!cmd_stopped && project_next(p));
}

void servers_ask(struct project *p, const struct cmd_global *g,
                 const struct servers_work *w)
{
    do
        if (work_on_one(p, g, w))
            project_down(p);
    while (!cmd_stopped && project_next(p));
    project_first(p);
}

/* The number that this server would give each release, or has given it. */
static int note_numbers(void *ctx)
{
    struct project *p = ctx;
    struct plan plan;

    if (project_index(p) || project_plan(p, false, &plan))
        return -1;
    for (size_t i = 0; i < plan.release_count; i++) {
        const struct plan_release *r = &plan.releases[i];
        uint32_t version = r->version ? r->version : r->before;

        if (version > p->at_least[r->release])
            p->at_least[r->release] = version;
    }
    plan_release(&plan);
    return 0;
}

static bool has_auto(const struct config *c)
{
    for (size_t i = 0; i < c->release_count; i++)
        if (c->releases[i].selected && c->releases[i].version == 0)
            return true;
    return false;
}

void servers_numbers(struct project *p, const struct cmd_global *g)
{
    const struct servers_work work = {.each = note_numbers, .ctx = p};

    if (p->config->server_count < 2 || !has_auto(p->config))
        return;
    p->at_least = calloc(p->config->release_count, sizeof *p->at_least);
    if (!p->at_least)
        diag_no_memory();
    else
        servers_ask(p, g, &work);
}

struct showing {
    struct project *p;
    const struct cmd_global *g;
    bool writes;
};

static int show_plan(void *ctx)
{
    struct showing *s = ctx;
    struct plan plan;

    if (project_index(s->p) || project_plan(s->p, false, &plan))
        return -1;
    project_head(s->p, s->g);
    if (!s->g->quiet || s->g->json)
        plan_print(&plan, s->g);
    s->writes |= plan_writes(&plan);
    plan_release(&plan);
    return 0;
}

bool servers_show_plan(struct project *p, const struct cmd_global *g)
{
    struct showing s = {.p = p, .g = g};
    const struct servers_work work = {.each = show_plan, .ctx = &s};

    servers_numbers(p, g);
    servers_each(p, g, &work);
    return s.writes;
}
