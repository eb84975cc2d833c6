/* An item of `files:` becomes entries: {values} put in, patterns looked up,
 * names mapped to the device's. */
#include "tree_internal.h"
#include "base/compose.h"
#include "config/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that grows within a fixed buffer. */
struct text {
    char bytes[TREE_TEXT];
    size_t len;
};

static bool append(struct text *t, const char *s, size_t len)
{
    if (len >= sizeof t->bytes - t->len)
        return false;
    memcpy(t->bytes + t->len, s, len);
    t->len += len;
    t->bytes[t->len] = '\0';
    return true;
}

/* Why a value may not stand in a file's name, NULL if it may.  It must name
 * one file in one folder, whoever wrote the list of devices. */
static const char *value_problem(const char *value, bool wild)
{
    if (!*value)
        return "is empty";
    if (strchr(value, '/'))
        return "has a '/'";
    if (!strcmp(value, ".") || strstr(value, ".."))
        return "is '.' or has '..'";
    if (wild && strpbrk(value, "*?["))
        return "has a wildcard";
    return NULL;
}

static int append_value(struct tree_job *job, const struct config_text *from,
                        const char *key, size_t len, struct text *out)
{
    char hex[DEVICE_HEX];
    const char *value = device_value(job->device, key, len, hex), *why;
    int shown = len < 100 ? (int)len : 100;

    if (!value)
        return tree_fail(job, DIAG_CONFIG, from->mark,
                         "there is no value for '{%.*s}'", shown, key);
    why = value_problem(value, tree_wild(from->text));
    if (why)
        return tree_fail(job, DIAG_CONFIG, from->mark,
                         "the value '%.100s' for '{%.*s}' %s", value, shown,
                         key, why);
    if (!append(out, value, strlen(value)))
        return tree_fail(job, DIAG_CONFIG, from->mark, "the path is too long");
    return 0;
}

/* The next piece of a text with braces: plain characters, or a key. */
enum piece { PIECE_END, PIECE_PLAIN, PIECE_KEY, PIECE_BAD };

static enum piece next_piece(const char **s, const char **start, size_t *len)
{
    const char *p = *s;

    *start = p;
    *len = 0;
    if (!*p)
        return PIECE_END;
    if ((*p == '{' || *p == '}') && p[1] == *p) {
        *len = 1;
        *s = p + 2;
        return PIECE_PLAIN;
    }
    if (*p == '{') {
        *start = p + 1;
        *len = strcspn(p + 1, "{}");
        *s = p + *len + 2;
        return *len && p[*len + 1] == '}' ? PIECE_KEY : PIECE_BAD;
    }
    if (*p == '}')
        return PIECE_BAD;
    *len = strcspn(p, "{}");
    *s = p + *len;
    return PIECE_PLAIN;
}

/* `job->device` may be NULL only where the text has no key. */
static int expand_text(struct tree_job *job, const struct config_text *t,
                       struct text *out)
{
    const char *s = t->text, *start;
    enum piece piece;
    size_t len;

    out->len = 0;
    out->bytes[0] = '\0';
    while ((piece = next_piece(&s, &start, &len)) != PIECE_END) {
        if (piece == PIECE_KEY) {
            if (append_value(job, t, start, len, out))
                return -1;
        } else if (!append(out, start, len)) {
            return tree_fail(job, DIAG_CONFIG, t->mark, "the path is too long");
        }
    }
    return 0;
}

/* Keys in the text: their number, or -1 (reported) where braces do not pair. */
static int count_keys(struct tree_job *job, const struct config_text *t)
{
    const char *s = t->text, *start;
    enum piece piece;
    size_t len;
    int keys = 0;

    while ((piece = next_piece(&s, &start, &len)) != PIECE_END) {
        if (piece == PIECE_BAD)
            return tree_fail(job, DIAG_CONFIG, t->mark,
                             "'%s' has a single brace: a device's value is "
                             "'{name}', and '{{' or '}}' a brace",
                             t->text);
        keys += piece == PIECE_KEY;
    }
    return keys;
}

/* Drops "./" and doubled slashes; `..` stays, since a link may be before it. */
static void clean_path(struct text *t)
{
    char *out = t->bytes, *s = t->bytes;

    if (*s == '/')
        *out++ = *s++;
    while (*s) {
        size_t len = strcspn(s, "/");
        bool dropped = len == 0 || (len == 1 && *s == '.');

        if (!dropped) {
            memmove(out, s, len);
            out += len;
        }
        s += len;
        if (*s == '/') {
            s++;
            if (!dropped && *s)
                *out++ = '/';
        }
    }
    if (out > t->bytes + 1 && out[-1] == '/')
        out--;
    *out = '\0';
    t->len = (size_t)(out - t->bytes);
}

