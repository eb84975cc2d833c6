/* Diagnostics: what is counted, what is printed, what is suggested. */
#include <stdlib.h>
#include <string.h>
#include "tap.h"
#include "base/diag.h"

/* A text of `source` marked at line:col, and the lines that diag_print() must
 * give below the message. */
static const struct print_case {
    const char *what, *source;
    uint32_t line, col, width;
    const char *out;
} print_cases[] = {
    {"a caret and its tail", "one\n  two: 2\n", 2, 3, 3,
     "    2 |   two: 2\n      |   ^~~\n"},
    {"width 0 is one character", "abc", 1, 2, 0, "    1 | abc\n      |  ^\n"},
    {"characters, not bytes", "\xc3\xa4\xc3\xb6x: 1", 1, 3, 1,
     "    1 | \xc3\xa4\xc3\xb6x: 1\n      |   ^\n"},
    {"wide characters take two columns", "\xe6\xbc\xa2\xe5\xad\x97: x", 1, 2, 2,
     "    1 | \xe6\xbc\xa2\xe5\xad\x97: x\n      |   ^~~\n"},
    {"an emoji takes two", "\xf0\x9f\x9a\x80: x", 1, 2, 1,
     "    1 | \xf0\x9f\x9a\x80: x\n      |   ^\n"},
    {"marks of Hindi and Thai take none",
     "\xe0\xa4\x95\xe0\xa5\x81\xe0\xb8\x81\xe0\xb8\xb4x", 1, 5, 1,
     "    1 | \xe0\xa4\x95\xe0\xa5\x81\xe0\xb8\x81\xe0\xb8\xb4x\n      |   "
     "^\n"},
    {"combining ones take none", "e\xcc\x81x", 1, 3, 1,
     "    1 | e\xcc\x81x\n      |  ^\n"},
    {"tabs stay tabs", "\ta\tb", 1, 4, 1, "    1 | \ta\tb\n      | \t \t^\n"},
    {"escapes are wider than what they stand for", "a\x1b[1mb", 1, 3, 2,
     "    1 | a\\x1b[1mb\n      |      ^~\n"},
    {"an escape is underlined whole",
     "\x01"
     "b",
     1, 1, 1, "    1 | \\x01b\n      | ^~~~\n"},
    {"bidirectional controls are escaped",
     "\xe2\x80\xae"
     "b",
     1, 2, 1, "    1 | \\u202eb\n      |       ^\n"},
    {"bytes that are not UTF-8", "\xff\xc3x", 1, 3, 1,
     "    1 | \\xff\\xc3x\n      |         ^\n"},
    {"CR LF", "a\r\nb\r\n", 2, 1, 1, "    2 | b\n      | ^\n"},
    {"CR alone", "a\rb", 2, 1, 1, "    2 | b\n      | ^\n"},
    {"an empty line between", "a\n\nb", 3, 1, 1, "    3 | b\n      | ^\n"},
    {"behind the end of the line", "ab\n", 1, 3, 1,
     "    1 | ab\n      |   ^\n"},
    {"far behind the end of the line", "ab\n", 1, 99, 9,
     "    1 | ab\n      |   ^\n"},
    {"the empty line behind the last one", "ab\n", 2, 1, 0,
     "    2 | \n      | ^\n"},
    {"a line that is not there", "ab\n", 9, 1, 0, ""},
    {"an empty source", "", 1, 1, 0, "    1 | \n      | ^\n"},
    {"a tail that ends with its line", "abc\nd", 1, 2, 99,
     "    1 | abc\n      |  ^~\n"},
};

static char *printed(const struct diag_event *e, bool color)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    diag_print(f, e, color);
    fclose(f);
    return text;
}

