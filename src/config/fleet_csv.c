/* Lists of devices in CSV: RFC 4180, the first line names the columns. */
#include <string.h>
#include "fleet_reading.h"
#include "base/utf8.h"

enum { COLUMNS = 256 };

struct field {
    const char *text; /* in the source, without its quotes */
    size_t len;
    bool escaped; /* holds "" for " */
    uint32_t line;
    const char *line_start;
};

struct csv {
    struct fleet *fleet;
    const struct diag_source *source;
    uint32_t release;
    const char *at, *end, *line_start;
    uint32_t line;
    struct field fields[COLUMNS]; /* of the row; more are only counted */
    size_t count, filled; /* fields; as far as the last that is not empty */
    const char *columns[COLUMNS];  /* names; NULL: it has none */
    size_t column_count, id, name; /* COLUMNS: there is none */
};

static struct diag_mark mark_of(const struct csv *c, const struct field *f)
{
    size_t before =
        utf8_count(f->line_start, (size_t)(f->text - f->line_start));
    const char *nl = memchr(f->text, '\n', f->len);
    size_t width = nl ? (size_t)(nl - f->text) : f->len;

    return (struct diag_mark){c->source, f->line, (uint32_t)before + 1,
                              (uint32_t)utf8_count(f->text, width)};
}

static bool at_break(const struct csv *c)
{
    return c->at == c->end || *c->at == '\n' || *c->at == '\r';
}

/* Over LF, CR LF or CR. */
static void take_break(struct csv *c)
{
    if (c->at < c->end && *c->at == '\r')
        c->at++;
    if (c->at < c->end && *c->at == '\n')
        c->at++;
    c->line++;
    c->line_start = c->at;
}

static void skip_blanks(struct csv *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
        c->at++;
}

/* From behind the opening quote to behind the closing one. */
static int take_quoted(struct csv *c, struct field *f)
{
    struct field quote = *f;

    quote.text = c->at - 1;
    quote.len = 1;
    f->text = c->at;
    while (c->at < c->end) {
        if (*c->at == '\n' || *c->at == '\r') {
            take_break(c);
        } else if (*c->at++ != '"') {
            continue;
        } else if (c->at < c->end && *c->at == '"') {
            f->escaped = true;
            c->at++;
        } else {
            f->len = (size_t)(c->at - 1 - f->text);
            return 0;
        }
    }
    return diag_error_at(DIAG_CONFIG, mark_of(c, &quote),
                         "this quote is never closed");
}

/* The field is what separates them instead. */
static int say_separator(const struct csv *c, const struct field *f)
{
    if (*f->text == '\t')
        return diag_error_at(DIAG_CONFIG, mark_of(c, f),
                             "separate columns with ',', not with tabs");
    return diag_error_at(DIAG_CONFIG, mark_of(c, f),
                         "separate columns with ',', not with '%c'", *f->text);
}

static int take_field(struct csv *c, struct field *f)
{
    *f = (struct field){.line = c->line, .line_start = c->line_start};
    skip_blanks(c);
    f->text = c->at;
    if (c->at < c->end && *c->at == '"') {
        c->at++;
        if (take_quoted(c, f) < 0)
            return -1;
        skip_blanks(c);
        if (at_break(c) || *c->at == ',')
            return 0;
        *f = (struct field){c->at, 1, false, c->line, c->line_start};
        if (*c->at == ';' || *c->at == '|')
            return say_separator(c, f);
        return diag_error_at(
            DIAG_CONFIG, mark_of(c, f),
            "text after a closing quote: write \"\" for a quote within quotes");
    }
    while (!at_break(c) && *c->at != ',')
        c->at++;
    f->len = (size_t)(c->at - f->text);
    while (f->len &&
           (f->text[f->len - 1] == ' ' || f->text[f->len - 1] == '\t'))
        f->len--;
    return 0;
}

static void skip_line(struct csv *c)
{
    while (!at_break(c))
        c->at++;
    take_break(c);
}