static bool names_folder(const char *to)
{
    return !*to || to[strlen(to) - 1] == '/';
}

/* `why` NULL: nothing is wrong. */
static int say_path(struct tree_job *job, struct diag_mark mark,
                    const char *path, const char *why)
{
    char slashed[TREE_TEXT];
    size_t len = strlen(path);

    if (!why)
        return 0;
    if (!strchr(path, '\\') || len >= sizeof slashed)
        return tree_fail(job, DIAG_CONFIG, mark,
                         "'%s' cannot be a path on the device: %s", path, why);
    memcpy(slashed, path, len + 1);
    for (char *at = slashed; (at = strchr(at, '\\'));)
        *at = '/';
    return tree_fail(job, DIAG_CONFIG, mark,
                     "write '/' between folders: '%s' ('%s' cannot be a path "
                     "on the device)",
                     slashed, path);
}

static int check_to(struct tree_job *job, const struct config_text *to)
{
    int keys = count_keys(job, to);
    struct text text;
    const char *why;

    if (keys > 0)
        return tree_fail(job, DIAG_CONFIG, to->mark,
                         "a device's value can stand in 'from' only");
    if (keys < 0 || expand_text(job, to, &text))
        return -1;
    if (text.len && text.bytes[0] == '/')
        return tree_fail(job, DIAG_CONFIG, to->mark,
                         "'%s' begins with '/': a path on the device starts "
                         "at its root anyway",
                         to->text);
    if (text.len && names_folder(text.bytes))
        text.bytes[--text.len] = '\0';
    why = text.len ? path_problem(text.bytes) : NULL;
    return say_path(job, to->mark, to->text, why);
}

static int check_slot(struct tree_job *job, const struct config_file *f)
{
    const char *why = path_problem(f->slot.text);

    if (why)
        return tree_fail(job, DIAG_CONFIG, f->slot.mark,
                         "'%s' cannot be a slot's name: %s", f->slot.text, why);
    if (f->to.text)
        return tree_fail(job, DIAG_CONFIG, f->to.mark,
                         "a file goes to a path or to a slot, not to both");
    if (tree_wild(f->from.text))
        return tree_fail(job, DIAG_CONFIG, f->from.mark,
                         "a slot takes one file, not a pattern");
    return 0;
}

enum tree_rule tree_rule_check(struct tree_job *job,
                               const struct config_file *f)
{
    int keys = count_keys(job, &f->from), err = 0;

    if (!*f->from.text)
        err = tree_fail(job, DIAG_CONFIG, f->from.mark, "'from' is empty");
    if (f->slot.text && check_slot(job, f))
        err = -1;
    if (!f->slot.text && f->to.text && check_to(job, &f->to))
        err = -1;
    if (keys < 0 || err)
        return TREE_RULE_BAD;
    return keys ? TREE_RULE_DEVICE : TREE_RULE_SHARED;
}

static int check_path(struct tree_job *job, const struct config_file *f,
                      const char *path)
{
    return say_path(job, f->from.mark, path, path_problem(path));
}

static int set_entry(struct tree_job *job, const struct config_file *f,
                     const struct tree_source *source, struct tree_item *item)
{
    struct tree_entry *e = &item->entry;

    if (f->slot.text && source->size == 0)
        return tree_fail(job, DIAG_CONFIG, f->from.mark,
                         "'%s' is empty: a slot takes 1 byte or more",
                         source->path);
    e->source = source->path;
    e->type = f->slot.text ? OTA_SLOT : OTA_FILE;
    e->mode = f->slot.text ? 0 : f->mode;
    e->size = source->size;
    memcpy(e->hash, source->hash, OTA_HASH);
    e->mark = f->from.mark;
    e->own = job->device != NULL;
    return 0;
}

/* `from` is relative to the configuration's folder, `path` is the device's. */
static int add_entry(struct tree_job *job, const struct config_file *f,
                     const char *from, const char *path)
{
    struct tree_origin origin = {
        .from = from, .prefix = job->prefix, .mark = f->from.mark};
    const struct tree_source *source;
    struct tree_item *item;
    char *name;

    if (check_path(job, f, path))
        return -1;
    name = config_resolve(job->config, from);
    origin.path = name;
    source = name ? tree_source_get(job, &origin) : NULL;
    free(name);
    if (!source)
        return -1;
    item = arena_alloc(job->arena, sizeof *item);
    if (!item || set_entry(job, f, source, item))
        return -1;
    item->entry.path = arena_text(job->arena, path, strlen(path));
    if (!item->entry.path)
        return -1;
    tree_names_warn(job, &item->entry);
    item->folded = tree_fold(job->arena, item->entry.path);
    return item->folded ? tree_list_add(job->list, item) : -1;
}