static void test_print(void)
{
    for (size_t i = 0; i < sizeof print_cases / sizeof print_cases[0]; i++) {
        const struct print_case *c = &print_cases[i];
        struct diag_source s = {"f.yml", c->source, strlen(c->source)};
        struct diag_event e = {.level = DIAG_ERROR,
                               .kind = DIAG_CONFIG,
                               .mark = {&s, c->line, c->col, c->width},
                               .message = "bad"};
        char head[64], *out;

        diag_forget();
        out = printed(&e, false);
        snprintf(head, sizeof head, "f.yml:%u:%u: error: bad\n",
                 (unsigned)c->line, (unsigned)c->col);
        if (!check(strncmp(out, head, strlen(head)) == 0 &&
                       strcmp(out + strlen(head), c->out) == 0,
                   "%s", c->what))
            printf("# got\n%s", out);
        free(out);
    }
}

static void test_long_line(void)
{
    char line[1001], *out;
    struct diag_source s = {"f.yml", line, 1000};
    struct diag_event e = {.level = DIAG_NOTE,
                           .kind = DIAG_CONFIG,
                           .mark = {&s, 1, 501, 3},
                           .message = "bad"};
    const char *nl, *caret;

    memset(line, 'a', 1000);
    memcpy(line + 500, "bcd", 3);
    out = printed(&e, false);
    nl = strchr(out, '\n') + 1;
    check(strncmp(nl, "    1 | ...aaa", 14) == 0, "cut before the mark");
    check(strstr(nl, "a...\n") != NULL, "cut behind it");
    caret = strchr(nl, '\n') + 1;
    check(strchr(caret, '^') - caret == strchr(nl, 'b') - nl,
          "the caret is below its character");
    check(strlen(out) < 400, "and the rest is left out");
    free(out);

    e.mark.col = 1001;
    out = printed(&e, false);
    nl = strchr(out, '\n') + 1;
    caret = strchr(nl, '\n') + 1;
    check(strchr(caret, '^') - caret == caret - 1 - nl,
          "a mark behind the end of a long line");
    free(out);

    memset(line, '\n', 999);
    diag_forget();
    e.mark = (struct diag_mark){&s, 1000, 1, 1};
    out = printed(&e, false);
    check(strstr(out, "\n 1000 | a\n      | ^\n") != NULL, "line 1000");
    free(out);
}

static void test_wide_margin(void)
{
    static char text[100001];
    struct diag_source s = {"f.csv", text, 100001};
    struct diag_event e = {.level = DIAG_ERROR,
                           .kind = DIAG_CONFIG,
                           .mark = {&s, 100001, 1, 1},
                           .message = "bad"};
    char *out;

    memset(text, '\n', 100000);
    text[100000] = 'z';
    out = printed(&e, false);
    check(strcmp(out, "f.csv:100001:1: error: bad\n100001 | z\n"
                      "       | ^\n") == 0,
          "a number of six digits moves the caret too");
    free(out);
}

static void test_heads(void)
{
    struct diag_source s = {"a\nb\x1b.yml", "x", 1};
    struct diag_event e = {
        .level = DIAG_WARNING, .kind = DIAG_FAILED, .message = "some\tthing"};
    char *out = printed(&e, false);

    check(strcmp(out, "ota-pack: warning: some\\x09thing\n") == 0,
          "a message without a place");
    free(out);
    e.level = DIAG_ERROR;
    out = printed(&e, false);
    check(strcmp(out, "ota-pack: some\\x09thing\n") == 0,
          "an error without a place has no word before it");
    free(out);
    out = printed(&e, true);
    check(strcmp(out, "\033[1mota-pack: \033[0msome\\x09thing\n") == 0,
          "nor a colour that goes on");
    free(out);
    e.level = DIAG_WARNING;
    e.mark.source = &s;
    out = printed(&e, false);
    check(strcmp(out, "a\\x0ab\\x1b.yml: warning: some\\x09thing\n") == 0,
          "a file's name is cleaned, and needs no line");
    free(out);
    e = (struct diag_event){.level = DIAG_ERROR,
                            .kind = DIAG_CONFIG,
                            .mark = {&s, 1, 1, 1},
                            .message = "m"};
    s.name = "f";
    out = printed(&e, true);
    check(strcmp(out, "\033[1mf:1:1: \033[1;31merror:\033[0m m\n"
                      "    1 | x\n      | \033[1;32m^\033[0m\n") == 0,
          "colours");
    free(out);
}

/* ---- counting, and what handlers get */

static char last[2048];
static struct diag_event last_event;

