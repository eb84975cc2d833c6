/* YAML to a tree of nodes with their places, by libyaml's events: its document
 * interface has no limit of depth and takes quadratic time. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>
#include "config_private.h"
#include "base/utf8.h"

enum { BUCKETS = 1024 };

struct anchor {
    struct anchor *next;
    const char *name;
    struct node *node;
    uint64_t weight; /* values in it, aliases expanded */
    bool open;       /* its end is not yet read */
};

/* A list or map whose end is not yet read. */
struct frame {
    struct node *node;
    struct node **tail;
    struct anchor *anchor;
    uint64_t weight;
    size_t count; /* of children */
};

struct parse {
    yaml_parser_t yaml;
    struct arena *arena;
    const struct diag_source *source;
    struct frame stack[CONFIG_DEPTH];
    unsigned depth;
    struct node *root;
    struct anchor *anchors[BUCKETS];
    uint64_t nodes, expanded;
};

static struct diag_mark mark_at(const struct parse *p, yaml_mark_t m)
{
    return (struct diag_mark){p->source, (uint32_t)m.line + 1,
                              (uint32_t)m.column + 1, 0};
}

static struct diag_mark mark_of(const struct parse *p, const struct node *n)
{
    return (struct diag_mark){p->source, n->line, n->col, n->width};
}

/* libyaml counts characters; where it says bytes, this counts them. */
static struct diag_mark mark_of_offset(const struct diag_source *s, size_t at)
{
    struct diag_mark m = {s, 1, 1, 0};
    size_t start = 0;

    for (size_t i = 0; i < at && i < s->len; i++) {
        bool cr = s->text[i] == '\r';

        if (s->text[i] != '\n' && !cr)
            continue;
        if (cr && i + 1 < s->len && s->text[i + 1] == '\n')
            continue;
        m.line++;
        start = i + 1;
    }
    m.col = (uint32_t)utf8_count(s->text + start, at - start) + 1;
    return m;
}

/* ---- libyaml's own errors */

static int say_unreadable(const struct parse *p)
{
    size_t at = p->yaml.problem_offset;
    int value = p->yaml.problem_value;
    struct diag_mark m;

    if (at > p->source->len)
        at = p->source->len;
    m = mark_of_offset(p->source, at);
    if (!strstr(p->yaml.problem, "UTF-8"))
        return diag_error_at(DIAG_CONFIG, m,
                             "character U+%04X is not allowed in YAML",
                             (unsigned)value);
    if (at + 1 < p->source->len && (value == 0xff || value == 0xfe) && at == 0)
        return diag_error_at(DIAG_CONFIG, m,
                             "this is UTF-16: save the file as UTF-8");
    return diag_error_at(
        DIAG_CONFIG, m, "byte 0x%02x is not UTF-8: save the file as UTF-8",
        at < p->source->len ? (unsigned)(unsigned char)p->source->text[at]
                            : 0u);
}

/* What to do about it, where the place gives it away. */
static const char *hint(const struct parse *p)
{
    size_t line = 0, at = 0;
    const struct diag_source *s = p->source;
    const char *context = p->yaml.context;

    if (context && strcmp(context, "while scanning an alias") == 0)
        return " (quote a text that begins with '*')";
    if (context && strcmp(context, "while scanning an anchor") == 0)
        return " (quote a text that begins with '&')";
    while (at < s->len && line < p->yaml.problem_mark.line)
        if (s->text[at++] == '\n')
            line++;
    at += p->yaml.problem_mark.column;
    if (at >= s->len)
        return "";
    if (strstr(p->yaml.problem, "did not find expected"))
        return s->text[at] == '{' || (at && strchr("}]", s->text[at - 1]))
                   ? " (quote a text with brackets in it)"
                   : "";
    if (!strstr(p->yaml.problem, "start any token"))
        return "";
    if (s->text[at] == '\t')
        return " (a tab: indent with spaces)";
    return " (quote a text that begins with it)";
}

/* "while parsing a block mapping" names what begins at the context's mark. */
static void say_context(const struct parse *p)
{
    const char *what = p->yaml.context, *article;

    if (!what || (p->yaml.context_mark.line == p->yaml.problem_mark.line &&
                  p->yaml.context_mark.column == p->yaml.problem_mark.column))
        return;
    article = strstr(what, " a");
    if (article && strncmp(what, "while ", 6) == 0)
        what = article + (article[2] == 'n' ? 4 : 3);
    diag_note_at(mark_at(p, p->yaml.context_mark), "the %s begins here", what);
}

static int say_syntax(const struct parse *p)
{
    const char *context = p->yaml.context;

    if (p->yaml.error == YAML_MEMORY_ERROR)
        return diag_no_memory();
    if (p->yaml.error == YAML_READER_ERROR)
        return say_unreadable(p);
    diag_error_at(DIAG_CONFIG, mark_at(p, p->yaml.problem_mark), "%s%s%s%s",
                  p->yaml.problem, hint(p), context ? ", " : "",
                  context ? context : "");
    say_context(p);
    return -1;
}

