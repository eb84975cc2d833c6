/* The lock of a WebDAV server: the folder lock/, which only one MKCOL makes,
 * and the file in it.  Where a server has no MKCOL the file alone is left. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dav.h"

#define HOLDER "lock/holder"

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
static int lock_make(void *ctx)
{
    struct store_dav *d = ctx;
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

static int lock_read(void *ctx, char text[STORE_LOCK_TEXT])
{
    struct store_dav *d = ctx;
    size_t len;
    uint8_t *bytes;
    int result =
        store_get(&d->store, HOLDER, STORE_LOCK_TEXT - 1, &bytes, &len);

    if (result)
        return result;
    memcpy(text, bytes, len);
    text[len] = '\0';
    free(bytes);
    return 0;
}

static int lock_write(void *ctx, const char *text)
{
    struct store_dav *d = ctx;
    struct http_request *r = store_dav_request(d, "PUT", HOLDER);
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

/* Best effort: a lock that stays ends by itself. */
static int lock_remove(void *ctx)
{
    struct store_dav *d = ctx;
    struct http_request *file = store_dav_request(d, "DELETE", HOLDER),
                        *folder = store_dav_folder(d, "DELETE", "lock");

    if (file)
        http_run(d->http, file);
    if (folder)
        http_run(d->http, folder);
    http_request_free(file);
    http_request_free(folder);
    return 0;
}

static uint64_t lock_now(void *ctx)
{
    const struct store_dav *d = ctx;

    return (uint64_t)time(NULL) + d->skew;
}

const struct store_lock_ops store_dav_lock_ops = {.make = lock_make,
                                                  .read = lock_read,
                                                  .write = lock_write,
                                                  .remove = lock_remove,
                                                  .now = lock_now};
