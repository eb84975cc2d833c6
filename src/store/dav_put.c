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
    struct http_request *request; /* the PUT */
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

/* Which of 256, or -1: no payload. */
static int hh_of(const char *name)
{
    static const char top[] = "payloads/";
    char *end;
    long hh;

    if (strncmp(name, top, strlen(top)) != 0)
        return -1;
    hh = strtol(name + strlen(top), &end, 16);
    return *end == '/' && hh >= 0 && hh < 256 ? (int)hh : -1;
}

static bool has_folder(const char *name)
{
    const char *slash = strchr(name, '/');

    return slash && strchr(slash + 1, '/');
}

/* The first of its folders that has to be made, into `folder`; false: none. */
static bool next_folder(const struct put *p, bool top_made, char *folder)
{
    const struct store_dav *d = p->d;
    int top = top_of(p->name), hh = hh_of(p->name);

    if (top >= 0 && !d->made_top[top] && !top_made) {
        snprintf(folder, STORE_NAME, "%s", tops[top]);
        return true;
    }
    if (!has_folder(p->name) || (hh >= 0 && d->made_hh[hh / 8] >> hh % 8 & 1))
        return false;
    snprintf(folder, STORE_NAME, "%.*s", (int)(strrchr(p->name, '/') - p->name),
             p->name);
    return true;
}

static void note_made(struct put *p)
{
    struct store_dav *d = p->d;
    int top = top_of(p->name), hh = hh_of(p->name);

    if (p->step == MAKING_TOP && top >= 0)
        d->made_top[top] = true;
    if (p->step == MAKING_FOLDER && hh >= 0)
        d->made_hh[hh / 8] |= (uint8_t)(1 << hh % 8);
}

void store_dav_make_base(struct store_dav *d)
{
    char *host = strstr(d->base, "://") + 3, *at = strchr(host, '/');
    const char *all = d->base;

    for (; at; at = strchr(at + 1, '/')) {
        char *end = strchr(at + 1, '/'), *url;
        struct http_request *r;

        if (asprintf(&url, "%.*s/",
                     (int)((end ? end : all + strlen(all)) - all), all) < 0)
            return;
        r = http_request_new(d->http, "MKCOL", url);
        free(url);
        if (!r)
            return;
        http_run(d->http, r);
        http_request_free(r);
    }
}

/* -- the steps of one put ---------------------------------------------------
 */

static void put_done(struct http_request *r);

/* nginx says 500 where it may not make folders (ota-publish(7), WebDAV). */
static bool lacks_folder(const struct http_request *r)
{
    return r->code == CURLE_OK &&
           (r->status == 409 || r->status == 404 || r->status == 500);
}

static void free_put(struct put *p)
{
    if (!p)
        return;
    http_request_free(p->request);
    free(p);
}

static void fail(struct put *p, const struct http_request *r)
{
    http_fail(r, "write");
    http_puts_failed(&p->d->puts, p->name, p->class);
}

/* http_start() or, from within an answer, http_queue(). */
typedef void starter(struct http *h, struct http_request *r);

static void send_put(struct put *p, starter *start)
{
    p->step = PUTTING;
    p->made = true;
    p->request->final = 0;
    start(p->d->http, p->request);
}

static void made(struct http_request *r);

/* The MKCOL of the next folder, or else the PUT. */
static void step(struct put *p, bool top_made, starter *start)
{
    struct store_dav *d = p->d;
    char folder[STORE_NAME];
    struct http_request *r = NULL;

    if (next_folder(p, top_made, folder))
        r = store_dav_folder(d, "MKCOL", folder);
    if (!r) {
        send_put(p, start);
        return;
    }
    p->step = strchr(folder, '/') ? MAKING_FOLDER : MAKING_TOP;
    r->ctx = p;
    r->done = made;
    start(d->http, r);
}

/* 405: it is there.  Whatever else it said, the PUT tells. */
static void made(struct http_request *r)
{
    struct put *p = r->ctx;

    if (http_good(r) || (r->code == CURLE_OK && r->status == 405))
        note_made(p);
    if (r->code != CURLE_OK) {
        fail(p, r);
        free_put(p);
    } else if (p->step == MAKING_TOP) {
        step(p, true, http_queue);
    } else {
        send_put(p, http_queue);
    }
    http_request_free(r);
}

static void put_done(struct http_request *r)
{
    struct put *p = r->ctx;
    struct store_dav *d = p->d;

    if (!http_good(r) && !p->made && lacks_folder(r)) {
        step(p, false, http_queue);
        return;
    }
    if (!http_good(r))
        fail(p, r);
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
static int add_date(struct store_dav *d, struct http_request *r)
{
    char line[64];
    struct tm tm;
    time_t t;

    if (!d->run_time) {
        d->run_time = (uint64_t)time(NULL) + d->skew;
        if (d->run_time <= d->newest)
            d->run_time = d->newest + 1;
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
    p->request = store_dav_request(d, "PUT", name);
    if (!p->request || http_body(p->request, bytes, len) ||
        add_date(d, p->request)) {
        free_put(p);
        return NULL;
    }
    p->request->ctx = p;
    p->request->done = put_done;
    p->request->final = 500;
    http_count(p->request, &d->store, class);
    return p;
}

int store_dav_put(struct store *s, const char *name, const uint8_t *bytes,
                  size_t len, enum store_class class)
{
    struct store_dav *d = (struct store_dav *)s;
    bool alone = class == STORE_HEAD ||
                 (class == STORE_FIRST && d->folders == FOLDERS_UNKNOWN);
    struct put *p;

    store_lock_renew(&d->lock);
    if (http_puts_settle(&d->puts, class) ||
        !(p = new_put(d, name, bytes, len, class)))
        return -1;
    if (d->folders == FOLDERS_BY_MKCOL && class != STORE_MANIFEST &&
        class != STORE_HEAD)
        step(p, false, http_start);
    else
        http_start(d->http, p->request);
    if (alone)
        http_drain(d->http);
    return class == STORE_HEAD && d->puts.broken ? -1 : 0;
}
