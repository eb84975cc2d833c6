/* Whether a manifest is whole for devices that read it while it is replaced. */
#include <string.h>
#include <time.h>

#include "doctor_private.h"

enum { LOOKS = 3, PAUSE_MS = 200 };

static const char is_safe[] =
    "it is safe: a device takes a manifest that is not whole for no news, and "
    "payloads have names that are new";

/* What was read while the new one was held back. */
struct held {
    struct doctor *d;
    const uint8_t *old;
    enum { WHOLE, CUT, REFUSED, SILENT } seen;
    long status;
    size_t len;
};

static void look_once(struct held *h)
{
    const struct store_request r = {.method = "GET", .name = DOCTOR_MANIFEST};
    struct store_answer a;

    if (store_probe_ask(h->d->reader, &r, &a) || a.status == 0)
        h->seen = SILENT;
    else if (a.status != 200)
        h->seen = REFUSED;
    else if (a.len != DOCTOR_BYTES || memcmp(a.bytes, h->old, a.len) != 0)
        h->seen = CUT;
    h->status = a.status;
    h->len = a.len;
    store_answer_release(&a);
}

/* Not at once: half of the new one has to get there first. */
static void look(void *ctx)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    struct held *h = ctx;

    for (unsigned i = 0; i < LOOKS && h->seen == WHOLE; i++) {
        nanosleep(&pause, NULL);
        look_once(h);
    }
}

static void say_seen(const struct held *h)
{
    const struct doctor *d = h->d;

    if (h->seen == CUT)
        doctor_say(d, "atomic", DOCTOR_WARNING, is_safe,
                   "%zu of %d bytes were read while it was replaced", h->len,
                   DOCTOR_BYTES);
    else if (h->seen == REFUSED)
        doctor_say(d, "atomic", DOCTOR_WARNING, is_safe,
                   "HTTP %ld was read while it was replaced", h->status);
    else if (h->seen == SILENT)
        doctor_say(d, "atomic", DOCTOR_WARNING,
                   "have it serve several at once: no device gets anything "
                   "while something is published",
                   "nobody was answered while it was replaced");
    else
        doctor_say(d, "atomic", DOCTOR_OK, NULL,
                   "the old one was read until the new one was there");
}

static void hold_back(struct doctor *d, const uint8_t *old)
{
    struct held h = {.d = d, .old = old};
    const struct store_request put = {.method = "PUT",
                                      .name = DOCTOR_MANIFEST,
                                      .body = d->bytes,
                                      .len = DOCTOR_BYTES,
                                      .midway = look,
                                      .ctx = &h};
    struct store_answer a;

    store_probe_hurry(d->reader);
    if (store_probe_ask(d->own, &put, &a))
        return;
    if (a.status >= 200 && a.status < 300)
        say_seen(&h);
    else if (a.status)
        doctor_say(d, "atomic", DOCTOR_WARNING,
                   "publishing over a slow line may fail",
                   "HTTP %ld for an upload that paused", a.status);
    else
        doctor_say(d, "atomic", DOCTOR_WARNING,
                   "publishing over a slow line may fail",
                   "an upload that paused was cut: %s", a.error);
    store_answer_release(&a);
}

static void rename_over(struct doctor *d)
{
    int result = store_remote_rename_over(d->store, DOCTOR_MANIFEST, d->bytes,
                                          DOCTOR_BYTES);

    if (result < 0)
        doctor_say_heard(d, "atomic", DOCTOR_WARNING, is_safe);
    else if (result > 0)
        doctor_say(d, "atomic", DOCTOR_WARNING, is_safe,
                   "renaming over a manifest was refused: one that is replaced "
                   "is empty for a moment");
    else if (d->server->kind == SERVER_SFTP)
        doctor_say(d, "atomic", DOCTOR_WARNING, is_safe,
                   "one that is replaced is empty for a moment (a rename would "
                   "do, but by SFTP few servers let it)");
    else
        doctor_say(d, "atomic", DOCTOR_OK, NULL,
                   "a rename took the old one's place");
}

void doctor_atomic(struct doctor *d, const uint8_t *old)
{
    switch (d->server->kind) {
    case SERVER_HTTP:
    case SERVER_HTTPS:
        if (d->written)
            hold_back(d, old);
        break;
    case SERVER_SFTP:
    case SERVER_FTP:
    case SERVER_FTPS:
        rename_over(d);
        break;
    case SERVER_S3:
        doctor_say(d, "atomic", DOCTOR_OK, NULL,
                   "not tried: such a store takes each object as a whole");
        break;
    case SERVER_FOLDER:
        doctor_say(d, "atomic", DOCTOR_OK, NULL,
                   "each object is whole, or not there");
        break;
    }
}
