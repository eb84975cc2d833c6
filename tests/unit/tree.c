/* Rules to files, files to sets. */
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tree_help.h"

/* U+00FC in one, or a letter and the mark. */
#define NFC       "\xc3\xbc"
#define DIAERESIS "\xcc\x88"
#define NFD       "u" DIAERESIS

static void make_files(void)
{
    static const char *const folders[] = {
        "lib",
        "lib/net",
        "lib/__pycache__",
        "src",
        "src/.git",
        "site",
        "case",
        "caf",
        "up",
        "up/proj",
        "deep",
        "deep/a",
        "deep/a/b",
        ("fu" DIAERESIS),
    };
    static const char *const names[] = {
        "main.py",
        "lib/a.py",
        "lib/b.py",
        "lib/net/c.py",
        "lib/test_a.py",
        "lib/__pycache__/a.pyc",
        "lib/.DS_Store",
        "lib/x.swp",
        "src/one.txt",
        "src/.git/config",
        "src/.hidden",
        "fw.bin",
        "site/kew.json",
        "site/rhs.json",
        "case/\xc3\x84.py",
        "case/\xc3\xa4.py",
        "case/A.txt",
        "caf/A.txt",
        "caf/a.txt",
        "deep/a/b/c.py",
        "bad~name",
        ("gr" NFD "n.py"),
        ("fu" DIAERESIS "/a.py"),
        ("s" NFC "d.py"),
    };
    size_t i;

    for (i = 0; i < sizeof folders / sizeof *folders; i++)
        mkdir(folders[i], 0755);
    for (i = 0; i < sizeof names / sizeof *names; i++)
        put(names[i], names[i]);
    put("empty", "");
    put("shared.py", "shared");
    if (symlink("../main.py", "lib/link.py") || symlink("lib", "liblink") ||
        symlink("nowhere", "dangling") || symlink("..", "lib/up") ||
        mkfifo("pipe", 0644))
        abort();
}

/* Rules of a release without devices of their own, and what comes of it: a
 * listing, or what is said. */
