/* The lock of a remote folder: the folder lock/, which only one mkdir makes,
 * and the file in it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/diag.h"
#include "remote.h"

#define HOLDER "lock/holder"

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
static int lock_make(void *ctx)
{
    struct store_remote *r = ctx;
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

/* In place it is empty, or cut, for a moment: then it is not there yet. */
static bool is_whole(const char *text)
{
    const char *end = strchr(text, '\n');

    end = end ? strchr(end + 1, '\n') : NULL;
    return end && strchr(end + 1, '\n');
}

static int lock_read(void *ctx, char text[STORE_LOCK_TEXT])
{
    struct store_remote *r = ctx;
    size_t len;
    uint8_t *bytes;
    int result =
        store_get(&r->store, HOLDER, STORE_LOCK_TEXT - 1, &bytes, &len);

    if (result)
        return result;
    memcpy(text, bytes, len);
    text[len] = '\0';
    free(bytes);
    return is_whole(text) ? 0 : STORE_MISSING;
}

static int lock_write(void *ctx, const char *text)
{
    struct store_remote *r = ctx;
    struct pool_job *j = store_remote_job(r, POOL_WRITE, HOLDER);
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

/* Best effort: a lock that stays ends by itself. */
static int lock_remove(void *ctx)
{
    struct store_remote *r = ctx;
    struct pool_job *j = store_remote_job(r, POOL_COMMAND, "");

    if (j &&
        store_remote_command(r, &j->before, REMOTE_REMOVE, true, HOLDER,
                             NULL) == 0 &&
        store_remote_command(r, &j->before, REMOTE_RMDIR, true, "lock", NULL) ==
            0)
        pool_run(r->pool, j);
    pool_job_free(j);
    return 0;
}

static uint64_t lock_now(void *ctx)
{
    (void)ctx;
    return (uint64_t)time(NULL);
}

const struct store_lock_ops store_remote_lock_ops = {.make = lock_make,
                                                     .read = lock_read,
                                                     .write = lock_write,
                                                     .remove = lock_remove,
                                                     .now = lock_now};

/* Neither SFTP nor FTP tells the time; but what we have written there is as old
 * there as it is here. */
static void find_clock(struct store_remote *r)
{
    struct pool_job *j = store_remote_job(r, POOL_SIZE, HOLDER);

    r->clock_asked = true;
    if (!j)
        return;
    j->timed = true;
    pool_run(r->pool, j);
    r->clock_known = j->code == CURLE_OK && j->modified > 0;
    r->clock = j->modified - (int64_t)(r->lock.renewed / 1000);
    pool_job_free(j);
}

bool store_remote_now(struct store_remote *r, int64_t *now)
{
    if (r->lock.held && !r->clock_asked)
        find_clock(r);
    *now = r->clock + (int64_t)(store_curl_ms() / 1000);
    return r->clock_known;
}

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
