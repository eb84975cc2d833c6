/* Objects put into remote folders: several at once, folders made where they are
 * not known to be there, in the order of ota-publish(7), Order. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/diag.h"
#include "remote.h"

#define HEAD_COPY "index/head.new"

enum {
    HOPELESS = 20, /* so many failures in a row are the server's, not theirs */
    SECOND_MS = 1100 /* a second, by clocks that are not quite alike */
};

/* One object on its way. */
struct put {
    struct store_remote *r;
    enum store_class class;
    enum {
        PARTED,   /* to `part`, then renamed */
        IN_PLACE, /* to its name */
        LOOKING   /* what is at its name, since the rename failed */
    } step;
    bool made;     /* its folders were made, all of them */
    bool cleared;  /* what was at its name has been removed */
    bool has_part; /* `part` may be there */
    int *outcome;  /* for who waits: 0, 1 (replacing is refused), -1; or NULL */
    char name[STORE_NAME], part[32];
    uint8_t *body;
    size_t len;
    struct store_meter *meter; /* that it is counted in, or NULL */
    size_t sent;               /* of the body, as that knows */
    CURLcode code;             /* of the rename that failed */
    long status;
    char error[CURL_ERROR_SIZE], said[sizeof((struct pool_job *)0)->said];
};

static bool is_manifest(enum store_class class)
{
    return class == STORE_FIRST || class == STORE_MANIFEST;
}

/* Named by content: what has its name and size is it. */
static bool is_content(enum store_class class)
{
    return class == STORE_PAYLOAD || class == STORE_SHARD;
}

/* Which of 256 folders of payloads, or -1. */
static int hh_of(const char *name)
{
    static const char top[] = "payloads/";
    char *end;
    unsigned long hh;

    if (strncmp(name, top, sizeof top - 1) != 0)
        return -1;
    name += sizeof top - 1;
    hh = strtoul(name, &end, 16);
    return end == name + 2 && *end == '/' && hh < 256 ? (int)hh : -1;
}

/* -- what is asked of the server --------------------------------------------
 */

static bool needs_folder(const struct put *p)
{
    int hh = hh_of(p->name);

    if (p->made || p->class == STORE_FIRST)
        return strchr(p->name, '/') != strrchr(p->name, '/');
    return hh >= 0 && !(p->r->made_hh[hh / 8] >> hh % 8 & 1);
}

static int add_folders(struct put *p, struct curl_slist **list)
{
    char folder[STORE_NAME];

    if (p->made && store_remote_tops(p->r, list))
        return -1;
    if (!needs_folder(p))
        return 0;
    snprintf(folder, sizeof folder, "%.*s",
             (int)(strrchr(p->name, '/') - p->name), p->name);
    return store_remote_command(p->r, list, REMOTE_MKDIR, true, folder, NULL);
}

static int add_commands(struct put *p, struct pool_job *j)
{
    struct store_remote *r = p->r;

    if (p->step == LOOKING)
        return 0;
    if (p->step == IN_PLACE)
        return p->has_part ? store_remote_command(r, &j->after, REMOTE_REMOVE,
                                                  true, p->part, NULL)
                           : 0;
    if (add_folders(p, &j->before) ||
        (p->cleared && store_remote_command(r, &j->before, REMOTE_REMOVE, true,
                                            p->name, NULL)))
        return -1;
    p->has_part = true;
    return store_remote_command(r, &j->after, REMOTE_RENAME, false, p->part,
                                p->name);
}

static void answered(struct pool_job *j);

static struct pool_job *request(struct put *p)
{
    struct pool_job *j =
        store_remote_job(p->r, p->step == LOOKING ? POOL_SIZE : POOL_WRITE,
                         p->step == PARTED ? p->part : p->name);

    if (!j || add_commands(p, j)) {
        pool_job_free(j);
        return NULL;
    }
    if (p->step != LOOKING) {
        j->body = p->body;
        j->len = p->len;
        j->meter = p->meter;
    }
    snprintf(j->name, sizeof j->name, "%s", p->name);
    j->ctx = p;
    j->done = answered;
    return j;
}

static void free_put(struct put *p)
{
    if (!p)
        return;
    if (p->meter) {
        p->meter->unsent -= p->len - p->sent;
        p->meter->objects--;
    }
    free(p->body);
    free(p);
}

/* -- what it answers --------------------------------------------------------
 */

static void end_put(struct put *p, int outcome)
{
    if (p->outcome)
        *p->outcome = outcome;
    free_put(p);
}

