/* Devices: spellings of ids, lists in CSV with every mistake in its place. */
#include <stdlib.h>
#include <string.h>
#include "tap.h"
#include "config/fleet_reading.h"

/* ---- ids */

static const struct id_case {
    const char *text, *hex; /* hex NULL: no id */
} id_cases[] = {
    {"24:6f:28:aa:bb:cc", "246f28aabbcc"},
    {"24-6F-28-AA-BB-CC", "246f28aabbcc"},
    {"246f.28aa.bbcc", "246f28aabbcc"},
    {"246f28AAbbcc", "246f28aabbcc"},
    {"24:6f:28:ff:fe:aa:bb:cc", "246f28fffeaabbcc"},
    {"24-6f-28-ff-fe-aa-bb-cc", "246f28fffeaabbcc"},
    {"246f.28ff.feaa.bbcc", "246f28fffeaabbcc"},
    {"246f28fffeaabbcc", "246f28fffeaabbcc"},
    {"", NULL},
    {"24:6f:28:aa:bb", NULL},
    {"24:6f:28:aa:bb:c", NULL},
    {"24:6f:28:aa:bb:ccc", NULL},
    {"24:6f:28:aa:bb:cg", NULL},
    {"24:6f:28:aa-bb:cc", NULL},
    {"24-6f:28:aa:bb:cc", NULL},
    {"24 6f 28 aa bb cc", NULL},
    {"246f:28aa:bbcc", NULL},
    {"24.6f.28.aa.bb.cc", NULL},
    {"246f28aabbc", NULL},
    {"246f28aabbccdd", NULL},
    {"0x246f28aabb", NULL},
    {" 24:6f:28:aa:bb:c", NULL},
    {"24:6f:28:ff:fe:aa:bb:c.", NULL},
    {"::::::::::::", NULL},
};

static void test_ids(void)
{
    struct device_id id;
    char hex[DEVICE_HEX], text[DEVICE_TEXT];

    for (size_t i = 0; i < sizeof id_cases / sizeof id_cases[0]; i++) {
        const struct id_case *c = &id_cases[i];
        int r;

        memset(&id, 0xff, sizeof id);
        r = device_id_parse(c->text, strlen(c->text), &id);
        if (r == 0)
            device_id_hex(&id, hex);
        check(c->hex ? r == 0 && strcmp(hex, c->hex) == 0 : r == -1, "'%s'",
              c->text);
    }
    device_id_parse("246f28aabbcc", 12, &id);
    check(id.len == 6 && id.bytes[6] == 0 && id.bytes[7] == 0,
          "a MAC-48 is followed by zeros");
    device_id_text(&id, text);
    check(strcmp(text, "24:6f:28:aa:bb:cc") == 0, "as text");
    device_id_parse("246f28aabbcc0000", 16, &id);
    device_id_text(&id, text);
    check(strcmp(text, "24:6f:28:aa:bb:cc:00:00") == 0, "an EUI-64 as text");
}

static void test_order(void)
{
    static const char *const ids[] = {"000000000000", "0000000000000000",
                                      "000000000001", "0000000000010001",
                                      "ff0000000000"};
    struct device_id a, b;
    bool good = true;

    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) {
            int r;

            device_id_parse(ids[i], strlen(ids[i]), &a);
            device_id_parse(ids[j], strlen(ids[j]), &b);
            r = device_id_compare(&a, &b);
            good &= (r < 0) == (i < j) && (r > 0) == (i > j);
        }
    check(good, "bytes, then length");
}

/* ---- lists */

