/* All servers of the configuration, one after the other. */
#include <stdlib.h>

#include "plan_print.h"
#include "servers.h"

bool servers_next(struct project *p, const struct cmd_global *g)
{
    while (!cmd_stopped && project_next(p)) {
        if (!project_store(p, true) && !project_signer(p, g))
            return true;
        project_down(p);
        if (p->shut)
            p->shut(p);
    }
    project_first(p);
    return false;
}

/* The number that this server would give each release, or has given it. */
static int note_numbers(struct project *p)
{
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
    if (p->config->server_count < 2 || !has_auto(p->config))
        return;
    p->at_least = calloc(p->config->release_count, sizeof *p->at_least);
    if (!p->at_least) {
        diag_no_memory();
        return;
    }
    while (servers_next(p, g))
        if (note_numbers(p))
            project_down(p);
}

bool servers_show_plan(struct project *p, const struct cmd_global *g)
{
    struct plan plan;
    bool writes = false;

    servers_numbers(p, g);
    while (servers_next(p, g)) {
        if (project_index(p) || project_plan(p, false, &plan))
            continue;
        project_head(p, g);
        if (!g->quiet || g->json)
            plan_print(&plan, g);
        writes |= plan_writes(&plan);
        plan_release(&plan);
    }
    return writes;
}
