/* The releases of the tests: see scene.h. */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

#define OLD_NET "def connect():\n    return 'the old way, in some words'\n"
#define NEW_NET "def connect():\n    return 'the new way, in some words'\n"
#define RUN     "#!/bin/sh\nexec main\n"

static const struct item rich_user[] = {
    {"cfg.json", "{\"wifi\": \"secret\"}", 0600, 0},
    {"data/log.txt", "mine\n", 0644, 0}};

static const struct item rich_1[] = {
    {"app", "firmware one", 0, OTA_SLOT},
    {"a", "a file that becomes a folder\n", 0644, 0},
    {"empty", "", 0644, 0},
    {"keep.txt", "it stays as it is\n", 0640, 0},
    {"lib/net.py", OLD_NET, 0644, 0},
    {"main.py", "print('old')\n", 0644, 0},
    {"old/gone.py", "print('gone')\n", 0644, 0},
    {"run.sh", RUN, 0644, 0}};

static const struct item rich_2[] = {
    {"app", "firmware two!", 0, OTA_SLOT},
    {"a/x.py", "x = 1\n", 0644, 0},
    {"cfg.json", "{}", 0644, 0},
    {"empty", "no longer\n", 0644, 0},
    {"keep.txt", "it stays as it is\n", 0640, 0},
    {"lib/net.py", NEW_NET, 0644, 0},
    {"main.py", "print('new and longer')\n", 0600, 0},
    {"n/deep/f.py", "f = 'new'\n", 0644, 0},
    {"n/void", "", 0644, 0},
    {"run.sh", RUN, 0755, 0}};

static const struct item rich_3[] = {
    {"app", "firmware three", 0, OTA_SLOT},
    {"a/x.py", "x = 3\n", 0644, 0},
    {"empty", "no longer\n", 0644, 0},
    {"keep.txt", "it stays as it is\n", 0640, 0},
    {"lib/net.py", NEW_NET "# 3\n", 0644, 0},
    {"main.py", "print('third')\n", 0600, 0},
    {"n/deep/f.py", "f = 'third'\n", 0644, 0},
    {"n/void", "", 0644, 0},
    {"run.sh", RUN "# 3\n", 0755, 0}};

/* What the maker of a delta takes for the device's, where its list says so. */
static const struct item rich_base[] = {
    {"app", "firmware one", 0, OTA_SLOT},
    {"a", "a file that becomes a folder\n", 0644, 0},
    {"cfg.json", "{\"wifi\": \"unknown\"}", 0644, 0},
    {"keep.txt", "it stays as it is\n", 0640, 0},
    {"lib/net.py", OLD_NET, 0644, 0},
    {"old/gone.py", "print('gone')\n", 0644, 0},
    {"run.sh", RUN, 0644, 0}};

static const struct item five_1[] = {{"a.py", "a = 1\n", 0644, 0},
                                     {"b.py", "b = 'one'\n", 0644, 0},
                                     {"c.py", "c = (1, 1)\n", 0644, 0},
                                     {"d.py", "def d():\n    pass\n", 0644, 0},
                                     {"e.py", "import a, b\n", 0644, 0}};
static const struct item five_2[] = {
    {"a.py", "a = 2\n", 0644, 0},
    {"b.py", "b = 'two'\n", 0644, 0},
    {"c.py", "c = (2, 2)\n", 0644, 0},
    {"d.py", "def d():\n    return 2\n", 0644, 0},
    {"e.py", "import a, b, c, d\n", 0644, 0}};
static const struct item five_3[] = {{"a.py", "a = 3\n", 0644, 0},
                                     {"b.py", "b = 3\n", 0644, 0},
                                     {"c.py", "c = 3\n", 0644, 0},
                                     {"d.py", "d = 3\n", 0644, 0},
                                     {"e.py", "e = 3\n", 0644, 0}};

/* Files and folders whose names change by case alone. */
static const struct item case_1[] = {
    {"keep.txt", "it stays\n", 0644, 0},
    {"Lib/a.py", "a = 1\n", 0644, 0},
    {"Lib/Sub/B.py", "b = 1\n", 0644, 0},
    {"Main.py", "print('the same in both')\n", 0644, 0},
    {"x/Y.py", "y = 1\n", 0644, 0},
    {"x/z.py", "z = 1\n", 0644, 0}};
