/* The items of `releases:`. */
#include <stdlib.h>
#include <string.h>
#include "config_private.h"
#include "path.h"
#include "base/utf8.h"
#include <ota/bundle.h>

struct draft {
    struct config_settings settings; /* first: see config_take_ram() */
    struct config_release *release;
    struct node *devices_key, *devices; /* read last: they name it */
};

/* Names stand on command lines, in names of files and in the index: so no
 * character that a shell, a path or a JSON string gives a meaning to. */
static bool is_release_name(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                     (c >= 'A' && c <= 'Z');

        if (!alnum && c != '_' && (i == 0 || (c != '.' && c != '-')))
            return false;
    }
    return len >= 1 && len <= CONFIG_NAME;
}

static int take_name(struct loader *l, struct node *key, struct node *value,
                     void *into)
{
    struct draft *d = into;
    struct config_text t;
    struct device_id id;

    if (config_take_word(l, key->text, value, &t) < 0)
        return -1;
    d->release->name = t;
    if (!is_release_name(t.text, strlen(t.text)))
        return config_wrong(l, value,
                            "release name '%s' is not 1 to %d letters, digits, "
                            "'.', '_' and '-', with a letter, digit or '_' "
                            "first: it is typed in shells and used in paths",
                            t.text, CONFIG_NAME);
    if (device_id_parse(t.text, strlen(t.text), &id) == 0)
        return config_wrong(
            l, value, "release name '%s' would be mistaken for a device id",
            t.text);
    return 0;
}

static int take_version(struct loader *l, struct node *key, struct node *value,
                        void *into)
{
    struct draft *d = into;
    struct config_text t;
    unsigned long n;

    if (config_take_word(l, key->text, value, &t) < 0)
        return -1;
    d->release->version_mark = t.mark;
    if (strcmp(t.text, "auto") == 0)
        return 0;
    n = strspn(t.text, "0123456789") == strlen(t.text) && t.text[0] != '0' &&
                strlen(t.text) <= 10
            ? strtoul(t.text, NULL, 10)
            : 0;
    if (n < 1 || n > 0x7fffffff)
        return config_wrong(l, value,
                            "version '%s' is not a number from 1 to %d, or "
                            "auto: text for people goes into 'label'",
                            t.text, 0x7fffffff);
    d->release->version = (uint32_t)n;
    return 0;
}

static int take_label(struct loader *l, struct node *key, struct node *value,
                      void *into)
{
    struct draft *d = into;
    struct config_text t;

    if (config_take_text(l, key->text, value, &t) < 0)
        return -1;
    if (strlen(t.text) > OTA_LABEL)
        return config_wrong(l, value, "label '%s' is %zu bytes: at most %d",
                            t.text, strlen(t.text), OTA_LABEL);
    if (*t.text)
        d->release->label = t;
    return 0;
}

static int take_exclude(struct loader *l, struct node *key, struct node *value,
                        void *into)
{
    struct draft *d = into;

    return config_take_texts(l, key, value, &d->release->exclude,
                             &d->release->exclude_count);
}

/* A path may be deleted if it could be installed (ota-bundle(5), Paths).  NULL,
 * or why it could not. */
static const char *delete_problem(const char *path)
{
    size_t len = strlen(path);

    if (*path == '/')
        return "it begins with '/': leave that out";
    if (strpbrk(path, "*?"))
        return "patterns are not allowed here";
    if (path_problem(path))
        return path_problem(path);
    return utf8_printable(path, len) == len
               ? NULL
               : "it has a character that cannot be printed";
}

static int by_path(const void *x, const void *y)
{
    const struct config_text *a = *(const struct config_text *const *)x;
    const struct config_text *b = *(const struct config_text *const *)y;
    int r =
        ota_path_compare(a->text, strlen(a->text), b->text, strlen(b->text));

    if (r || a->mark.line == b->mark.line)
        return r ? r : (int)(a->mark.col > b->mark.col) * 2 - 1;
    return a->mark.line < b->mark.line ? -1 : 1;
}

