/* Values: texts with their variables, lists, and what is wrong with them. */
#include <stdlib.h>
#include <string.h>
#include "config_private.h"
#include "base/utf8.h"

struct diag_mark config_mark(const struct loader *l, const struct node *n)
{
    return (struct diag_mark){l->source, n->line, n->col, n->width};
}

static int __attribute__((format(printf, 3, 0)))
wrong_at(struct node *n, struct diag_mark mark, const char *fmt, va_list ap)
{
    if (n->said)
        return -1;
    n->said = n->kind == NODE_TEXT;
    return diag_report(DIAG_ERROR, DIAG_CONFIG, mark, fmt, ap);
}

int config_wrong(struct loader *l, struct node *n, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    wrong_at(n, config_mark(l, n), fmt, ap);
    va_end(ap);
    return -1;
}

/* At `len` bytes from `at` of the node's text, where the source has it so. */
static int __attribute__((format(printf, 5, 6)))
wrong_part(struct loader *l, struct node *n, const char *at, size_t len,
           const char *fmt, ...)
{
    struct diag_mark m = config_mark(l, n);
    va_list ap;

    if (n->exact) {
        m.col += (uint32_t)utf8_count(n->text, (size_t)(at - n->text)) +
                 (n->plain ? 0 : 1);
        m.width = (uint32_t)utf8_count(at, len);
    }
    va_start(ap, fmt);
    wrong_at(n, m, fmt, ap);
    va_end(ap);
    return -1;
}

static bool is_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
              (i && c >= '0' && c <= '9')))
            return false;
    }
    return len > 0;
}

/* One ${...} whose inside is `len` bytes from `text`. */
static int expand_one(struct loader *l, struct node *n, const char *text,
                      size_t len, FILE *out)
{
    size_t name_len = strcspn(text, ":}"), whole = len + 3;
    const char *at = text - 2, *value, *rest;
    char *name;

    if (!is_name(text, name_len) ||
        (name_len < len && text[name_len + 1] != '-' &&
         text[name_len + 1] != '?'))
        return wrong_part(l, n, at, whole,
                          "a variable is ${NAME}, ${NAME:-default} or "
                          "${NAME:?message}, and a dollar is $$");
    rest = text + name_len + 2;
    if (!(name = strndup(text, name_len)))
        return diag_no_memory();
    value = getenv(name);
    free(name);
    if (name_len == len) {
        if (!value)
            return wrong_part(l, n, at, whole,
                              "variable '%.*s' is not set: set it, or give a "
                              "default like ${%.*s:-text}",
                              (int)name_len, text, (int)name_len, text);
        fputs(value, out);
    } else if (value && *value) {
        fputs(value, out);
    } else if (text[name_len + 1] == '?') {
        return wrong_part(l, n, at, whole, "variable '%.*s' is not set: %.*s",
                          (int)name_len, text, (int)(text + len - rest), rest);
    } else {
        fwrite(rest, 1, (size_t)(text + len - rest), out);
    }
    return 0;
}

static int expand_into(struct loader *l, struct node *n, FILE *out)
{
    const char *p = n->text, *end = p + n->len, *close;

    while (p < end) {
        if (*p != '$') {
            fputc(*p++, out);
        } else if (p + 1 < end && p[1] == '$') {
            fputc('$', out);
            p += 2;
        } else if (p + 1 < end && p[1] == '{') {
            close = memchr(p, '}', (size_t)(end - p));
            if (!close)
                return wrong_part(l, n, p, 2, "'${' without a closing '}'");
            if (expand_one(l, n, p + 2, (size_t)(close - p - 2), out) < 0)
                return -1;
            p = close + 1;
        } else {
            return wrong_part(l, n, p, 1,
                              "a variable is ${NAME}, and a dollar is $$");
        }
    }
    return 0;
}

/* Expands ${VAR} in the node's text into an allocated one.  0, or -1. */
static int expand_text(struct loader *l, struct node *n, char **out,
                       size_t *len)
{
    FILE *f = open_memstream(out, len);
    int r;

    if (!f)
        return diag_no_memory();
    r = expand_into(l, n, f);
    if (fclose(f) != 0)
        r = diag_no_memory();
    if (r < 0) {
        free(*out);
        *out = NULL;
    }
    return r;
}

