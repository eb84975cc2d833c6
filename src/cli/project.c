/* Configuration, files, server and key, opened in the order in which mistakes
 * are cheap to find. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "find_config.h"
#include "json.h"
#include "msg.h"
#include "pack/sign.h"
#include "project.h"

enum { DOWN_BITS = 64 };

char *project_memory(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *folder = NULL;
    int len = 0;

    if (state && *state == '/')
        len = asprintf(&folder, "%s/ota-pack", state);
    else if (home && *home == '/')
        len = asprintf(&folder, "%s/.local/state/ota-pack", home);
    return len < 0 ? NULL : folder;
}

static void begin(struct project *p)
{
    *p = (struct project){0};
    p->memory.folder = p->state = project_memory();
}

int project_open(struct project *p, const struct cmd_global *g,
                 char *const *words, size_t count)
{
    begin(p);
    if (find_config(g, &p->config))
        return -1;
    if (config_select(p->config, words, count) ||
        tree_load(p->config, &p->tree) || diag_errors()) {
        if (cmd_stopped)
            diag_error(DIAG_FAILED, "stopped: nothing was changed");
        return -1;
    }
    if (plan_check_deletes(p->config, p->tree))
        return -1;
    return sign_time(&p->now);
}

int project_open_published(struct project *p, const struct cmd_global *g,
                           char *const *words, size_t count)
{
    begin(p);
    if (find_config(g, &p->config) || config_select(p->config, words, count) ||
        diag_errors())
        return -1;
    return sign_time(&p->now);
}

int project_private(const struct project *p)
{
    int result = 0;

    for (size_t i = 0; i < p->config->server_count; i++)
        result |= tree_served_keys(p->config, &p->config->servers[i]);
    return result;
}

static void leave(struct project *p)
{
    index_free(p->index);
    p->index = NULL;
    index_old_release(&p->old);
    if (p->store)
        p->store->ops->close(p->store);
    p->store = NULL;
    p->said = false;
}

void project_release(struct project *p)
{
    leave(p);
    signer_free(p->signer);
    free(p->at_least);
    free(p->state);
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
    if (p->server < DOWN_BITS && p->down >> p->server & 1)
        return -1;
    result = store_open(c, &c->servers[p->server], true, &p->store);
    if (!result) {
        p->store->stop = &cmd_stopped;
        p->store->memory = &p->memory;
    }
    return result;
}

struct session project_session(const struct project *p,
                               const struct cmd_global *g,
                               const struct locking *locking,
                               struct meter *meter)
{
    return (struct session){.store = p->store,
                            .signer = p->signer,
                            .now = p->now,
                            .lock_wait_ms = locking->wait_ms,
                            .break_lock = locking->break_lock,
                            .dry_run = g->dry_run,
                            .new_base = p->new_base,
                            .stop = &cmd_stopped,
                            .meter = meter};
}

bool project_next(struct project *p)
{
    leave(p);
    if (p->begun)
        p->server++;
    p->begun = !p->begun || p->server < p->config->server_count;
    if (!p->begun)
        p->server = 0;
    return p->begun;
}

void project_first(struct project *p)
{
    leave(p);
    p->server = 0;
    p->begun = false;
}

void project_down(struct project *p)
{
    if (p->server < DOWN_BITS)
        p->down |= UINT64_C(1) << p->server;
}

void project_head(struct project *p, const struct cmd_global *g)
{
    const struct config_server *s = &p->config->servers[p->server];
    struct json j;

    if (p->config->server_count < 2 || p->said)
        return;
    p->said = true;
    if (g->json) {
        json_begin(&j, stdout, "server");
        json_string(&j, "server", s->url.text);
        json_end(&j);
    } else if (!g->quiet) {
        msg_text(stdout, s->url.text, strlen(s->url.text));
        puts(":");
    }
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
    return p->signer ? 0 : signer_open(p->config, g->jobs, &p->signer);
}

int project_index(struct project *p)
{
    const uint8_t *key = signer_public(p->signer);

    if (p->store && p->new_base && index_read_old(p->store, key, &p->old))
        return -1;
    if (!p->store || p->new_base)
        return index_new(&p->index);
    if (index_read_head(p->store, key, &p->index))
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
                                   .new_base = p->new_base,
                                   .old = p->new_base ? &p->old : NULL,
                                   .again = p->again,
                                   .at_least = p->at_least};

    return plan_make(&request, plan);
}
