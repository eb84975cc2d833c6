/* Patterns, paths of devices, case folding. */
#include <string.h>
#include "pack/tree_internal.h"
#include "config/path.h"
#include "tap.h"

static void test_match(void)
{
    static const struct {
        const char *pattern, *path;
        bool match;
    } t[] = {
        {"a.py", "a.py", true},
        {"a.py", "b.py", false},
        {"a.py", "a.pyc", false},
        {"*.py", "a.py", true},
        {"*.py", ".py", true},
        {"*.py", "lib/a.py", false},
        {"*", "lib/a.py", false},
        {"lib/*", "lib/a.py", true},
        {"lib/*", "lib", false},
        {"lib/*", "lib/a/b", false},
        {"**/*.py", "a.py", true},
        {"**/*.py", "x/y/a.py", true},
        {"**/*.py", "x/y/a.pyc", false},
        {"**/a/**/b", "a/b", true},
        {"**/a/**/b", "x/a/y/z/b", true},
        {"**/a/**/b", "x/a/y/z/c", false},
        {"**/a/b", "a/a/b", true},
        {"**/a/b", "a/b/a/b", true},
        {"src/**", "src/a", true},
        {"src/**", "src/a/b/c", true},
        {"src/**", "src", false},
        {"src/**", "srcs/a", false},
        {"**", "a/b", true},
        {"**/**", "a", true},
        {"a/**/**/b", "a/b", true},
        {"a**b", "axxb", true},
        {"a**b", "ax/xb", false},
        {"*a*b*c", "xaxbxc", true},
        {"*a*b*c", "xaxcxb", false},
        {"a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"a?c", "a/c", false},
        {"a?c", "a\xc3\xa4\x63", true}, /* one character of two bytes */
        {"a??c", "a\xc3\xa4\x63", false},
        {"a?c", "a\xff\x63", true}, /* no UTF-8: one byte */
        {"a[bc]d", "acd", true},
        {"a[bc]d", "aed", false},
        {"a[b-d]e", "ace", true},
        {"a[!b-d]e", "ace", false},
        {"a[^b-d]e", "axe", true},
        {"a[]]b", "a]b", true},
        {"a[!]]b", "a]b", false},
        {"a[b-]c", "a-c", true},
        {"a[b/c]d", "abd", false},                 /* '/' ends the class */
        {"a[bc", "a[bc", true},                    /* stays open: ordinary */
        {"[\xc3\xa0-\xc3\xa9]", "\xc3\xa4", true}, /* a range of U+00E0.. */
        {"[*]", "*", true},
        {"[*]", "a", false},
        {"tests/", "tests", true},
        {"\xc3?", "\xc3\xa4", false},
        /* U+00FC, and u with U+0308 */
        {"gr\xc3\xbcn*", "gru\xcc\x88n.py", true},
        {"gru\xcc\x88n*", "gr\xc3\xbcn.py", true},
        {"gr?n", "gru\xcc\x88n", true},
        {"[\xc3\xbc]", "u\xcc\x88", true},
        {"grun", "gru\xcc\x88n", false},
        {"u\xcc\x82", "u\xcc\x88", false},
    };
    size_t i;

    for (i = 0; i < sizeof t / sizeof *t; i++)
        check(tree_match(t[i].pattern, t[i].path) == t[i].match, "'%s' %s '%s'",
              t[i].pattern, t[i].match ? "matches" : "does not match",
              t[i].path);
}

static void test_below(void)
{
    static const struct {
        const char *pattern, *folder;
        bool below;
    } t[] = {
        {"*.py", "lib", false},    {"lib/*.py", "lib", true},
        {"lib/*.py", "li", false}, {"lib/*.py", "lib/x", false},
        {"**/a", "x/y/z", true},   {"src/**", "src", true},
        {"src/**", "test", false}, {"*/x/*", "a/x", true},
        {"*/x/*", "a/y", false},
    };
    static const struct {
        const char *pattern, *path;
        bool match;
    } over[] = {
        {"**", ".env", true},
        {"**", ".ssh", true},
        {"**", ".netrc", true},
        {"**", ".git", true},
        {"**", "main.py~", true},
        {"**", "main.py.orig", true},
        {"**", "main.py.rej", true},
        {"**", "#main.py#", true},
        {"**", "x.swp", true},
        {"**", "Thumbs.db", true},
        {"**", "desktop.ini", true},
        {"**", "__pycache__", true},
        {"**", "main.py.bak", true},
        {"**", "x.tmp", true},
        {"**", "main.swn", true},
        {"**", "CVS", true},
        {"**", "thumbs.db", true},
        {"**", "Desktop.ini", true},
        {"**", "ehthumbs.db", true},
        {"**", "x.ORIG", true},
        {"**", "MAIN.BAK", true},
        {"**", "nohup.out", true},
        {"**", "~$list.docx", true},
        {"**", "__MACOSX", true},
        {"**", "main.py.BACKUP.123.py", true},
        {"**", "main_REMOTE_123.py", true},
        {"*.bak", "main.bak", true},
        {"**", "net_local_1.py", false},
        {"**", "main.local.py", false},
        {"**", "page.swf", false},
        {"**", "tmp", false},
        {"**", "bak.py", false},
        {"**", "cvs.py", false},
        {"**", "main.py", false},
        {"**", "x.swp.py", false},
        {".config/**", ".config", false},
        {".config/**", ".env", true},
        {"a/.*", ".env", false},
        {".git/**", ".git", true},
    };
    size_t i;

    for (i = 0; i < sizeof t / sizeof *t; i++)
        check(tree_match_below(t[i].pattern, t[i].folder) == t[i].below,
              "walk '%s' for '%s': %d", t[i].folder, t[i].pattern, t[i].below);
    check(tree_wild_prefix("a/b/*.py") == 4, "the folder before a wildcard");
    check(tree_wild_prefix("**") == 0, "no folder before a wildcard");
    check(!tree_wild("a[b/c]"), "a class ends at '/'");
    for (i = 0; i < sizeof over / sizeof *over; i++)
        check(tree_passes_over(over[i].pattern, over[i].path) == over[i].match,
              "'%s' passes over '%s': %d", over[i].pattern, over[i].path,
              over[i].match);
}

static void test_paths(void)
{
    static char longest[OTA_PATH + 2];
    static const struct {
        const char *path, *why; /* NULL: fine */
    } t[] = {
        {"main.py", NULL},
        {"a/.hidden/b c", NULL},
        {"lib/.ota", NULL},
        {"\xc3\xa4/\xe2\x82\xac.txt", NULL},
        {"", "empty"},
        {"/a", "empty component"},
        {"a/", "empty component"},
        {"a//b", "empty component"},
        {"./a", "'.'"},
        {"a/..", "'..'"},
        {"...", "ends in"},
        {"a./b", "ends in"},
        {"a ", "ends in"},
        {".OtA/x", "installer"},
        {"a:b", "one of"},
        {"a~1", "one of"},
        {"a\\b", "one of"},
        {"a\nb", "control"},
        {"a\x7f", "control"},
        {"a\xc2\x85", "control"},
        {"a\xe2\x80\xae\xe2\x80\xac", "bidirectional"},
        {"a\xe2\x81\xa9", "bidirectional"},
        {"a\xe2\x81\xaa", NULL},
        {"a\xe2\x80", "UTF-8"},
        {"\xed\xa0\x80", "UTF-8"},
        {"\xc0\xaf", "UTF-8"},
        {longest, "255"},
    };
    size_t i;

    memset(longest, 'a', OTA_PATH + 1);
    for (i = 0; i < sizeof t / sizeof *t; i++) {
        const char *why = path_problem(t[i].path);

        check(t[i].why ? why && strstr(why, t[i].why) : !why, "path %zu: %s", i,
              t[i].why ? t[i].why : "fine");
    }
    longest[OTA_PATH] = '\0';
    check(!path_problem(longest), "255 bytes are fine");
}

static void test_fold(void)
{
    static const uint32_t same[][2] = {
        {0xc4, 0xe4},         {0xb5, 0x3bc},      {0x130, 0x130},
        {0x131, 0x131},       {0x17f, 's'},       {0x212a, 'k'},
        {0x3c2, 0x3c3},       {0x410, 0x430},     {0x1e9e, 0xdf},
        {0x23a, 0x2c65},      {0xd7, 0xd7},       {0x100, 0x101},
        {0x13f8, 0x13f0},     {0x10400, 0x10428}, {0xab70, 0x13a0},
        {0x1f88, 0x1f80},     {0x4e00, 0x4e00},   {0x178, 0xff},
        {0x1c4, 0x1c6},       {0x1c5, 0x1c6},     {0x2126, 0x3c9},
        {0x10ffff, 0x10ffff},
    };
    struct arena a = {NULL, NULL, NULL};
    const char *ascii = "Lib/Main.py";
    size_t i;

    for (i = 0; i < sizeof same / sizeof *same; i++)
        check(tree_fold_char(same[i][0]) == same[i][1],
              "U+%04X folds to U+%04X", (unsigned)same[i][0],
              (unsigned)same[i][1]);
    for (i = 0x80; i <= 0x10ffff; i++) {
        uint32_t c = tree_fold_char((uint32_t)i);

        if (tree_fold_char(c) != c && c >= 0x80)
            break;
    }
    check(i == 0x110000, "folding twice is folding once");
    check(tree_fold(&a, ascii) == ascii, "ASCII is left alone");
    check(!strcmp(tree_fold(&a, "\xc3\x84/\xf0\x90\x90\x80\xe2\x84\xaa"),
                  "\xc3\xa4/\xf0\x90\x90\xa8k"),
          "a path is folded");
    arena_release(&a);
}

int main(void)
{
    test_match();
    test_below();
    test_paths();
    test_fold();
    return tap_done();
}
