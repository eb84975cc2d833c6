/* Words of the command line that narrow a run to releases and devices. */
#include <stdlib.h>
#include <string.h>
#include "config_private.h"

static bool select_release(struct config *c, const char *word)
{
    for (size_t r = 0; r < c->release_count; r++) {
        if (strcmp(c->releases[r].name.text, word) != 0)
            continue;
        for (size_t i = 0; i < c->device_count; i++)
            if (c->devices[i].release == r)
                c->devices[i].selected = true;
        return true;
    }
    return false;
}

static bool select_device(struct config *c, const char *word)
{
    struct device *d;
    struct device_id id;

    if (device_id_parse(word, strlen(word), &id) == 0)
        d = fleet_by_id(&c->priv->fleet, &id);
    else
        d = fleet_by_name(&c->priv->fleet, word);
    if (d)
        d->selected = true;
    return d;
}

static int say_unknown(const struct config *c, const char *word)
{
    struct device_id id;
    const char **names, *near = NULL;
    size_t count = 0;

    if (device_id_parse(word, strlen(word), &id) == 0)
        return diag_error(DIAG_USAGE, "device '%s' is not in '%s'", word,
                          c->path);
    names = calloc(c->release_count + c->device_count + 1, sizeof(char *));
    if (!names)
        return diag_no_memory();
    for (size_t i = 0; i < c->release_count; i++)
        names[count++] = c->releases[i].name.text;
    for (size_t i = 0; i < c->device_count; i++)
        if (c->devices[i].name)
            names[count++] = c->devices[i].name;
    near = diag_suggest(word, names, count);
    free(names);
    if (fleet_say_other(word, near != NULL))
        return -1;
    if (near)
        return diag_error(DIAG_USAGE,
                          "no release or device '%s' in '%s' (did you mean "
                          "'%s'?)",
                          word, c->path, near);
    return diag_error(DIAG_USAGE, "no release or device '%s' in '%s'", word,
                      c->path);
}

int config_select(struct config *c, char *const *words, size_t count)
{
    int r = 0;

    for (size_t i = 0; i < c->device_count; i++)
        c->devices[i].selected = count == 0;
    for (size_t i = 0; i < count; i++)
        if (!select_release(c, words[i]) && !select_device(c, words[i]))
            r = say_unknown(c, words[i]);
    for (size_t i = 0; i < c->release_count; i++)
        c->releases[i].selected = count == 0;
    for (size_t i = 0; i < c->device_count; i++)
        if (c->devices[i].selected)
            c->releases[c->devices[i].release].selected = true;
    return r;
}
