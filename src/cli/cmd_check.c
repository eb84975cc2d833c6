/* check: every mistake of configuration and files, and what publish would
 * refuse; nothing is written. */
#include <stdlib.h>
#include <string.h>

#include "msg.h"
#include "project.h"

static int by_source(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t count_distinct(const char **list, size_t count)
{
    size_t distinct = 0;

    qsort(list, count, sizeof *list, by_source);
    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || strcmp(list[i - 1], list[i]) != 0;
    return distinct;
}

/* Files of this machine that are packed; `list` NULL: how many entries. */
static size_t list_sources(const struct project *p, const char **list)
{
    size_t count = 0;

    for (size_t r = 0; r < p->config->release_count; r++) {
        const struct tree_release *t = &p->tree->releases[r];

        if (!p->config->releases[r].selected)
            continue;
        for (size_t s = 0; s < t->set_count; s++)
            for (size_t i = 0; i < t->sets[s].count; i++, count++)
                if (list)
                    list[count] = t->sets[s].entries[i]->source;
    }
    return count;
}

static int count_files(const struct project *p, size_t *files)
{
    size_t count = list_sources(p, NULL);
    const char **list = calloc(count + 1, sizeof *list);

    if (!list)
        return diag_no_memory();
    list_sources(p, list);
    *files = count_distinct(list, count);
    free(list);
    return 0;
}

/* Before anything was published there is nothing to be refused. */
static int check_published(struct project *p, const struct cmd_global *g)
{
    struct plan plan;
    int published;

    if (project_store(p, false))
        return -1;
    published = project_published(p);
    if (published < 0)
        return -1;
    if (!published)
        return p->store && index_check_absent(p->store) ? -1 : 0;
    if (project_signer(p, g) || project_index(p) ||
        project_plan(p, false, &plan))
        return -1;
    plan_release(&plan);
    return 0;
}

/* Where no key was needed so far: one that is elsewhere is worth a word, and no
 * mistake. */
static int check_key(struct project *p)
{
    return p->signer ? signer_try(p->signer) : signer_look(p->config);
}

static int run(struct project *p, const struct cmd_global *g)
{
    size_t releases = 0, devices = 0, files = 0;
    int result = 0;

    p->memory.older = MEMORY_WARN;
    while (project_next(p))
        result |= check_published(p, g);
    result |= check_key(p);
    if (result || count_files(p, &files))
        return -1;
    for (size_t i = 0; i < p->config->release_count; i++)
        releases += p->config->releases[i].selected;
    for (size_t i = 0; i < p->config->device_count; i++)
        devices += p->config->devices[i].selected;
    msg_summary_number("releases", releases);
    msg_summary_number("devices", devices);
    msg_summary_number("files", files);
    if (!g->quiet && !g->json)
        printf("ok: %zu release%s, %zu device%s, %zu file%s\n", releases,
               releases == 1 ? "" : "s", devices, devices == 1 ? "" : "s",
               files, files == 1 ? "" : "s");
    return 0;
}

int cmd_check(struct cmd_global *g, int argc, char **argv)
{
    struct project p;
    int first = cmd_options(g, argc, argv, "", NULL, NULL, NULL);

    if (first < 0)
        return diag_status();
    if (!project_open(&p, g, argv + first, (size_t)(argc - first)))
        run(&p, g);
    project_release(&p);
    return diag_status();
}
