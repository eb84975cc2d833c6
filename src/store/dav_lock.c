/* The lock of a WebDAV server: the folder lock/, which only one MKCOL makes,
 * and the file in it.  Where a server has no MKCOL the file alone is left. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dav.h"

static int make_once(struct store_dav *d, long *status)
{
    struct http_request *r = store_dav_folder(d, "MKCOL", "lock");
    int result = 0;

    if (!r)
        return -1;
    http_run(d->http, r);
    *status = r->status;
    if (r->code != CURLE_OK || r->status == 401 || r->status == 403 ||
        r->status >= 500)
        result = r->status == 501 ? 0 : http_fail(r, "lock");
    http_request_free(r);
    return result;
}

/* A folder that was published into before it was brought here has the lock as
 * an empty file.  True: it was, and is gone. */
static bool remove_file(struct store_dav *d)
{
    struct http_request *look = store_dav_request(d, "HEAD", "lock"),
                        *file = store_dav_request(d, "DELETE", "lock");
    bool gone = false;

    if (look && file) {
        http_run(d->http, look);
        if (http_good(look) && look->size == 0) {
            http_run(d->http, file);
            gone = http_good(file);
        }
    }
    http_request_free(look);
    http_request_free(file);
    return gone;
}

/* 201 it is ours; 405 it is there, or there is no MKCOL; 409 and 404: what it
 * lies in is not there. */
static int lock_make(struct store *s)
{
    struct store_dav *d = (struct store_dav *)s;
    long status;

    if (make_once(d, &status))
        return -1;
    if (status == 409 || status == 404) {
        store_dav_make_base(d);
        if (make_once(d, &status))
            return -1;
    }
    if (status >= 400 && remove_file(d) && make_once(d, &status))
        return -1;
    return status >= 200 && status < 300 ? 0 : 1;
}

static int lock_write(struct store *s, const char *text)
{
    struct store_dav *d = (struct store_dav *)s;
    struct http_request *r = store_dav_request(d, "PUT", STORE_LOCK_IN_FOLDER);
    int result = 0;

    if (!r || http_body(r, (const uint8_t *)text, strlen(text))) {
        http_request_free(r);
        return -1;
    }
    http_run(d->http, r);
    if (!http_good(r))
        result = http_fail(r, "lock");
    http_request_free(r);
    return result;
}

static void lock_remove(struct store *s)
{
    struct store_dav *d = (struct store_dav *)s;
    struct http_request *file = store_dav_request(d, "DELETE",
                                                  STORE_LOCK_IN_FOLDER),
                        *folder = store_dav_folder(d, "DELETE", "lock");

    if (file)
        http_run(d->http, file);
    if (folder)
        http_run(d->http, folder);
    http_request_free(file);
    http_request_free(folder);
}

static uint64_t lock_now(struct store *s)
{
    const struct store_dav *d = (const struct store_dav *)s;

    return (uint64_t)time(NULL) + d->skew;
}

const struct store_lock_ops store_dav_lock_ops = {.make = lock_make,

                                                  .write = lock_write,
                                                  .remove = lock_remove,
                                                  .now = lock_now};
