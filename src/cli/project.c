/* Configuration, files, server and key, opened in the order in which mistakes
 * are cheap to find. */
#include <stdlib.h>

#include "pack/sign.h"
#include "project.h"

int project_open(struct project *p, const struct cmd_global *g,
                 char *const *words, size_t count)
{
    *p = (struct project){0};
    if (config_load(g->config, &p->config))
        return -1;
    if (config_select(p->config, words, count) ||
        tree_load(p->config, &p->tree) || diag_errors())
        return -1;
    if (plan_check_deletes(p->config, p->tree))
        return -1;
    return sign_time(&p->now);
}

void project_release(struct project *p)
{
    index_free(p->index);
    signer_free(p->signer);
    if (p->store)
        p->store->ops->close(p->store);
    tree_free(p->tree);
    config_free(p->config);
}

int project_store(struct project *p, bool needed)
{
    const struct config *c = p->config;
    int result;

    if (!c->server_count)
        return needed ? diag_error(DIAG_CONFIG,
                                   "'%s' has no 'server': add 'server: "
                                   "public/', the folder to publish into",
                                   c->path)
                      : 0;
    result = store_open(c, &c->servers[0], true, &p->store);
    if (!result)
        p->store->stop = &cmd_stopped;
    return result;
}

int project_published(struct project *p)
{
    uint64_t size;
    int result;

    if (!p->store)
        return 0;
    result = p->store->ops->size(p->store, "index/head", &size);
    return result < 0 ? -1 : result == 0;
}

int project_signer(struct project *p, const struct cmd_global *g)
{
    return signer_open(p->config, g->jobs, &p->signer);
}

int project_index(struct project *p)
{
    if (!p->store || p->new_base)
        return index_new(&p->index);
    if (index_read_head(p->store, signer_public(p->signer), &p->index))
        return -1;
    return index_read_shards(p->index, p->store);
}

int project_plan(struct project *p, bool all, struct plan *plan)
{
    struct plan_request request = {.config = p->config,
                                   .tree = p->tree,
                                   .index = p->index,
                                   .store = p->store,
                                   .key = signer_public(p->signer),
                                   .now = p->now,
                                   .all = all,
                                   .new_base = p->new_base};

    return plan_make(&request, plan);
}
