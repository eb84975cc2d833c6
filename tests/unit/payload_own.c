/* Sets with entries of their own: what they have in common is compressed once,
 * and nobody sees it in the bytes. */
#include <unistd.h>
#include "payload_help.h"

/* What sets are picked from, by its place here: a hexadecimal digit. */
static const struct {
    uint8_t type;
    const char *path;
    size_t len;
    enum fill fill;
    bool own;
} all[] = {
    {OTA_SLOT, "app", 150000, FILL_TEXT, false},   /* 0 */
    {OTA_SLOT, "site", 300, FILL_TEXT, true},      /* 1 */
    {OTA_FILE, "a/big", 100000, FILL_TEXT, false}, /* 2 */
    {OTA_FILE, "a/own", 200, FILL_TEXT, true},     /* 3 */
    {OTA_FILE, "a/own", 300, FILL_TEXT, true},     /* 4 */
    {OTA_FILE, "a/own", 150000, FILL_TEXT, true},  /* 5 */
    {OTA_FILE, "b", 70000, FILL_RANDOM, false},    /* 6 */
    {OTA_FILE, "c", 100, FILL_TEXT, false},        /* 7 */
    {OTA_FILE, "d", 500, FILL_TEXT, true},         /* 8 */
    {OTA_FILE, "d", 0, FILL_TEXT, true},           /* 9 */
    {OTA_FILE, "e", 5000, FILL_TEXT, false},       /* a */
    {OTA_FILE, "z", 4, FILL_TEXT, true},           /* b */
    {OTA_FILE, "z", 5, FILL_TEXT, true},           /* c */
};

static void add_all(struct fixture *f)
{
    size_t i;

    for (i = 0; i < sizeof all / sizeof *all; i++) {
        add(f, all[i].type, all[i].path, all[i].len, all[i].fill);
        f->entries[i].own = all[i].own;
    }
}

static size_t digit(char c)
{
    return c <= '9' ? (size_t)(c - '0') : (size_t)(c - 'a' + 10);
}

/* Packs the entries that `which` names. */
static int pack(const struct fixture *f, const char *which,
                struct payload_shape shape, unsigned jobs,
                struct payload_cache *cache, struct payload *out)
{
    static const char *const deletes[] = {"a/p", "bb"};
    const struct tree_entry *list[FILES];
    struct tree_set set = {.entries = list};

    for (; *which && *which != '-'; which++) {
        const struct tree_entry *e = &f->entries[digit(*which)];

        list[set.count++] = e;
        set.bytes += e->size;
        set.space += e->type == OTA_FILE ? e->size : 0;
        set.own = set.own || e->own;
    }
    return payload_pack(&set, deletes, strlen(which), shape, jobs, cache, out);
}

/* The same as without a cache; each '-' behind the digits is a DELETE. */
static bool check_same(const struct fixture *f, const char *which,
                       struct payload_shape shape, unsigned jobs,
                       struct payload_cache *cache)
{
    struct payload plain, cached;
    bool same = false;

    if (pack(f, which, shape, 1, NULL, &plain))
        return false;
    if (!pack(f, which, shape, jobs, cache, &cached)) {
        same = same_payload(&plain, &cached);
        payload_release(&cached);
    }
    payload_release(&plain);
    return same;
}

/* In an order in which runs come again with more or less around them. */
static const char *const sets[] = {
    "0236a", "0246a",  "0256a", "026a",     "0126a",  "01236a", "02378a",
    "0237a", "023679", "36a",   "36ab",     "36ac",   "3",      "37",
    "39",    "06ab",   "06ac",  "023678ab", "0236a-", "0246a-", "0236a--",
    "36a--", "4ab--",  "026a-", "0236a",
};
enum { SETS = sizeof sets / sizeof *sets };

