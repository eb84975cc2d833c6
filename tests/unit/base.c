/* What every host file stands on: lists, tables, hex, files, deflate. */
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/clock.h"
#include "base/deflate.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/table.h"
#include "tap.h"

static void test_array(void)
{
    size_t room = 0, i;
    uint16_t *list = NULL;

    for (i = 0; i < 1000; i++) {
        if (array_grow(&list, i, &room, sizeof *list) < 0)
            abort();
        list[i] = (uint16_t)i;
    }
    for (i = 0; i < 1000 && list[i] == i; i++)
        continue;
    check(i == 1000 && room >= 1000, "a list grows and keeps what it had");
    check(array_grow(&list, 10, &i, sizeof *list) == 0 && i == 1000,
          "where there is room it stays");
    free(list);
}

/* All in one slot's row: so that they must be told apart. */
static uint64_t hash_number(const void *thing)
{
    return *(const int *)thing % 3;
}

static bool is_number(const void *thing, const void *key)
{
    return *(const int *)thing == *(const int *)key;
}

static void test_table(void)
{
    static int numbers[500];
    struct table t = {0};
    int found = 0, none = 1000;

    check(!table_find(&t, 0, is_number, &none), "an empty table has no slots");
    for (int i = 0; i < 500; i++) {
        numbers[i] = i;
        if (table_grow(&t, hash_number) < 0)
            abort();
        *table_find(&t, hash_number(&i), is_number, &i) = &numbers[i];
        t.count++;
    }
    for (int i = 0; i < 500; i++)
        found += *table_find(&t, hash_number(&i), is_number, &i) == &numbers[i];
    check(found == 500, "each of 500 is found");
    check(!*table_find(&t, hash_number(&none), is_number, &none),
          "another is not");
    check(t.count * 8 <= t.room * 7, "an eighth of it is free");
    table_release(&t);
    check(!t.slots && !t.count, "it is empty again");
}

static void test_hex(void)
{
    static const uint8_t bytes[] = {0x00, 0x0f, 0xf2, 0xab};
    static const char *const wrong[] = {"000ff2a",   "000ff2abc", "000ff2aB",
                                        "000ff2ag",  "",          "000ff2 ab",
                                        "0x0ff2abcd"};
    char text[9];
    uint8_t back[4];

    hex_encode(bytes, sizeof bytes, text);
    check(strcmp(text, "000ff2ab") == 0, "digits of bytes");
    check(hex_decode(text, sizeof back, back) && !memcmp(back, bytes, 4),
          "and back");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check(!hex_decode(wrong[i], sizeof back, back), "not '%s'", wrong[i]);
}

static void test_file(void)
{
    char text[64] = "", half[4];
    int fd[2];

    if (pipe(fd) < 0)
        abort();
    check(file_write(fd[1], "one and ", 8) == 0 &&
              file_write(fd[1], "two", 3) == 0,
          "bytes are written");
    check(file_read(fd[0], half, 4) == 4 && !memcmp(half, "one ", 4),
          "as many are read as were asked for");
    close(fd[1]);
    check(file_read(fd[0], text, sizeof text) == 7 && !strcmp(text, "and two"),
          "or those until the end");
    check(file_read(fd[0], text, sizeof text) == 0, "of which there are none");
    check(file_read_at(fd[0], 0, text, 1) == -1 && errno == ESPIPE,
          "a pipe has no places");
    close(fd[0]);
    check(file_read(fd[0], text, 1) == -1 && errno == EBADF,
          "a closed one cannot be read");
    check(file_write(fd[1], text, 1) == -1 && errno == EBADF, "or written");
}

static void test_clock(void)
{
    uint64_t before = clock_ms();

    usleep(2000);
    check(clock_ms() - before < 60000 && clock_ms() > before,
          "time goes forward");
}

static void test_buffers(void)
{
    static const uint8_t seed[randombytes_SEEDBYTES] = {1};
    static const size_t lens[] = {0, 1, 100, 4095, 4096, 4097, 70000};
    uint8_t *buf = calloc(1, 70000), *packed, *back;
    size_t i, packed_len, len;

    if (!buf)
        abort();
    for (i = 0; i < sizeof lens / sizeof *lens; i++) {
        randombytes_buf_deterministic(buf, lens[i], seed);
        memset(buf, 'x', i % 2 ? lens[i] : 0);
        if (!check(deflate_buffer(buf, lens[i], &packed, &packed_len) == 0,
                   "compress %zu bytes", lens[i]))
            continue;
        check(deflate_reverse(packed, packed_len, lens[i], &back, &len) == 0 &&
                  len == lens[i] && !memcmp(back, buf, len),
              "and back, with no room to spare");
        free(back);
        check(!lens[i] || deflate_reverse(packed, packed_len, lens[i] - 1,
                                          &back, &len) == -1,
              "not with less");
        check(deflate_reverse(packed, packed_len - 1, lens[i], &back, &len) ==
                      -1 &&
                  !back,
              "not without the last byte");
        packed = realloc(packed, packed_len + 1);
        packed[packed_len] = 0;
        check(deflate_reverse(packed, packed_len + 1, lens[i], &back, &len) ==
                  -1,
              "not with one more");
        free(packed);
    }
    check(deflate_reverse(buf, 0, 10, &back, &len) == -1, "not from nothing");
    check(deflate_reverse((const uint8_t *)"\x07", 1, 10, &back, &len) == -1,
          "not from rubbish");
    free(buf);
}

/* 32 MB of zeros in 32 KB. */
static void test_bomb(void)
{
    size_t len = 32u << 20, packed_len = 0;
    uint8_t *zeros = calloc(1, len), *packed, *back;

    if (!zeros || deflate_buffer(zeros, len, &packed, &packed_len))
        abort();
    free(zeros);
    check(packed_len < 65536, "a bomb of %zu bytes", packed_len);
    check(deflate_reverse(packed, packed_len, 65536, &back, &len) == -1 &&
              !back && len <= 65537,
          "is not inflated beyond what is allowed");
    free(packed);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    test_array();
    test_table();
    test_hex();
    test_file();
    test_clock();
    test_buffers();
    test_bomb();
    return tap_done();
}
