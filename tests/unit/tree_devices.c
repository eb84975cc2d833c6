/* Files of devices of their own: {values} in names, sets that are shared. */
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tree_help.h"

static void make_files(void)
{
    mkdir("site", 0755);
    put("main.py", "main");
    put("site/kew.json", "kew");
    put("site/rhs.json", "rhs");
}

static struct device_value kew = {"site", "kew", NULL};
static struct device_value rhs = {"site", "rhs", NULL};

static void test_devices(void)
{
    static const struct rule rules[RULES] = {
        {"main.py", NULL, NULL}, {"site/{site}.json", "site.json", NULL}};
    static const char *const exclude[RULES] = {NULL};
    struct device d[] = {
        {.id = {{1, 2, 3, 4, 5, 6}, 6}, .values = &rhs},
        {.id = {{1, 2, 3, 4, 5, 7}, 6}, .values = &kew},
        {.id = {{1, 2, 3, 4, 5, 8}, 6}, .values = &rhs},
        {.id = {{1, 2, 3, 4, 5, 9}, 6}, .release = 7},
    };
    const struct config *c = make_config(rules, exclude, d, 4);
    const struct tree_set *sets;
    uint8_t before[OTA_HASH], after[OTA_HASH];
    char listing[256];
    struct tree *t;

    said[0] = '\0';
    if (!check(tree_load(c, &t) == 0, "devices with values"))
        return;
    sets = t->releases[0].sets;
    check(t->releases[0].set_count == 2, "a set for each content");
    check(t->device_set[0] == 0 && t->device_set[1] == 1 &&
              t->device_set[2] == 0,
          "devices with the same files share a set");
    check(t->device_set[3] == UINT32_MAX, "a device of no selected release");
    check(sets[0].own && sets[1].own, "the sets are devices' own");
    check(sets[0].entries[0] == sets[1].entries[0], "shared files are shared");
    list_set(&sets[1], listing, sizeof listing);
    check(!strcmp(listing, "main.py<main.py site.json<site/kew.json"),
          "the value names the file");
    tree_content_hash(c, t, 0, before);
    tree_free(t);
    d[2].values = &kew;
    if (!check(tree_load(c, &t) == 0, "with another value"))
        return;
    tree_content_hash(c, t, 0, after);
    check(memcmp(before, after, OTA_HASH) != 0, "another content hash");
    tree_free(t);
}

static void test_device_mistakes(void)
{
    static const struct rule rules[RULES] = {{"site/{site}.json", NULL, NULL},
                                             {"nothing", NULL, NULL}};
    static const char *const exclude[RULES] = {NULL};
    static struct device_value values[] = {
        {"site", "../main", NULL}, {"site", "..", NULL}, {"site", "", NULL},
        {"site", "york", NULL},    {"other", "x", NULL},
    };
    static const char *const says[] = {
        "1: error: the value '../main' for '{site}' has a '/' (device "
        "'24:6f:28:00:00:00')\n",
        "1: error: the value '..' for '{site}' is '.' or has '..' (device "
        "'24:6f:28:00:00:01')\n",
        "1: error: the value '' for '{site}' is empty (device "
        "'24:6f:28:00:00:02')\n",
        "1: error: cannot open 'site/york.json': No such file or directory "
        "(device '24:6f:28:00:00:03')\n",
        "1: error: there is no value for '{site}' (device "
        "'24:6f:28:00:00:04')\n",
        "2: error: cannot open 'nothing': No such file or directory\n",
    };
    struct device d[5];
    struct tree *t;
    size_t i;

    memset(d, 0, sizeof d);
    for (i = 0; i < 5; i++) {
        d[i].id = (struct device_id){{0x24, 0x6f, 0x28, 0, 0, (uint8_t)i}, 6};
        d[i].values = &values[i];
    }
    said[0] = '\0';
    diag_reset();
    check(tree_load(make_config(rules, exclude, d, 5), &t) == -1 && !t,
          "mistakes of devices");
    for (i = 0; i < sizeof says / sizeof *says; i++)
        check(strstr(said, says[i]) != NULL, "it says %s", says[i]);
    check(diag_errors() == 6, "each is said once");
    check(diag_status() == DIAG_INPUT, "the first one counts");
}

static void test_many_mistakes(void)
{
    static const struct rule rules[RULES] = {{"x/{id}", NULL, NULL}};
    static const char *const exclude[RULES] = {NULL};
    struct device *d = calloc(1000, sizeof *d);
    struct tree *t;
    size_t i;

    for (i = 0; d && i < 1000; i++)
        d[i].id =
            (struct device_id){{1, 2, 3, 4, (uint8_t)(i >> 8), (uint8_t)i}, 6};
    said[0] = '\0';
    diag_reset();
    check(tree_load(make_config(rules, exclude, d, 1000), &t) == -1,
          "a thousand mistakes");
    check(diag_errors() == 1, "are one error");
    check(strstr(said, "1: error: cannot open 'x/010203040000': No such file "
                       "or directory (1000 devices: '01:02:03:04:00:00', "
                       "'01:02:03:04:00:01', '01:02:03:04:00:02' and 997 "
                       "more)\n") != NULL,
          "with a count and three examples");
    free(d);
}

static void test_clash_of_devices(void)
{
    static const struct rule rules[RULES] = {{"main.py", "kew.json", NULL},
                                             {"site/{site}*", "", NULL}};
    static const char *const exclude[RULES] = {NULL};
    struct device d[] = {{.id = {{1, 2, 3, 4, 5, 6}, 6}, .values = &rhs},
                         {.id = {{1, 2, 3, 4, 5, 7}, 6}, .values = &kew}};
    struct tree *t;

    said[0] = '\0';
    check(tree_load(make_config(rules, exclude, d, 2), &t) == -1,
          "a device's file and a shared one");
    check(!strcmp(said,
                  "2: error: path 'kew.json' (from 'site/kew.json') comes "
                  "twice: another is 'kew.json' (from 'main.py') (device "
                  "'01:02:03:04:05:07')\n"
                  "1: note: 'kew.json' comes from here\n"),
          "it is said with the device");
}

static void test_wild_value(void)
{
    static const struct rule rules[RULES] = {{"site/{site}", "x", NULL},
                                             {"site/{site}/*", NULL, NULL}};
    static const char *const exclude[RULES] = {NULL};
    static struct device_value star = {"site", "*.json", NULL};
    struct device d[] = {{.id = {{1, 2, 3, 4, 5, 6}, 6}, .values = &star}};
    struct tree *t;

    said[0] = '\0';
    check(tree_load(make_config(rules, exclude, d, 1), &t) == -1,
          "a wildcard in a value");
    check(strstr(said, "1: error: cannot open 'site/*.json'") != NULL,
          "is plain in a plain path");
    check(strstr(said, "2: error: the value '*.json' for '{site}' has a "
                       "wildcard") != NULL,
          "is refused in a pattern");
}

int main(void)
{
    char dir[] = "/tmp/ota-tree-XXXXXX", command[64];

    if (sodium_init() < 0 || !mkdtemp(dir) || chdir(dir))
        return 1;
    diag_set_handler(remember, NULL);
    make_files();
    test_devices();
    test_device_mistakes();
    test_many_mistakes();
    test_clash_of_devices();
    test_wild_value();
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) ? 1 : tap_done();
}