static const struct {
    const char *name;
    struct rule rules[RULES];
    const char *exclude[RULES];
    const char *listing, *says;
} cases[] = {
    {"a path", {{"main.py", NULL, NULL}}, {NULL}, "main.py<main.py", ""},
    {"a path with dots and slashes",
     {{"./lib//a.py", NULL, NULL}},
     {NULL},
     "lib/a.py<lib/a.py",
     ""},
    {"a path to another",
     {{"main.py", "app/boot.py", NULL}},
     {NULL},
     "app/boot.py<main.py",
     ""},
    {"a path to a folder",
     {{"lib/a.py", "x/", NULL}},
     {NULL},
     "x/a.py<lib/a.py",
     ""},
    {"a path to the root",
     {{"lib/a.py", "", NULL}},
     {NULL},
     "a.py<lib/a.py",
     ""},
    {"a link to a file",
     {{"lib/link.py", NULL, NULL}},
     {NULL},
     "lib/link.py<lib/link.py",
     ""},
    {"a pattern",
     {{"lib/*.py", NULL, NULL}},
     {NULL},
     "lib/a.py<lib/a.py lib/b.py<lib/b.py lib/link.py<lib/link.py "
     "lib/test_a.py<lib/test_a.py",
     ""},
    {"a pattern that spans, links to folders not walked, names never matched",
     {{"lib/**", NULL, NULL}},
     {"**/test_*", NULL},
     "lib/a.py<lib/a.py lib/b.py<lib/b.py lib/link.py<lib/link.py "
     "lib/net/c.py<lib/net/c.py",
     ""},
    {"a pattern to the root",
     {{"src/**", "", NULL}},
     {NULL},
     "one.txt<src/one.txt",
     ""},
    {"a pattern to a folder keeps what is behind the last plain folder",
     {{"deep/*/b/*.py", "x", NULL}},
     {NULL},
     "x/a/b/c.py<deep/a/b/c.py",
     ""},
    {"a pattern to a folder with a slash",
     {{"site/k*", "x/", NULL}},
     {NULL},
     "x/kew.json<site/kew.json",
     ""},
    {"a pattern whose folder is a link",
     {{"liblink/?.py", "x", NULL}},
     {NULL},
     "x/a.py<liblink/a.py x/b.py<liblink/b.py",
     ""},
    {"an excluded folder",
     {{"lib/**/*.py", NULL, NULL}},
     {"lib/net", "lib/[l-t]*", NULL},
     "lib/a.py<lib/a.py lib/b.py<lib/b.py",
     ""},
    {"a plain path is not excluded",
     {{"lib/test_a.py", NULL, NULL}},
     {"**/test_*", NULL},
     "lib/test_a.py<lib/test_a.py",
     ""},
    {"slots come first",
     {{"lib/a.py", NULL, NULL},
      {"fw.bin", NULL, "zap"},
      {"main.py", NULL, "app"}},
     {NULL},
     "!app<main.py !zap<fw.bin lib/a.py<lib/a.py",
     ""},
    {"order of records: '/' before all else, case ignored",
     {{"main.py", "lib-x", NULL},
      {"main.py", "LIB/z", NULL},
      {"main.py", "lib.a", NULL}},
     {NULL},
     "LIB/z<main.py lib-x<main.py lib.a<main.py",
     ""},
    {"doubled braces", {{"main.py", "{{a}}", NULL}}, {NULL}, "{a}<main.py", ""},

    {"NFC of a file that has NFD",
     {{"gr" NFC "n.py", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: cannot open 'gr" NFC "n.py': what is there is 'gr" NFD "n.py' "
     "with its accents written in another way (NFD): rename it, or copy its "
     "name from there\n"},
    {"NFD of a file that has NFC",
     {{"s" NFD "d.py", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: cannot open 's" NFD "d.py': what is there is 's" NFC "d.py' "
     "with its accents written in another way (NFC): rename it, or copy its "
     "name from there\n"},
    {"of its folder",
     {{"f" NFC "/a.py", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: cannot open 'f" NFC "/a.py': what is there is 'f" NFD "' "
     "with its accents written in another way (NFD): rename it, or copy its "
     "name from there\n"},
    {"of a pattern's folder",
     {{"f" NFC "/*.py", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: cannot open 'f" NFC "/*.py': what is there is 'f" NFD "' "
     "with its accents written in another way (NFD): rename it, or copy its "
     "name from there\n"},
    {"a pattern finds either",
     {{"gr" NFC "*.py", "", NULL}, {"s" NFD "*", "", NULL}},
     {NULL},
     "gr" NFD "n.py<gr" NFD "n.py s" NFC "d.py<s" NFC "d.py",
     ""},
    {"and excludes either",
     {{"*n.py", "", NULL}},
     {"gr" NFC "n*"},
     "main.py<main.py",
     ""},
    {"paths that look the same",
     {{"main.py", "x/" NFC, NULL}, {"main.py", "x/U" DIAERESIS, NULL}},
     {NULL},
     "x/U" DIAERESIS "<main.py x/" NFC "<main.py",
     "2: warning: 'x/U" DIAERESIS "' and 'x/" NFC "' differ only in how "
     "accents are written (NFD and NFC): some systems take them for one, so "
     "rename either\n"},
    {"folders that look the same, said once",
     {{"main.py", "x/" NFD "/a", NULL},
      {"main.py", "x/" NFC "/b", NULL},
      {"main.py", "x/" NFD "/c", NULL}},
     {NULL},
     "x/" NFD "/a<main.py x/" NFD "/c<main.py x/" NFC "/b<main.py",
     "1: warning: 'x/" NFD "/a' and 'x/" NFC "/b' differ only in how accents "
     "are written (NFD and NFC): some systems take them for one, so rename "
     "either\n"},
    {"paths that do not look the same",
     {{"main.py", NFD "/a", NULL},
      {"main.py", "u/a", NULL},
      {"main.py", NFD "x/a", NULL}},
     {NULL},
     "u/a<main.py " NFD "/a<main.py " NFD "x/a<main.py",
     ""},
    {"names of Windows for devices",
     {{"main.py", "CON", NULL},
      {"main.py", "x/nul.txt", NULL},
      {"main.py", "Com1.tar/a", NULL},
      {"main.py", "lpt\xc2\xb2", NULL},
      {"main.py", "aux.py", NULL}},
     {NULL},
     "aux.py<main.py Com1.tar/a<main.py CON<main.py lpt\xc2\xb2<main.py "
     "x/nul.txt<main.py",
     "1: warning: 'CON' cannot be a file on Windows, where 'CON' is a device: "
     "another name can be unpacked everywhere\n"
     "2: warning: 'x/nul.txt' cannot be a file on Windows, where 'nul' is a "
     "device: another name can be unpacked everywhere\n"
     "3: warning: 'Com1.tar/a' cannot be a file on Windows, where 'Com1' is a "
     "device: another name can be unpacked everywhere\n"
     "4: warning: 'lpt\xc2\xb2' cannot be a file on Windows, where "
     "'lpt\xc2\xb2' is a device: another name can be unpacked everywhere\n"
     "5: warning: 'aux.py' cannot be a file on Windows, where 'aux' is a "
     "device: another name can be unpacked everywhere\n"},
    {"names that only begin like them",
     {{"main.py", "console", NULL},
      {"main.py", "com/nulls.txt", NULL},
      {"main.py", "com10", NULL},
      {"main.py", "x.con", NULL},
      {"main.py", "auxiliary.py", NULL},
      {"fw.bin", NULL, "aux"}},
     {NULL},
     "!aux<fw.bin auxiliary.py<main.py com/nulls.txt<main.py com10<main.py "
     "console<main.py x.con<main.py",
     ""},
    {"nothing there",
     {{"man.py", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: cannot open 'man.py': No such file or directory "
     "(did you mean 'main.py'?)\n"},
    {"a dangling link",
     {{"dangling", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: 'dangling' is a link to 'nowhere', which is not there\n"},
    {"a folder",
     {{"lib/", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: 'lib' is a folder: 'lib/**' has all files in it\n"},
    {"a pipe",
     {{"pipe", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: 'pipe' is not a regular file\n"},
    {"a file that gives more than its size says",
     {{"/proc/self/status", "x", NULL}},
     {NULL},
     NULL,
     "1: error: '/proc/self/status' changed while it was read: run again when "
     "nothing writes to it\n"},
    {"no match",
     {{"lib/*.txt", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: no file matches 'lib/*.txt' ('*' stops at '/', '**/' spans "
     "folders)\n"},
    {"no match though it spans",
     {{"lib/**/*.txt", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: no file matches 'lib/**/*.txt'\n"},
    {"no folder",
     {{"libs/*.py", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: no file matches 'libs/*.py': there is no folder 'libs/'\n"},
    {"all excluded",
     {{"site/*", NULL, NULL}},
     {"**/*.json", NULL},
     NULL,
     "1: error: no file matches 'site/*': 2 are excluded\n"},
    {"never matched",
     {{"src/.git/*", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: no file matches 'src/.git/*': patterns pass over hidden "
     "files and what editors leave (ota-pack.yml(5), Files)\n"},
    {"outside without a name",
     {{"../x.py", NULL, NULL}, {"../*.py", NULL, NULL}, {"/etc/x", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: '../x.py' is not below the configuration's folder: say with "
     "'to' where it goes on the device\n"
     "2: error: '../*.py' is not below the configuration's folder: say with "
     "'to' where it goes on the device\n"
     "3: error: '/etc/x' is not below the configuration's folder: say with "
     "'to' where it goes on the device\n"},
    {"a name that no device takes",
     {{"bad~name", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: 'bad~name' cannot be a path on the device: it holds one of "
     "\" * : < > ? | ~ \\\n"},
    {"a bad 'to'",
     {{"main.py", "a/../b", NULL},
      {"main.py", "/b", NULL},
      {"main.py", "{id}", NULL},
      {"main.py", "a}", NULL}},
     {NULL},
     NULL,
     "1: error: 'a/../b' cannot be a path on the device: it has a component "
     "'.' or '..'\n"
     "2: error: '/b' begins with '/': a path on the device starts at its root "
     "anyway\n"
     "3: error: a device's value can stand in 'from' only\n"
     "4: error: 'a}' has a single brace: a device's value is '{name}', and "
     "'{{' "
     "or '}}' a brace\n"},
    {"bad slots",
     {{"*.bin", NULL, "app"},
      {"fw.bin", NULL, "a:b"},
      {"empty", NULL, "app"},
      {"fw.bin", "x", "app"}},
     {NULL},
     NULL,
     "1: error: a slot takes one file, not a pattern\n"
     "2: error: 'a:b' cannot be a slot's name: it holds one of "
     "\" * : < > ? | ~ \\\n"
     "3: error: 'empty' is empty: a slot takes 1 byte or more\n"
     "4: error: a file goes to a path or to a slot, not to both\n"},
    {"a path twice",
     {{"main.py", NULL, NULL}, {"*.py", NULL, NULL}},
     {"shared.py", NULL},
     NULL,
     "2: error: path 'main.py' (from 'main.py') comes twice: another is "
     "'main.py' (from 'main.py')\n"
     "1: note: 'main.py' comes from here\n"},
    {"a path twice but for case",
     {{"caf/*", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: path 'caf/a.txt' (from 'caf/a.txt') differs only by case from "
     "'caf/A.txt' (from 'caf/A.txt')\n"},
    {"a path twice but for Unicode's case",
     {{"case/*", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: path 'case/\xc3\xa4.py' (from 'case/\xc3\xa4.py') differs only "
     "by case from 'case/\xc3\x84.py' (from 'case/\xc3\x84.py')\n"},
    {"a path below a file",
     {{"main.py", "a/b/c", NULL},
      {"main.py", "A", NULL},
      {"main.py", "a.x", NULL}},
     {NULL},
     NULL,
     "1: error: path 'a/b/c' (from 'main.py') is below a file: 'A' (from "
     "'main.py')\n"
     "2: note: 'A' comes from here\n"},
    {"a path below a file but for Unicode's case",
     {{"main.py", "\xc3\x84/c", NULL}, {"main.py", "\xc3\xa4", NULL}},
     {NULL},
     NULL,
     "1: error: path '\xc3\x84/c' (from 'main.py') is below a file: '\xc3\xa4' "
     "(from 'main.py')\n"
     "2: note: '\xc3\xa4' comes from here\n"},
    {"a slot twice",
     {{"main.py", NULL, "app"}, {"fw.bin", NULL, "APP"}},
     {NULL},
     NULL,
     "2: error: slot 'APP' (from 'fw.bin') differs only by case from 'app' "
     "(from 'main.py')\n"
     "1: note: 'app' comes from here\n"},
    {"braces alone",
     {{"a{b", NULL, NULL}, {"a{}b", NULL, NULL}, {"", NULL, NULL}},
     {NULL},
     NULL,
     "1: error: 'a{b' has a single brace: a device's value is '{name}', and "
     "'{{' or '}}' a brace\n"
     "2: error: 'a{}b' has a single brace: a device's value is '{name}', and "
     "'{{' or '}}' a brace\n"
     "3: error: 'from' is empty\n"},
};

static void test_rules(void)
{
    char listing[4096];
    struct tree *t;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct device d = {.id = {{1, 2, 3, 4, 5, 6, 0, 0}, 6}};
        const struct config *c =
            make_config(cases[i].rules, cases[i].exclude, &d, 1);
        int err;

        said[0] = '\0';
        err = tree_load(c, &t);
        if (cases[i].listing) {
            if (!check(err == 0 && t, "%s", cases[i].name) || !t) {
                printf("# %s", said);
                continue;
            }
            list_set(&t->releases[0].sets[0], listing, sizeof listing);
            if (!check(!strcmp(listing, cases[i].listing), "%s: files",
                       cases[i].name))
                printf("# %s\n", listing);
            tree_free(t);
        } else {
            check(err == -1 && !t, "%s", cases[i].name);
        }
        if (!check(!strcmp(said, cases[i].says), "%s: what is said",
                   cases[i].name))
            printf("# %s\n", said);
    }
}

/* ota-bundle(5), Release digest, by hand. */
static void test_digest(void)
{
    static const struct rule rules[RULES] = {{"main.py", NULL, NULL},
                                             {"fw.bin", NULL, "app"}};
    static const char *const exclude[RULES] = {NULL};
    static const struct {
        const char *head, *content, *tail;
    } parts[] = {{"\x02\x00\x00\x06\x00\x00\x00", "fw.bin",
                  "\x03"
                  "app"},
                 {"\x01\xa4\x01\x07\x00\x00\x00", "main.py", "\x07main.py"}};
    struct device d = {.id = {{1, 2, 3, 4, 5, 6}, 6}};
    uint8_t all[256], full[64];
    const struct tree_set *set;
    size_t len = 0, i;
    struct tree *t;

    for (i = 0; i < 2; i++) {
        memcpy(all + len, parts[i].head, 7);
        crypto_hash_sha512(full, (const uint8_t *)parts[i].content,
                           strlen(parts[i].content));
        memcpy(all + len + 7, full, OTA_HASH);
        memcpy(all + len + 7 + OTA_HASH, parts[i].tail, strlen(parts[i].tail));
        len += 7 + OTA_HASH + strlen(parts[i].tail);
    }
    crypto_hash_sha512(full, all, len);
    if (!check(tree_load(make_config(rules, exclude, &d, 1), &t) == 0,
               "a file and a slot"))
        return;
    set = &t->releases[0].sets[0];
    check(!memcmp(set->digest, full, OTA_DIGEST), "the release digest");
    check(set->bytes == 13 && set->space == 7, "slots take no space");
    check(!set->own && t->releases[0].set_count == 1, "a shared set");
    check(set->entries[0]->mode == 0 && set->entries[1]->mode == 0644, "modes");
    tree_free(t);
}

/* 2 GiB and 4 GiB of nothing: sparse files are not read, but for their size. */
static void test_sizes(void)
{
    static const struct rule rules[RULES] = {{"huge", NULL, NULL}};
    static const char *const exclude[RULES] = {NULL};
    struct device d = {.id = {{1, 2, 3, 4, 5, 6}, 6}};
    struct tree *t;

    put("huge", "");
    if (truncate("huge", 0x80000000))
        abort();
    said[0] = '\0';
    check(tree_load(make_config(rules, exclude, &d, 1), &t) == -1,
          "a file of 2 GiB");
    check(!strcmp(said, "1: error: 'huge' has 2147483648 bytes: a file has at "
                        "most 2147483647\n"),
          "is too large");
}

static void test_limits(void)
{
    struct tree_item a = {.entry = {.type = OTA_FILE, .path = "a"}}, b = a;
    struct tree_item *items[] = {&a, &b, &a};
    struct tree_list list = {items, 3, 3};
    struct tree_job job = {.release = &release};
    struct tree_item **many = calloc(65536, sizeof(struct tree_item *));
    struct tree_set set;
    size_t i;

    a.entry.size = b.entry.size = INT32_MAX;
    said[0] = '\0';
    release.name = text("r", 100);
    check(tree_set_measure(&job, &list, &set) == -1 && job.failed,
          "more space than 32 bits hold");
    check(!strcmp(said, "100: error: the files of 'r' have 6442450941 bytes: a "
                        "release has at most 4294967295\n"),
          "it says so");
    a.entry.size = 0;
    for (i = 0; many && i < 65536; i++)
        many[i] = &a;
    list = (struct tree_list){many, 65535, 65536};
    check(tree_set_measure(&job, &list, &set) == 0, "65535 files");
    list.count = 65536;
    check(tree_set_measure(&job, &list, &set) == -1, "65536 files");
    free(many);
}

static void test_elsewhere(void)
{
    static const struct rule rules[RULES] = {{"../shared.py", "s.py", NULL},
                                             {"../src/*.txt", "", NULL}};
    static const char *const exclude[RULES] = {NULL};
    struct device d = {.id = {{1, 2, 3, 4, 5, 6}, 6}};
    const struct config *c = make_config(rules, exclude, &d, 1);
    char listing[256] = "";
    struct tree *t;

    config.dir = "lib";
    if (!check(tree_load(c, &t) == 0, "from outside with a name"))
        return;
    list_set(&t->releases[0].sets[0], listing, sizeof listing);
    check(!strcmp(listing, "one.txt<lib/../src/one.txt s.py<lib/../shared.py"),
          "files of another folder");
    tree_free(t);
}

static void test_unreadable(void)
{
    static const struct rule rules[RULES] = {{"secret", NULL, NULL},
                                             {"closed/**", NULL, NULL}};
    static const char *const exclude[RULES] = {NULL};
    struct device d = {.id = {{1, 2, 3, 4, 5, 6}, 6}};
    struct tree *t;

    if (geteuid() == 0) {
        check(true, "unreadable files # SKIP root reads all");
        return;
    }
    put("secret", "");
    chmod("secret", 0);
    mkdir("closed", 0);
    said[0] = '\0';
    check(tree_load(make_config(rules, exclude, &d, 1), &t) == -1,
          "unreadable files");
    check(!strcmp(said, "1: error: cannot open 'secret': Permission denied\n"
                        "2: error: cannot read the folder 'closed/': "
                        "Permission denied\n"),
          "are named");
}

int main(void)
{
    char dir[] = "/tmp/ota-tree-XXXXXX", command[128];

    if (sodium_init() < 0 || !mkdtemp(dir) || chdir(dir))
        return 1;
    diag_set_handler(remember, NULL);
    make_files();
    test_rules();
    test_digest();
    test_sizes();
    test_limits();
    test_elsewhere();
    test_unreadable();
    snprintf(command, sizeof command, "chmod -R u+rwx %s; rm -rf %s", dir, dir);
    return system(command) ? 1 : tap_done();
}