/* What goes before the name of a value: it may be one of a list of that name.
 */
static const char *part_of(const struct loader *l)
{
    return l->in_list ? "an item of " : "";
}

static int check_text(struct loader *l, const char *what, struct node *n,
                      const char *text, size_t len)
{
    size_t good = utf8_printable(text, len);
    uint32_t point;

    if (len > CONFIG_TEXT)
        return config_wrong(l, n, "%s'%s' is longer than %d bytes", part_of(l),
                            what, CONFIG_TEXT);
    if (good == len)
        return 0;
    if (!utf8_next(text + good, len - good, &point))
        return config_wrong(l, n, "%s'%s' is not UTF-8", part_of(l), what);
    return config_wrong(l, n,
                        "%s'%s' has a character that cannot be printed "
                        "(U+%04X)",
                        part_of(l), what, (unsigned)point);
}

/* Neither a list nor a map can be a text; in a list each has its cause. */
static int not_text(struct loader *l, const char *what, struct node *value)
{
    bool list = config_node(value)->kind == NODE_LIST;
    const char *cure = "";

    if (l->in_list)
        cure = list ? ": lists do not nest, write its items one by one"
                    : ": quote a text that has '{' or ': ' in it";
    return config_wrong(l, value, "%s'%s' must be a text, not a %s%s",
                        part_of(l), what, list ? "list" : "map", cure);
}

static bool is_null(const struct node *n)
{
    return n->plain && (!n->len || strcmp(n->text, "~") == 0 ||
                        strcmp(n->text, "null") == 0);
}

int config_take_text(struct loader *l, const char *what, struct node *value,
                     struct config_text *out)
{
    struct node *n = config_node(value);
    const char *text = n->text;
    char *expanded = NULL;
    size_t len = n->len;

    out->text = NULL;
    out->mark = config_mark(l, value);
    if (n->kind != NODE_TEXT)
        return not_text(l, what, value);
    if (is_null(n))
        return config_wrong(l, value, "%s'%s' has no value", part_of(l), what);
    if (memchr(text, '$', len)) {
        if (expand_text(l, n, &expanded, &len) < 0)
            return -1;
        text = expanded;
    }
    if (check_text(l, what, n, text, len) == 0 &&
        !(out->text = arena_text(l->arena, text, len)))
        l->no_memory = true;
    free(expanded);
    return out->text ? 0 : -1;
}

int config_take_word(struct loader *l, const char *what, struct node *value,
                     struct config_text *out)
{
    if (config_take_text(l, what, value, out) < 0)
        return -1;
    if (out->text && *out->text)
        return 0;
    out->text = NULL;
    return config_wrong(l, value, "%s'%s' is empty", part_of(l), what);
}

int config_take_item(struct loader *l, const char *list, struct node *item,
                     struct config_text *out)
{
    int result;

    l->in_list = true;
    result = config_take_word(l, list, item, out);
    l->in_list = false;
    return result;
}

struct node *config_node(struct node *n)
{
    return n->kind == NODE_ALIAS ? n->target : n;
}

struct node *config_list(struct loader *l, struct node *key, struct node *value,
                         size_t *count)
{
    struct node *n = config_node(value);

    *count = 0;
    if (n->kind != NODE_LIST) {
        if (n->kind == NODE_TEXT && is_null(n))
            config_wrong(l, value, "'%s' has no value", key->text);
        else
            config_wrong(l, value, "'%s' must be a list: '- ...' or [...]",
                         key->text);
        return NULL;
    }
    for (struct node *i = n->first; i; i = i->next)
        ++*count;
    if (!*count) {
        config_wrong(l, value, "'%s' is an empty list", key->text);
        return NULL;
    }
    return n;
}

int config_take_texts(struct loader *l, struct node *key, struct node *value,
                      struct config_text **list, size_t *count)
{
    size_t room, n = 0;
    struct node *from = config_list(l, key, value, &room);
    int r = 0;

    if (!from)
        return -1;
    if (!(*list = arena_array(l->arena, room, sizeof **list))) {
        l->no_memory = true;
        return -1;
    }
    for (struct node *i = from->first; i; i = i->next)
        if (config_take_item(l, key->text, i, &(*list)[n]) < 0)
            r = -1;
        else
            n++;
    *count = n;
    return r;
}
