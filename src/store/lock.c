/* The lock on a server: three lines, "HOLDER", "MARK", "UNTIL". */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "curl.h"
#include "lock.h"

enum { HOLDER = 320, POLL_MS = 1000 };

struct text {
    char holder[HOLDER];
    char mark[33];
    uint64_t until; /* seconds since 1970 */
};

void store_lock_holder(char *out, size_t size)
{
    const struct passwd *pw = getpwuid(geteuid());
    char host[128] = "", when[32];
    time_t now = time(NULL);
    struct tm tm;

    gethostname(host, sizeof host - 1);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    snprintf(out, size, "%.64s on %.127s, process %ld, since %s",
             pw ? pw->pw_name : "somebody", host, (long)getpid(), when);
}

/* It may be anybody's: plain characters are taken, the rest is "somebody". */
static void parse(const char *from, struct text *t)
{
    char until[24] = "";

    memset(t, 0, sizeof *t);
    if (sscanf(from, "%319[ -~]\n%32[0-9a-f]\n%20[0-9]", t->holder, t->mark,
               until) < 1)
        snprintf(t->holder, sizeof t->holder, "somebody");
    t->until = strtoull(until, NULL, 10);
}

static int say(struct store_lock *l)
{
    char text[STORE_LOCK_TEXT], holder[HOLDER];

    store_lock_holder(holder, sizeof holder);
    snprintf(text, sizeof text, "%s\n%s\n%" PRIu64 "\n", holder, l->mark,
             l->ops->now(l->ctx) + STORE_LOCK_LIFE);
    l->renewed = store_curl_ms();
    return l->ops->write(l->ctx, text);
}

/* 0: *t is what it says; STORE_MISSING; -1 (reported). */
static int look(struct store_lock *l, struct text *t)
{
    char text[STORE_LOCK_TEXT] = "";
    int result = l->ops->read(l->ctx, text);

    parse(text, t);
    return result;
}

static void nap(unsigned ms)
{
    const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

/* A process of this machine that is no more holds nothing. */
static bool is_dead(const struct text *t)
{
    static const char process[] = ", process ";
    char host[128] = "";
    const char *on = strstr(t->holder, " on "), *end;
    size_t len;
    long pid;

    gethostname(host, sizeof host - 1);
    len = strlen(host);
    if (!on || strncmp(on + 4, host, len) != 0)
        return false;
    end = on + 4 + len;
    if (strncmp(end, process, strlen(process)) != 0)
        return false;
    pid = strtol(end + strlen(process), NULL, 10);
    return pid > 1 && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

/* Takes one that is there over: whoever wrote last has it. */
static int take_over(struct store_lock *l)
{
    struct text t;
    int result = say(l);

    if (result)
        return -1;
    nap(POLL_MS);
    result = look(l, &t);
    if (result)
        return result < 0 ? -1 : 1;
    return strcmp(t.mark, l->mark) == 0 ? 0 : 1;
}

/* One try: 0 it is ours, 1 *t has it, -1 (reported).  *bare_ms: since when it
 * is there without a text, 0: it is not. */
static int try_once(struct store_lock *l, bool break_it, uint64_t *bare_ms,
                    struct text *t)
{
    int result = l->ops->make(l->ctx);

    if (result == 0 && say(l)) {
        l->ops->remove(l->ctx);
        return -1;
    }
    if (result <= 0)
        return result;
    result = look(l, t);
    if (result < 0)
        return -1;
    if (result == STORE_MISSING) {
        if (!*bare_ms)
            *bare_ms = store_curl_ms();
        return store_curl_ms() - *bare_ms < STORE_LOCK_SETTLE ? 1
                                                              : take_over(l);
    }
    *bare_ms = 0;
    if (break_it || t->until < l->ops->now(l->ctx) || is_dead(t))
        return take_over(l);
    return 1;
}

static int held(const struct store_lock *l, const struct text *t)
{
    return diag_error(DIAG_LOCK,
                      "'%s' is being published to by %s: try again later, wait "
                      "longer with '--lock-timeout 2m', or, if that publisher "
                      "is gone, take its lock with '--break-lock'",
                      l->where, t->holder);
}

static void make_mark(struct store_lock *l)
{
    uint8_t dice[16] = {0};

    (void)!getrandom(dice, sizeof dice, 0);
    for (size_t i = 0; i < sizeof dice; i++)
        snprintf(l->mark + 2 * i, 3, "%02x", dice[i]);
}

int store_lock_take(struct store_lock *l, unsigned wait_ms, bool break_it,
                    volatile const sig_atomic_t *stop)
{
    uint64_t start = store_curl_ms(), bare = 0, waited;
    bool told = false;
    struct text t;
    int result;

    if (l->held)
        return 0;
    make_mark(l);
    while ((result = try_once(l, break_it, &bare, &t)) == 1) {
        waited = store_curl_ms() - start;
        if ((!bare && waited >= wait_ms) || (stop && *stop))
            return held(l, &t);
        if (!told && !bare && waited >= POLL_MS) {
            diag_note("waiting for %s, who publishes to '%s'", t.holder,
                      l->where);
            told = true;
        }
        nap(!bare && wait_ms - waited < POLL_MS ? (unsigned)(wait_ms - waited)
                                                : POLL_MS);
    }
    l->held = result == 0;
    return result;
}

/* 1: the text is ours; 0: another's, or none; -1 (reported). */
static int is_ours(struct store_lock *l)
{
    struct text t;
    int result = look(l, &t);

    return result < 0 ? -1 : result == 0 && strcmp(t.mark, l->mark) == 0;
}

void store_lock_renew(struct store_lock *l)
{
    if (!l->held || store_curl_ms() - l->renewed <= STORE_LOCK_RENEW * 1000)
        return;
    if (is_ours(l) == 1)
        say(l);
    else
        l->renewed = store_curl_ms();
}

bool store_lock_release(struct store_lock *l)
{
    int ours;

    if (!l->held)
        return true;
    l->held = false;
    ours = is_ours(l);
    if (ours == 1)
        l->ops->remove(l->ctx);
    return ours != 0;
}