static const struct item case_2[] = {
    {"keep.txt", "it stays\n", 0644, 0},
    {"lib/a.py", "a = 2\n", 0644, 0},
    {"lib/sub/b.py", "b = 1\n", 0644, 0},
    {"main.py", "print('the same in both')\n", 0644, 0},
    {"x/y.py", "y = 2\n", 0644, 0},
    {"x/z.py", "z = 1\n", 0644, 0}};

static struct scene *scene_new(const char *name)
{
    struct scene *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->name = name;
    bundle_device(&s->config.device);
    s->config.chances = 20; /* a cut is no boot of a program that crashed */
    for (int v = 1; v <= SCENE_VERSIONS; v++) {
        s->bundle[v] = calloc(1, sizeof(*s->bundle[v]));
        if (!s->bundle[v])
            abort();
    }
    return s;
}

void scene_free(struct scene *s)
{
    for (int v = 1; v <= SCENE_VERSIONS; v++)
        free(s->bundle[v]);
    free(s->owned);
    free(s);
}

/* Versions 1 to 3, each with a delta from version 1. */
static void make_bundles(struct scene *s, const struct set *other_base,
                         const uint8_t (*keys)[OTA_PUBLIC_KEY],
                         const char *const *never)
{
    for (unsigned v = 1; v <= SCENE_VERSIONS; v++) {
        struct bundle_options o = {.version = v};

        if (v > 1) {
            o.base = s->bundle[1];
            o.base_set = &s->set[1];
            o.other_base = v == 2 ? other_base : NULL;
            o.deletes = never;
            o.delete_count = v == 2 && never ? 1 : 0;
            o.keys = keys;
            o.key_count = v == 2 && keys ? 2 : 0;
        }
        bundle_make(s->bundle[v], &s->set[v], &o);
    }
}

struct scene *scene_rich(void)
{
    static const char *const protect[] = {"CFG.json", "data/"};
    static const char *const boot_paths[] = {"boot.py", "ota/"};
    static const char *const never[] = {"never.py"};
    static const struct set base = {rich_base, COUNT(rich_base)};
    static uint8_t keys[2][OTA_PUBLIC_KEY];
    struct scene *s = scene_new("everything");

    memcpy(keys[0], bundle_key(0), OTA_PUBLIC_KEY);
    memcpy(keys[1], bundle_key(1), OTA_PUBLIC_KEY);
    s->config.protect = protect;
    s->config.protect_count = COUNT(protect);
    s->config.boot_paths = boot_paths;
    s->config.boot_path_count = COUNT(boot_paths);
    s->user.item = rich_user;
    s->user.count = COUNT(rich_user);
    s->set[1].item = rich_1;
    s->set[1].count = COUNT(rich_1);
    s->set[2].item = rich_2;
    s->set[2].count = COUNT(rich_2);
    s->set[3].item = rich_3;
    s->set[3].count = COUNT(rich_3);
    make_bundles(s, &base, (const uint8_t(*)[OTA_PUBLIC_KEY])keys, never);
    return s;
}

struct scene *scene_case(void)
{
    struct scene *s = scene_new("names in another case");

    s->set[1].item = case_1;
    s->set[1].count = COUNT(case_1);
    s->set[2].item = s->set[3].item = case_2;
    s->set[2].count = s->set[3].count = COUNT(case_2);
    make_bundles(s, NULL, NULL, NULL);
    return s;
}

struct scene *scene_five(void)
{
    struct scene *s = scene_new("five files");

    s->set[1].item = five_1;
    s->set[1].count = COUNT(five_1);
    s->set[2].item = five_2;
    s->set[2].count = COUNT(five_2);
    s->set[3].item = five_3;
    s->set[3].count = COUNT(five_3);
    make_bundles(s, NULL, NULL, NULL);
    return s;
}

/* -- by chance --------------------------------------------------------------
 */

static uint32_t roll(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525 + 1013904223;
    return (*seed >> 16) % below;
}

