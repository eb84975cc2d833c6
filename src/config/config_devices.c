/* The items of `devices:`: ids, maps with values, lists in CSV. */
#include <stdlib.h>
#include <string.h>
#include "config_private.h"
#include "base/array.h"
#include "base/compose.h"

struct draft {
    struct config_text id, name, from;
    struct device_value *values; /* the last one first */
    uint32_t values_wrong;
};

static int take_id(struct loader *l, struct node *key, struct node *value,
                   void *into)
{
    struct draft *d = into;

    return config_take_word(l, key->text, value, &d->id);
}

static int take_name(struct loader *l, struct node *key, struct node *value,
                     void *into)
{
    struct draft *d = into;

    return config_take_word(l, key->text, value, &d->name);
}

static int take_from(struct loader *l, struct node *key, struct node *value,
                     void *into)
{
    struct draft *d = into;

    return config_take_word(l, key->text, value, &d->from);
}

static bool has_value(const struct draft *d, const char *key)
{
    for (const struct device_value *v = d->values; v; v = v->next)
        if (strcmp(v->key, key) == 0)
            return true;
    return false;
}

/* Any other key: a value for {key}.  An empty one is none, as in CSV. */
static int take_value(struct loader *l, struct node *key, struct node *value,
                      void *into)
{
    struct draft *d = into;
    const char *wrong = fleet_wrong_key(key->text, key->len), *name;
    struct config_text t;

    if (wrong)
        return config_wrong(l, key, "a value's name '%s' %s", key->text, wrong);
    if (has_value(d, key->text) ||
        config_take_text(l, key->text, value, &t) < 0 || !*t.text)
        return 0;
    if ((wrong = fleet_wrong_value(t.text, strlen(t.text))))
        return config_wrong(l, value, "%s '%s' %s", key->text, t.text, wrong);
    name = arena_text(l->arena, key->text, key->len);
    if (!name || fleet_add_value(l->fleet, &d->values, name, t.text) < 0)
        l->no_memory = true;
    return 0;
}

static void add_device(struct loader *l, uint32_t release,
                       const struct draft *d)
{
    struct device out = {.release = release,
                         .selected = true,
                         .name = d->name.text,
                         .values = d->values,
                         .mark = d->id.mark};
    size_t len = strlen(d->id.text);
    const char *wrong;

    if (fleet_take_id(d->id.mark, d->id.text, len, &out.id) < 0)
        return;
    if (out.name &&
        (wrong = fleet_wrong_name(out.name, strlen(out.name), &out.id))) {
        diag_error_at(DIAG_CONFIG, d->name.mark, "name '%s' %s", out.name,
                      wrong);
        out.name = NULL;
    }
    if (fleet_add(l->fleet, &out) < 0)
        l->no_memory = true;
}

/* ---- lists */

/* True (reported) if the list was read before. */
static bool is_listed(struct loader *l, const struct config_text *from)
{
    for (size_t i = 0; i < l->list_count; i++) {
        if (strcmp(l->lists[i].text, from->text) != 0)
            continue;
        diag_error_at(DIAG_CONFIG, from->mark,
                      "list '%s' is here twice: a device is in one release",
                      from->text);
        diag_note_at(l->lists[i].mark, "it is first listed here");
        return true;
    }
    return false;
}

static int remember_list(struct loader *l, const struct config_text *from)
{
    if (array_grow(&l->lists, l->list_count, &l->list_room, sizeof *l->lists))
        return -1;
    l->lists[l->list_count++] = *from;
    return 0;
}

static void say_unread(const struct config_text *from, const char *path,
                       const char *reason)
{
    char *twin = compose_twin(path);

    if (twin)
        diag_error_at(DIAG_INPUT, from->mark, COMPOSE_TWIN, path, twin,
                      compose_form(twin));
    else
        diag_error_at(DIAG_INPUT, from->mark, "cannot read '%s': %s", path,
                      reason);
    free(twin);
}

static int read_list(struct loader *l, uint32_t release,
                     const struct config_text *from)
{
    char *path = config_resolve(l->config, from->text), *bytes = NULL;
    struct diag_source *source;
    const char *reason = NULL;
    size_t len;
    int r = -1;

    if (!path)
        return -1;
    if (l->read(l->read_ctx, path, &bytes, &len, &reason) < 0) {
        say_unread(from, path, reason);
        r = 0;
    } else if ((source = config_keep(l->config, path, bytes, len))) {
        r = fleet_csv_load(l->fleet, source, release);
    }
    free(path);
    return r;
}

static void take_list(struct loader *l, uint32_t release,
                      const struct config_text *from)
{
    if (is_listed(l, from))
        return;
    if (remember_list(l, from) < 0 || read_list(l, release, from) < 0)
        l->no_memory = true;
}

/* ---- items */

static void take_map(struct loader *l, uint32_t release, struct node *item)
{
    static const struct config_field fields[] = {
        {"id", take_id}, {"name", take_name}, {"from", take_from}};
    static const struct config_schema schema = {fields, 3, "", take_value};
    struct draft d = {0};
    uint32_t seen = config_walk(l, item, &schema, &d);

    if (seen & 4) {
        if (seen & 3 || d.values)
            config_wrong(l, item,
                         "a list of devices has 'from' and nothing "
                         "else: values are its columns");
        else if (d.from.text)
            take_list(l, release, &d.from);
    } else if (!(seen & 1)) {
        config_wrong(l, item, "no 'id' in this device");
    } else if (d.id.text) {
        add_device(l, release, &d);
    }
}

static void take_item(struct loader *l, uint32_t release, struct node *item)
{
    struct draft d = {0};

    if (config_node(item)->kind == NODE_MAP)
        take_map(l, release, item);
    else if (config_take_item(l, "devices", item, &d.id) == 0)
        add_device(l, release, &d);
}

void config_take_devices(struct loader *l, uint32_t release, struct node *key,
                         struct node *value)
{
    struct node *n = config_node(value), *list;
    size_t count, len = n->kind == NODE_TEXT ? n->len : 0;

    if (len > 4 && strcmp(n->text + len - 4, ".csv") == 0) {
        config_wrong(l, value,
                     "'devices' must be a list: write "
                     "'- {from: %s}' below it",
                     n->text);
        return;
    }
    if (!(list = config_list(l, key, value, &count)))
        return;
    for (struct node *i = list->first; i && !l->no_memory; i = i->next)
        take_item(l, release, i);
}