/* A list, the devices in it as "hex name key=value;", and what is said. */
static const struct csv_case {
    const char *what, *csv, *devices, *want;
} csv_cases[] = {
    {"ids alone", "id\n000000000001\n00:00:00:00:00:02",
     "000000000001 -;000000000002 -;", ""},
    {"CR LF, and empty lines", "\r\nid,name\r\n000000000001,a\r\n\r\n",
     "000000000001 a;", ""},
    {"CR", "id,name\r000000000001,a\r", "000000000001 a;", ""},
    {"values in their order", "site,id,bed\nkew,000000000001,4\n",
     "000000000001 - site=kew bed=4;", ""},
    {"an empty field is no value", "id,name,site\n000000000001,,\n",
     "000000000001 -;", ""},
    {"quotes", "\"id\",\"name\"\n\"000000000001\",\"a \"\"b\"\", c\"\n",
     "000000000001 a \"b\", c;", ""},
    {"blanks around fields", " id , name \n 000000000001 ,\t\"a \" \n",
     "000000000001 a ;", ""},
    {"UTF-8", "id,name\n000000000001,\xc3\xa4\n", "000000000001 \xc3\xa4;", ""},

    {"nothing", "", "",
     "1:1: error: the list is empty: its first line names the columns, like "
     "'id,name'\n"},
    {"empty lines", "\n\n", "",
     "1:1: error: the list is empty: its first line names the columns, like "
     "'id,name'\n"},
    {"no device", "id,name\n", "", "1:1: error: no device is listed here\n"},
    {"no header", "000000000001,a\n", "",
     "1:1: error: no column 'id': the first line names the columns, like "
     "'id,name'\n"},
    {"a header in capitals", "ID,Name\n000000000001,a\n", "",
     "1:1: error: no column 'id': rename 'ID'\n"},
    {"another word for id", "name,mac\na,000000000001\n", "",
     "1:1: error: no column 'id': rename 'mac'\n"},
    {"semicolons", "id;name\n000000000001;a\n", "",
     "1:3: error: separate columns with ',', not with ';'\n"},
    {"semicolons between quotes", "\"id\";\"name\"\n\"000000000001\";\"a\"\n",
     "", "1:5: error: separate columns with ',', not with ';'\n"},
    {"what a spreadsheet says of itself", "sep=;\nid;name\n", "",
     "1:5: error: separate columns with ',', not with ';'\n"},
    {"bars", "id|name\n", "",
     "1:3: error: separate columns with ',', not with '|'\n"},
    {"tabs", "id\tname\n000000000001\ta\n", "",
     "1:3: error: separate columns with ',', not with tabs\n"},
    {"tabs between quotes", "\"id\"\t\"name\"\n", "",
     "1:5: error: separate columns with ',', not with tabs\n"},
    {"tabs beside commas", "id\t,\tname\n000000000001\t,\ta\t\n",
     "000000000001 a;", ""},
    {"semicolons below one column", "\"id\"\n\"000000000001\";\"a\"\n", "",
     "2:15: error: separate columns with ',', not with ';'\n"},
    {"semicolons below commas", "id,name\n000000000001;a\n", "",
     "2:13: error: separate columns with ',', not with ';'\n"},
    {"a semicolon in a name", "id,name\n000000000001,a;b\n",
     "000000000001 a;b;", ""},
    {"empty rows", ",,,\nid,name\n,\n , \n\"\",\n,,,,\n000000000001,a\n,,",
     "000000000001 a;", ""},
    {"empty columns at the end",
     "id,name,,\n000000000001,a,,\n000000000002,b\n"
     "000000000003,c,,,,\n",
     "000000000001 a;000000000002 b;000000000003 c;", ""},
    {"empty columns before and between", ",id,,name\n,000000000001,,a\n",
     "000000000001 a;", ""},
    {"a value in a column without a name", "id,,name\n000000000001,x,a\n", "",
     "2:14: error: column 2 has no name in the first line\n"},
    {"a value behind the last column", "id,name,\n000000000001,a,x\n", "",
     "2:1: error: 3 fields where the first line names 2 columns\n"},
    {"nothing but empty rows", ",,\n,,\n", "",
     "1:1: error: the list is empty: its first line names the columns, like "
     "'id,name'\n"},
    {"a blank in an id that is not seen", "id\n000000000001\xc2\xa0\n", "",
     "2:1: error: '000000000001<U+00A0>' is not a device id: 6 or 8 pairs of "
     "hex digits, like 24:6f:28:aa:bb:cc\n"},
    {"signs of no width in an id",
     "id\n\xef\xbb\xbf"
     "000000000001\xe2\x80\x8b\n",
     "",
     "2:1: error: '<U+FEFF>000000000001<U+200B>' is not a device id: 6 or 8 "
     "pairs of hex digits, like 24:6f:28:aa:bb:cc\n"},
    {"and in a column", "id\xc2\xa0,name\n", "",
     "1:1: error: column name 'id<U+00A0>' has other characters than letters, "
     "digits, '_', '-', '.'\n"
     "1:1: error: no column 'id': the first line names the columns, like "
     "'id,name'\n"},
    {"and in names",
     "id,name\n000000000001,a\xc2\xa0"
     "b\n000000000002,\xe2\x80\x8dx\n"
     "000000000003,a\xc2\xad\n",
     "",
     "2:14: error: name 'a<U+00A0>b' has a character that cannot be seen: type "
     "it again\n"
     "3:14: error: name '<U+200D>x' has a character that cannot be seen: type "
     "it again\n"
     "4:14: error: name 'a<U+00AD>' has a character that cannot be seen: type "
     "it again\n"},
    {"ids of no device",
     "id\n00:00:00:00:00:00\n0000000000000000\nffffffffffff\n"
     "ff-ff-ff-ff-ff-ff-ff-ff\n01005e000001\n3333.0000.0001\n"
     "0100000000000001\nfffffffffffe\nfe0000000000\n",
     "fe0000000000 -;",
     "2:1: error: '00:00:00:00:00:00' is all zeros, what stands where none was "
     "read: no device has it, give the id that the device itself shows\n"
     "3:1: error: '0000000000000000' is all zeros, what stands where none was "
     "read: no device has it, give the id that the device itself shows\n"
     "4:1: error: 'ffffffffffff' is the broadcast address: no device has it, "
     "give the id that the device itself shows\n"
     "5:1: error: 'ff-ff-ff-ff-ff-ff-ff-ff' is the broadcast address: no "
     "device "
     "has it, give the id that the device itself shows\n"
     "6:1: error: '01005e000001' is a multicast address (its first byte is "
     "odd): "
     "no device has it, give the id that the device itself shows\n"
     "7:1: error: '3333.0000.0001' is a multicast address (its first byte is "
     "odd): no device has it, give the id that the device itself shows\n"
     "8:1: error: '0100000000000001' is a multicast address (its first byte is "
     "odd): no device has it, give the id that the device itself shows\n"
     "9:1: error: 'fffffffffffe' is a multicast address (its first byte is "
     "odd): "
     "no device has it, give the id that the device itself shows\n"},
    {"a column with a brace", "id,a}\n", "",
     "1:4: error: column name 'a}' has other characters than letters, digits, "
     "'_', '-', '.'\n"},
    {"two columns of a name", "id,site,site\n", "",
     "1:9: error: two columns 'site'\n"},
    {"too few and too many fields",
     "id,name,a\n000000000001,b\n000000000002,b,c,d\n000000000003,e,f\n",
     "000000000003 e a=f;",
     "2:1: error: 2 fields where the first line names 3 columns\n"
     "3:1: error: 4 fields where the first line names 3 columns\n"},
    {"one field", "id,name\n000000000001\n", "",
     "2:1: error: 1 field where the first line names 2 columns\n"},
    {"not an id, in its column",
     "name,id\n\xc3\xa4\xc3\xb6,00000000000x\nb,000000000002\n",
     "000000000002 b;",
     "2:4: error: '00000000000x' is not a device id: 6 or 8 pairs of hex "
     "digits, like 24:6f:28:aa:bb:cc\n"},
    {"no id", "id,name\n,a\n", "", "2:1: error: no device id\n"},
    {"every mistake of a row", "id,name,a\nx,a\x01,\x7f\n", "",
     "2:1: error: 'x' is not a device id: 6 or 8 pairs of hex digits, like "
     "24:6f:28:aa:bb:cc\n"
     "2:6: error: a '\\x7f' has a character that cannot be printed\n"
     "2:3: error: name 'a\\x01' has a character that cannot be printed\n"},
    {"a device twice", "id\n000000000001\n00-00-00-00-00-01\n",
     "000000000001 -;",
     "3:1: error: device 00:00:00:00:00:01 is listed twice in release 'r'\n"
     "2:1: note: first listed here\n"},
    {"a name twice", "id,name\n000000000001,a\n000000000002,a\n",
     "000000000001 a;",
     "3:1: error: two devices are named 'a'\n"
     "2:1: note: the other one is 00:00:00:00:00:01\n"},
    {"a name that is another's id",
     "id,name\n000000000001,00-00-00-00-00-02\n000000000003,000000000003\n",
     "000000000003 000000000003;",
     "2:14: error: name '00-00-00-00-00-02' is the id of another device\n"},
    {"a line break in quotes counts", "id,name\n000000000001,\"a\nb\"\nx,c\n",
     "",
     "2:15: error: name 'a\\x0ab' has a character that cannot be printed\n"
     "4:1: error: 'x' is not a device id: 6 or 8 pairs of hex digits, like "
     "24:6f:28:aa:bb:cc\n"},
    {"a quote that is never closed", "id,name\n000000000001,\"a\nb,c\n", "",
     "2:14: error: this quote is never closed\n"},
    {"text behind a quote", "id,name\n000000000001,\"a\"b\n000000000002,c\n",
     "000000000002 c;",
     "2:17: error: text after a closing quote: write \"\" for a quote within "
     "quotes\n"},
    {"a quote within a field", "id,name\n000000000001,a\"b\"\n",
     "000000000001 a\"b\";", ""},
    {"Latin-1", "id,name\r\n000000000001,\xc3\xa4\xe4\r\n", "",
     "2:15: error: byte 0xe4 is not UTF-8: save the file as UTF-8\n"},
    {"a column that is too long",
     "id,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
     "",
     "1:4: error: column name 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaa' is longer than 64 bytes\n"},
    {"a name that is too long",
     "id,name\n000000000001,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaa\n",
     "",
     "2:14: error: name 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaa' is longer than 64 bytes\n"},
};

