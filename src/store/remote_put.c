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
    char error[CURL_ERROR_SIZE], said[sizeof((struct request *)0)->said];
};

/* -- what is asked of the server --------------------------------------------
 */

static bool needs_folder(const struct put *p)
{
    return p->made || p->class == STORE_FIRST ||
           (store_is_payload(p->name) &&
            !store_puts_has_hh(&p->r->net.puts, p->name));
}

static int add_folders(struct put *p, struct curl_slist **list)
{
    char folder[STORE_NAME];

    if (p->made && store_remote_tops(p->r, list))
        return -1;
    if (!needs_folder(p) || !store_folder_of(p->name, folder))
        return 0;
    return store_remote_command(p->r, list, REMOTE_MKDIR, true, folder, NULL);
}

static int add_commands(struct put *p, struct request *q)
{
    struct store_remote *r = p->r;

    if (p->step == LOOKING)
        return 0;
    if (p->step == IN_PLACE)
        return p->has_part ? store_remote_command(r, &q->after, REMOTE_REMOVE,
                                                  true, p->part, NULL)
                           : 0;
    if (add_folders(p, &q->before) ||
        (p->cleared && store_remote_command(r, &q->before, REMOTE_REMOVE, true,
                                            p->name, NULL)))
        return -1;
    p->has_part = true;
    return store_remote_command(r, &q->after, REMOTE_RENAME, false, p->part,
                                p->name);
}

static void put_answered(struct request *q);

static struct request *next_request(struct put *p)
{
    struct request *q = store_remote_request(
        p->r, p->step == LOOKING ? REQUEST_SIZE : REQUEST_WRITE,
        p->step == PARTED ? p->part : p->name);

