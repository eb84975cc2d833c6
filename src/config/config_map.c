/* Maps: known keys to functions, unknown ones to "did you mean", and `<<`. */
#include <string.h>
#include "config_private.h"

struct walk {
    const struct config_schema *schema;
    void *into;
    uint32_t seen, meant;
};

static bool is_extension(const struct node *key)
{
    return strncmp(key->text, "x-", 2) == 0;
}

static bool is_merge(const struct node *key)
{
    return key->plain && strcmp(key->text, "<<") == 0;
}

static size_t field_index(const struct config_schema *s, const char *name)
{
    size_t i = 0;

    while (i < s->count && strcmp(s->fields[i].name, name) != 0)
        i++;
    return i;
}

/* The field that was meant counts as there, so that one slip is one error. */
static void unknown_key(struct loader *l, struct walk *w, struct node *key)
{
    const struct config_schema *s = w->schema;
    const char *names[32], *near, *belongs = config_belongs(key->text);

    for (size_t i = 0; i < s->count; i++)
        names[i] = s->fields[i].name;
    near = diag_suggest(key->text, names, s->count);
    if (belongs)
        config_wrong(l, key, "key '%s' is not allowed%s: it belongs %s",
                     key->text, *s->place ? s->place : " here", belongs);
    else if (near)
        config_wrong(l, key, "unknown key '%s'%s (did you mean '%s'?)",
                     key->text, s->place, near);
    else
        config_wrong(l, key, "unknown key '%s'%s", key->text, s->place);
    if (near && !belongs)
        w->meant |= 1u << field_index(s, near);
}

static void take_pair(struct loader *l, struct walk *w, struct node *key,
                      struct node *value)
{
    const struct config_schema *s = w->schema;
    size_t i = field_index(s, key->text);

    if (i < s->count) {
        if (!(w->seen & 1u << i)) {
            w->seen |= 1u << i;
            s->fields[i].take(l, key, value, w->into);
        }
    } else if (s->other) {
        s->other(l, key, value, w->into);
    } else {
        unknown_key(l, w, key);
    }
}

static void walk_map(struct loader *l, struct walk *w, struct node *map);

/* The value of `<<`: a map, or a list of maps of which the earlier one wins.
 * Depth is bounded: aliases cost what they stand for (CONFIG_EXPANDED). */
static void walk_merged(struct loader *l, struct walk *w, struct node *value)
{
    struct node *n = config_node(value);

    if (n->kind == NODE_MAP) {
        walk_map(l, w, n);
        return;
    }
    if (n->kind == NODE_LIST) {
        for (struct node *i = n->first; i; i = i->next) {
            if (config_node(i)->kind == NODE_MAP)
                walk_map(l, w, config_node(i));
            else
                config_wrong(l, i, "'<<' takes maps");
        }
        return;
    }
    config_wrong(l, value, "'<<' takes a map, or a list of maps");
}

static void walk_map(struct loader *l, struct walk *w, struct node *map)
{
    struct node *k;

    for (k = map->first; k && k->next; k = k->next->next)
        if (k->kind == NODE_TEXT && !is_merge(k) && !is_extension(k))
            take_pair(l, w, k, k->next);
    for (k = map->first; k && k->next; k = k->next->next)
        if (k->kind == NODE_TEXT && is_merge(k))
            walk_merged(l, w, k->next);
}

uint32_t config_walk(struct loader *l, struct node *map,
                     const struct config_schema *schema, void *into)
{
    struct walk w = {.schema = schema, .into = into};

    walk_map(l, &w, config_node(map));
    return w.seen | w.meant;
}

static struct node *get_merged(struct node *value, const char *name)
{
    struct node *n = config_node(value), *found = NULL;

    if (n->kind == NODE_MAP)
        return config_get(n, name);
    if (n->kind == NODE_LIST)
        for (struct node *i = n->first; i && !found; i = i->next)
            found = config_get(i, name);
    return found;
}

struct node *config_get(struct node *map, const char *name)
{
    struct node *n = config_node(map), *k, *found = NULL;

    if (n->kind != NODE_MAP)
        return NULL;
    for (k = n->first; k && k->next; k = k->next->next)
        if (k->kind == NODE_TEXT && strcmp(k->text, name) == 0)
            return k->next;
    for (k = n->first; k && k->next && !found; k = k->next->next)
        if (k->kind == NODE_TEXT && is_merge(k))
            found = get_merged(k->next, name);
    return found;
}