/* The path on the device: `kept` below the folder `to`. */
static int add_below(struct tree_job *job, const struct config_file *f,
                     const char *from, const struct text *to, const char *kept)
{
    struct text path = *to;
    bool joined = true;

    if (path.len && !names_folder(path.bytes))
        joined = append(&path, "/", 1);
    if (!joined || !append(&path, kept, strlen(kept)))
        return tree_fail(job, DIAG_CONFIG, f->from.mark,
                         "the path of '%.60s' is too long", from);
    return add_entry(job, f, from, path.bytes);
}

/* A folder in place of the pattern's own; see compose_twin(). */
static char *twin_of(const struct tree_job *job, const char *pattern,
                     size_t prefix)
{
    char *folder = strndup(pattern, prefix);
    char *path = folder ? config_resolve(job->config, folder) : NULL;
    char *twin = path ? compose_twin(path) : NULL;

    free(path);
    free(folder);
    return twin;
}

static int no_match(struct tree_job *job, const struct config_file *f,
                    const char *pattern, const struct tree_found *found)
{
    size_t prefix = tree_wild_prefix(pattern);
    const char *hint = "";
    char *twin;

    if (found->no_folder && (twin = twin_of(job, pattern, prefix))) {
        tree_fail(job, DIAG_CONFIG, f->from.mark, COMPOSE_TWIN, pattern, twin,
                  compose_form(twin));
        free(twin);
        return -1;
    }
    if (found->no_folder)
        return tree_fail(job, DIAG_CONFIG, f->from.mark,
                         "no file matches '%s': there is no folder '%.*s'",
                         pattern, (int)prefix, pattern);
    if (found->excluded)
        return tree_fail(job, DIAG_CONFIG, f->from.mark,
                         "no file matches '%s': %zu are excluded", pattern,
                         found->excluded);
    if (found->passed)
        hint = ": patterns pass over hidden files and what editors leave "
               "(ota-pack.yml(5), Files)";
    else if (!strstr(pattern, "**"))
        hint = " ('*' stops at '/', '**/' spans folders)";
    return tree_fail(job, DIAG_CONFIG, f->from.mark, "no file matches '%s'%s",
                     pattern, hint);
}

static int apply_pattern(struct tree_job *job, const struct config_file *f,
                         const struct text *from, const struct text *to)
{
    size_t kept = to ? tree_wild_prefix(from->bytes) : 0;
    static const struct text root;
    const struct tree_name *name;
    struct tree_found found;
    int err = tree_walk(job, f->from.mark, from->bytes, &found);

    if (err == 0 && !found.first)
        err = no_match(job, f, from->bytes, &found);
    job->prefix = tree_wild_prefix(from->bytes);
    for (name = found.first; name; name = name->next) {
        if (add_below(job, f, name->path, to ? to : &root, name->path + kept))
            err = -1;
    }
    job->prefix = 0;
    tree_found_release(&found);
    return err;
}

static int apply_path(struct tree_job *job, const struct config_file *f,
                      const char *from, const struct text *to)
{
    const char *slash = strrchr(from, '/');

    if (f->slot.text)
        return add_entry(job, f, from, f->slot.text);
    if (!to)
        return add_entry(job, f, from, from);
    if (names_folder(to->bytes))
        return add_below(job, f, from, to, slash ? slash + 1 : from);
    return add_entry(job, f, from, to->bytes);
}

static bool outside(const char *from)
{
    return *from == '/' || !strncmp(from, "../", 3);
}

int tree_rule_apply(struct tree_job *job, const struct config_file *f)
{
    struct text from, to;

    if (expand_text(job, &f->from, &from))
        return -1;
    if (f->to.text && expand_text(job, &f->to, &to))
        return -1;
    clean_path(&from);
    if (!f->to.text && !f->slot.text && outside(from.bytes))
        return tree_fail(job, DIAG_CONFIG, f->from.mark,
                         "'%s' is not below the configuration's folder: say "
                         "with 'to' where it goes on the device",
                         from.bytes);
    if (tree_wild(f->from.text) && tree_wild(from.bytes))
        return apply_pattern(job, f, &from, f->to.text ? &to : NULL);
    return apply_path(job, f, from.bytes, f->to.text ? &to : NULL);
}
