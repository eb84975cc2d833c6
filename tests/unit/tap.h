/* TAP for C units: check(condition, what...), then return tap_done(). */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

static inline bool tap_check(bool ok, const char *file, int line,
                             const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static inline bool tap_check(bool ok, const char *file, int line,
                             const char *fmt, ...)
{
    va_list ap;

    printf("%sok %d - ", ok ? "" : "not ", ++tap_count);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
    if (!ok) {
        tap_failed++;
        printf("# failed at %s:%d\n", file, line);
    }
    return ok;
}

#define check(cond, ...) tap_check(!!(cond), __FILE__, __LINE__, __VA_ARGS__)

/* What `make soak` says: as much as there is, not what a check has time for. */
static inline bool tap_soak(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "soak") == 0;
}

static inline int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed != 0;
}

#endif
