/* What most subcommands begin with: configuration, files, server, key. */
#ifndef CLI_PROJECT_H
#define CLI_PROJECT_H

#include "cmd.h"
#include "index/memory.h"
#include "locking.h"
#include "plan/plan.h"
#include "publish/session.h"

struct project {
    struct config *config;
    struct tree *tree;
    struct store *store;   /* NULL: no server is configured */
    struct signer *signer; /* NULL until project_signer() */
    struct index *index;   /* NULL until project_index() */
    struct index_old old;  /* the same, in a new base */
    char *state;           /* project_memory() */
    struct memory memory;  /* of the servers; its `older` is the caller's */
    uint64_t now;
    bool new_base; /* as if nothing had been published */
    bool again;    /* also what was rolled back */
    size_t server; /* which of the configuration's, 0 at first */
    uint64_t down; /* a bit for each of the first 64: project_down() */
    bool begun;    /* with that one: project_next() */
    bool said;     /* which one it is: project_head() */
    /* Told that this one could not be opened, or NULL: servers_next() */
    void (*shut)(const struct project *p);
    uint32_t *at_least; /* NULL, or as in struct plan_request */
};

/* Reads and narrows the configuration, looks up its files.  0, or -1 (every
 * mistake reported); release it in both cases. */
int project_open(struct project *p, const struct cmd_global *g,
                 char *const *words, size_t count);
void project_release(struct project *p);

/* The same for who works on what is published alone: no files are looked up. */
int project_open_published(struct project *p, const struct cmd_global *g,
                           char *const *words, size_t count);

/* Before anything is changed then: whether the key lies where a web server
 * shows it.  0, or -1 (reported). */
int project_private(const struct project *p);

/* Where this machine remembers: allocated, or NULL where there is no place. */
char *project_memory(void);

/* Opens the server; a folder need not be there yet.  `needed`: it is an error
 * if none is configured.  0, or -1 (reported). */
int project_store(struct project *p, bool needed);

/* For a verb that changes what is on the server, which is open, with its key.
 */
struct session project_session(const struct project *p,
                               const struct cmd_global *g,
                               const struct locking *locking,
                               struct meter *meter);

/* Leaves the server for the next one, at first for the first, which may be
 * none. False: that was the last, and the next call begins anew. */
bool project_next(struct project *p);
/* Leaves it, and the next call begins anew. */
void project_first(struct project *p);

/* From now on project_store() fails for this one, and nothing is said. */
void project_down(struct project *p);

/* Before something is said of it: where there are several servers, which one
 * this is, once. */
void project_head(struct project *p, const struct cmd_global *g);

/* Whether anything was ever published there: 1, 0, or -1 (reported). */
int project_published(struct project *p);

/* The key, locked.  0, or -1 (reported). */
int project_signer(struct project *p, const struct cmd_global *g);

/* The whole index, an empty one where nothing was ever published.  0, or -1
 * (reported). */
int project_index(struct project *p);

/* The plan of what publish would do; project_index() was called. */
int project_plan(struct project *p, bool all, struct plan *plan);

#endif
