/* The text of a lock: lines, "HOLDER", "MARK", "UNTIL", "PROCESS". */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lock.h"

/* Names of users and hosts may be of any bytes: what is not plain is '?'. */
static void make_plain(char *text)
{
    for (; *text; text++)
        if (*text != '\n' && (*text < ' ' || *text > '~'))
            *text = '?';
}

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
    make_plain(out);
}

static bool is_holder(const char *text)
{
    char line[STORE_LOCK_HOLDER];
    const char *on;

    if (sscanf(text, "%319[ -~]", line) != 1)
        return false;
    on = strstr(line, " on ");
    return on && strstr(on, ", process ");
}

static unsigned count_lines(const char *text)
{
    unsigned count = 0;

    while ((text = strchr(text, '\n'))) {
        text++;
        count++;
    }
    return count;
}

void store_lock_parse(const char *text, struct store_lock_text *t)
{
    char from[STORE_LOCK_TEXT], until[24] = "";

    snprintf(from, sizeof from, "%s", text);
    make_plain(from);
    memset(t, 0, sizeof *t);
    t->whole = count_lines(from) >= 3;
    t->foreign = *from && !is_holder(from);
    if (sscanf(from, "%319[ -~]\n%32[0-9a-f]\n%20[0-9]\n%127[ -~]", t->holder,
               t->mark, until, t->process) < 1)
        snprintf(t->holder, sizeof t->holder, STORE_LOCK_NOBODY);
    t->until = strtoull(until, NULL, 10);
}

/* The time since boot at which it began: proc_pid_stat(5), field 22.  The name
 * of the program, in brackets, may hold anything. */
static bool began_at(pid_t pid, unsigned long long *ticks)
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
static void name_process(pid_t pid, char out[STORE_LOCK_PROCESS])
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
    if (*boot && stat("/proc/self/ns/pid", &ns) == 0 && began_at(pid, &start))
        snprintf(out, STORE_LOCK_PROCESS, "%s %llu %ld %llu", boot,
                 (unsigned long long)ns.st_ino, (long)pid, start);
}

void store_lock_compose(char text[STORE_LOCK_TEXT], const char *mark,
                        uint64_t until)
{
    char holder[STORE_LOCK_HOLDER], process[STORE_LOCK_PROCESS];

    store_lock_holder(holder, sizeof holder);
    name_process(getpid(), process);
    snprintf(text, STORE_LOCK_TEXT, "%s\n%s\n%" PRIu64 "\n%s\n", holder, mark,
             until, process);
}

bool store_lock_is_dead(const struct store_lock_text *t)
{
    char now[STORE_LOCK_PROCESS];
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