static void succeed(struct put *p)
{
    int hh = hh_of(p->name);

    if (hh >= 0)
        p->r->made_hh[hh / 8] |= (uint8_t)(1 << hh % 8);
    p->r->in_row = 0;
    end_put(p, 0);
}

/* The server is there, and can be asked for more. */
static bool is_answered(const struct pool_job *j)
{
    return *j->said || j->code == CURLE_SSH || !store_curl_again(j->code, 0, 1);
}

static void part_removed(struct pool_job *j)
{
    pool_job_free(j);
}

/* Its part is of no use any more. */
static void drop_part(struct put *p)
{
    struct pool_job *j = store_remote_job(p->r, POOL_COMMAND, "");

    if (!j || store_remote_command(p->r, &j->before, REMOTE_REMOVE, true,
                                   p->part, NULL)) {
        pool_job_free(j);
        return;
    }
    j->done = part_removed;
    pool_queue(p->r->pool, j);
}

static void fail(struct put *p, const struct pool_job *j)
{
    struct store_remote *r = p->r;

    if (j)
        store_remote_fail(r, "write", j);
    if (j && p->has_part && is_answered(j))
        drop_part(p);
    r->in_row++;
    if (is_manifest(p->class)) {
        r->lost = true;
        if (r->store.failed)
            r->store.failed(r->store.failed_ctx, p->name);
    } else {
        r->broken = true;
    }
    end_put(p, -1);
}

/* The next of its requests. */
static void go_on(struct put *p, int step)
{
    struct pool_job *j;

    if (p->meter)
        p->meter->unsent += p->sent;
    p->sent = 0;
    p->step = step;
    j = request(p);
    if (j)
        pool_queue(p->r->pool, j);
    else
        fail(p, NULL);
}

/* SFTP says 78 where the folder is missing, FTP's STOR 25, a rename 21. */
static bool lacks_folder(const struct pool_job *j)
{
    return j->code == CURLE_REMOTE_FILE_NOT_FOUND ||
           j->code == CURLE_UPLOAD_FAILED || j->code == CURLE_QUOTE_ERROR;
}

static void part_answered(struct put *p, const struct pool_job *j)
{
    bool is_rename = j->code == CURLE_QUOTE_ERROR;

    if (j->code == CURLE_OK) {
        succeed(p);
    } else if (lacks_folder(j) && !p->made &&
               !(is_rename && p->class == STORE_FIRST)) {
        p->made = true;
        go_on(p, PARTED);
    } else if (is_rename) {
        p->code = j->code;
        p->status = j->status;
        memcpy(p->error, j->error, sizeof p->error);
        memcpy(p->said, j->said, sizeof p->said);
        go_on(p, LOOKING);
    } else {
        fail(p, j);
    }
}

static void in_place_answered(struct put *p, const struct pool_job *j)
{
    if (j->code == CURLE_OK) {
        succeed(p);
    } else if (lacks_folder(j) && !p->made) {
        p->made = true;
        go_on(p, PARTED);
    } else {
        fail(p, j);
    }
}

/* Something is at its name.  One that is named by content and has another size
 * is what is left of a cut; the others are replaced by being written over. */
static void found_one(struct put *p)
{
    bool replaced = p->r->replaces;

    p->r->replaces = false;
    if (is_content(p->class)) {
        p->cleared = true;
        go_on(p, PARTED);
    } else if (p->class == STORE_HEAD && replaced) {
        drop_part(p);
        end_put(p, 1);
    } else {
        go_on(p, IN_PLACE);
    }
}

static void look_answered(struct put *p, struct pool_job *j)
{
    if (j->code == CURLE_OK && is_content(p->class) && j->size == p->len) {
        succeed(p);
    } else if (j->code == CURLE_OK && !p->cleared) {
        found_one(p);
    } else if (j->code == CURLE_ABORTED_BY_CALLBACK) {
        fail(p, j);
    } else { /* there is nothing, so the rename failed for another reason */
        j->code = p->code;
        j->status = p->status;
        memcpy(j->error, p->error, sizeof j->error);
        memcpy(j->said, p->said, sizeof j->said);
        fail(p, j);
    }
}

static void answered(struct pool_job *j)
{
    struct put *p = j->ctx;

    p->sent = j->sent;
    if (p->step == PARTED)
        part_answered(p, j);
    else if (p->step == IN_PLACE)
        in_place_answered(p, j);
    else
        look_answered(p, j);
    pool_job_free(j);
}

