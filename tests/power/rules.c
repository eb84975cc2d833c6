/* What is refused before anything is live, and what is left alone.
 * ota-install(7), Rules. */
#include "scene.h"
#include "simfs.h"

#include "../unit/tap.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static struct scene *rich, *five;
static struct bundle made;

static struct world *device(struct scene *s, unsigned version)
{
    struct world *w = sim_new(SIM_REPLACES);

    scene_wrong = NULL;
    scene_prepare(s, w, version);
    return w;
}

static void done(struct world *w)
{
    w->type->free(w);
}

/* -- targets ----------------------------------------------------------------
 */

enum { KIND_NONE, KIND_FILE, KIND_FOLDER, KIND_LINK, KIND_MOUNT, KIND_DISK };

static const struct {
    const char *what, *path;
    int kind; /* of what is at `there` */
    const char *there;
    int want;
    bool own; /* the device's own trouble: it rules nothing out */
} targets[] = {
    {"nothing", "x.py", KIND_NONE, NULL, OTA_OK, false},
    {"a file", "x.py", KIND_FILE, "x.py", OTA_OK, false},
    {"a folder", "x.py", KIND_FOLDER, "x.py", OTA_ERR_PATH, true},
    {"a link", "x.py", KIND_LINK, "x.py", OTA_ERR_PATH, true},
    {"another file system", "x.py", KIND_DISK, "x.py", OTA_ERR_PATH, true},
    {"a folder that is there", "d/x.py", KIND_FOLDER, "d", OTA_OK, false},
    {"a folder that is a file", "d/x.py", KIND_FILE, "d", OTA_ERR_PATH, true},
    {"a folder that is a link", "d/x.py", KIND_LINK, "d", OTA_ERR_PATH, true},
    {"a folder elsewhere", "d/e/x.py", KIND_MOUNT, "d", OTA_ERR_PATH, true},
    {"boot path", "boot.py", KIND_NONE, NULL, OTA_ERR_PATH, false},
    {"boot path in capitals", "Boot.PY", KIND_NONE, NULL, OTA_ERR_PATH, false},
    {"boot folder", "ota/port.py", KIND_NONE, NULL, OTA_ERR_PATH, false},
    {"as long as may be", "abcdefghijklmnopqrst", KIND_NONE, NULL, OTA_OK,
     false},
    {"too long", "abcdefghijklmnopqrstu", KIND_NONE, NULL, OTA_ERR_PATH,
     false}};

static void place(struct world *w, int kind, const char *path)
{
    if (kind == KIND_FILE)
        world_put(w, path, "there");
    if (kind == KIND_FOLDER || kind == KIND_MOUNT)
        w->type->mkdir(w, path);
    if (kind == KIND_DISK)
        world_put(w, path, "there");
    if (kind == KIND_MOUNT || kind == KIND_DISK)
        sim_mount(w, path);
    if (kind == KIND_LINK)
        sim_link(w, path);
}

static void test_targets(void)
{
    rich->config.device.path_max = 20;
    for (size_t n = 0; n < sizeof(targets) / sizeof(*targets); n++) {
        struct item item = {targets[n].path, "text", 0644, OTA_FILE};
        struct set set = {&item, 1};
        struct bundle_options o = {.version = 1};
        struct world *w = sim_new(SIM_REPLACES);
        struct bundle *first = rich->bundle[1];
        struct ota_status st;
        int err;

        place(w, targets[n].kind, targets[n].there);
        bundle_make(&made, &set, &o);
        rich->bundle[1] = &made;
        err = scene_stage(rich, w, 1);
        st = scene_status(rich, w);
        check(err == targets[n].want &&
                  st.phase == (err == OTA_OK ? OTA_READY : OTA_IDLE) &&
                  st.failed == (err == OTA_OK || targets[n].own ? 0U : 1U),
              "%s: %s", targets[n].what, ota_error_name(err));
        if (targets[n].own) {
            w->port.clear(w, targets[n].there);
            check(scene_stage(rich, w, 1) == OTA_OK,
                  "and without it the version is taken");
        }
        rich->bundle[1] = first;
        done(w);
    }
    rich->config.device.path_max = 0;
}