/* In record order; some are below others, so that a file can become a
 * folder. */
static const char *const pool[] = {
    "a",       "a/b",  "a/b/c.py", "b.txt", "c",   "c/d/e/f",
    "d1/x",    "d1/y", "d2/x",     "e",     "f/g", "f/h/i",
    "main.py", "run",  "z/y/x",    "z/y/z", "z/z"};

static bool below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* No file of a set is below another, and none is a folder of the set before:
 * such a release is refused when it is packed. */
static bool fits(const struct item *set, size_t count, const struct set *before,
                 const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (below(path, set[i].path))
            return false;
    }
    for (size_t i = 0; i < before->count; i++) {
        if (below(before->item[i].path, path))
            return false;
    }
    return true;
}

static void random_set(struct set *set, struct item *item, char (*bytes)[400],
                       const struct set *before, uint32_t *seed)
{
    static const unsigned modes[] = {0644, 0644, 0600, 0755};
    static const char line[] = "some words that come again and again\n";

    set->item = item;
    set->count = 0;
    for (size_t i = 0; i < COUNT(pool); i++) {
        char *text = bytes[set->count];
        size_t len;

        if (roll(seed, 3) == 0 || !fits(item, set->count, before, pool[i]))
            continue;
        len = roll(seed, 4) == 0 ? 0 : roll(seed, 399);
        for (size_t k = 0; k < len; k++)
            text[k] = line[k % (sizeof(line) - 1)];
        if (len > 0)
            text[roll(seed, (uint32_t)len)] = (char)('0' + roll(seed, 10));
        text[len] = '\0';
        item[set->count++] =
            (struct item){pool[i], text, modes[roll(seed, 4)], OTA_FILE};
    }
    if (set->count == 0) {
        memcpy(bytes[0], "only", sizeof("only"));
        item[set->count++] = (struct item){"b.txt", bytes[0], 0644, OTA_FILE};
    }
}

struct scene *scene_random(uint32_t seed)
{
    static struct item items[SCENE_VERSIONS + 1][COUNT(pool)];
    static char bytes[SCENE_VERSIONS + 1][COUNT(pool)][400];
    static const struct set nothing;
    struct scene *s = scene_new("by chance");

    random_set(&s->set[1], items[1], bytes[1], &nothing, &seed);
    random_set(&s->set[2], items[2], bytes[2], &s->set[1], &seed);
    s->set[3] = s->set[2];
    make_bundles(s, NULL, NULL, NULL);
    return s;
}

/* -- by size ----------------------------------------------------------------
 */

enum { NAME = 16, FOLDER = 50 }; /* files to a folder */

static void sized_set(struct set *set, struct item *item, char *text,
                      size_t first, size_t bytes, uint32_t seed)
{
    set->item = item;
    for (size_t i = 0; i < set->count; i++, text += NAME + bytes + 1) {
        char *content = text + NAME;
        size_t n = first + i;

        if (set->count < FOLDER)
            snprintf(text, NAME, "f%02u.py", (unsigned)n % 100);
        else
            snprintf(text, NAME, "d%02u/f%04u.py", (unsigned)(n / FOLDER) % 100,
                     (unsigned)n % 10000);
        for (size_t k = 0; k < bytes; k++)
            content[k] = (char)('0' + roll(&seed, 64));
        content[bytes] = '\0';
        item[i] = (struct item){text, content, 0644, OTA_FILE};
    }
}

struct scene *scene_sized(const char *name, size_t count, size_t bytes)
{
    struct scene *s = scene_new(name);
    size_t each = sizeof(struct item) + NAME + bytes + 1;
    struct item *items = calloc(SCENE_VERSIONS * count, each);
    char *text;

    if (!items)
        abort();
    text = (char *)(items + SCENE_VERSIONS * count);
    s->owned = items;
    for (unsigned v = 1; v <= SCENE_VERSIONS; v++) {
        s->set[v].count = count;
        sized_set(&s->set[v], items + (v - 1) * count,
                  text + (v - 1) * count * (NAME + bytes + 1),
                  (v - 1) * count / 10, bytes, v);
    }
    make_bundles(s, NULL, NULL, NULL);
    return s;
}
