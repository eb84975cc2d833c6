/* A publish in a process of its own, into a store that cuts it short at its
 * nth change, or lets another one break the lock there. */
#ifndef STRESS_CUT_H
#define STRESS_CUT_H

#include <sys/wait.h>
#include <unistd.h>

#include "publish/prune.h"
#include "publish/publish.h"
#include "publish/withdraw.h"
#include "stress_want.h"

enum { CUT = 77 }; /* exit status of a publish that was cut */

static uint64_t now = 1790000000;

struct cut_store {
    struct store store;
    struct store *inner;
    unsigned left; /* changes until it is cut, 0: never */
    bool power;    /* what is not synced is lost, too */
    bool overtake; /* not cut: another one breaks the lock and publishes */
    struct {
        char name[64];
        uint8_t *old;
        size_t len;
    } unsynced[DEVICES];
    size_t count;
};

static struct cut_store *cut_of(struct store *s)
{
    return (struct cut_store *)s;
}

static void cut_now(struct cut_store *c)
{
    for (size_t i = 0; c->power && i < c->count; i++) {
        if (pick(2))
            continue;
        if (c->unsynced[i].old)
            c->inner->ops->put(c->inner, c->unsynced[i].name,
                               c->unsynced[i].old, c->unsynced[i].len,
                               STORE_MANIFEST);
        else
            c->inner->ops->remove(c->inner, c->unsynced[i].name);
    }
    _exit(CUT);
}

static int publish_aside(void);

static void changed(struct cut_store *c)
{
    if (!c->left || --c->left)
        return;
    if (!c->overtake)
        cut_now(c);
    if (publish_aside())
        _exit(1);
}

static int cut_put(struct store *s, const char *name, const uint8_t *bytes,
                   size_t len, enum store_class class)
{
    struct cut_store *c = cut_of(s);

    changed(c);
    if (class == STORE_MANIFEST && c->count < DEVICES) {
        snprintf(c->unsynced[c->count].name, 64, "%s", name);
        c->inner->ops->get(c->inner, name, 65536, &c->unsynced[c->count].old,
                           &c->unsynced[c->count].len);
        c->count++;
    }
    return c->inner->ops->put(c->inner, name, bytes, len, class);
}

static int cut_flush(struct store *s)
{
    struct cut_store *c = cut_of(s);

    changed(c);
    c->count = 0;
    return c->inner->ops->flush(c->inner);
}

static int cut_remove(struct store *s, const char *name)
{
    changed(cut_of(s));
    return cut_of(s)->inner->ops->remove(cut_of(s)->inner, name);
}

static int cut_get(struct store *s, const char *name, size_t max,
                   uint8_t **bytes, size_t *len)
{
    return cut_of(s)->inner->ops->get(cut_of(s)->inner, name, max, bytes, len);
}

static int cut_size(struct store *s, const char *name, uint64_t *size)
{
    return cut_of(s)->inner->ops->size(cut_of(s)->inner, name, size);
}

static int cut_lock(struct store *s, unsigned wait_ms, bool break_lock)
{
    return cut_of(s)->inner->ops->lock(cut_of(s)->inner, wait_ms, break_lock);
}

static bool cut_unlock(struct store *s)
{
    return cut_of(s)->inner->ops->unlock(cut_of(s)->inner);
}

static const struct store_ops cut_ops = {.get = cut_get,
                                         .size = cut_size,
                                         .put = cut_put,
                                         .flush = cut_flush,
                                         .remove = cut_remove,
                                         .lock = cut_lock,
                                         .unlock = cut_unlock};
static int load(char *const *words, size_t count, struct config **c,
                struct tree **t)
{
    return config_load("ota-pack.yml", c) || config_select(*c, words, count) ||
                   diag_errors() || tree_load(*c, t) || diag_errors() ||
                   plan_check_deletes(*c, *t)
               ? -1
               : 0;
}

/* What happens to a publish at its nth change. */
enum fate { CUT_SHORT, OVERTAKEN, OVERTAKING };

/* What is run: a publish, unless it says otherwise. */
static struct task {
    uint32_t back_to; /* words[0] goes back to that version */
    bool prune;
    bool withdraw; /* the words */
    bool again;
} task;

static void clean(struct session *s, const struct config *c, char *const *words,
                  size_t count)
{
    const struct prune_options p = {.keep = 2};
    const struct withdraw_options w = {
        .config = c, .words = words, .word_count = count};
    struct prune_result pruned;
    struct withdraw_result withdrawn;

    if (task.prune)
        prune_run(s, &p, &pruned);
    else
        withdraw_run(s, &w, &withdrawn);
}

static void publish(unsigned cut, enum fate fate, char *const *words,
                    size_t count)
{
    struct publish_result result;
    struct session s = {.now = now, .break_lock = fate == OVERTAKING};
    struct publish_options o = {.jobs = 1, .again = task.again};
    struct cut_store store = {.store = {.ops = &cut_ops, .where = "public"},
                              .left = cut,
                              .power = pick(2),
                              .overtake = fate == OVERTAKEN};
    struct config *c;
    struct tree *t;

    if (!freopen("log", "w", stderr) ||
        load(words, task.withdraw || task.back_to ? 0 : count, &c, &t) ||
        store_file_open("public", true, &store.inner) ||
        signer_open(c, 1, &s.signer))
        _exit(diag_status());
    o.config = c;
    o.tree = t;
    s.store = &store.store;
    if (task.prune || task.withdraw)
        clean(&s, c, words, count);
    else if (task.back_to && words)
        publish_rollback(&s, &o, words[0], task.back_to, 0, &result);
    else
        publish_run(&s, &o, &result);
    fflush(stderr);
    _exit(diag_status());
}

/* In a process of its own: its exit status. */
static int run_as(unsigned cut, enum fate fate, char *const *words,
                  size_t count)
{
    int status = -1;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (!pid)
        publish(cut, fate, words, count);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int publish_aside(void)
{
    return run_as(0, OVERTAKING, NULL, 0);
}

static int run(unsigned cut, char *const *words, size_t count)
{
    return run_as(cut, CUT_SHORT, words, count);
}

#endif