/* ---- nodes */

static struct node *new_node(struct parse *p, enum node_kind kind,
                             const yaml_event_t *e)
{
    const yaml_mark_t *from = &e->start_mark, *to = &e->end_mark;
    struct node *n;

    if (++p->nodes > CONFIG_NODES) {
        diag_error_at(
            DIAG_CONFIG, mark_at(p, *from),
            "more than %d keys and values: list the devices in a CSV file",
            CONFIG_NODES);
        return NULL;
    }
    if (!(n = arena_alloc(p->arena, sizeof *n)))
        return NULL;
    n->kind = (uint8_t)kind;
    n->line = (uint32_t)from->line + 1;
    n->col = (uint32_t)from->column + 1;
    if (to->line == from->line && to->column > from->column)
        n->width = (uint32_t)(to->column - from->column);
    return n;
}

/* Hangs the node where it belongs; `weight` values are in it. */
static void attach_node(struct parse *p, struct node *n, uint64_t weight)
{
    struct frame *f;

    if (!p->depth) {
        p->root = n;
        return;
    }
    f = &p->stack[p->depth - 1];
    if (f->node->kind == NODE_MAP && f->count % 2 == 0 && n->kind != NODE_TEXT)
        diag_error_at(DIAG_CONFIG, mark_of(p, n), "a key must be a text");
    *f->tail = n;
    f->tail = &n->next;
    f->weight += weight;
    f->count++;
}

static struct anchor **bucket(struct parse *p, const char *name)
{
    unsigned h = 0;

    for (const char *c = name; *c; c++)
        h = h * 31 + (unsigned char)*c;
    return &p->anchors[h % BUCKETS];
}

/* Remembers the anchor if there is one.  *out is it, or NULL. */
static int add_anchor(struct parse *p, const yaml_char_t *name, struct node *n,
                      struct anchor **out)
{
    struct anchor **head, *a;

    *out = NULL;
    if (!name)
        return 0;
    if (!(a = arena_alloc(p->arena, sizeof *a)))
        return -1;
    a->name =
        arena_text(p->arena, (const char *)name, strlen((const char *)name));
    if (!a->name)
        return -1;
    head = bucket(p, a->name);
    a->node = n;
    a->weight = 1;
    a->next = *head;
    *head = *out = a;
    return 0;
}

static void check_tag(struct parse *p, const struct node *n,
                      const yaml_char_t *tag)
{
    static const char core[] = "tag:yaml.org,2002:";

    if (tag && strcmp((const char *)tag, "!") != 0 &&
        strncmp((const char *)tag, core, sizeof core - 1) != 0)
        diag_error_at(DIAG_CONFIG, mark_of(p, n), "tag '%s' is not known here",
                      (const char *)tag);
}

static int take_scalar(struct parse *p, const yaml_event_t *e)
{
    struct node *n = new_node(p, NODE_TEXT, e);
    const char *text = (const char *)e->data.scalar.value;
    size_t len = e->data.scalar.length;
    yaml_scalar_style_t style = e->data.scalar.style;
    struct anchor *a;

    if (!n || !(n->text = arena_text(p->arena, text, len)) ||
        add_anchor(p, e->data.scalar.anchor, n, &a) < 0)
        return -1;
    n->len = (uint32_t)len;
    n->plain = style == YAML_PLAIN_SCALAR_STYLE;
    n->exact = n->width == utf8_count(text, len) + (n->plain ? 0 : 2);
    check_tag(p, n, e->data.scalar.tag);
    attach_node(p, n, 1);
    return 0;
}

static int take_alias(struct parse *p, const yaml_event_t *e)
{
    const char *name = (const char *)e->data.alias.anchor;
    struct node *n = new_node(p, NODE_ALIAS, e);
    struct anchor *a = *bucket(p, name);

    if (!n)
        return -1;
    while (a && strcmp(a->name, name) != 0)
        a = a->next;
    if (!a)
        return diag_error_at(DIAG_CONFIG, mark_of(p, n),
                             "no anchor '&%s' before this alias (quote a text "
                             "that begins with '*')",
                             name);
    if (a->open)
        return diag_error_at(DIAG_CONFIG, mark_of(p, n),
                             "alias '*%s' is inside its own anchor", name);
    p->expanded += a->weight;
    if (p->expanded > CONFIG_EXPANDED)
        return diag_error_at(DIAG_CONFIG, mark_of(p, n),
                             "aliases stand for more than %d values",
                             CONFIG_EXPANDED);
    n->target = a->node;
    attach_node(p, n, a->weight);
    return 0;
}

