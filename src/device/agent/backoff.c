/* Back-off after three failing polls in a row, doubled with each further one,
 * with jitter.  It is kept below /run, so never in flash, and is forgotten with
 * a boot; the clock is the one that counts since then. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backoff.h"

enum {
    FREE_FAILURES = 3,
    FIRST_DELAY = 60,  /* seconds */
    MOST_DELAY = 3600, /* seconds */
    FILE_NAME = 512
};

struct backoff {
    unsigned failures;
    unsigned long long until; /* seconds since boot */
};

/* One file for each root.  NULL: nowhere to keep it. */
static const char *file_of(const struct agent *a, char name[FILE_NAME])
{
    const char *dir = a->options->run_dir, *user = getenv("XDG_RUNTIME_DIR");
    struct stat st;

    if (fstat(a->posix.root, &st) != 0)
        return NULL;
    if (dir || geteuid() == 0 || !user)
        snprintf(name, FILE_NAME, "%.400s", dir ? dir : "/run/ota-agent");
    else
        snprintf(name, FILE_NAME, "%.400s/ota-agent", user);
    if (mkdir(name, 0755) != 0 && errno != EEXIST)
        return NULL;
    snprintf(name + strlen(name), FILE_NAME - strlen(name), "/%llx-%llx",
             (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    return name;
}

static unsigned long long uptime(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (unsigned long long)t.tv_sec;
}

static void load(const struct agent *a, struct backoff *b)
{
    char name[FILE_NAME];
    char line[64] = "", *end;
    FILE *f = file_of(a, name) ? fopen(name, "re") : NULL;

    memset(b, 0, sizeof(*b));
    if (!f)
        return;
    if (fgets(line, sizeof(line), f)) {
        b->failures = (unsigned)strtoul(line, &end, 10);
        b->until = strtoull(end, NULL, 10);
    }
    fclose(f);
}

unsigned backoff_left(const struct agent *a)
{
    unsigned long long now = uptime();
    struct backoff b;

    load(a, &b);
    /* one from before a boot counts for nothing */
    if (b.until <= now || b.until > now + MOST_DELAY)
        return 0;
    return (unsigned)(b.until - now);
}

/* Between half of it and all of it. */
static unsigned delay(unsigned failures)
{
    unsigned d = FIRST_DELAY;

    if (failures < FREE_FAILURES)
        return 0;
    while (failures-- > FREE_FAILURES && d < MOST_DELAY)
        d *= 2;
    d = d < MOST_DELAY ? d : MOST_DELAY;
    return d / 2 + trust_random(d / 2);
}

void backoff_note(const struct agent *a, bool failed)
{
    char name[FILE_NAME], text[64];
    struct backoff b;
    int fd, len;

    load(a, &b);
    if (!file_of(a, name) || (!failed && b.failures == 0))
        return;
    if (!failed) {
        unlink(name);
        return;
    }
    len = snprintf(text, sizeof(text), "%u %llu\n", b.failures + 1,
                   uptime() + delay(b.failures + 1));
    fd =
        open(name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    (void)!write(fd, text, (size_t)len);
    close(fd);
}
