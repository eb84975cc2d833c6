/* What expires is signed by a clock that may be wrong: SOURCE_DATE_EPOCH, or a
 * machine without a battery.  Devices refuse what has expired by theirs. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "plan_private.h"

/* 2026-01-01: no clock that is right says less to who runs this. */
#define OLDEST UINT64_C(1767225600)

enum { DATE = 32 };

static const char *date(uint64_t seconds, char out[DATE])
{
    time_t t = (time_t)seconds;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || !strftime(out, DATE, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(out, DATE, "%" PRIu64, seconds);
    return out;
}

/* By the real clock they have expired, or could not be signed anew before.  A
 * time that no clock can have is an error; another one may be meant, as where
 * a release is built again as it was. */
static int check_release(const struct plan *p, const struct plan_release *r,
                         uint64_t clock)
{
    char now[DATE], signs[DATE], ends[DATE];

    if (plan_refresh_time(r->created, r->expires) > clock)
        return 0;
    if (r->created >= OLDEST) {
        diag_warning("manifests of '%s' are signed at %s and expire at %s, and "
                     "this machine's clock says %s: devices refuse what has "
                     "expired; unset SOURCE_DATE_EPOCH and publish again",
                     p->request.config->releases[r->release].name.text,
                     date(r->created, signs), date(r->expires, ends),
                     date(clock, now));
        return 0;
    }
    return diag_error(DIAG_FAILED,
                      "manifests of '%s' would be signed at %s and expire at "
                      "%s, and this machine's clock says %s: devices refuse "
                      "what has expired; unset SOURCE_DATE_EPOCH (nix-shell "
                      "sets it), or leave 'expires' out",
                      p->request.config->releases[r->release].name.text,
                      date(r->created, signs), date(r->expires, ends),
                      date(clock, now));
}

static void warn_index(const struct plan *p)
{
    const struct index *x = p->request.index;
    char now[DATE], then[DATE];

    if (!x->exists || x->created <= p->request.now + PLAN_DAY)
        return;
    diag_warning("the index in '%s' was written at %s, and it is %s by this "
                 "machine's clock or SOURCE_DATE_EPOCH: if that is the wrong "
                 "one, devices may refuse what is signed now: set it, and "
                 "publish again",
                 p->request.store ? p->request.store->where : "",
                 date(x->created, then), date(p->request.now, now));
}

int plan_check_times(const struct plan *p)
{
    uint64_t clock = (uint64_t)time(NULL);
    bool any = false;
    char now[DATE];

    for (size_t i = 0; i < p->release_count; i++) {
        const struct plan_release *r = &p->releases[i];

        if (!r->expires || !r->device_count)
            continue;
        if (clock < OLDEST)
            return diag_error(
                DIAG_FAILED,
                "this machine's clock says %s, which cannot be right: set it "
                "(by NTP), or devices refuse what is signed now with 'expires'",
                date(clock, now));
        if (check_release(p, r, clock))
            return -1;
        any = true;
    }
    if (any)
        warn_index(p);
    return 0;
}
