/* plan: what publish would change. */
#include "servers.h"

enum { OPT_EXIT_CODE = 256, STATUS_CHANGES = 10 };

static const struct option long_options[] = {
    {"exit-code", no_argument, NULL, OPT_EXIT_CODE},
    {0},
};

static int take_option(int c, const char *arg, void *ctx)
{
    bool *exit_code = ctx;

    (void)arg;
    *exit_code = c == OPT_EXIT_CODE;
    return 0;
}

int cmd_plan(struct cmd_global *g, int argc, char **argv)
{
    bool exit_code = false;
    struct project p;
    int first =
        cmd_options(g, argc, argv, "", long_options, take_option, &exit_code);
    bool writes = false;

    if (first < 0)
        return diag_status();
    if (!project_open(&p, g, argv + first, (size_t)(argc - first)))
        writes = servers_show_plan(&p, g);
    project_release(&p);
    if (diag_status())
        return diag_status();
    return exit_code && writes ? STATUS_CHANGES : 0;
}
