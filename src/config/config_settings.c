/* Numbers with units: hardware, ram, expires, keep; and what is allowed. */
#include <stdlib.h>
#include <string.h>
#include "config_private.h"
#include <ota/bundle.h>

/* A hundred years: created plus this stays a date that people know. */
enum { EXPIRES_MAX = 36500 };

/* Decimal digits without a leading zero at the front of `text`; the rest is at
 * *end.  0, or -1 if there are none, or more than `max`. */
static int take_number(const char *text, uint64_t max, uint64_t *out,
                       const char **end)
{
    uint64_t n = 0;
    const char *p = text;

    for (; *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (uint64_t)(*p - '0');
        if (n > max)
            return -1;
    }
    *out = n;
    *end = p;
    return p == text || (*text == '0' && p > text + 1) ? -1 : 0;
}

int config_take_hardware(struct loader *l, struct node *key, struct node *value,
                         void *into)
{
    struct config_settings *s = into;
    struct config_text t;
    const char *end;
    uint64_t n;

    if (config_take_word(l, key->text, value, &t) < 0)
        return -1;
    if (take_number(t.text, UINT16_MAX, &n, &end) < 0 || *end)
        return config_wrong(
            l, value, "hardware '%s' is not a number from 0 to 65535", t.text);
    s->hardware = (uint16_t)n;
    s->has_hardware = true;
    return 0;
}

static unsigned unit_shift(const char *unit)
{
    static const struct {
        const char *name;
        unsigned shift;
    } units[] = {{"", 0},   {"K", 10}, {"k", 10},  {"KiB", 10},
                 {"M", 20}, {"m", 20}, {"MiB", 20}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].shift;
    return 64;
}

int config_take_ram(struct loader *l, struct node *key, struct node *value,
                    void *into)
{
    const uint64_t least = OTA_READER_MEMORY(9, OTA_MANIFEST_MAX);
    struct config_settings *s = into;
    struct config_text t;
    const char *unit;
    unsigned shift;
    uint64_t n;

    if (config_take_word(l, key->text, value, &t) < 0)
        return -1;
    if (take_number(t.text, UINT32_MAX, &n, &unit) < 0 ||
        (shift = unit_shift(unit)) == 64 || n << shift > UINT32_MAX)
        return config_wrong(
            l, value, "ram '%s' is not a size like 24K, 1M or 16384", t.text);
    if (n << shift < least)
        return config_wrong(l, value,
                            "ram '%s' is too small for any window: the least "
                            "is %u (%uK)",
                            t.text, (unsigned)least,
                            (unsigned)((least + 1023) / 1024));
    s->ram = (uint32_t)(n << shift);
    s->ram_mark = t.mark;
    s->has_ram = true;
    return 0;
}

int config_take_expires(struct loader *l, struct node *key, struct node *value,
                        void *into)
{
    static const char units[] = "hdw";
    static const uint32_t hours[] = {1, 24, 168};
    struct config_settings *s = into;
    struct config_text t;
    const char *end, *unit;
    uint64_t n;

    if (config_take_word(l, key->text, value, &t) < 0)
        return -1;
    if (strcmp(t.text, "never") == 0) {
        s->has_expires = true;
        return 0;
    }
    if (take_number(t.text, 1000000, &n, &end) < 0 || !n || !*end || end[1] ||
        !(unit = strchr(units, *end)))
        return config_wrong(l, value,
                            "expires '%s' is not a time like 90d, 12h or 4w, "
                            "or never",
                            t.text);
    n *= hours[unit - units];
    if (n > EXPIRES_MAX * 24)
        return config_wrong(l, value, "expires '%s' is more than %dd", t.text,
                            EXPIRES_MAX);
    s->expires = (uint32_t)(n * 3600);
    s->has_expires = true;
    return 0;
}

int config_take_keep(struct loader *l, struct node *key, struct node *value,
                     void *into)
{
    struct config_text t;
    const char *end;
    uint64_t n;

    (void)into;
    if (config_take_word(l, key->text, value, &t) < 0)
        return -1;
    if (take_number(t.text, UINT16_MAX, &n, &end) < 0 || *end || !n)
        return config_wrong(l, value,
                            "keep '%s' is not a number of versions from 1 to "
                            "65535",
                            t.text);
    l->config->keep = (uint32_t)n;
    return 0;
}

int config_take_secrets(struct loader *l, struct node *key, struct node *value,
                        void *into)
{
    (void)into;
    return config_take_texts(l, key, value, &l->allow->secrets,
                             &l->allow->secret_count);
}

int config_take_follow(struct loader *l, struct node *key, struct node *value,
                       void *into)
{
    struct config_allow *a = l->allow;
    struct config_text t;

    (void)into;
    if (config_node(value)->kind != NODE_TEXT)
        return config_take_texts(l, key, value, &a->follow, &a->follow_count);
    if (config_take_word(l, key->text, value, &t) < 0)
        return -1;
    a->follow_all = strcmp(t.text, "true") == 0;
    if (!a->follow_all && strcmp(t.text, "false") != 0)
        return config_wrong(l, value,
                            "follow '%s' is neither true, false nor a list of "
                            "paths",
                            t.text);
    return 0;
}