/* Reads one row.  1, or 0 if it is to be left out (reported). */
static int take_row(struct csv *c)
{
    struct field spare = {0}, *f;

    c->count = c->filled = 0;
    for (;;) {
        f = c->count < COLUMNS ? &c->fields[c->count] : &spare;
        if (take_field(c, f) < 0) {
            skip_line(c);
            return 0;
        }
        c->count++;
        if (f->len)
            c->filled = c->count;
        if (at_break(c)) {
            take_break(c);
            return 1;
        }
        c->at++;
    }
}

static char *copy(struct csv *c, const struct field *f)
{
    char *out = arena_text(c->fleet->arena, f->text, f->len), *to = out;

    if (!out || !f->escaped)
        return out;
    for (const char *p = out; p < out + f->len; p++) {
        *to++ = *p;
        if (*p == '"')
            p++;
    }
    *to = '\0';
    return out;
}

static int take_column(struct csv *c, size_t i)
{
    const struct field *f = &c->fields[i];
    const char *wrong = fleet_wrong_key(f->text, f->len);

    c->columns[i] = NULL;
    if (!f->len)
        return 0;
    if (!(c->columns[i] = copy(c, f)))
        return -1;
    if (wrong)
        diag_error_at(DIAG_CONFIG, mark_of(c, f), "column name '%s' %s",
                      c->columns[i], wrong);
    for (size_t j = 0; j < i; j++)
        if (c->columns[j] && strcmp(c->columns[i], c->columns[j]) == 0)
            diag_error_at(DIAG_CONFIG, mark_of(c, f), "two columns '%s'",
                          c->columns[i]);
    if (strcmp(c->columns[i], "id") == 0)
        c->id = i;
    else if (strcmp(c->columns[i], "name") == 0)
        c->name = i;
    return 0;
}

static int say_no_id(struct csv *c)
{
    const char *near = NULL;
    static const char *const id[] = {"id"};

    for (size_t i = 0; i < c->column_count && !near; i++)
        if (c->columns[i] && diag_suggest(c->columns[i], id, 1))
            near = c->columns[i];
    if (near)
        return diag_error_at(DIAG_CONFIG, mark_of(c, &c->fields[0]),
                             "no column 'id': rename '%s'", near);
    return diag_error_at(DIAG_CONFIG, mark_of(c, &c->fields[0]),
                         "no column 'id': the first line names the columns, "
                         "like 'id,name'");
}

/* Whether the line that is next has no comma before another separator; tabs
 * are blanks where there is a comma. */
static bool other_separator(const struct csv *c, struct field *f)
{
    const char *tab = NULL, *at = NULL, *p = c->at;
    bool quoted = false;

    for (; p < c->end && *p != '\r' && *p != '\n' && !at; p++) {
        quoted ^= *p == '"';
        if (quoted || *p == ' ')
            continue;
        if (*p == ',')
            return false;
        if (*p == ';' || *p == '|' || (tab && *p != '\t'))
            at = *p == ';' || *p == '|' ? p : tab;
        else if (*p == '\t' && !tab && p > c->at)
            tab = p;
    }
    if (at)
        *f = (struct field){at, 1, false, c->line, c->line_start};
    return at;
}

/* The first row.  1, 0 if the list cannot be read (reported), -1: memory. */
static int take_header(struct csv *c)
{
    unsigned before = diag_errors();
    struct field other;

    do {
        if (c->at == c->end) {
            struct diag_mark start = {c->source, 1, 1, 0};

            diag_error_at(DIAG_CONFIG, start,
                          "the list is empty: its first line names the "
                          "columns, like 'id,name'");
            return 0;
        }
        if (other_separator(c, &other)) {
            say_separator(c, &other);
            return 0;
        }
        if (!take_row(c))
            return 0;
    } while (!c->filled);
    if (c->filled > COLUMNS) {
        diag_error_at(DIAG_CONFIG, mark_of(c, &c->fields[0]),
                      "more than %d columns", COLUMNS);
        return 0;
    }
    c->column_count = c->filled;
    c->id = c->name = COLUMNS;
    for (size_t i = 0; i < c->filled; i++)
        if (take_column(c, i) < 0)
            return -1;
    if (c->id == COLUMNS)
        say_no_id(c);
    return diag_errors() == before;
}