/* -- what is left alone -----------------------------------------------------
 */

static void test_skipped(void)
{
    struct world *w = device(rich, 1);
    struct ota_install *i;

    world_put(w, "never.py", "not theirs");
    i = scene_start(rich, w);
    check(scene_feed(i, rich->bundle[2], OTA_CHOOSE_INSTALLED) == OTA_OK &&
              ota_stage_skipped(i) == 2,
          "a delta: %u skipped: protected, and not ours to delete",
          ota_stage_skipped(i));
    scene_end(i);
    scene_boot(rich, w, NULL);
    check(world_has(w, "never.py"), "what is not ours is not deleted");
    w->type->remove(w, "never.py");
    scene_wrong = NULL;
    scene_boot(rich, w, NULL);
    check(!scene_wrong, "the rest is the new release");
    done(w);
}

/* cfg.json was protected when it was installed; now it is not: it is not ours
 * to delete. */
static void test_once_protected(void)
{
    static const struct item kept[] = {{"main.py", "m = 3\n", 0644, OTA_FILE}};
    struct set set = {kept, 1};
    struct bundle_options o = {.version = 5, .base_set = &rich->set[2]};
    struct world *w = device(rich, 2);
    struct bundle *third = rich->bundle[3];
    size_t count = rich->config.protect_count;

    scene_call(rich, w, ota_confirm);
    bundle_make(&made, &set, &o);
    rich->bundle[3] = &made;
    rich->config.protect_count = 0;
    check(scene_stage(rich, w, 3) == OTA_OK, "all deleted but the own");
    scene_wrong = NULL;
    rich->edited = true;
    scene_boot(rich, w, NULL);
    check(world_has(w, "cfg.json") && !world_has(w, "run.sh") &&
              world_has(w, "main.py"),
          "what was protected when it came stays");
    rich->edited = false;
    rich->config.protect_count = count;
    rich->bundle[3] = third;
    done(w);
}

/* -- deltas -----------------------------------------------------------------
 */

static void test_base(void)
{
    struct world *w = device(rich, 1);
    struct ota_install *i = scene_start(rich, w);

    world_put(w, "keep.txt", "edited");
    check(scene_feed(i, rich->bundle[2], OTA_CHOOSE_INSTALLED) == OTA_ERR_BASE,
          "a file that the delta leaves out was edited");
    check(scene_feed(i, rich->bundle[2], OTA_CHOOSE_FULL) == OTA_OK,
          "the full payload does");
    scene_end(i);
    scene_wrong = NULL;
    scene_boot(rich, w, NULL);
    check(!scene_wrong, "and brings it back");
    done(w);
    w = device(rich, 1);
    world_put(w, "lib/net.py", "edited");
    i = scene_start(rich, w);
    check(scene_feed(i, rich->bundle[2], OTA_CHOOSE_INSTALLED) == OTA_ERR_BASE,
          "a file that it patches was edited");
    scene_end(i);
    done(w);
}

/* -- bad payloads -----------------------------------------------------------
 */

static void test_chunk(void)
{
    struct world *w = device(five, 1);
    struct bundle *b = five->bundle[2];
    size_t last = b->payload_len[0] - 40;
    struct ota_status st;

    b->payload[0][last] ^= 1;
    check(scene_stage(five, w, 2) == OTA_ERR_CHUNK, "a byte is wrong: chunk");
    b->payload[0][last] ^= 1;
    st = scene_status(five, w);
    check(st.phase == OTA_STAGING && st.failed == 0, "it may come right");
    check(scene_stage(five, w, 2) == OTA_OK, "and does");
    done(w);
}

/* Nobody signed what comes behind the end: whoever can add a byte must not rule
 * a version out. */
static void test_trailing(void)
{
    struct world *w = device(five, 1);
    const struct bundle *b = five->bundle[2];
    struct ota_install *i = scene_start(five, w);
    struct ota_status st;

    ota_stage(i, OTA_CHOOSE_FULL);
    ota_stage_feed(i, b->manifest, b->manifest_len);
    check(ota_stage_feed(i, b->payload[1], b->payload_len[1] + 1) ==
              OTA_ERR_TRAILING,
          "a byte more: trailing");
    scene_end(i);
    st = scene_status(five, w);
    check(st.phase == OTA_STAGING && st.failed == 0, "not the version's fault");
    check(scene_stage(five, w, 2) == OTA_OK, "without it it is staged");
    done(w);
}

