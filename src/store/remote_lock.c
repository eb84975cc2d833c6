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
    struct request *q = store_remote_request(r, REQUEST_COMMAND, name);
    char *path = NULL;
    int result = -1;

    if (q && asprintf(&path, "%s%s", r->path, name) >= 0 &&
        r->protocol->ask_folder(q, path) == 0) {
        request_run(q);
        if (q->code == CURLE_OK || q->code == CURLE_QUOTE_ERROR)
            result = r->protocol->has_folder(q);
        else
            store_remote_fail(&r->net, "look for", q);
    }
    free(path);
    request_free(q);
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
    struct request *q = store_remote_request(r, REQUEST_COMMAND, "");
    int result = -1;

    if (q &&
        (!all || (add_base(r, &q->before) == 0 &&
                  store_remote_tops(r, &q->before) == 0)) &&
        store_remote_command(r, &q->before, REMOTE_MKDIR, false, "lock",
                             NULL) == 0) {
        request_run(q);
        result = q->code == CURLE_OK ? 0 : 1;
        if (result && (report || q->code != CURLE_QUOTE_ERROR))
            result = store_remote_fail(&r->net, "lock", q);
    }
    request_free(q);
    return result;
}

/* It failed: there is a lock, or nothing to have it in, or we may not. */
int store_remote_lock_make(struct store *s)
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

int store_remote_lock_write(struct store *s, const char *text)
{
    struct store_remote *r = (struct store_remote *)s;
    struct request *q =
        store_remote_request(r, REQUEST_WRITE, STORE_LOCK_IN_FOLDER);
    int result = 0;

    if (!q)
        return -1;
    q->body = (const uint8_t *)text;
    q->len = strlen(text);
    request_run(q);
    if (q->code != CURLE_OK)
        result = store_remote_fail(&r->net, "lock", q);
    request_free(q);
    return result;
}

void store_remote_lock_remove(struct store *s)
{
    struct store_remote *r = (struct store_remote *)s;
    struct request *q = store_remote_request(r, REQUEST_COMMAND, "");

    if (q &&
        store_remote_command(r, &q->before, REMOTE_REMOVE, true,
                             STORE_LOCK_IN_FOLDER, NULL) == 0 &&
        store_remote_command(r, &q->before, REMOTE_RMDIR, true, "lock", NULL) ==
            0)
        request_run(q);
    request_free(q);
}

uint64_t store_remote_lock_now(struct store *s)
{
    (void)s;
    return (uint64_t)time(NULL);
}

/* Neither SFTP nor FTP tells the time; but what we have written there is as old
 * there as it is here. */
static void find_clock(struct store_remote *r)
{
    struct request *q =
        store_remote_request(r, REQUEST_SIZE, STORE_LOCK_IN_FOLDER);

    r->clock_asked = true;
    if (!q)
        return;
    q->timed = true;
    request_run(q);
    r->clock_known = q->code == CURLE_OK && q->modified > 0;
    r->clock = (int64_t)q->modified - (int64_t)(r->net.lock.renewed / 1000);
    request_free(q);
}

void store_remote_dated(struct store_net *n, struct request *q)
{
    struct store_remote *r = (struct store_remote *)n;

    if (!q->timed || !q->modified || !n->lock.held)
        return;
    if (!r->clock_asked)
        find_clock(r);
    if (r->clock_known)
        q->date = (uint64_t)(r->clock + (int64_t)(store_curl_ms() / 1000));
}

/* -- parts ------------------------------------------------------------------
 */

static bool is_part(const char *name)
{
    static const char allowed[] = "0123456789abcdef.";

    return *name && *name != '.' && strspn(name, allowed) == strlen(name);
}

/* What the listing names. */
static struct request *removals(struct store_remote *r, char *names)
{
    struct request *q = store_remote_request(r, REQUEST_COMMAND, "");
    char *rest = names, *name;

    while (q && (name = strsep(&rest, "\r\n"))) {
        char *leaf = strrchr(name, '/'), part[STORE_NAME];

        leaf = leaf ? leaf + 1 : name;
        snprintf(part, sizeof part, ".part/%s", leaf);
        if (is_part(leaf))
            store_remote_command(r, &q->before, REMOTE_REMOVE, true, part,
                                 NULL);
    }
    return q;
}

void store_remote_sweep(struct store_remote *r)
{
    struct request *list = store_remote_request(r, REQUEST_LIST, ".part/"),
                   *q = NULL;

    if (!list)
        return;
    list->max = 1 << 20;
    request_run(list);
    if (list->code == CURLE_OK && list->bytes) {
        list->bytes[list->got] = '\0'; /* there is room */
        q = removals(r, (char *)list->bytes);
        if (q && q->before)
            request_run(q);
    }
    request_free(q);
    request_free(list);
}