static void keep(void *ctx, const struct diag_event *e)
{
    (void)ctx;
    snprintf(last, sizeof last, "%s", e->message);
    last_event = *e;
}

static void test_state(void)
{
    struct diag_mark none = {0};

    diag_reset();
    check(diag_status() == 0 && diag_errors() == 0, "nothing yet");
    diag_warning("w");
    diag_note("n");
    diag_warning_at(none, "w");
    diag_note_at(none, "n");
    check(diag_status() == 0 && diag_errors() == 0,
          "warnings and notes are no errors");
    check(diag_error(DIAG_INPUT, "a %d", 7) == -1 && strcmp(last, "a 7") == 0,
          "an error is formatted and returns -1");
    check(diag_error_at(DIAG_CONFIG, none, "b") == -1 &&
              last_event.kind == DIAG_CONFIG,
          "at a place too");
    check(diag_status() == DIAG_INPUT && diag_errors() == 2,
          "the first error decides");
    check(diag_no_memory() == -1 && strcmp(last, "out of memory") == 0 &&
              last_event.kind == DIAG_FAILED,
          "out of memory");
    diag_reset();
    check(diag_status() == 0 && diag_errors() == 0, "reset");
}

static void test_messages(void)
{
    char *text = malloc(5001);
    size_t len;

    diag_error(DIAG_INPUT, "cannot open '%s'",
               "a\n\x1b[31m\xff\xc2\x9b\xe2\x80"
               "\xae\xc3\xa4");
    check(strcmp(last,
                 "cannot open 'a\\x0a\\x1b[31m\\xff\\x9b\\u202e\xc3\xa4'") == 0,
          "what cannot be printed is escaped");
    for (size_t i = 0; i < 5000; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    text[5000] = '\0';
    diag_error(DIAG_INPUT, "x%s: do this", text);
    len = strlen(last);
    check(len < 1000 && strstr(last, " ... ") &&
              strcmp(last + len - 9, ": do this") == 0,
          "a long message is cut in the middle");
    check(memcmp(strstr(last, " ... ") - 2, "\xc3\xa4", 2) == 0 &&
              memcmp(strstr(last, " ... ") + 5, "\xc3\xa4", 2) == 0,
          "between characters");
    free(text);
}

/* ---- suggestions */

static const struct suggest_case {
    const char *typed, *want;
} suggest_cases[] = {
    {"versoin", "version"},
    {"fiels", "files"},
    {"lable", "label"},
    {"Files", "files"},
    {"file", "files"},
    {"device", "devices"},
    {"delte", "delete"},
    {"excludes", "exclude"},
    {"hardwar", "hardware"},
    {"expire", "expires"},
    {"nmae", "name"},
    {"source", "from"},
    {"SRC", "from"},
    {"dest", "to"},
    {"targets", "devices"},
    {"mac", "id"},
    {"foo", NULL},
    {"retry", NULL},
    {"x", NULL},
    {"", NULL},
    {"zzzzzzz", NULL},
    {"an extremely long word of more than sixty-four bytes, which is none of "
     "ours",
     NULL},
};

static void test_suggest(void)
{
    static const char *const words[] = {
        "delete",   "devices",  "exclude", "expires", "files", "from",
        "hardware", "id",       "key",     "label",   "mode",  "name",
        "ram",      "releases", "server",  "slot",    "to",    "version"};
    static const char *const one[] = {"b"};

    for (size_t i = 0; i < sizeof suggest_cases / sizeof suggest_cases[0];
         i++) {
        const struct suggest_case *c = &suggest_cases[i];
        const char *got =
            diag_suggest(c->typed, words, sizeof words / sizeof words[0]);

        check(got ? c->want && strcmp(got, c->want) == 0 : !c->want,
              "'%.20s': %s", c->typed, c->want ? c->want : "nothing");
    }
    check(!diag_suggest("a", one, 1), "nothing in common is not near");
    check(!diag_suggest("a", NULL, 0), "no candidates");
}

static char told[8192];

static void tell(void *ctx, const struct diag_event *e)
{
    size_t len = strlen(told);

    (void)ctx;
    snprintf(told + len, sizeof told - len, "%d:%u:%zu/%zu:%s\n", e->level,
             (unsigned)e->mark.line, e->count, e->example_count, e->message);
}

__attribute__((format(printf, 3, 4))) static int
of_device(struct diag_mark mark, const char *of, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_report_of(DIAG_ERROR, DIAG_CONFIG, mark, of, fmt, ap);
    va_end(ap);
    return -1;
}

static void test_one_mistake(void)
{
    struct diag_source s = {"a.yml", "", 0};
    struct diag_mark one = {&s, 1, 1, 1}, two = {&s, 2, 1, 1};

    told[0] = '\0';
    diag_reset();
    diag_set_handler(tell, NULL);
    of_device(one, "d0", "no '%s'", "x");
    check(strcmp(told, "0:1:1/1:no 'x' (device 'd0')\n") == 0,
          "not gathered, it is told at once");
    told[0] = '\0';
    diag_gather();
    of_device(one, "d1", "no '%s'", "x");
    diag_note_at(two, "as here");
    of_device(one, "d2", "no '%s'", "y");
    diag_note_at(two, "as there");
    of_device(two, "d2", "no '%s'", "y");
    of_device(one, "d3", "no '{%s}'", "a");
    diag_warning("alone");
    for (int i = 0; i < 5; i++)
        of_device(two, "d9", "%d no '%s'", i, "z");
    check(!*told && diag_errors() == 10, "nothing is told before the end");
    diag_gathered();
    check(strcmp(told, "0:1:2/2:no 'x' (2 devices: 'd1' and 'd2')\n"
                       "2:2:0/0:as here\n"
                       "0:2:1/1:no 'y' (device 'd2')\n"
                       "0:1:1/1:no '{a}' (device 'd3')\n"
                       "1:0:0/0:alone\n"
                       "0:2:5/3:0 no 'z' (5 devices: 'd9', 'd9', 'd9' and 2 "
                       "more)\n") == 0,
          "one mistake is told once");
    check(diag_errors() == 5, "and counted once");
}

static void test_many_lines(void)
{
    struct diag_source s = {"a.csv", "", 0}, other = {"b.csv", "", 0};
    struct diag_mark m = {&s, 1, 1, 1};

    told[0] = '\0';
    diag_reset();
    diag_gather();
    for (m.line = 2; m.line < 12; m.line++)
        diag_error_at(DIAG_CONFIG, m, "'%u' is bad", (unsigned)m.line);
    diag_gathered();
    check(strstr(told, "0:11:0/0:'11' is bad\n") && diag_errors() == 10,
          "ten lines are each told");
    told[0] = '\0';
    diag_reset();
    diag_gather();
    for (m.line = 2; m.line < 13; m.line++) {
        diag_error_at(DIAG_CONFIG, m, "'%u' is bad", (unsigned)m.line);
        diag_note_at(m, "see");
    }
    m.source = &other;
    diag_error_at(DIAG_CONFIG, m, "'%u' is bad", (unsigned)m.line);
    check(diag_errors() == 12, "each counts for whoever asks");
    diag_forget();
    check(strcmp(told, "0:2:11/3:'2' is bad (11 times: lines 2, 3, 4 and 8 "
                       "more)\n2:2:0/0:see\n0:13:0/0:'13' is bad\n") == 0,
          "eleven are one");
    check(diag_errors() == 2 && diag_status() == DIAG_CONFIG, "and one error");
    diag_gathered();
    told[0] = '\0';
    diag_reset();
    diag_gather();
    for (int i = 0; i < 12; i++)
        diag_error_at(DIAG_CONFIG, m, "the same");
    diag_gathered();
    check(strcmp(told, "0:13:0/0:the same\n") == 0 && diag_errors() == 1,
          "what was told is not told again");
    diag_set_handler(NULL, NULL);
    diag_reset();
}

int main(void)
{
    test_print();
    test_long_line();
    test_wide_margin();
    test_heads();
    diag_set_handler(keep, NULL);
    test_state();
    test_messages();
    test_suggest();
    test_one_mistake();
    test_many_lines();
    return tap_done();
}
