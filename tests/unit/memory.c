/* What this machine remembers: never lowered but when asked to, whoever else
 * writes at the same time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "index/memory.h"
#include "tap.h"

#define NAME "ab010000000000000000000000000000"

enum { WRITERS = 6, ROUNDS = 40 };

static const uint8_t base[MEMORY_BASE] = {0xab, 1};
static unsigned warnings;

static void count(void *ctx, const struct diag_event *e)
{
    (void)ctx;
    warnings += e->level == DIAG_WARNING;
}

static struct memory_seen head(uint64_t generation)
{
    struct memory_seen seen = {.generation = generation, .created = 7};

    memset(seen.head, 'c', MEMORY_HEAD - 1);
    snprintf(seen.where, sizeof seen.where, "a b\nc");
    return seen;
}

static uint64_t known(struct memory *m)
{
    struct memory_seen seen;

    memory_get(m, base, &seen);
    return seen.generation;
}

static void keep(struct memory *m, uint64_t generation, bool lower)
{
    const struct memory_seen seen = head(generation);

    memory_keep(m, base, &seen, lower, true);
}

static void test_order(struct memory *m)
{
    struct memory_seen seen;

    check(known(m) == 0, "nothing is remembered");
    keep(m, 5, false);
    memory_get(m, base, &seen);
    check(seen.generation == 5 && seen.created == 7 && seen.head[63] == 'c',
          "what was kept");
    check(strcmp(seen.where, "a b?c") == 0, "a server with any name");
    keep(m, 4, false);
    check(known(m) == 5, "it is not lowered");
    keep(m, 4, true);
    check(known(m) == 4, "but when asked to");
    keep(m, UINT64_MAX, false);
    keep(m, INT64_MAX, false);
    check(known(m) == UINT64_MAX, "a base that was replaced stays so");
    keep(m, 1, true);
    check(known(m) == 1 && !warnings, "until it is accepted");
}

static void test_many(struct memory *m)
{
    int status, failed = 0;

    for (int i = 0; i < WRITERS; i++) {
        if (fork() != 0)
            continue;
        for (uint64_t k = 0; k < ROUNDS; k++) {
            uint64_t before = known(m);

            keep(m, k * WRITERS + (uint64_t)i + 2, false);
            failed |= known(m) < before;
        }
        _exit(failed || warnings);
    }
    while (wait(&status) > 0)
        failed |= status;
    check(!failed, "nobody saw it lowered, or damaged");
    check(known(m) == ROUNDS * WRITERS + 1, "the highest one stays");
}

static void test_no_place(const char *folder)
{
    char path[128];
    struct memory m = {.folder = path};

    snprintf(path, sizeof path, "%s/%s/x", folder, NAME);
    keep(&m, 3, false);
    keep(&m, 4, false);
    check(warnings == 1 && known(&m) == 0, "a file in its place: said once");
}

static void clean_up(const char *folder)
{
    static const char *const inside[] = {("/a/b/" NAME), "/a/b", "/a", ""};
    char path[128];

    for (unsigned i = 0; i < sizeof inside / sizeof *inside; i++) {
        snprintf(path, sizeof path, "%s%s", folder, inside[i]);
        check(remove(path) == 0, "nothing else is left in '%s'", inside[i]);
    }
}

int main(void)
{
    char folder[] = "/tmp/memory.XXXXXX", inner[64];
    struct memory m = {.folder = inner}, none = {0};

    if (!mkdtemp(folder))
        return 1;
    diag_set_handler(count, NULL);
    snprintf(inner, sizeof inner, "%s/a/b", folder);
    test_order(&m);
    test_many(&m);
    keep(&none, 3, false);
    keep(NULL, 3, false);
    check(known(&none) == 0 && known(NULL) == 0 && !warnings,
          "where there is no place, nothing is said");
    test_no_place(inner);
    clean_up(folder);
    return tap_done();
}
