/* Rows of cells, two blanks between them, none behind the last. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/utf8.h"
#include "msg.h"
#include "table.h"

enum { GAP = 2, DOTS = 3 };

size_t table_room(void)
{
    const char *text = getenv("COLUMNS");
    char *end = NULL;
    unsigned long columns = text ? strtoul(text, &end, 10) : 0;
    struct winsize w;

    if (columns && columns < 10000 && !*end)
        return columns;
    if (!isatty(STDOUT_FILENO))
        return SIZE_MAX;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col
                                                                 : 80;
}

static size_t width_of(const struct table *t)
{
    size_t width = 0;

    for (int i = 0; i < t->column_count; i++)
        if (t->widths[i])
            width += t->widths[i] + (width ? GAP : 0);
    return width;
}

/* No narrower than it must be. */
static void take_step(struct table *t, size_t room, const struct table_step *s)
{
    size_t over = width_of(t) - room, *width = &t->widths[s->column];

    if (*width <= s->width)
        return;
    if (s->width && *width - s->width > over)
        *width -= over;
    else
        *width = s->width;
}

void table_fit(struct table *t, size_t room, const struct table_step *steps,
               size_t step_count)
{
    for (size_t i = 0; i < step_count && width_of(t) > room; i++)
        take_step(t, room, &steps[i]);
}

/* Returns the columns that it took. */
static size_t put_cut(const char *text, size_t width)
{
    size_t len = strlen(text), columns = utf8_columns(text, len), fit;

    if (columns <= width) {
        msg_text(stdout, text, len);
        return columns;
    }
    fit = utf8_fit(text, len, width > DOTS ? width - DOTS : width);
    msg_text(stdout, text, fit);
    if (width > DOTS)
        fputs("...", stdout);
    return utf8_columns(text, fit) + (width > DOTS ? DOTS : 0);
}

void table_cell(struct table *t, const char *text)
{
    size_t width = t->widths[t->at];

    if (width && *text) {
        printf("%*s", (int)t->behind, "");
        t->behind = width + GAP - put_cut(text, width);
    } else if (width) {
        t->behind += width + GAP;
    }
    if (++t->at < t->column_count)
        return;
    putchar('\n');
    t->at = 0;
    t->behind = 0;
}
