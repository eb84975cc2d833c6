/* What most subcommands begin with: configuration, files, server, key. */
#ifndef CLI_PROJECT_H
#define CLI_PROJECT_H

#include "cmd.h"
#include "publish/plan.h"

struct project {
    struct config *config;
    struct tree *tree;
    struct store *store;   /* NULL: no server is configured */
    struct signer *signer; /* NULL until project_signer() */
    struct index *index;   /* NULL until project_index() */
    uint64_t now;
    bool new_base; /* as if nothing had been published */
};

/* Reads and narrows the configuration, looks up its files.  0, or -1 (every
 * mistake reported); release it in both cases. */
int project_open(struct project *p, const struct cmd_global *g,
                 char *const *words, size_t count);
void project_release(struct project *p);

/* Opens the server's folder, which need not be there yet; `needed`: it is an
 * error if none is configured.  0, or -1 (reported). */
int project_store(struct project *p, bool needed);

/* Whether anything was ever published there: 1, 0, or -1 (reported). */
int project_published(struct project *p);

/* The key, locked.  0, or -1 (reported). */
int project_signer(struct project *p, const struct cmd_global *g);

/* The whole index, an empty one where nothing was ever published.  0, or -1
 * (reported). */
int project_index(struct project *p);

/* The plan of what publish would do; project_index() was called. */
int project_plan(struct project *p, bool all, struct plan *plan);

/* plan, and publish --dry-run: makes the plan and prints it.  1 if there are
 * changes, 0 if none, -1 (reported). */
int project_show_plan(struct project *p, const struct cmd_global *g);

#endif
