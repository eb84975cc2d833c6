/* The lock of an S3 store: the object `lock`, made by a put that is for new
 * objects only.  Not every store honours that condition, some take no notice
 * of it: only a put that was refused for an object that is there shows it. */
#include "s3.h"

enum { MADE, IS_THERE, NOT_TAKEN }; /* or -1: reported */

/* Without a text, which says that whoever made it is about to say who. */
static int put_if_new(struct store_s3 *s)
{
    struct request *r =
        store_web_request(&s->web, "PUT", STORE_LOCK_OBJECT, "", 0);
    int result;

    if (!r || http_header(r, "If-None-Match: *")) {
        request_free(r);
        return -1;
    }
    request_run(r);
    if (http_good(r))
        result = MADE;
    else if (r->code == CURLE_OK && (r->status == 412 || r->status == 409))
        result = IS_THERE;
    else if (r->code == CURLE_OK && (r->status == 501 || r->status == 400))
        result = NOT_TAKEN;
    else
        result = http_fail(r, "lock");
    request_free(r);
    return result;
}

/* The first put that is not refused is done again: what honours the condition
 * refuses that one.  What does not would overwrite the text of whoever has the
 * lock, so that is looked for before. */
static int find_out(struct store_s3 *s)
{
    struct store_lock_text t;
    int result = store_lock_read(&s->web.net.lock, &t);

    if (result != STORE_MISSING)
        return result ? -1 : 1;
    result = put_if_new(s);
    if (result == IS_THERE)
        s->conditions = CONDITIONS_KEPT;
    if (result != MADE)
        return result < 0 ? -1 : 1;
    result = put_if_new(s);
    if (result < 0)
        return -1;
    s->conditions = result == IS_THERE ? CONDITIONS_KEPT : CONDITIONS_IGNORED;
    return s->conditions == CONDITIONS_KEPT ? 0 : 1;
}

int store_s3_lock_make(struct store *store)
{
    struct store_s3 *s = (struct store_s3 *)store;
    int result;

    if (s->conditions == CONDITIONS_IGNORED)
        return 1;
    if (s->conditions == CONDITIONS_UNKNOWN)
        return find_out(s);
    result = put_if_new(s);
    return result < 0 ? -1 : result != MADE;
}
