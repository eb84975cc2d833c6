/* status: what every device has, as the index says. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "msg.h"
#include "base/utf8.h"
#include "servers.h"
#include "table.h"

enum { NAME, ID, RELEASE, VERSION, LABEL, WHEN, NOTE, COLUMNS, CELL = 40 };
enum { WHEN_MINUTES = 16, WHEN_DAY = 10, NOTE_MAX = 512 };

/* One device, configured or published or both. */
struct row {
    const struct device_id *id;
    const char *name;                     /* or NULL */
    const char *release;                  /* that it has, or is to have */
    const struct index_device *published; /* NULL: never */
    const char *label;                    /* of its version, or NULL */
    const char *moves_to; /* the configured release, where it is another */
    bool listed;
    bool withdrawn;
};

struct status {
    const struct cmd_global *g;
    const struct project *p;
    const struct index_device **entries; /* of each configured device */
    const struct index_device **sorted;  /* the same, by address */
    size_t sorted_count;
    bool all; /* not narrowed: devices that are not listed, too */
    struct table table;
    bool notes_below; /* NOTE has no room beside the others */
    size_t devices, never, not_listed, withdrawn;
};

static int by_address(const void *a, const void *b)
{
    uintptr_t p = (uintptr_t) * (const struct index_device *const *)a;
    uintptr_t q = (uintptr_t) * (const struct index_device *const *)b;

    return (p > q) - (p < q);
}

static int find_entries(struct status *s)
{
    const struct config *c = s->p->config;

    s->entries = calloc(c->device_count + 1, sizeof(struct index_device *));
    s->sorted = calloc(c->device_count + 1, sizeof(struct index_device *));
    if (!s->entries || !s->sorted)
        return diag_no_memory();
    for (size_t i = 0; i < c->device_count; i++) {
        s->entries[i] = index_device(s->p->index, &c->devices[i].id);
        if (s->entries[i])
            s->sorted[s->sorted_count++] = s->entries[i];
    }
    qsort(s->sorted, s->sorted_count, sizeof(struct index_device *),
          by_address);
    return 0;
}

static bool is_listed(const struct status *s, const struct index_device *d)
{
    return bsearch(&d, s->sorted, s->sorted_count,
                   sizeof(struct index_device *), by_address) != NULL;
}

static void fill_published(struct row *row, const struct index *x,
                           const struct index_device *d)
{
    const struct index_version *v =
        index_version(index_release(x, d->release), d->version);

    row->release = d->release;
    row->withdrawn = index_withdrawn(d);
    if (row->withdrawn)
        return;
    row->published = d;
    row->label = v && v->label[0] ? v->label : NULL;
}

static struct row configured_row(const struct status *s, size_t i)
{
    const struct config *c = s->p->config;
    const struct device *d = &c->devices[i];
    const char *release = c->releases[d->release].name.text;
    struct row row = {
        .id = &d->id, .name = d->name, .release = release, .listed = true};

    if (s->entries[i]) {
        fill_published(&row, s->p->index, s->entries[i]);
        if (strcmp(row.release, release) != 0)
            row.moves_to = release;
    }
    return row;
}

static void each_row(struct status *s,
                     void (*call)(struct status *s, const struct row *row))
{
    const struct index *x = s->p->index;
    struct row row;

    for (size_t i = 0; i < s->p->config->device_count; i++) {
        if (!s->p->config->devices[i].selected)
            continue;
        row = configured_row(s, i);
        call(s, &row);
    }
    for (size_t i = 0; s->all && i < index_device_count(x); i++) {
        const struct index_device *d = index_device_at(x, i);

        if (is_listed(s, d) || (index_withdrawn(d) && !s->g->verbose))
            continue;
        row = (struct row){.id = &d->id, .name = d->name};
        fill_published(&row, x, d);
        call(s, &row);
    }
}

static void cell_time(const struct row *row, char cell[CELL])
{
    time_t t;
    struct tm tm;

    if (!row->published) {
        snprintf(cell, CELL, row->withdrawn ? "withdrawn" : "never");
        return;
    }
    t = (time_t)row->published->created;
    if (!localtime_r(&t, &tm) ||
        !strftime(cell, CELL, "%Y-%m-%d %H:%M:%S", &tm))
        snprintf(cell, CELL, "%" PRIu64, row->published->created);
}

/* The text of a column; `cell` is for those that are no string yet. */
static const char *column(const struct row *row, int i, char cell[CELL])
{
    const char *text = NULL;

    if (i == ID) {
        device_id_text(row->id, cell);
        return cell;
    }
    if (i == VERSION && row->published) {
        snprintf(cell, CELL, "%" PRIu32, row->published->version);
        return cell;
    }
    if (i == WHEN) {
        cell_time(row, cell);
        return cell;
    }
    if (i == NAME)
        text = row->name;
    else if (i == RELEASE)
        text = row->release;
    else if (i == LABEL)
        text = row->label;
    return text ? text : "-";
}

static const char *note_of(const struct row *row, char note[NOTE_MAX])
{
    if (row->moves_to)
        snprintf(note, NOTE_MAX, "moves to '%s'", row->moves_to);
    else
        snprintf(note, NOTE_MAX, "%s", row->listed ? "" : "not listed");
    return note;
}

static void widen(struct status *s, int i, const char *text)
{
    size_t width = utf8_columns(text, strlen(text));

    if (width > s->table.widths[i])
        s->table.widths[i] = width;
}