static int take_id(struct csv *c, struct device *d)
{
    const struct field *f = &c->fields[c->id];

    d->mark = mark_of(c, f);
    if (!f->len)
        return diag_error_at(DIAG_CONFIG, d->mark, "no device id");
    return fleet_take_id(d->mark, f->text, f->len, &d->id);
}

/* 0, 1 if it is wrong (reported), -1: memory. */
static int take_value(struct csv *c, struct device *d, size_t i)
{
    const struct field *f = &c->fields[i];
    const char *wrong, *text;

    if (!f->len || i == c->id)
        return 0;
    if (!c->columns[i]) {
        diag_error_at(DIAG_CONFIG, mark_of(c, f),
                      "column %zu has no name in the first line", i + 1);
        return 1;
    }
    wrong = i == c->name ? fleet_wrong_name(f->text, f->len, &d->id)
                         : fleet_wrong_value(f->text, f->len);
    if (wrong) {
        diag_error_at(DIAG_CONFIG, mark_of(c, f), "%s '%.*s' %s", c->columns[i],
                      (int)f->len, f->text, wrong);
        return 1;
    }
    if (!(text = copy(c, f)))
        return -1;
    if (i == c->name) {
        d->name = text;
        return 0;
    }
    return fleet_add_value(c->fleet, &d->values, c->columns[i], text);
}

static int take_device(struct csv *c)
{
    struct device d = {.release = c->release, .selected = true};
    bool wrong;

    if (c->count < c->column_count || c->filled > c->column_count) {
        struct diag_mark row = mark_of(c, &c->fields[0]);
        const struct field *f = &c->fields[0];
        struct field other = {memchr(f->text, ';', f->len), 1, false, f->line,
                              f->line_start};

        if (c->count == 1 && other.text) {
            say_separator(c, &other);
            return 0;
        }
        diag_error_at(DIAG_CONFIG, row,
                      "%zu field%s where the first line names %zu column%s",
                      c->count, c->count == 1 ? "" : "s", c->column_count,
                      c->column_count == 1 ? "" : "s");
        return 0;
    }
    wrong = take_id(c, &d) < 0;
    for (size_t i = c->column_count; i-- > 0;) {
        int r = take_value(c, &d, i);

        if (r < 0)
            return -1;
        wrong |= r > 0;
    }
    return wrong ? 0 : fleet_add(c->fleet, &d);
}

static int take_devices(struct csv *c)
{
    size_t rows = 0;

    while (c->at < c->end) {
        if (!take_row(c)) {
            rows++;
            continue;
        }
        if (!c->filled)
            continue;
        rows++;
        if (take_device(c) < 0)
            return -1;
    }
    if (!rows) {
        struct diag_mark start = {c->source, 1, 1, 0};

        diag_error_at(DIAG_CONFIG, start, "no device is listed here");
    }
    return 0;
}

/* True if all of it is UTF-8; else the first place where it is not. */
static bool is_utf8(struct csv *c)
{
    size_t len = (size_t)(c->end - c->at), good = utf8_valid(c->at, len);
    const char *bad = c->at + good;
    struct field f = {bad, 1, false, 0, NULL};

    if (good == len)
        return true;
    while (c->at < bad) {
        if (at_break(c))
            take_break(c);
        else
            c->at++;
    }
    f.line = c->line;
    f.line_start = c->line_start;
    diag_error_at(DIAG_CONFIG, mark_of(c, &f),
                  "byte 0x%02x is not UTF-8: save the file as UTF-8",
                  (unsigned char)*bad);
    return false;
}

int fleet_csv_load(struct fleet *f, const struct diag_source *source,
                   uint32_t release)
{
    struct csv c = {
        .fleet = f, .source = source, .release = release, .line = 1};
    int r;

    c.at = c.line_start = source->text;
    c.end = source->text + source->len;
    if (!is_utf8(&c))
        return 0;
    r = take_header(&c);
    return r > 0 ? take_devices(&c) : r;
}