static void test_spoiled(void)
{
    struct bundle_options o = {.version = 2, .spoil = true};
    struct world *w = device(five, 1);
    struct bundle *second = five->bundle[2];
    struct ota_status st;

    world_put(w, ".ota/etag", "tag");
    bundle_make(&made, &five->set[2], &o);
    five->bundle[2] = &made;
    check(scene_stage(five, w, 2) == OTA_ERR_CONTENT, "signed, but wrong");
    st = scene_status(five, w);
    check(st.phase == OTA_IDLE && st.failed == 2 &&
              st.reason == -OTA_ERR_CONTENT && !world_has(w, ".ota/etag"),
          "it failed, and the ETag is gone");
    five->bundle[2] = second;
    check(scene_stage(five, w, 2) == OTA_ERR_FAILED_BEFORE,
          "nothing of that number is taken");
    check(scene_install(five, w, 3) == OTA_OK, "the next one is");
    done(w);
}

/* A medium that reads back something else, so many times. */
static int lies;
static int (*honest)(void *ctx, int file, uint32_t offset, uint8_t *buf,
                     size_t len);

static int lying_read(void *ctx, int file, uint32_t offset, uint8_t *buf,
                      size_t len)
{
    int n = honest(ctx, file, offset, buf, len);

    if (n > 6 && memcmp(buf, "import", 6) == 0 && lies > 0) {
        buf[0] ^= 1;
        lies--;
    }
    return n;
}

static void test_medium(void)
{
    struct world *w = device(five, 1);
    struct ota_status st;

    honest = w->port.read_at;
    w->port.read_at = lying_read;
    scene_call(five, w, ota_reset); /* so that there is no delta's base */
    five->forgets = false;
    lies = 1;
    check(scene_stage(five, w, 2) == OTA_ERR_CONTENT, "read back otherwise");
    st = scene_status(five, w);
    check(st.phase == OTA_IDLE && st.failed == 0, "not the version's fault");
    check(scene_stage(five, w, 2) == OTA_OK, "another time it comes");
    done(w);
}

/* -- room -------------------------------------------------------------------
 */

static void test_space(void)
{
    struct world *w = device(five, 1);
    struct ota_install *i;
    uint64_t need;

    sim_room(w, 1000);
    i = scene_start(five, w);
    check(scene_feed(i, five->bundle[2], OTA_CHOOSE_INSTALLED) == OTA_ERR_SPACE,
          "too little room");
    need = ota_stage_space(i);
    check(need > 1000 && scene_status(five, w).phase == OTA_IDLE,
          "%u bytes would do", (unsigned)need);
    sim_room(w, need - 1);
    check(scene_feed(i, five->bundle[2], OTA_CHOOSE_INSTALLED) == OTA_ERR_SPACE,
          "one less would not");
    sim_room(w, need);
    check(scene_feed(i, five->bundle[2], OTA_CHOOSE_INSTALLED) == OTA_OK,
          "they do");
    scene_end(i);
    scene_boot(five, w, NULL);
    scene_call(five, w, ota_confirm);
    i = scene_start(five, w);
    sim_room(w, need - 6 * 512);
    check(scene_feed(i, five->bundle[3], OTA_CHOOSE_INSTALLED) == OTA_OK,
          "the old backup counts as free");
    scene_end(i);
    done(w);
}

/* Plenty when staging begins; then so many bytes. */
static uint64_t room_left;

static int shrinking_free(void *ctx, uint64_t *bytes, uint32_t *block)
{
    struct world *w = ctx;

    *bytes = w->lives++ == 0 ? 1 << 20 : room_left;
    *block = 512;
    return OTA_OK;
}

