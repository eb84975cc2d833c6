/* Objects put by WebDAV: many at once, folders made where that is needed, in
 * the order of ota-publish(7), Order. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dav.h"

static const char *const tops[3] = {"devices", "index", "payloads"};

/* One object on its way: MKCOL of what it lies in, then PUT. */
struct put {
    struct store_dav *d;
    enum store_class class;
    enum { PUTTING, MAKING_TOP, MAKING_FOLDER } step;
    bool made; /* its folders, for this put */
    char name[STORE_NAME];
    struct request *request; /* the PUT */
};

/* -- folders ----------------------------------------------------------------
 */

static int top_of(const char *name)
{
    for (int i = 0; i < 3; i++) {
        size_t len = strlen(tops[i]);

        if (strncmp(name, tops[i], len) == 0 && name[len] == '/')
            return i;
    }
    return -1;
}

/* The first of its folders that has to be made, into `folder`; false: none. */
static bool next_folder(const struct put *p, bool top_made, char *folder)
{
    const struct store_dav *d = p->d;
    int top = top_of(p->name);

    if (top >= 0 && !d->made_top[top] && !top_made) {
        snprintf(folder, STORE_NAME, "%s", tops[top]);
        return true;
    }
    return !store_puts_has_hh(&d->web.net.puts, p->name) &&
           store_folder_of(p->name, folder);
}

static void note_made(struct put *p)
{
    struct store_dav *d = p->d;
    int top = top_of(p->name);

    if (p->step == MAKING_TOP && top >= 0)
        d->made_top[top] = true;
    if (p->step == MAKING_FOLDER)
        store_puts_made_hh(&d->web.net.puts, p->name);
}

void store_dav_make_base(struct store_web *w)
{
    char *base = strdup(w->base);
    char *at = base ? strchr(strstr(base, "://") + 3, '/') : NULL;

    while (at) {
        char *end = strchr(at + 1, '/');
        struct request *r;

        if (end)
            *end = '\0';
        r = http_request(w->net.engine, "MKCOL", base, "");
        if (r)
            request_run(r);
        request_free(r);
        if (end)
            *end = '/';
        at = end;
    }
    free(base);
}

/* -- the steps of one put ---------------------------------------------------
 */

static void put_done(struct request *r);

/* nginx says 500 where it may not make folders (servers.md, note 1). */
static bool lacks_folder(const struct request *r)
{
    return r->code == CURLE_OK &&
           (r->status == 409 || r->status == 404 || r->status == 500);
}

static void free_put(struct put *p)
{
    if (!p)
        return;
    request_free(p->request);
    free(p);
}

static void fail_put(struct put *p, const struct request *r)
{
    http_fail(r, "write");
    store_puts_failed(&p->d->web.net.puts, p->name, p->class);
}

/* request_start() or, from within an answer, request_queue(). */
typedef void starter(struct request *r);

static void send_put(struct put *p, starter *start)
{
    p->step = PUTTING;
    p->made = true;
    p->request->final = 0;
    start(p->request);
}

static void made(struct request *r);

/* The MKCOL of the next folder, or else the PUT. */
static void step(struct put *p, bool top_made, starter *start)
{
    struct store_dav *d = p->d;
    char folder[STORE_NAME];
    struct request *r = NULL;

    if (next_folder(p, top_made, folder))
        r = store_dav_folder(&d->web, "MKCOL", folder);
    if (!r) {
        send_put(p, start);
        return;
    }
    p->step = strchr(folder, '/') ? MAKING_FOLDER : MAKING_TOP;
    r->ctx = p;
    r->done = made;
    start(r);
}

/* 405: it is there.  Whatever else it said, the PUT tells. */
static void made(struct request *r)
{
    struct put *p = r->ctx;

    if (http_good(r) || (r->code == CURLE_OK && r->status == 405))
        note_made(p);
    if (r->code != CURLE_OK) {
        fail_put(p, r);
        free_put(p);
    } else if (p->step == MAKING_TOP) {
        step(p, true, request_queue);
    } else {
        send_put(p, request_queue);
    }
    request_free(r);
}

static void put_done(struct request *r)
{
    struct put *p = r->ctx;
    struct store_dav *d = p->d;

    if (!http_good(r) && !p->made && lacks_folder(r)) {
        step(p, false, request_queue);
        return;
    }
    if (!http_good(r))
        fail_put(p, r);
    else if (p->made && d->folders == FOLDERS_UNKNOWN)
        d->folders = FOLDERS_BY_MKCOL;
    else if (p->class == STORE_FIRST && d->folders == FOLDERS_UNKNOWN)
        d->folders = FOLDERS_BY_PUT;
    free_put(p);
}

/* -- the store's functions --------------------------------------------------
 */

/* nginx takes a file's time from the Date of its PUT, and makes ETags of
 * seconds and size (ota-publish(7), WebDAV): all of a run is newer than what it
 * read, which is the head that the run before it wrote last. */
static int add_date(struct store_dav *d, struct request *r)
{
    char line[64];
    struct tm tm;
    time_t t;

    if (!d->run_time) {
        d->run_time = (uint64_t)time(NULL) + d->web.skew;
        if (d->run_time <= d->web.newest)
            d->run_time = d->web.newest + 1;
    }
    t = (time_t)d->run_time;
    strftime(line, sizeof line, "Date: %a, %d %b %Y %H:%M:%S GMT",
             gmtime_r(&t, &tm));
    return http_header(r, line);
}

static struct put *new_put(struct store_dav *d, const char *name,
                           const uint8_t *bytes, size_t len,
                           enum store_class class)
{
    struct put *p = calloc(1, sizeof *p);

    if (!p) {
        diag_no_memory();
        return NULL;
    }
    p->d = d;
    p->class = class;
    snprintf(p->name, sizeof p->name, "%s", name);
    p->request = store_web_request(&d->web, "PUT", name, bytes, len);
    if (!p->request || add_date(d, p->request)) {
        free_put(p);
        return NULL;
    }
    p->request->ctx = p;
    p->request->done = put_done;
    p->request->final = 500;
    request_count(p->request, &d->web.net.store, class);
    return p;
}

int store_dav_put(struct store_net *n, const char *name, const uint8_t *bytes,
                  size_t len, enum store_class class)
{
    struct store_dav *d = (struct store_dav *)n;
    bool alone = class == STORE_HEAD ||
                 (class == STORE_FIRST && d->folders == FOLDERS_UNKNOWN);
    struct put *p = new_put(d, name, bytes, len, class);

    if (!p)
        return -1;
    if (d->folders == FOLDERS_BY_MKCOL && class != STORE_MANIFEST &&
        class != STORE_HEAD)
        step(p, false, request_start);
    else
        request_start(p->request);
    if (alone)
        engine_drain(n->engine);
    return class == STORE_HEAD && n->puts.broken ? -1 : 0;
}