static void check_deletes_twice(struct loader *l,
                                const struct config_release *r)
{
    const struct config_text **sorted, *a, *b;

    if (r->delete_count < 2)
        return;
    sorted = malloc(r->delete_count * sizeof(struct config_text *));
    if (!sorted) {
        diag_no_memory();
        l->no_memory = true;
        return;
    }
    for (size_t i = 0; i < r->delete_count; i++)
        sorted[i] = &r->deletes[i];
    qsort(sorted, r->delete_count, sizeof(struct config_text *), by_path);
    for (size_t i = 1; i < r->delete_count; i++) {
        a = sorted[i - 1];
        b = sorted[i];
        if (ota_path_compare(a->text, strlen(a->text), b->text,
                             strlen(b->text)) != 0)
            continue;
        diag_error_at(DIAG_CONFIG, b->mark, "path '%s' is deleted twice",
                      b->text);
        diag_note_at(a->mark, "it is first listed here");
    }
    free(sorted);
}

static int take_delete(struct loader *l, struct node *key, struct node *value,
                       void *into)
{
    struct draft *d = into;
    struct config_release *r = d->release;
    struct config_text *list = NULL;
    size_t count = 0, kept = 0;

    if (config_node(value)->kind == NODE_LIST && !config_node(value)->first)
        return 0; /* what a program writes that has none */
    config_take_texts(l, key, value, &list, &count);
    for (size_t i = 0; i < count; i++) {
        const char *why = delete_problem(list[i].text);

        if (why)
            diag_error_at(DIAG_CONFIG, list[i].mark,
                          "'%s' cannot be a path on the device: %s",
                          list[i].text, why);
        else
            list[kept++] = list[i];
    }
    r->deletes = list;
    r->delete_count = kept;
    check_deletes_twice(l, r);
    return 0;
}

static int take_files(struct loader *l, struct node *key, struct node *value,
                      void *into)
{
    struct draft *d = into;

    config_take_files(l, d->release, key, value);
    return 0;
}

static int take_devices(struct loader *l, struct node *key, struct node *value,
                        void *into)
{
    struct draft *d = into;

    (void)l;
    d->devices_key = key;
    d->devices = value;
    return 0;
}

static const struct config_field fields[] = {
    {"name", take_name},
    {"version", take_version},
    {"label", take_label},
    {"files", take_files},
    {"exclude", take_exclude},
    {"delete", take_delete},
    {"devices", take_devices},
    {"hardware", config_take_hardware},
    {"ram", config_take_ram},
    {"expires", config_take_expires},
    {"allow-secrets", config_take_secrets},
    {"follow", config_take_follow},
};

const char *config_belongs(const char *key)
{
    static const char *const top[] = {"key", "server", "servers",
                                      "sign_command", "releases"};
    static const char *const release[] = {"version", "label",  "files",
                                          "exclude", "delete", "devices"};
    static const char *const file[] = {"to", "slot", "mode"};

    for (size_t i = 0; i < sizeof top / sizeof top[0]; i++)
        if (strcmp(key, top[i]) == 0)
            return "at the top of the file";
    for (size_t i = 0; i < sizeof release / sizeof release[0]; i++)
        if (strcmp(key, release[i]) == 0)
            return "in an item of 'releases'";
    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++)
        if (strcmp(key, file[i]) == 0)
            return "in an item of 'files'";
    return NULL;
}

/* What the release does not say itself comes from the top. */
static void settle_defaults(struct loader *l, struct draft *d, struct node *n)
{
    const struct config_settings *own = &d->settings, *top = &l->settings;
    struct config_release *r = d->release;

    r->hardware = own->has_hardware ? own->hardware : top->hardware;
    r->expires = own->has_expires ? own->expires : top->expires;
    r->ram = own->has_ram ? own->ram : top->has_ram ? top->ram : CONFIG_RAM;
    r->ram_mark = own->has_ram   ? own->ram_mark
                  : top->has_ram ? top->ram_mark
                                 : config_mark(l, n);
}