static void test_same(const struct fixture *f)
{
    static const unsigned jobs[] = {1, 2, 3, 8};
    static const struct payload_shape shapes[] = {
        {12, 4096}, {9, 128}, {12, 1000}, {12, 4096}};
    size_t i, k, bad;

    for (i = 0; i < 4; i++) {
        struct payload_cache *cache = payload_cache_new();

        for (bad = k = 0; cache && k < SETS; k++)
            bad += !check_same(f, sets[k], shapes[0], jobs[i], cache);
        for (k = 0; cache && k < SETS; k++)
            bad += !check_same(f, sets[k], shapes[k % 4], jobs[i], cache);
        check(cache && !bad, "%u threads: the same with and without a cache",
              jobs[i]);
        payload_cache_free(cache);
    }
}

static void hide(const struct fixture *f, const char *which)
{
    for (; *which; which++)
        unlink(f->source[digit(*which)]);
}

static void show(const struct fixture *f, const char *which)
{
    for (; *which; which++) {
        size_t i = digit(*which);

        put(f->source[i], f->content[i], f->entries[i].size);
    }
}

/* Whether `which` is packed, and the same as before, though `without` cannot
 * be read. */
static bool packs_without(const struct fixture *f, const char *which,
                          const char *without, struct payload_cache *cache)
{
    struct payload plain, cached;
    bool same = false;

    if (pack(f, which, shape_of(12, 4096), 2, NULL, &plain))
        return false;
    hide(f, without);
    if (!pack(f, which, shape_of(12, 4096), 2, cache, &cached)) {
        same = same_payload(&plain, &cached);
        payload_release(&cached);
    }
    show(f, without);
    payload_release(&plain);
    return same;
}

/* What is not read cannot have been compressed. */
static void test_once(const struct fixture *f)
{
    struct payload_cache *cache = payload_cache_new();
    struct payload p;

    if (!cache)
        abort();
    check(!packs_without(f, "0236a", "0", cache), "an empty cache is no help");
    check(packs_without(f, "0236a", "", cache), "a set");
    check(packs_without(f, "0246a", "026a3", cache),
          "another needs nothing but its own");
    check(packs_without(f, "025", "02", cache), "so does one with less");
    check(!packs_without(f, "0246a", "4", cache), "that it needs");
    check(packs_without(f, "01246a", "6a", cache), "and what is cut elsewhere");
    check(!packs_without(f, "0246", "6", cache), "or ends elsewhere");
    check(packs_without(f, "0236a--", "02", cache) &&
              packs_without(f, "0246a--", "026a", cache),
          "DELETEs are part of it");
    said[0] = '\0';
    hide(f, "6");
    check(pack(f, "0246a--", shape_of(13, 4096), 2, cache, &p) == -1 &&
              !strcmp(said, "4: cannot open 'source6': No such file or "
                            "directory\n"),
          "and the window");
    show(f, "6");
    check(check_same(f, "0246a", shape_of(12, 128), 3, cache),
          "after a failure");
    payload_cache_free(cache);
    payload_cache_free(NULL);
}

/* Two of these are more than is kept. */
static void test_limit(void)
{
    struct payload_cache *cache = payload_cache_new();
    struct fixture f = {0};

    if (!cache)
        abort();
    add(&f, OTA_FILE, "a", 3 << 20, FILL_RANDOM);
    add(&f, OTA_FILE, "b", 3 << 20, FILL_RANDOM);
    add(&f, OTA_FILE, "c", 10, FILL_TEXT);
    f.entries[2].own = true;
    check(check_same(&f, "02", shape_of(12, 4096), 2, cache) &&
              check_same(&f, "12", shape_of(12, 4096), 2, cache),
          "two large sets");
    check(packs_without(&f, "02", "0", cache), "one is still known");
    check(!packs_without(&f, "12", "1", cache), "the other had to go");
    payload_cache_free(cache);
    clear(&f);
}

int main(void)
{
    char dir[] = "/tmp/ota-payload-XXXXXX", command[64];
    struct fixture f = {0};

    if (sodium_init() < 0 || !mkdtemp(dir) || chdir(dir))
        return 1;
    diag_set_handler(remember, NULL);
    add_all(&f);
    test_same(&f);
    test_once(&f);
    clear(&f);
    test_limit();
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) ? 1 : tap_done();
}
