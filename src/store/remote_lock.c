/* The lock of a remote folder: the folder lock/, which only one mkdir makes,
 * and the file in it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/diag.h"
#include "remote.h"

/* 1: it is there, 0: not, -1 (reported). */
static int has_folder(struct store_remote *r, const char *name)
{
    struct pool_job *j = store_remote_job(r, POOL_COMMAND, name);
    char *path = NULL;
    int result = -1;

    if (j && asprintf(&path, "%s%s", r->path, name) >= 0 &&
        r->protocol->ask_folder(j, path) == 0) {
        pool_run(r->pool, j);
        if (j->code == CURLE_OK || j->code == CURLE_QUOTE_ERROR)
            result = r->protocol->has_folder(j);
        else
            store_remote_fail(r, "look for", j);
    }
    free(path);
    pool_job_free(j);
    return result;
}

/* The base and what is above it: each is tried, since a server may hide what is
 * above. */
static int add_base(struct store_remote *r, struct curl_slist **list)
{
    char *path = strdup(r->path);
    int result = 0;

    if (!path)
        return diag_no_memory();
    for (char *p = path; *p && !result; p++) {
        if (*p != '/' || p == path)
            continue;
        *p = '\0';
        result = r->protocol->command(list, REMOTE_MKDIR, true, path, "");
        *p = '/';
    }
    free(path);
    return result;
}

/* mkdir lock, with `all` after the folders around it.  0, 1: it failed (and is
 * reported where `report`), -1 (reported). */
static int try_make(struct store_remote *r, bool all, bool report)
{
    struct pool_job *j = store_remote_job(r, POOL_COMMAND, "");
    int result = -1;

    if (j &&
        (!all || (add_base(r, &j->before) == 0 &&
                  store_remote_tops(r, &j->before) == 0)) &&
        store_remote_command(r, &j->before, REMOTE_MKDIR, false, "lock",
                             NULL) == 0) {
        pool_run(r->pool, j);
        result = j->code == CURLE_OK ? 0 : 1;
        if (result && (report || j->code != CURLE_QUOTE_ERROR))
            result = store_remote_fail(r, "lock", j);
    }
    pool_job_free(j);
    return result;
}

/* It failed: there is a lock, or nothing to have it in, or we may not. */
static int lock_make(struct store *s)
{
    struct store_remote *r = (struct store_remote *)s;
    int result = try_make(r, false, false);

    if (result <= 0)
        return result;
    result = has_folder(r, "lock/");
    if (result == 0) {
        result = try_make(r, true, false);
        if (result <= 0)
            return result;
        result = has_folder(r, "lock/");
    }
    if (result == 0) /* once more, for its message */
        return try_make(r, false, true);
    r->met = true;
    return result;
}

static int lock_write(struct store *s, const char *text)
{
    struct store_remote *r = (struct store_remote *)s;
    struct pool_job *j = store_remote_job(r, POOL_WRITE, STORE_LOCK_IN_FOLDER);
    int result = 0;

    if (!j)
        return -1;
    j->body = (const uint8_t *)text;
    j->len = strlen(text);
    pool_run(r->pool, j);
    if (j->code != CURLE_OK)
        result = store_remote_fail(r, "lock", j);
    pool_job_free(j);
    return result;
}

static void lock_remove(struct store *s)
{
    struct store_remote *r = (struct store_remote *)s;
    struct pool_job *j = store_remote_job(r, POOL_COMMAND, "");

    if (j &&
        store_remote_command(r, &j->before, REMOTE_REMOVE, true,
                             STORE_LOCK_IN_FOLDER, NULL) == 0 &&
        store_remote_command(r, &j->before, REMOTE_RMDIR, true, "lock", NULL) ==
            0)
        pool_run(r->pool, j);
    pool_job_free(j);
}

static uint64_t lock_now(struct store *s)
{
    (void)s;
    return (uint64_t)time(NULL);
}

const struct store_lock_ops store_remote_lock_ops = {.make = lock_make,
                                                     .write = lock_write,
                                                     .remove = lock_remove,
                                                     .now = lock_now};

/* -- parts ------------------------------------------------------------------
 */

static bool is_part(const char *name)
{
    static const char allowed[] = "0123456789abcdef.";

    return *name && *name != '.' && strspn(name, allowed) == strlen(name);
}

/* What the listing names. */
static struct pool_job *removals(struct store_remote *r, char *names)
{
    struct pool_job *j = store_remote_job(r, POOL_COMMAND, "");
    char *rest = names, *name;

    while (j && (name = strsep(&rest, "\r\n"))) {
        char *leaf = strrchr(name, '/'), part[STORE_NAME];

        leaf = leaf ? leaf + 1 : name;
        snprintf(part, sizeof part, ".part/%s", leaf);
        if (is_part(leaf))
            store_remote_command(r, &j->before, REMOTE_REMOVE, true, part,
                                 NULL);
    }
    return j;
}

void store_remote_sweep(struct store_remote *r)
{
    struct pool_job *list = store_remote_job(r, POOL_LIST, ".part/"), *j = NULL;

    if (!list)
        return;
    list->max = 1 << 20;
    pool_run(r->pool, list);
    if (list->code == CURLE_OK && list->bytes) {
        list->bytes[list->got] = '\0'; /* there is room */
        j = removals(r, (char *)list->bytes);
        if (j && j->before)
            pool_run(r->pool, j);
    }
    pool_job_free(j);
    pool_job_free(list);
}