static void say_missing(struct loader *l, struct node *n, uint32_t seen,
                        const char *place)
{
    static const struct {
        unsigned field;
        const char *name, *hint;
    } needed[] = {
        {0, "name", ""},
        {1, "version", ": give a number from 1, or auto"},
        {3, "files", ""},
        {6, "devices", ""},
    };

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!(seen & 1u << needed[i].field))
            config_wrong(l, n, "no '%s'%s%s", needed[i].name, place,
                         needed[i].hint);
}

/* What messages call a release whose name is wrong: as it is written. */
static struct config_text nameless(struct loader *l, struct node *n,
                                   struct node *name)
{
    struct config_text t = {NULL, config_mark(l, n)};

    if (name && config_node(name)->kind == NODE_TEXT)
        t.text = arena_text(l->arena, config_node(name)->text,
                            config_node(name)->len);
    if (!t.text)
        t.text = "?";
    return t;
}

/* Reads the item into r. */
static void take_release(struct loader *l, struct node *n,
                         struct config_release *r)
{
    struct config *c = l->config;
    struct draft d = {.release = r};
    struct config_schema schema = {fields, sizeof fields / sizeof fields[0], "",
                                   NULL};
    struct node *name = config_get(n, "name");
    uint32_t index = (uint32_t)(r - c->releases), seen;
    char place[CONFIG_NAME + 32] = " in this release";

    if (name && config_node(name)->kind == NODE_TEXT)
        snprintf(place, sizeof place, " in release '%.*s'", CONFIG_NAME,
                 config_node(name)->text);
    schema.place = place;
    r->selected = true;
    r->version_mark = config_mark(l, n);
    l->allow = &r->allow;
    seen = config_walk(l, n, &schema, &d);
    say_missing(l, n, seen, place);
    settle_defaults(l, &d, n);
    if (!r->name.text)
        r->name = nameless(l, n, name);
    l->fleet->releases[index] = r->name.text;
    c->release_count = index + 1;
    if (d.devices)
        config_take_devices(l, index, d.devices_key, d.devices);
}

static int by_name(const void *x, const void *y)
{
    const struct config_release *a = *(const struct config_release *const *)x;
    const struct config_release *b = *(const struct config_release *const *)y;
    int r = strcmp(a->name.text, b->name.text);

    return r ? r : (a > b) - (a < b);
}

static void check_names(struct loader *l)
{
    const struct config *c = l->config;
    const struct config_release **sorted, *a, *b;

    if (c->release_count < 2)
        return;
    sorted = malloc(c->release_count * sizeof(struct config_release *));
    if (!sorted) {
        diag_no_memory();
        l->no_memory = true;
        return;
    }
    for (size_t i = 0; i < c->release_count; i++)
        sorted[i] = &c->releases[i];
    qsort(sorted, c->release_count, sizeof(struct config_release *), by_name);
    for (size_t i = 1; i < c->release_count; i++) {
        a = sorted[i - 1];
        b = sorted[i];
        if (strcmp(a->name.text, "?") == 0 ||
            strcmp(a->name.text, b->name.text) != 0)
            continue;
        diag_error_at(DIAG_CONFIG, b->name.mark, "two releases are named '%s'",
                      b->name.text);
        diag_note_at(a->name.mark, "the first one is here");
    }
    free(sorted);
}

void config_take_releases(struct loader *l)
{
    struct config *c = l->config;
    struct node key = {.text = "releases"}, *list;
    size_t count;

    if (config_node(l->releases)->kind == NODE_MAP) {
        config_wrong(l, l->releases,
                     "'releases' must be a list: each begins with '- name:'");
        return;
    }
    if (!(list = config_list(l, &key, l->releases, &count)))
        return;
    c->releases = arena_array(l->arena, count, sizeof *c->releases);
    l->fleet->releases = arena_array(l->arena, count, sizeof(char *));
    if (!c->releases || !l->fleet->releases) {
        l->no_memory = true;
        return;
    }
    for (struct node *i = list->first; i && !l->no_memory; i = i->next) {
        if (config_node(i)->kind == NODE_MAP)
            take_release(l, i, &c->releases[c->release_count]);
        else
            config_wrong(l, i,
                         "a release must be a map: it begins with "
                         "'- name:'");
    }
    check_names(l);
}