/* -- the store's functions --------------------------------------------------
 */

static struct put *new_put(struct store_remote *r, const char *name,
                           const uint8_t *bytes, size_t len,
                           enum store_class class)
{
    struct put *p = calloc(1, sizeof *p);

    if (!p || !(p->body = malloc(len + 1))) {
        free(p);
        diag_no_memory();
        return NULL;
    }
    memcpy(p->body, bytes, len);
    p->len = len;
    p->r = r;
    p->class = class;
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(p->part, sizeof p->part, ".part/%s.%x", r->mark, r->next++);
    p->meter = store_meter(&r->store, class);
    if (p->meter) {
        p->meter->objects++;
        p->meter->unsent += len;
    }
    if (!r->replaces && (class == STORE_MANIFEST || class == STORE_HEAD))
        p->step = IN_PLACE;
    return p;
}

/* What has to be there before an object of this class is put. */
static int settle(struct store_remote *r, enum store_class class)
{
    if (class == STORE_HEAD || is_manifest(class) != is_manifest(r->last))
        pool_drain(r->pool);
    r->last = class;
    return (class == STORE_HEAD || is_manifest(class)) && r->broken ? -1 : 0;
}

/* nginx and others make ETags of a file's size and the second of its time.  The
 * server gives it the time of writing: whatever was written before the lock was
 * ours is at least a second older than what is written a second after. */
static void outlast_second(const struct store_remote *r)
{
    const struct timespec t = {.tv_nsec = 20 * 1000000L};

    while (store_curl_ms() - r->since < SECOND_MS &&
           !store_curl_stopped(&r->curl))
        nanosleep(&t, NULL);
}

/* Waits until it is there.  0, 1: its rename is refused, -1 (reported). */
static int put_now(struct store_remote *r, const char *name,
                   const uint8_t *bytes, size_t len)
{
    struct put *p = new_put(r, name, bytes, len, STORE_HEAD);
    int outcome = -1;

    if (!p)
        return -1;
    p->outcome = &outcome;
    go_on(p, p->step);
    pool_drain(r->pool);
    return outcome;
}

/* Written in place it can be cut: then its copy is whole, and readers take
 * that one (ota-index(5)).  It is never renamed away instead: a head that is
 * missing is a new base to others who read it meanwhile. */
static int put_head(struct store_remote *r, const char *name,
                    const uint8_t *bytes, size_t len)
{
    int result = 1;

    if (r->replaces)
        result = put_now(r, name, bytes, len);
    if (result == 1) {
        result = put_now(r, HEAD_COPY, bytes, len);
        if (result == 0 && r->store.ask)
            result = r->store.ask(r->store.ask_ctx);
        if (result == 0)
            result = put_now(r, name, bytes, len);
    }
    if (result)
        r->broken = false; /* it is told here, not at the next flush */
    return result;
}

int store_remote_put(struct store *s, const char *name, const uint8_t *bytes,
                     size_t len, enum store_class class)
{
    struct store_remote *r = (struct store_remote *)s;
    struct pool_job *j;
    struct put *p;

    if (!r->since)
        r->since = store_curl_ms();
    store_remote_forget(r);
    store_lock_renew(&r->lock);
    if (settle(r, class))
        return -1;
    if (class == STORE_HEAD)
        return put_head(r, name, bytes, len);
    if (is_manifest(class) && r->in_row >= HOPELESS)
        return -1;
    if (class == STORE_MANIFEST)
        outlast_second(r);
    p = new_put(r, name, bytes, len, class);
    j = p ? request(p) : NULL;
    if (!j) {
        free_put(p);
        return -1;
    }
    pool_start(r->pool, j);
    return 0;
}

int store_remote_rename_over(struct store *s, const char *name,
                             const uint8_t *bytes, size_t len)
{
    struct store_remote *r = (struct store_remote *)s;
    bool replaces = r->replaces;
    int result;

    r->replaces = true;
    result = put_now(r, name, bytes, len);
    r->replaces = replaces;
    if (result < 0)
        r->broken = false; /* it is told here, not at the next flush */
    return result;
}

int store_remote_flush(struct store *s)
{
    struct store_remote *r = (struct store_remote *)s;
    bool failed;

    pool_drain(r->pool);
    failed = r->broken || r->lost;
    r->broken = r->lost = false;
    return failed ? -1 : 0;
}