    if (!q || add_commands(p, q)) {
        request_free(q);
        return NULL;
    }
    if (p->step != LOOKING) {
        q->body = p->body;
        q->len = p->len;
        q->meter = p->meter;
    }
    snprintf(q->name, sizeof q->name, "%s", p->name);
    q->ctx = p;
    q->done = put_answered;
    return q;
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

static void put_succeeded(struct put *p)
{
    store_puts_made_hh(&p->r->net.puts, p->name);
    p->r->in_row = 0;
    end_put(p, 0);
}

/* The server is there, and can be asked for more. */
static bool is_answered(const struct request *q)
{
    return *q->said || q->code == CURLE_SSH || !request_may_pass(q->code, 0);
}

static void part_removed(struct request *q)
{
    request_free(q);
}

/* Its part is of no use any more. */
static void drop_part(struct put *p)
{
    struct request *q = store_remote_request(p->r, REQUEST_COMMAND, "");

    if (!q || store_remote_command(p->r, &q->before, REMOTE_REMOVE, true,
                                   p->part, NULL)) {
        request_free(q);
        return;
    }
    q->done = part_removed;
    request_queue(q);
}

static void fail(struct put *p, const struct request *q)
{
    struct store_remote *r = p->r;

    if (q)
        store_remote_fail(&r->net, "write", q);
    if (q && p->has_part && is_answered(q))
        drop_part(p);
    r->in_row++;
    store_puts_failed(&r->net.puts, p->name, p->class);
    end_put(p, -1);
}

/* The next of its requests. */
static void go_on(struct put *p, int step)
{
    struct request *q;

    if (p->meter)
        p->meter->unsent += p->sent;
    p->sent = 0;
    p->step = step;
    q = next_request(p);
    if (q)
        request_queue(q);
    else
        fail(p, NULL);
}

/* SFTP says 78 where the folder is missing, FTP's STOR 25, a rename 21. */
static bool lacks_folder(const struct request *q)
{
    return q->code == CURLE_REMOTE_FILE_NOT_FOUND ||
           q->code == CURLE_UPLOAD_FAILED || q->code == CURLE_QUOTE_ERROR;
}

static void part_answered(struct put *p, const struct request *q)
{
    bool is_rename = q->code == CURLE_QUOTE_ERROR;

    if (q->code == CURLE_OK) {
        put_succeeded(p);
    } else if (lacks_folder(q) && !p->made &&
               !(is_rename && p->class == STORE_FIRST)) {
        p->made = true;
        go_on(p, PARTED);
    } else if (is_rename) {
        p->code = q->code;
        p->status = q->status;
        memcpy(p->error, q->error, sizeof p->error);
        memcpy(p->said, q->said, sizeof p->said);
        go_on(p, LOOKING);
    } else {
        fail(p, q);
    }
}

static void in_place_answered(struct put *p, const struct request *q)
{
    if (q->code == CURLE_OK) {
        put_succeeded(p);
    } else if (lacks_folder(q) && !p->made) {
        p->made = true;
        go_on(p, PARTED);
    } else {
        fail(p, q);
    }
}

/* Something is at its name.  One that is named by content and has another size
 * is what is left of a cut; the others are replaced by being written over. */
static void found_one(struct put *p)
{
    bool replaced = p->r->replaces;

    p->r->replaces = false;
    if (store_is_content(p->class)) {
        p->cleared = true;
        go_on(p, PARTED);
    } else if (p->class == STORE_HEAD && replaced) {
        drop_part(p);
        end_put(p, 1);
    } else {
        go_on(p, IN_PLACE);
    }
}

static void look_answered(struct put *p, struct request *q)
{
    if (q->code == CURLE_OK && store_is_content(p->class) &&
        q->size == p->len) {
        put_succeeded(p);
    } else if (q->code == CURLE_OK && !p->cleared) {
        found_one(p);
    } else if (q->code == CURLE_ABORTED_BY_CALLBACK) {
        fail(p, q);
    } else { /* there is nothing, so the rename failed for another reason */
        q->code = p->code;
        q->status = p->status;
        memcpy(q->error, p->error, sizeof q->error);
        memcpy(q->said, p->said, sizeof q->said);
        fail(p, q);
    }
}

static void put_answered(struct request *q)
{
    struct put *p = q->ctx;

    p->sent = q->sent;
    if (p->step == PARTED)
        part_answered(p, q);
    else if (p->step == IN_PLACE)
        in_place_answered(p, q);
    else
        look_answered(p, q);
    request_free(q);
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
    p->meter = store_meter(&r->net.store, class);
    if (p->meter) {
        p->meter->objects++;
        p->meter->unsent += len;
    }
    if (!r->replaces && (class == STORE_MANIFEST || class == STORE_HEAD))
        p->step = IN_PLACE;
    return p;
}

/* nginx and others make ETags of a file's size and the second of its time.  The
 * server gives it the time of writing: whatever was written before the lock was
 * ours is at least a second older than what is written a second after. */
static void outlast_second(const struct store_remote *r)
{
    const struct timespec t = {.tv_nsec = 20 * 1000000L};

    while (store_curl_ms() - r->since < SECOND_MS &&
           !store_curl_stopped(&r->net.curl))
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
    engine_drain(r->net.engine);
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
        if (result == 0 && r->net.store.ask)
            result = r->net.store.ask(r->net.store.ask_ctx);
        if (result == 0)
            result = put_now(r, name, bytes, len);
    }
    if (result)
        r->net.puts.broken = false; /* it is told here, not at the next flush */
    return result;
}

int store_remote_put(struct store_net *n, const char *name,
                     const uint8_t *bytes, size_t len, enum store_class class)
{
    struct store_remote *r = (struct store_remote *)n;
    struct request *q;
    struct put *p;

    if (!r->since)
        r->since = store_curl_ms();
    request_ahead_forget(&r->net.ahead);
    if (class == STORE_HEAD)
        return put_head(r, name, bytes, len);
    if (store_is_manifest(class) && r->in_row >= HOPELESS)
        return -1;
    if (class == STORE_MANIFEST)
        outlast_second(r);
    p = new_put(r, name, bytes, len, class);
    q = p ? next_request(p) : NULL;
    if (!q) {
        free_put(p);
        return -1;
    }
    request_start(q);
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
        r->net.puts.broken = false; /* it is told here, not at the next flush */
    return result;
}
