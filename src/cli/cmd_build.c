/* build: one self-contained bundle a device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "msg.h"
#include "plan_print.h"
#include "project.h"
#include "publish/build.h"

static const struct option long_options[] = {
    {"output", required_argument, NULL, 'o'},
    {0},
};

static int take_option(int c, const char *arg, void *ctx)
{
    const char **folder = ctx;

    (void)c;
    if (!*arg)
        return diag_error(DIAG_USAGE, "option '-o' needs a folder");
    *folder = arg;
    return 0;
}

/* The index says the versions where there is one; without a server they are
 * those of the configuration. */
static int make_plan(struct project *p, const struct cmd_global *g,
                     struct plan *plan)
{
    if (project_store(p, false) || project_signer(p, g) || project_index(p))
        return -1;
    return project_plan(p, true, plan);
}

/* The file's name for people, or an object; -1 (reported). */
static int print_bundle(const struct plan *plan, const struct plan_device *d,
                        const char *folder, bool as_json)
{
    const struct device *device = &plan->request.config->devices[d->device];
    unsigned long version = plan->groups[d->group].version;
    char hex[DEVICE_HEX], *path;
    struct json j;

    device_id_hex(&device->id, hex);
    if (asprintf(&path, "%s/%s/%lu.otab", folder, hex, version) < 0)
        return diag_no_memory();
    if (as_json) {
        json_begin(&j, stdout, "bundle");
        json_string(&j, "file", path);
        json_string(&j, "id", hex);
        json_string(&j, "name", device->name);
        json_number(&j, "version", version);
        json_end(&j);
    } else {
        msg_text(stdout, path, strlen(path));
        putchar('\n');
    }
    free(path);
    return 0;
}

static int run(struct project *p, const struct cmd_global *g,
               const char *folder)
{
    struct build_result result = {0};
    struct plan plan;
    struct build_options o = {
        .plan = &plan, .folder = folder, .jobs = g->jobs, .stop = &cmd_stopped};
    bool list = g->json || g->verbose || g->dry_run;
    int failed = 0;

    if (make_plan(p, g, &plan))
        return -1;
    o.signer = p->signer;
    if (!g->dry_run)
        failed = build_run(&o, &result);
    for (size_t i = 0; i < plan.device_count && list && !failed; i++)
        failed = print_bundle(&plan, &plan.devices[i], folder, g->json);
    msg_summary_number("written", result.written);
    msg_summary_number("unchanged", result.same);
    if (!failed && !g->json && !g->quiet && !g->dry_run) {
        printf("built: %zu bundle%s in '", result.written,
               result.written == 1 ? "" : "s");
        msg_text(stdout, folder, strlen(folder));
        printf("', %zu as before\n", result.same);
    }
    plan_release(&plan);
    return failed;
}

int cmd_build(struct cmd_global *g, int argc, char **argv)
{
    const char *folder = "out";
    struct project p;
    int first =
        cmd_options(g, argc, argv, "o:", long_options, take_option, &folder);

    if (first < 0)
        return diag_status();
    if (!project_open(&p, g, argv + first, (size_t)(argc - first)))
        run(&p, g, folder);
    project_release(&p);
    return diag_status();
}
