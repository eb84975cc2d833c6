/* A diagnostic as compilers print it, with the source line and a caret. */
#include <stdlib.h>
#include <string.h>
#include "diag_private.h"
#include "utf8.h"

/* Characters of a source line that are shown; of a longer one a part around
 * the mark, of which LEAD are before it. */
enum { SHOWN = 120, LEAD = 60 };

#define BOLD  "\033[1m"
#define GREEN "\033[1;32m"
#define PLAIN "\033[0m"

struct line {
    const char *text; /* without its break */
    size_t len;
};

/* Where the last line was found, for errors and for what goes with them:
 * thousands of marks into one list come in its order. */
static struct place {
    const struct diag_source *source;
    uint32_t line;
    size_t offset;
} places[2];

void diag_print_forget(void)
{
    memset(places, 0, sizeof places);
}

/* The offset behind the line that begins at `at`, its break included: LF,
 * CR LF or CR.  *end: where the break begins. */
static size_t line_end(const struct diag_source *s, size_t at, size_t *end)
{
    while (at < s->len && s->text[at] != '\n' && s->text[at] != '\r')
        at++;
    *end = at;
    if (at < s->len && s->text[at] == '\r')
        at++;
    if (at < s->len && s->text[at] == '\n')
        at++;
    return at;
}

static bool find_line(const struct diag_mark *m, struct place *p,
                      struct line *out)
{
    const struct diag_source *s = m->source;
    size_t next, end;

    if (p->source != s || p->line > m->line || p->offset > s->len)
        *p = (struct place){s, 1, 0};
    for (;;) {
        next = line_end(s, p->offset, &end);
        if (p->line == m->line)
            break;
        if (end == s->len)
            return false;
        p->offset = next;
        p->line++;
    }
    *out = (struct line){s->text + p->offset, end - p->offset};
    return true;
}

/* One character as it is printed: itself, or an escape.  Returns its bytes in
 * the source; *columns is what it takes, 0 for a tab, which is kept. */
static size_t show(char buf[12], const char *text, size_t len,
                   unsigned *columns)
{
    uint32_t point;
    size_t n = utf8_next(text, len, &point);

    if (n && utf8_hidden(point)) {
        *columns = (unsigned)snprintf(buf, 12, "<U+%04X>", (unsigned)point);
        return n;
    }
    if (n && (point == '\t' || !utf8_control(point))) {
        memcpy(buf, text, n);
        buf[n] = '\0';
        *columns = point == '\t' ? 0 : utf8_width(point);
        return n;
    }
    *columns = (unsigned)snprintf(
        buf, 12, n && point > 0xff ? "\\u%04x" : "\\x%02x",
        n ? (unsigned)point : (unsigned)(unsigned char)text[0]);
    return n ? n : 1;
}

static void put_clean(FILE *out, const char *text)
{
    char buf[12];
    unsigned columns;
    size_t len = strlen(text);

    for (size_t i = 0; i < len;) {
        i += show(buf, text + i, len - i, &columns);
        fputs(strcmp(buf, "\t") == 0 ? "\\x09" : buf, out);
    }
}

/* The part of a line that is shown, in characters from 0. */
struct window {
    size_t first, end; /* end excluded */
    bool cut_before, cut_behind;
    size_t mark, mark_end; /* what is underlined */
};

static struct window window_of(const struct line *l, const struct diag_mark *m)
{
    size_t count = utf8_count(l->text, l->len);
    struct window w = {.end = count, .mark = m->col ? m->col - 1 : 0};

    if (w.mark > count)
        w.mark = count;
    if (count > SHOWN) {
        if (w.mark > SHOWN - LEAD / 2)
            w.first = w.mark - LEAD;
        if (count - w.first > SHOWN)
            w.end = w.first + SHOWN;
        w.cut_before = w.first > 0;
        w.cut_behind = w.end < count;
    }
    w.mark_end = w.mark + (m->width ? m->width : 1);
    if (w.mark_end > w.end)
        w.mark_end = w.end > w.mark ? w.end : w.mark + 1;
    return w;
}

static void put_line(FILE *out, const struct line *l, const struct window *w)
{
    char buf[12];
    unsigned columns;
    size_t at = 0;

    if (w->cut_before)
        fputs("...", out);
    for (size_t i = 0; i < w->end && at < l->len; i++) {
        at += show(buf, l->text + at, l->len - at, &columns);
        if (i >= w->first)
            fputs(buf, out);
    }
    if (w->cut_behind)
        fputs("...", out);
    fputc('\n', out);
}

static void put_times(FILE *out, char c, unsigned count)
{
    while (count--)
        fputc(c, out);
}

static void put_caret(FILE *out, const struct line *l, const struct window *w)
{
    char buf[12];
    unsigned columns;
    size_t at = 0;

    if (w->cut_before)
        fputs("   ", out);
    for (size_t i = 0; i < w->mark_end; i++) {
        columns = 1;
        if (at < l->len)
            at += show(buf, l->text + at, l->len - at, &columns);
        if (i < w->first)
            continue;
        if (i < w->mark && !columns && strcmp(buf, "\t") == 0)
            fputc('\t', out);
        else if (i < w->mark)
            put_times(out, ' ', columns);
        else if (i > w->mark)
            put_times(out, '~', columns ? columns : 1);
        else {
            fputc('^', out);
            put_times(out, '~', columns ? columns - 1 : 0);
        }
    }
}

static void put_source(FILE *out, const struct diag_event *e, bool color)
{
    struct place *p = &places[e->level == DIAG_ERROR ? 0 : 1];
    struct window w;
    struct line l;
    int margin;

    if (!find_line(&e->mark, p, &l))
        return;
    w = window_of(&l, &e->mark);
    margin = fprintf(out, "%5u", (unsigned)e->mark.line);
    fputs(" | ", out);
    put_line(out, &l, &w);
    fprintf(out, "%*s | %s", margin, "", color ? GREEN : "");
    put_caret(out, &l, &w);
    fprintf(out, "%s\n", color ? PLAIN : "");
}

/* "error:" is left out behind the program's name: whoever reads that a file
 * cannot be opened knows. */
static void put_level(FILE *out, const struct diag_event *e, bool color)
{
    static const char *const words[] = {"error", "warning", "note"};
    static const char *const colors[] = {"\033[1;31m", "\033[1;35m",
                                         "\033[1;36m"};

    if (e->level != DIAG_ERROR || e->mark.source)
        fprintf(out, "%s%s:%s ", color ? colors[e->level] : "", words[e->level],
                color ? PLAIN : "");
    else if (color)
        fputs(PLAIN, out);
}

static void put_event(FILE *out, const struct diag_event *e, bool color)
{
    const struct diag_mark *m = &e->mark;

    if (color)
        fputs(BOLD, out);
    put_clean(out, m->source ? m->source->name : "ota-pack");
    if (m->source && m->line)
        fprintf(out, ":%u:%u", (unsigned)m->line, m->col ? m->col : 1u);
    fputs(": ", out);
    put_level(out, e, color);
    put_clean(out, e->message);
    fputc('\n', out);
    if (m->source && m->line && m->source->text)
        put_source(out, e, color);
}

/* In one write: standard error has no buffer, and may be shared. */
void diag_print(FILE *out, const struct diag_event *e, bool color)
{
    char *text = NULL;
    size_t len = 0;
    FILE *whole = open_memstream(&text, &len);

    if (!whole) {
        put_event(out, e, color);
        return;
    }
    put_event(whole, e, color);
    if (fclose(whole) == 0)
        fwrite(text, 1, len, out);
    free(text);
}
