/* plan: what publish would change. */
#include "msg.h"
#include "plan_print.h"
#include "project.h"

enum { OPT_EXIT_CODE = 256, STATUS_CHANGES = 10 };

static const struct option long_options[] = {
    {"exit-code", no_argument, NULL, OPT_EXIT_CODE},
    {0},
};

static int take(int c, const char *arg, void *ctx)
{
    bool *exit_code = ctx;

    (void)arg;
    *exit_code = c == OPT_EXIT_CODE;
    return 0;
}

int project_show_plan(struct project *p, const struct cmd_global *g)
{
    struct plan plan;
    bool writes = false;

    project_numbers(p, g);
    do {
        if (project_store(p, true) || project_signer(p, g) ||
            project_index(p) || project_plan(p, false, &plan))
            continue;
        project_head(p, g);
        if (!g->quiet || g->json)
            plan_print(&plan, g);
        writes |= plan_writes(&plan);
        plan_release(&plan);
    } while (project_next(p));
    return writes;
}

int cmd_plan(struct cmd_global *g, int argc, char **argv)
{
    bool exit_code = false;
    struct project p;
    int first = cmd_options(g, argc, argv, "", long_options, take, &exit_code);
    int writes = 0;

    if (first < 0)
        return diag_status();
    if (!project_open(&p, g, argv + first, (size_t)(argc - first)))
        writes = project_show_plan(&p, g);
    project_release(&p);
    if (diag_status())
        return diag_status();
    return exit_code && writes ? STATUS_CHANGES : 0;
}
