/* Messages.  Nothing that came from a server gets to a terminal as it is. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "say.h"

enum { LINE = 2048 };

static bool say_quiet, say_verbose;

void say_init(bool quiet, bool verbose)
{
    say_quiet = quiet;
    say_verbose = verbose && !quiet;
}

__attribute__((format(printf, 3, 0))) static void
line(FILE *out, const char *before, const char *format, va_list ap)
{
    char text[LINE];
    char *s;

    vsnprintf(text, sizeof(text), format, ap);
    for (s = text; *s; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
    }
    fprintf(out, "%s%s\n", before, text);
    fflush(out);
}

int say_error(int status, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    line(stderr, "ota-agent: ", format, ap);
    va_end(ap);
    return status;
}

void say_plain(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    line(stderr, "", format, ap);
    va_end(ap);
}

void say(const char *format, ...)
{
    va_list ap;

    if (say_quiet)
        return;
    va_start(ap, format);
    line(stdout, "", format, ap);
    va_end(ap);
}

void say_more(const char *format, ...)
{
    va_list ap;

    if (!say_verbose)
        return;
    va_start(ap, format);
    line(stdout, "", format, ap);
    va_end(ap);
}

void say_idle(const char *format, ...)
{
    va_list ap;

    if (say_quiet || (!say_verbose && !isatty(STDOUT_FILENO)))
        return;
    va_start(ap, format);
    line(stdout, "", format, ap);
    va_end(ap);
}

const char *say_plural(unsigned n)
{
    return n == 1 ? "" : "s";
}