static char said[8192];

static void keep(void *ctx, const struct diag_event *e)
{
    static const char *const levels[] = {"error", "warning", "note"};
    size_t len = strlen(said);

    (void)ctx;
    snprintf(said + len, sizeof said - len, "%u:%u: %s: %s\n",
             (unsigned)e->mark.line, (unsigned)e->mark.col, levels[e->level],
             e->message);
}

static void describe(const struct fleet *f, char *out, size_t room)
{
    char hex[DEVICE_HEX];
    FILE *o = fmemopen(out, room, "w");

    for (size_t i = 0; i < f->count; i++) {
        const struct device *d = &f->devices[i];

        device_id_hex(&d->id, hex);
        fprintf(o, "%s %s", hex, d->name ? d->name : "-");
        for (const struct device_value *v = d->values; v; v = v->next)
            fprintf(o, " %s=%s", v->key, v->value);
        fputc(';', o);
    }
    fclose(o);
}

static void test_csv(void)
{
    const char *releases[] = {"r"};

    for (size_t i = 0; i < sizeof csv_cases / sizeof csv_cases[0]; i++) {
        const struct csv_case *c = &csv_cases[i];
        struct diag_source s = {"f.csv", c->csv, strlen(c->csv)};
        struct arena arena = {0};
        struct fleet f = {.arena = &arena, .releases = releases};
        char got[1024] = "";

        said[0] = '\0';
        diag_reset();
        fleet_csv_load(&f, &s, 0);
        describe(&f, got, sizeof got);
        if (!check(strcmp(said, c->want) == 0 && strcmp(got, c->devices) == 0,
                   "%s", c->what))
            printf("# said\n%s# devices %s\n", said, got);
        fleet_release(&f);
        arena_release(&arena);
    }
}