static int open_frame(struct parse *p, enum node_kind kind,
                      const yaml_event_t *e, const yaml_char_t *anchor,
                      const yaml_char_t *tag)
{
    struct node *n = new_node(p, kind, e);
    struct frame *f = &p->stack[p->depth];

    if (!n)
        return -1;
    if (p->depth == CONFIG_DEPTH)
        return diag_error_at(DIAG_CONFIG, mark_of(p, n),
                             "nested deeper than %d levels", CONFIG_DEPTH);
    *f = (struct frame){.node = n, .tail = &n->first, .weight = 1};
    if (add_anchor(p, anchor, n, &f->anchor) < 0)
        return -1;
    if (f->anchor)
        f->anchor->open = true;
    check_tag(p, n, tag);
    p->depth++;
    return 0;
}

static int by_text(const void *x, const void *y)
{
    const struct node *a = *(struct node *const *)x;
    const struct node *b = *(struct node *const *)y;
    int r = strcmp(a->text, b->text);

    if (r)
        return r;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->col < b->col ? -1 : a->col > b->col;
}

static int check_keys(const struct parse *p, const struct frame *f)
{
    struct node **keys, *n = f->node->first;
    size_t count = 0;

    if (f->count < 4)
        return 0;
    if (!(keys = calloc(f->count / 2, sizeof(struct node *))))
        return diag_no_memory();
    for (size_t i = 0; n; n = n->next, i++)
        if (i % 2 == 0 && n->kind == NODE_TEXT)
            keys[count++] = n;
    qsort(keys, count, sizeof(struct node *), by_text);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(keys[i]->text, keys[i - 1]->text) != 0)
            continue;
        diag_error_at(DIAG_CONFIG, mark_of(p, keys[i]), "duplicate key '%s'",
                      keys[i]->text);
        diag_note_at(mark_of(p, keys[i - 1]), "the previous one is here");
    }
    free(keys);
    return 0;
}

static int close_frame(struct parse *p)
{
    struct frame *f = &p->stack[--p->depth];

    if (f->node->kind == NODE_MAP && check_keys(p, f) < 0)
        return -1;
    if (f->anchor) {
        f->anchor->open = false;
        f->anchor->weight = f->weight;
    }
    attach_node(p, f->node, f->weight);
    return 0;
}

static int take_event(struct parse *p, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (p->root)
            return diag_error_at(DIAG_CONFIG, mark_at(p, e->start_mark),
                                 "a second document: a file holds one "
                                 "configuration");
        return 0;
    case YAML_SCALAR_EVENT:
        return take_scalar(p, e);
    case YAML_ALIAS_EVENT:
        return take_alias(p, e);
    case YAML_SEQUENCE_START_EVENT:
        return open_frame(p, NODE_LIST, e, e->data.sequence_start.anchor,
                          e->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return open_frame(p, NODE_MAP, e, e->data.mapping_start.anchor,
                          e->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_frame(p);
    default:
        return 0;
    }
}

static int take_events(struct parse *p)
{
    yaml_event_t event;
    bool end;
    int r;

    do {
        if (!yaml_parser_parse(&p->yaml, &event))
            return say_syntax(p);
        end = event.type == YAML_STREAM_END_EVENT;
        r = take_event(p, &event);
        yaml_event_delete(&event);
    } while (r == 0 && !end);
    return r;
}

/* libyaml takes these for line breaks and editors do not: all places behind
 * one would be wrong. */
static int refuse_breaks(const struct diag_source *s)
{
    static const struct {
        const char *bytes;
        const char *name;
    } breaks[] = {{"\xc2\x85", "U+0085"},
                  {"\xe2\x80\xa8", "U+2028"},
                  {"\xe2\x80\xa9", "U+2029"}};
    const char *at;

    for (size_t i = 0; i < sizeof breaks / sizeof breaks[0]; i++) {
        at = memmem(s->text, s->len, breaks[i].bytes, strlen(breaks[i].bytes));
        if (at)
            return diag_error_at(
                DIAG_CONFIG, mark_of_offset(s, (size_t)(at - s->text)),
                "character %s is a line break to some programs only: remove it",
                breaks[i].name);
    }
    return 0;
}

int config_yaml_parse(struct arena *arena, const struct diag_source *source,
                      struct node **root)
{
    struct parse *p;
    int r;

    *root = NULL;
    if (refuse_breaks(source) < 0)
        return -1;
    if (!(p = calloc(1, sizeof *p)))
        return diag_no_memory();
    p->arena = arena;
    p->source = source;
    if (!yaml_parser_initialize(&p->yaml)) {
        free(p);
        return diag_no_memory();
    }
    yaml_parser_set_encoding(&p->yaml, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p->yaml, (const unsigned char *)source->text,
                                 source->len);
    r = take_events(p);
    *root = r < 0 ? NULL : p->root;
    yaml_parser_delete(&p->yaml);
    free(p);
    return r;
}