static void measure_row(struct status *s, const struct row *row)
{
    char cell[CELL], note[NOTE_MAX];

    for (int i = 0; i < NOTE; i++)
        widen(s, i, column(row, i, cell));
    widen(s, NOTE, note_of(row, note));
    s->devices++;
    s->never += !row->published && !row->withdrawn;
    s->not_listed += !row->listed;
    s->withdrawn += row->withdrawn;
}

/* A time is cut where one of its parts ends. */
static void cut_time(const struct status *s, char cell[CELL])
{
    size_t width = s->table.widths[WHEN];

    if (width < strlen(cell))
        cell[width < WHEN_MINUTES ? WHEN_DAY : WHEN_MINUTES] = '\0';
}

static void print_row(struct status *s, const struct row *row)
{
    char cell[CELL], note[NOTE_MAX];

    note_of(row, note);
    for (int i = 0; i < NOTE; i++) {
        const char *text = column(row, i, cell);

        if (i == WHEN)
            cut_time(s, cell);
        table_cell(&s->table, text);
    }
    table_cell(&s->table, note);
    if (s->notes_below && *note) {
        fputs("  ", stdout);
        msg_text(stdout, note, strlen(note));
        putchar('\n');
    }
}

static void print_json(struct status *s, const struct row *row)
{
    char cell[CELL];
    struct json j;

    (void)s;
    json_begin(&j, stdout, "device");
    device_id_hex(row->id, cell);
    json_string(&j, "id", cell);
    json_string(&j, "name", row->name);
    json_string(&j, "release", row->release);
    if (row->published) {
        json_number(&j, "version", row->published->version);
    } else {
        json_string(&j, "version", NULL);
    }
    json_string(&j, "label", row->label);
    if (row->published)
        json_number(&j, "created", row->published->created);
    else
        json_string(&j, "created", NULL);
    json_bool(&j, "listed", row->listed);
    if (row->withdrawn)
        json_bool(&j, "withdrawn", true);
    if (row->moves_to)
        json_string(&j, "moves_to", row->moves_to);
    json_end(&j);
}

static size_t published(const struct status *s)
{
    return s->devices - s->never - s->withdrawn;
}

/* NAME is what people look for: others are cut before it, and go before it is
 * cut to the bone.  A note that has no room gets a line of its own. */
static void fit(struct status *s)
{
    static const struct table_step steps[] = {{WHEN, WHEN_MINUTES},
                                              {LABEL, 10},
                                              {RELEASE, 12},
                                              {WHEN, WHEN_DAY},
                                              {LABEL, 6},
                                              {RELEASE, 8},
                                              {NOTE, 0},
                                              {LABEL, 0},
                                              {RELEASE, 7},
                                              {WHEN, 0},
                                              {RELEASE, 0},
                                              {NAME, 8},
                                              {NAME, 4}};
    bool notes = s->table.widths[NOTE] > 0;

    table_fit(&s->table, table_room(), steps, sizeof steps / sizeof *steps);
    s->notes_below = notes && !s->table.widths[NOTE];
}

static void print_table(struct status *s)
{
    static const char *const heads[COLUMNS] = {
        "NAME", "ID", "RELEASE", "VERSION", "LABEL", "WHEN", ""};

    s->table.column_count = COLUMNS;
    for (int i = 0; i < COLUMNS; i++)
        widen(s, i, heads[i]);
    fit(s);
    for (int i = 0; s->devices && i < COLUMNS; i++)
        table_cell(&s->table, heads[i]);
    each_row(s, print_row);
    printf("%zu device%s: %zu published, %zu never", s->devices,
           s->devices == 1 ? "" : "s", published(s), s->never);
    if (s->not_listed)
        printf("; %zu not listed", s->not_listed);
    if (s->withdrawn)
        printf("; %zu withdrawn", s->withdrawn);
    putchar('\n');
}

/* An intent may only keep a number from being used. */
static bool is_open(const struct index *x)
{
    for (size_t i = 0; i < x->intent_count; i++)
        if (plan_intent_open(&x->intents[i]))
            return true;
    return false;
}

static void print(struct status *s)
{
    each_row(s, measure_row);
    if (s->g->json) {
        each_row(s, print_json);
        msg_summary_number("devices", s->devices);
        msg_summary_number("published", published(s));
        msg_summary_number("never", s->never);
        msg_summary_number("not_listed", s->not_listed);
        msg_summary_number("withdrawn", s->withdrawn);
    } else {
        print_table(s);
    }
    if (is_open(s->p->index))
        diag_note("a publish was cut short: 'ota-pack publish' finishes it");
}

static void show_server(struct project *p, const struct cmd_global *g, bool all)
{
    struct status s = {.g = g, .p = p, .all = all};

    if (project_index(p))
        return;
    project_head(p, g);
    if (!find_entries(&s))
        print(&s);
    free(s.entries);
    free(s.sorted);
}

static int show(struct project *p, const struct cmd_global *g,
                char *const *words, size_t count)
{
    if (project_open_published(p, g, words, count))
        return -1;
    p->memory.older = MEMORY_WARN;
    while (servers_next(p, g))
        show_server(p, g, count == 0);
    return 0;
}

int cmd_status(struct cmd_global *g, int argc, char **argv)
{
    struct project p = {0};
    int first = cmd_options(g, argc, argv, "", NULL, NULL, NULL);

    if (first < 0)
        return diag_status();
    show(&p, g, argv + first, (size_t)(argc - first));
    project_release(&p);
    return diag_status();
}