static void test_columns(void)
{
    const char *releases[] = {"r"};
    char csv[2048] = "id";
    struct diag_source s = {"f.csv", csv, 0};
    struct arena arena = {0};
    struct fleet f = {.arena = &arena, .releases = releases};

    for (int i = 0; i < 256; i++)
        snprintf(csv + strlen(csv), sizeof csv - strlen(csv), ",c%d", i);
    s.len = strlen(csv);
    said[0] = '\0';
    diag_reset();
    fleet_csv_load(&f, &s, 0);
    check(strcmp(said, "1:1: error: more than 256 columns\n") == 0,
          "257 columns");
    fleet_release(&f);
    arena_release(&arena);
}

/* ---- many */

static bool add(struct fleet *f, unsigned n, const char *name)
{
    struct device d = {
        .id = {{0, 0, 0, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, 6},
        .name = name};

    return fleet_add(f, &d) == 0;
}

static void test_many(void)
{
    enum { MANY = 100000 };
    const char *releases[] = {"r"};
    static char names[MANY][8];
    struct arena arena = {0};
    struct fleet f = {.arena = &arena, .releases = releases};
    struct device_id id = {{0, 0, 0, 1, 0x86, 0x9f}, 6};
    bool good = true;

    said[0] = '\0';
    diag_reset();
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "n%05u", i);
        good &= add(&f, i, i % 2 ? names[i] : NULL);
    }
    check(good && f.count == MANY && !*said, "%d devices", MANY);
    check(fleet_by_id(&f, &id) == &f.devices[99999], "found by id");
    id.len = 8;
    check(!fleet_by_id(&f, &id), "the same bytes as an EUI-64 are another");
    check(fleet_by_name(&f, "n99999") == &f.devices[99999] &&
              !fleet_by_name(&f, "n99998"),
          "found by name");
    add(&f, 77777, "new");
    check(f.count == MANY && diag_errors() == 1 && !fleet_by_name(&f, "new"),
          "one twice is reported and left out");
    fleet_release(&f);
    arena_release(&arena);
    check(!fleet_by_id(&f, &id) && !fleet_by_name(&f, "n1"),
          "an empty fleet has none");
}

static void test_arena(void)
{
    struct arena a = {0};
    char *text = arena_text(&a, "abc", 3), *big;
    uint64_t *n = arena_alloc(&a, 1);

    check(strcmp(text, "abc") == 0 && (uintptr_t)n % 8 == 0 && !*n,
          "texts and aligned, zeroed structs");
    big = arena_alloc(&a, 1 << 20);
    check(big && !big[0] && !big[(1 << 20) - 1] && strcmp(text, "abc") == 0,
          "more than a block");
    diag_reset();
    check(!arena_array(&a, SIZE_MAX / 2, 3) && diag_status() == DIAG_FAILED,
          "a product that overflows");
    check(!arena_alloc(&a, SIZE_MAX) && !arena_alloc(&a, SIZE_MAX - 8),
          "more than there is");
    arena_release(&a);
    check(!a.blocks, "released");
}

int main(void)
{
    diag_set_handler(keep, NULL);
    test_ids();
    test_order();
    test_csv();
    test_columns();
    test_many();
    test_arena();
    return tap_done();
}
