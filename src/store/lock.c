/* The lock on a server: lines, "HOLDER", "MARK", "UNTIL", "PROCESS". */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "curl.h"
#include "lock.h"

enum { HOLDER = 320, PROCESS = 128, POLL_MS = 1000 };

struct text {
    char holder[HOLDER];
    char mark[33];
    uint64_t until;        /* seconds since 1970 */
    char process[PROCESS]; /* or "": of an earlier ota-pack, or no /proc */
    bool foreign;          /* it is no such text */
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

bool store_lock_is_holder(const char *text)
{
    char line[HOLDER];
    const char *on;

    if (sscanf(text, "%319[ -~]", line) != 1)
        return false;
    on = strstr(line, " on ");
    return on && strstr(on, ", process ");
}

/* It may be anybody's: plain characters are taken, the rest is "somebody". */
static void parse(const char *from, struct text *t)
{
    char until[24] = "";

    memset(t, 0, sizeof *t);
    t->foreign = *from && !store_lock_is_holder(from);
    if (sscanf(from, "%319[ -~]\n%32[0-9a-f]\n%20[0-9]\n%127[ -~]", t->holder,
               t->mark, until, t->process) < 1)
        snprintf(t->holder, sizeof t->holder, "somebody");
    t->until = strtoull(until, NULL, 10);
}

/* The time since boot at which it began: proc_pid_stat(5), field 22.  The name
 * of the program, in brackets, may hold anything. */
static bool began(pid_t pid, unsigned long long *ticks)
{
    char path[48], stat[1024];
    const char *at;
    char *end;
    FILE *f;
    size_t n;

    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    if (!(f = fopen(path, "re")))
        return false;
    n = fread(stat, 1, sizeof stat - 1, f);
    fclose(f);
    stat[n] = '\0';
    at = strrchr(stat, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return false;
    *ticks = strtoull(at, &end, 10);
    return end != at;
}

/* "BOOT NAMESPACE PID START": containers share a host's name, and count their
 * processes each for itself.  "" where the system does not tell. */
static void name_process(pid_t pid, char out[PROCESS])
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    char boot[40] = "";
    unsigned long long start;
    struct stat ns;

    *out = '\0';
    if (f) {
        if (fscanf(f, "%39[0-9a-f-]", boot) != 1)
            *boot = '\0';
        fclose(f);
    }
    if (*boot && stat("/proc/self/ns/pid", &ns) == 0 && began(pid, &start))
        snprintf(out, PROCESS, "%s %llu %ld %llu", boot,
                 (unsigned long long)ns.st_ino, (long)pid, start);
}

static int say(struct store_lock *l)
{
    char text[STORE_LOCK_TEXT], holder[HOLDER], process[PROCESS];

    store_lock_holder(holder, sizeof holder);
    name_process(getpid(), process);
    snprintf(text, sizeof text, "%s\n%s\n%" PRIu64 "\n%s\n", holder, l->mark,
             l->ops->now(l->ctx) + STORE_LOCK_LIFE, process);
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

/* A process of this machine, and of this container, that is no more holds
 * nothing: its number may be another's by now, who began later. */
static bool is_dead(const struct text *t)
{
    char now[PROCESS];
    const char *number = strrchr(t->process, ' ');
    size_t space;
    long pid;

    name_process(getpid(), now);
    if (!*now || !number)
        return false;
    /* Boot and name space. */
    space = (size_t)(strchr(strchr(now, ' ') + 1, ' ') - now) + 1;
    if (strncmp(now, t->process, space) != 0)
        return false;
    pid = strtol(t->process + space, NULL, 10);
    if (pid < 1)
        return false;
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return true;
    name_process((pid_t)pid, now);
    return *now && strcmp(now, t->process) != 0;
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

static int refuse(const struct store_lock *l)
{
    return diag_error(DIAG_SERVER,
                      "'lock' in '%s' holds what ota-pack did not write, and "
                      "is left as it is: if it is yours, move it elsewhere; "
                      "that name is needed there",
                      l->where);
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
    if (result == STORE_MISSING || t->foreign) {
        if (!*bare_ms)
            *bare_ms = store_curl_ms();
        if (store_curl_ms() - *bare_ms < STORE_LOCK_SETTLE)
            return 1;
        l->forced = true;
        return t->foreign ? refuse(l) : take_over(l);
    }
    *bare_ms = 0;
    if (is_dead(t))
        return take_over(l);
    if (!break_it && t->until >= l->ops->now(l->ctx))
        return 1;
    l->forced = true;
    return take_over(l);
}

static int held(const struct store_lock *l, const struct text *t)
{
    return diag_error(DIAG_LOCK,
                      "'%s' is being published to by %s: try again later, wait "
                      "longer with '--lock-timeout 2m', or, if that publisher "
                      "is gone, take its lock with '--break-lock': should it "
                      "still run, it fails, and must be run again",
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
    l->forced = false;
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

bool store_lock_lost(struct store_lock *l)
{
    return l->held && is_ours(l) == 0;
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