static void test_largest(void)
{
    static char large[6000];
    struct item item = {"n/large", large, 0644, OTA_FILE};
    struct set set = {&item, 1};
    struct bundle_options o = {.version = 1};
    struct bundle *first = five->bundle[1];

    memset(large, 'x', sizeof(large) - 1);
    bundle_make(&made, &set, &o);
    five->bundle[1] = &made;
    for (int n = 0; n < 4; n++) {
        struct world *w = sim_new(n < 2 ? SIM_COPIES : SIM_REPLACES);
        /* a new folder takes two blocks */
        uint64_t need = (n < 2 ? sizeof(large) - 1 : 0) + (4 + 2) * 512;

        w->port.free = shrinking_free;
        room_left = need - (n % 2 ? 1 : 0);
        check(scene_stage(five, w, 1) == (n % 2 ? OTA_ERR_SPACE : OTA_OK) &&
                  scene_status(five, w).phase == (n % 2 ? OTA_IDLE : OTA_READY),
              "%s: %u bytes before the swap", sim_mode_names[n < 2 ? 2 : 0],
              (unsigned)room_left);
        done(w);
    }
    five->bundle[1] = first;
}

static void test_memory(void)
{
    struct world *w = sim_new(SIM_REPLACES);

    five->config.entries_max = 4;
    check(scene_stage(five, w, 1) == OTA_ERR_MEMORY,
          "more records than may be");
    five->config.entries_max = 5;
    check(scene_stage(five, w, 1) == OTA_OK, "as many as may be");
    five->config.entries_max = 0;
    done(w);
}

/* -- watchdogs, secrets -----------------------------------------------------
 */

static void test_yield(void)
{
    struct world *w = device(five, 1);
    long before = w->yields;

    scene_stage(five, w, 2);
    check(w->yields - before > 10, "staging yields: %ld times",
          w->yields - before);
    before = w->yields;
    scene_boot(five, w, NULL);
    check(w->yields - before >= 4 * 5, "a swap yields: %ld times",
          w->yields - before);
    done(w);
}

static size_t read_all(const char *path, uint8_t *buf, size_t len)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(buf, 1, len, f) : 0;

    if (f)
        fclose(f);
    return n;
}

static void test_wiped(void)
{
    static const char key_hex[] =
        "1d1f1313e03e67967321f02ba4f07d7118808cca89bc1768831c0a6d935aa2a9";
    static uint8_t bytes[1 << 20], pub[256], key[64];
    static uint64_t arena[1 << 13];
    uint8_t device_key[32];
    struct ota_install_config config = five->config;
    struct world *w = sim_new(SIM_REPLACES);
    struct ota_install *i;
    size_t len = read_all("tests/vectors/good/encrypted.otab", bytes,
                          sizeof(bytes)),
           used, rest = 0, n;
    const char *line;

    read_all("tests/vectors/release.pub", pub, sizeof(pub) - 1);
    line = strchr((char *)pub, '\n');
    if (!check(len > 0 && line, "the encrypted vector is there"))
        return;
    sodium_base642bin(key, sizeof(key), line + 1, 56, NULL, &used, NULL,
                      sodium_base64_VARIANT_ORIGINAL);
    sodium_hex2bin(device_key, 32, key_hex, 64, NULL, NULL, NULL);
    config.device.keys = (const uint8_t(*)[OTA_PUBLIC_KEY])(void *)key;
    config.device.device_key = device_key;
    i = ota_install_init(arena, sizeof(arena), &w->port, &config);
    check(ota_stage(i, OTA_CHOOSE_FULL) == OTA_OK &&
              ota_stage_feed(i, bytes, len) == OTA_OK &&
              ota_stage_finish(i) == OTA_OK,
          "an encrypted bundle is staged");
    for (n = OTA_INSTALL_STATE / 8; n < sizeof(arena) / 8; n++)
        rest += arena[n] != 0;
    check(rest == 0, "and the reader's memory wiped");
    done(w);
}

int main(void)
{
    if (sodium_init() < 0)
        return 2;
    rich = scene_rich();
    five = scene_five();
    test_targets();
    test_skipped();
    test_once_protected();
    test_base();
    test_chunk();
    test_trailing();
    test_spoiled();
    test_medium();
    test_space();
    test_largest();
    test_memory();
    test_yield();
    test_wiped();
    scene_free(rich);
    scene_free(five);
    return tap_done();
}
