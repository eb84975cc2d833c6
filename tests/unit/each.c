/* store_each(): what is asked for together, and where it ends. */
#include "store/each.h"
#include "store/store.h"
#include "tap.h"

enum { ITEMS = 1000 };

/* A run over items of `bytes` each; those from `bad` up to `good` fail. */
struct run {
    size_t bytes, bad, good, end;
    size_t asked, taken, most; /* most: that were on their way at once */
    size_t groups, last;       /* of taken(), and where it ended last */
};

static size_t ask(void *ctx, size_t i)
{
    struct run *r = ctx;

    r->asked += i == r->asked;
    if (r->asked - r->taken > r->most)
        r->most = r->asked - r->taken;
    return r->bytes;
}

static int take(void *ctx, size_t i)
{
    struct run *r = ctx;

    if (r->end && i == r->end)
        return -1;
    r->taken += i == r->taken && i < r->asked;
    return i >= r->bad && i < r->good;
}

static int taken(void *ctx, size_t first, size_t end)
{
    struct run *r = ctx;

    r->groups += first == r->last;
    r->last = end;
    return 0;
}

static const struct {
    const char *what;
    size_t bytes, objects, bad, good, end;
    int result;
    size_t taken, most;
} cases[] = {
    {"all", 0, 0, 0, 0, 0, 0, ITEMS, STORE_AHEAD},
    {"four objects an item", 0, 4, 0, 0, 0, 0, ITEMS, STORE_AHEAD / 4},
    {"large ones", STORE_ASKED / 2, 0, 0, 0, 0, 0, ITEMS, 2},
    {"each too large", STORE_ASKED + 1, 0, 0, 0, 0, 0, ITEMS, 1},
    {"nineteen in a row fail", 0, 0, 120, 139, 0, 0, ITEMS, STORE_AHEAD},
    {"twenty in a row fail", 0, 0, 120, 140, 0, 1, 140, STORE_AHEAD},
    {"the first twenty fail", 0, 0, 0, ITEMS, 0, 1, 20, STORE_AHEAD},
    {"it ends", 0, 0, 0, 0, 300, -1, 300, STORE_AHEAD},
};

int main(void)
{
    struct run none = {0};
    struct store_each each = {.ask = ask, .take = take, .ctx = &none};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct run r = {.bytes = cases[i].bytes,
                        .bad = cases[i].bad,
                        .good = cases[i].good,
                        .end = cases[i].end};
        int result;

        each = (struct store_each){.ask = ask,
                                   .take = take,
                                   .taken = taken,
                                   .ctx = &r,
                                   .objects = cases[i].objects};
        result = store_each(&each, 0, ITEMS);
        check(result == cases[i].result && r.taken == cases[i].taken,
              "%s: %d after %zu", cases[i].what, result, r.taken);
        check(r.most == cases[i].most, "%s: %zu at once", cases[i].what,
              r.most);
        check(result || (r.last == ITEMS &&
                         r.groups == (ITEMS + r.most - 1) / r.most),
              "%s: %zu groups", cases[i].what, r.groups);
    }
    each = (struct store_each){.ask = ask, .take = take, .ctx = &none};
    check(store_each(&each, 0, 0) == 0 && !none.asked, "nothing");
    return tap_done();
}
