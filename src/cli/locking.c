/* The options about the lock. */
#include <string.h>

#include "locking.h"
#include "base/diag.h"

/* "90", "5s", "2m", "1h": to milliseconds. */
static int take_time(const char *arg, unsigned *ms)
{
    static const char units[] = "smh";
    static const unsigned factors[] = {1000, 60000, 3600000};
    const char *s = arg, *unit;
    uint64_t value = 0, factor = 1000;

    for (; *s >= '0' && *s <= '9' && value <= 1000000; s++)
        value = value * 10 + (unsigned)(*s - '0');
    unit = *s ? strchr(units, *s) : NULL;
    if (unit) {
        factor = factors[unit - units];
        s++;
    }
    if (s == arg || *arg < '0' || *arg > '9' || *s ||
        value * factor > UINT32_MAX)
        return diag_error(
            DIAG_USAGE,
            "'%s' is not a time: '--lock-timeout' takes '5s' or '2m'", arg);
    *ms = (unsigned)(value * factor);
    return 0;
}

int locking_take(int c, const char *arg, void *ctx)
{
    struct locking *l = ctx;

    if (c == LOCKING_TIMEOUT)
        return take_time(arg, &l->wait_ms);
    l->break_lock = true;
    return 0;
}
