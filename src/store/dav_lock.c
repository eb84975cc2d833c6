/* The lock of a WebDAV server: the folder lock/, which only one MKCOL makes,
 * and the file in it.  Where a server has no MKCOL the file alone is left. */
#include "dav.h"

static int make_once(struct store_web *w, long *status)
{
    struct request *r = store_dav_folder(w, "MKCOL", "lock");
    int result = 0;

    if (!r)
        return -1;
    request_run(r);
    *status = r->status;
    if (r->code != CURLE_OK || r->status == 401 || r->status == 403 ||
        r->status >= 500)
        result = r->status == 501 ? 0 : http_fail(r, "lock");
    request_free(r);
    return result;
}

/* A folder that was published into before it was brought here has the lock as
 * an empty file.  True: it was, and is gone. */
static bool remove_file(struct store_web *w)
{
    struct request *look = store_web_request(w, "HEAD", "lock", NULL, 0),
                   *file = store_web_request(w, "DELETE", "lock", NULL, 0);
    bool gone = false;

    if (look && file) {
        request_run(look);
        if (http_good(look) && look->size == 0) {
            request_run(file);
            gone = http_good(file);
        }
    }
    request_free(look);
    request_free(file);
    return gone;
}

/* 201 it is ours; 405 it is there, or there is no MKCOL; 409 and 404: what it
 * lies in is not there. */
int store_dav_lock_make(struct store *s)
{
    struct store_web *w = (struct store_web *)s;
    long status;

    if (make_once(w, &status))
        return -1;
    if (status == 409 || status == 404) {
        store_dav_make_base(w);
        if (make_once(w, &status))
            return -1;
    }
    if (status >= 400 && remove_file(w) && make_once(w, &status))
        return -1;
    return status >= 200 && status < 300 ? 0 : 1;
}

void store_dav_lock_remove(struct store *s)
{
    struct store_web *w = (struct store_web *)s;
    struct request *folder = store_dav_folder(w, "DELETE", "lock");

    store_web_lock_remove(s);
    if (folder)
        request_run(folder);
    request_free(folder);
}
