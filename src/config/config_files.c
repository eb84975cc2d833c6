/* The items of `files:`. */
#include <string.h>
#include "config_private.h"

struct draft {
    struct config_file file;
    struct diag_mark mode_mark;
};

static int take_from(struct loader *l, struct node *key, struct node *value,
                     void *into)
{
    struct draft *d = into;

    return config_take_word(l, key->text, value, &d->file.from);
}

/* '' is the device's root: allowed. */
static int take_to(struct loader *l, struct node *key, struct node *value,
                   void *into)
{
    struct draft *d = into;

    return config_take_text(l, key->text, value, &d->file.to);
}

static int take_slot(struct loader *l, struct node *key, struct node *value,
                     void *into)
{
    struct draft *d = into;

    return config_take_word(l, key->text, value, &d->file.slot);
}

static int take_mode(struct loader *l, struct node *key, struct node *value,
                     void *into)
{
    struct draft *d = into;
    struct config_text t;
    unsigned mode = 0;
    size_t len;

    if (config_take_word(l, key->text, value, &t) < 0)
        return -1;
    d->mode_mark = t.mark;
    len = strlen(t.text);
    for (size_t i = 0; i < len && i < 4; i++)
        mode = mode << 3 | ((unsigned)(t.text[i] - '0') & 7);
    if (len > 4 || strspn(t.text, "01234567") != len || mode > 0777)
        return config_wrong(l, value,
                            "mode '%s' is not octal from 0 to 777, like "
                            "\"755\"",
                            t.text);
    d->file.mode = (uint16_t)mode;
    return 0;
}

static const struct config_field fields[] = {
    {"from", take_from},
    {"to", take_to},
    {"slot", take_slot},
    {"mode", take_mode},
};

static int check_from(const struct config_text *from)
{
    if (from->text[0] == '!')
        return diag_error_at(DIAG_CONFIG, from->mark,
                             "patterns have no '!': put '%s' into 'exclude'",
                             from->text + 1);
    return 0;
}

static int check_slot(const struct draft *d)
{
    int r = 0;

    if (!d->file.slot.text)
        return 0;
    if (d->file.to.mark.line)
        r = diag_error_at(DIAG_CONFIG, d->file.to.mark,
                          "a firmware image has no 'to': its place is slot "
                          "'%s'",
                          d->file.slot.text);
    if (d->mode_mark.line)
        r = diag_error_at(DIAG_CONFIG, d->mode_mark,
                          "a firmware image has no 'mode'");
    return r;
}

/* 0, or -1 (reported; the item is to be left out). */
static int take_map(struct loader *l, struct node *item,
                    struct config_file *out)
{
    static const struct config_schema schema = {
        fields, sizeof fields / sizeof fields[0], " in an item of 'files'",
        NULL};
    unsigned before = diag_errors();
    struct draft d = {.file.mode = 0644};
    uint32_t seen = config_walk(l, item, &schema, &d);

    if (!(seen & 1))
        return config_wrong(l, item, "no 'from' in this item of 'files'");
    if (diag_errors() != before || check_slot(&d) < 0 || !d.file.from.text ||
        check_from(&d.file.from) < 0)
        return -1;
    if (d.file.slot.text)
        d.file.mode = 0;
    *out = d.file;
    return 0;
}

static int take_file(struct loader *l, struct node *item,
                     struct config_file *out)
{
    if (config_node(item)->kind == NODE_MAP)
        return take_map(l, item, out);
    *out = (struct config_file){.mode = 0644};
    if (config_take_item(l, "files", item, &out->from) < 0)
        return -1;
    return check_from(&out->from);
}

void config_take_files(struct loader *l, struct config_release *r,
                       struct node *key, struct node *value)
{
    size_t count;
    struct node *list = config_list(l, key, value, &count);

    if (!list)
        return;
    if (!(r->files = arena_array(l->arena, count, sizeof *r->files))) {
        l->no_memory = true;
        return;
    }
    for (struct node *i = list->first; i; i = i->next)
        if (take_file(l, i, &r->files[r->file_count]) == 0)
            r->file_count++;
}
