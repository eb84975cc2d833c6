/* What has to be there before what, and which folders objects lie in. */
#include <string.h>

#include "store/puts.h"
#include "tap.h"

static unsigned driven, failures;

static void drive(struct engine *e)
{
    driven++;
    e->pending = 0;
}

static const struct engine_ops ops = {.drive = drive};

static void count(void *ctx, const char *name)
{
    (void)ctx;
    failures += strcmp(name, "devices/a/manifest") == 0;
}

static void test_order(void)
{
    struct engine engine = {.ops = &ops};
    struct store store = {.failed = count};
    struct store_puts p = {.store = &store, .engine = &engine};
    static const struct {
        enum store_class class;
        bool waits;
    } steps[] = {{STORE_PAYLOAD, false}, {STORE_SHARD, false},
                 {STORE_FIRST, true},    {STORE_MANIFEST, false},
                 {STORE_FIRST, false},   {STORE_SHARD, true},
                 {STORE_HEAD, true},     {STORE_HEAD, true}};

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        engine.pending = 1;
        driven = 0;
        check(store_puts_settle(&p, steps[i].class) == 0 &&
                  (driven == 1) == steps[i].waits,
              "step %zu: %s", i, steps[i].waits ? "waits" : "does not wait");
    }
    store_puts_failed(&p, "devices/a/manifest", STORE_FIRST);
    check(failures == 1 && store_puts_settle(&p, STORE_HEAD) == 0,
          "a manifest that was not put is told, and keeps no head");
    store_puts_failed(&p, "payloads/00/x", STORE_PAYLOAD);
    check(store_puts_settle(&p, STORE_SHARD) == 0 &&
              store_puts_settle(&p, STORE_MANIFEST) < 0 &&
              store_puts_settle(&p, STORE_HEAD) < 0,
          "without a payload neither manifest nor head");
    check(failures == 1 && store_puts_flush(&p) < 0, "which flush says");
    check(store_puts_flush(&p) == 0 && store_puts_settle(&p, STORE_HEAD) == 0,
          "once");
}

static void test_folders(void)
{
    static const struct {
        const char *name, *folder;
        bool is_device;
    } names[] = {{"index/head", NULL, false},
                 {"lock", NULL, false},
                 {"devices/a/manifest", "devices/a", true},
                 {"payloads/0f/x", "payloads/0f", false},
                 {"devices/x", NULL, false}};
    static const char *const others[] = {"payloads/0g/x", "payloads/0/x",
                                         "payloads/100/x", "devices/0f/x"};
    struct store_puts p = {.store = NULL};
    char folder[STORE_NAME];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        bool has = store_folder_of(names[i].name, folder);

        check(has == !!names[i].folder &&
                  (!has || strcmp(folder, names[i].folder) == 0) &&
                  store_device_folder(names[i].name, folder) ==
                      names[i].is_device,
              "%s", names[i].name);
    }
    check(store_is_payload("payloads/0f/x") &&
              !store_puts_has_hh(&p, "payloads/0f/x"),
          "a folder of payloads, not made yet");
    store_puts_made_hh(&p, "payloads/0f/x");
    check(store_puts_has_hh(&p, "payloads/0f/y") &&
              !store_puts_has_hh(&p, "payloads/0e/y"),
          "made, and no other");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        store_puts_made_hh(&p, others[i]);
        check(!store_is_payload(others[i]) && !store_puts_has_hh(&p, others[i]),
              "%s is none", others[i]);
    }
}

int main(void)
{
    test_order();
    test_folders();
    return tap_done();
}
