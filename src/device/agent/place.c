/* The agent's own, small: it has none of the host's rooms. */
#include <stdio.h>
#include <string.h>

#include "place.h"
#include "say.h"

enum { LONGEST = 32 };

static size_t smaller_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A byte that continues a character has no column of its own. */
static int is_column(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

/* The first `len` bytes of a line as blanks; tabs stay, so that what follows
 * stands below what it marks. */
static void put_margin(const char *line, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (line[i] == '\t' || is_column(line[i]))
            fputc(line[i] == '\t' ? '\t' : ' ', stderr);
    }
}

static void put_line(unsigned number, const char *line, size_t len, size_t at,
                     size_t width)
{
    int margin = fprintf(stderr, "%5u", number);
    size_t i;

    fputs(" | ", stderr);
    for (i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line[i];

        fputc(c == '\t' || (c >= 0x20 && c != 0x7f) ? c : '?', stderr);
    }
    fprintf(stderr, "\n%*s | ", margin, "");
    put_margin(line, at);
    fputc('^', stderr);
    for (i = 1; i < width && at + i < len; i++) {
        if (is_column(line[at + i]))
            fputc('~', stderr);
    }
    fputc('\n', stderr);
}

void place_error(const char *path, const char *text, size_t at, size_t width,
                 const char *format, va_list ap)
{
    char message[1024];
    unsigned number = 1, column = 1;
    size_t begin = 0, i;

    for (i = 0; i < at; i++) {
        column += is_column(text[i]) ? 1 : 0;
        if (text[i] != '\n')
            continue;
        begin = i + 1;
        column = 1;
        number++;
    }
    vsnprintf(message, sizeof(message), format, ap);
    say_plain("%s:%u:%u: error: %s", path, number, column, message);
    put_line(number, text + begin, strcspn(text + begin, "\r\n"), at - begin,
             width);
}

/* -- did you mean ----------------------------------------------------------
 */

/* Inserted, deleted, changed: each costs 1.  `b` has at most LONGEST bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t row[LONGEST + 1], len = strlen(b), i, j, corner, above;

    for (j = 0; j <= len; j++)
        row[j] = j;
    for (i = 1; *a; a++, i++) {
        corner = row[0];
        row[0] = i;
        for (j = 1; j <= len; j++) {
            above = row[j];
            row[j] = smaller_of(smaller_of(above, row[j - 1]) + 1,
                                corner + ((*a | 0x20) != (b[j - 1] | 0x20)));
            corner = above;
        }
    }
    return row[len];
}

const char *place_suggest(const char *typed, const void *first, size_t count,
                          size_t step)
{
    static const char *const others[][2] = {
        {"server", "url"},    {"id", "device"},   {"mac", "device"},
        {"folder", "root"},   {"dir", "root"},    {"public-key", "key"},
        {"install", "apply"}, {"update", "poll"}, {"check", "poll"},
        {"rollback", "undo"}};
    const char *best = NULL, *name;
    size_t best_distance = LONGEST, d, i;

    typed += strspn(typed, "-");
    for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
        if (strcmp(typed, others[i][0]) == 0)
            typed = others[i][1];
    }
    for (i = 0; i < count && strlen(typed) <= LONGEST; i++) {
        name = *(const char *const *)(const void *)((const char *)first +
                                                    i * step);
        d = distance(typed, name);
        if (d < best_distance && d < strlen(name) &&
            d <= (strlen(name) >= 6 ? strlen(name) / 3 : 1)) {
            best = name;
            best_distance = d;
        }
    }
    return best;
}
