/* What the tests of tree share: a configuration made by hand, messages kept. */
#ifndef TREE_HELP_H
#define TREE_HELP_H

#include <stdlib.h>
#include <string.h>
#include "pack/tree_internal.h"
#include "tap.h"

/* What was reported, each on a line. */
static char said[65536];

static inline void remember(void *ctx, const struct diag_event *e)
{
    static const char *const levels[] = {"error", "warning", "note"};
    size_t len = strlen(said);

    (void)ctx;
    snprintf(said + len, sizeof said - len, "%u: %s: %s\n", e->mark.line,
             levels[e->level], e->message);
}

static inline void put(const char *path, const char *content)
{
    FILE *f = fopen(path, "w");

    if (!f || fputs(content, f) < 0 || fclose(f))
        abort();
}

/* A release of a test; rules are on lines 1, 2, ... of a file. */
struct rule {
    const char *from, *to, *slot;
};

enum { RULES = 6 };

static struct diag_source source = {"t.yml", "", 0};
static struct config_file files[RULES];
static struct config_text excludes[RULES];
static struct config_release release;
static struct config config;

static inline struct config_text text(const char *s, uint32_t line)
{
    return (struct config_text){s, {&source, line, 1, 1}};
}

static inline const struct config *make_config(const struct rule *rules,
                                               const char *const *exclude,
                                               struct device *devices,
                                               size_t count)
{
    size_t i;

    memset(&release, 0, sizeof release);
    memset(&config, 0, sizeof config);
    release.name = text("r", 100);
    release.selected = true;
    release.files = files;
    release.exclude = excludes;
    for (i = 0; i < RULES && rules[i].from; i++) {
        files[i].from = text(rules[i].from, (uint32_t)i + 1);
        files[i].to = text(rules[i].to, (uint32_t)i + 1);
        files[i].slot = text(rules[i].slot, (uint32_t)i + 1);
        files[i].mode = 0644;
    }
    release.file_count = i;
    for (i = 0; i < RULES && exclude[i]; i++)
        excludes[i] = text(exclude[i], 50);
    release.exclude_count = i;
    config.path = "t.yml";
    config.dir = ".";
    config.releases = &release;
    config.release_count = 1;
    config.devices = devices;
    config.device_count = count;
    return &config;
}

/* "path<source", '!' before a slot, in record order. */
static inline void list_set(const struct tree_set *set, char *out, size_t room)
{
    size_t i, len = 0;

    out[0] = '\0';
    for (i = 0; i < set->count; i++) {
        const struct tree_entry *e = set->entries[i];

        len += (size_t)snprintf(out + len, room - len, "%s%s%s<%s",
                                i ? " " : "", e->type == OTA_SLOT ? "!" : "",
                                e->path, e->source);
    }
}

#endif
