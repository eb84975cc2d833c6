/* What is refused before anything is live, what is left alone, and how staging
 * goes on.  install.md, Rules. */
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

static struct ota_status status(struct scene *s, struct world *w)
{
    struct ota_install *i = scene_start(s, w);
    struct ota_status st;

    ota_status(i, &st);
    scene_end(i);
    return st;
}

static void done(struct world *w)
{
    w->type->free(w);
}

static void put(struct world *w, const char *path, const char *text)
{
    w->type->put(w, path, text, strlen(text), 0644);
}

static bool there(struct world *w, const char *path)
{
    size_t len;
    unsigned mode;

    return w->type->get(w, path, &len, &mode) != NULL;
}

/* -- targets ----------------------------------------------------------------
 */

enum { KIND_NONE, KIND_FILE, KIND_FOLDER, KIND_LINK, KIND_MOUNT, KIND_DISK };

static const struct {
    const char *what, *path;
    int kind; /* of what is at `there` */
    const char *there;
    int want;
} targets[] = {
    {"nothing", "x.py", KIND_NONE, NULL, OTA_OK},
    {"a file", "x.py", KIND_FILE, "x.py", OTA_OK},
    {"a folder", "x.py", KIND_FOLDER, "x.py", OTA_ERR_PATH},
    {"a link", "x.py", KIND_LINK, "x.py", OTA_ERR_PATH},
    {"another file system", "x.py", KIND_DISK, "x.py", OTA_ERR_PATH},
    {"a folder that is there", "d/x.py", KIND_FOLDER, "d", OTA_OK},
    {"a folder that is a file", "d/x.py", KIND_FILE, "d", OTA_ERR_PATH},
    {"a folder that is a link", "d/x.py", KIND_LINK, "d", OTA_ERR_PATH},
    {"a folder elsewhere", "d/e/x.py", KIND_MOUNT, "d", OTA_ERR_PATH},
    {"boot path", "boot.py", KIND_NONE, NULL, OTA_ERR_PATH},
    {"boot path in capitals", "Boot.PY", KIND_NONE, NULL, OTA_ERR_PATH},
    {"boot folder", "ota/port.py", KIND_NONE, NULL, OTA_ERR_PATH},
    {"as long as may be", "abcdefghijklmnopqrst", KIND_NONE, NULL, OTA_OK},
    {"too long", "abcdefghijklmnopqrstu", KIND_NONE, NULL, OTA_ERR_PATH}};

static void place(struct world *w, int kind, const char *path)
{
    if (kind == KIND_FILE)
        put(w, path, "there");
    if (kind == KIND_FOLDER || kind == KIND_MOUNT)
        w->type->mkdir(w, path);
    if (kind == KIND_DISK)
        put(w, path, "there");
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
        st = status(rich, w);
        check(err == targets[n].want &&
                  st.phase == (err == OTA_OK ? OTA_READY : OTA_IDLE) &&
                  st.failed == (err == OTA_OK ? 0U : 1U),
              "%s: %s", targets[n].what, ota_error_name(err));
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

    put(w, "never.py", "not theirs");
    i = scene_start(rich, w);
    check(scene_feed(i, rich->bundle[2], OTA_CHOOSE_INSTALLED) == OTA_OK &&
              ota_stage_skipped(i) == 2,
          "a delta: %u skipped: protected, and not ours to delete",
          ota_stage_skipped(i));
    scene_end(i);
    scene_boot(rich, w, NULL);
    check(there(w, "never.py"), "what is not ours is not deleted");
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
    check(there(w, "cfg.json") && !there(w, "run.sh") && there(w, "main.py"),
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

    put(w, "keep.txt", "edited");
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
    put(w, "lib/net.py", "edited");
    i = scene_start(rich, w);
    check(scene_feed(i, rich->bundle[2], OTA_CHOOSE_INSTALLED) == OTA_ERR_BASE,
          "a file that it patches was edited");
    scene_end(i);
    done(w);
}

/* Feeds all but the end. */
static uint32_t feed_part(struct ota_install *i, const struct bundle *b,
                          int choose, unsigned which)
{
    uint32_t from;

    ota_stage(i, choose);
    if (ota_stage_feed(i, b->manifest, b->manifest_len) != OTA_OK)
        return UINT32_MAX;
    from = ota_stage_offset(i);
    ota_stage_feed(i, b->payload[which] + from,
                   b->payload_len[which] - from - 1);
    return from;
}

static void test_resume(void)
{
    struct world *w = device(rich, 1);
    const struct bundle *b = rich->bundle[2];
    struct ota_install *i = scene_start(rich, w);

    put(w, "lib/net.py", "edited");
    check(feed_part(i, b, OTA_CHOOSE_FULL, 1) == 0, "the full one, in part");
    scene_end(i);
    w->type->crash(w, SIM_ALL);
    i = scene_start(rich, w);
    check(feed_part(i, b, OTA_CHOOSE_INSTALLED, 1) > 0 &&
              ota_stage_size(i) == b->payload_len[1],
          "it goes on with that, not with the delta");
    ota_stage_finish(i);
    scene_end(i);
    i = scene_start(rich, w);
    check(scene_feed(i, b, OTA_CHOOSE_INSTALLED) == OTA_OK &&
              ota_stage_offset(i) > 0,
          "to the end");
    scene_end(i);
    scene_wrong = NULL;
    scene_boot(rich, w, NULL);
    check(!scene_wrong, "and all is new");
    done(w);
}

/* Where staging would go on. */
static uint32_t goes_on_at(struct world *w)
{
    struct ota_install *i = scene_start(five, w);
    const struct bundle *b = five->bundle[2];
    uint32_t at;

    ota_stage(i, OTA_CHOOSE_FULL);
    ota_stage_feed(i, b->manifest, b->manifest_len);
    at = ota_stage_offset(i);
    ota_stage_finish(i);
    scene_end(i);
    return at;
}

/* Feeds so many bytes of the full payload; an operation may fail. */
static void feed_bytes(struct world *w, uint32_t len)
{
    struct ota_install *i = scene_start(five, w);
    const struct bundle *b = five->bundle[2];

    ota_stage(i, OTA_CHOOSE_FULL);
    ota_stage_feed(i, b->manifest, b->manifest_len);
    ota_stage_feed(i, b->payload[1] + ota_stage_offset(i), len);
    ota_stage_finish(i);
    scene_end(i);
}

/* Where in the journal the first entry behind the checkpoint at this offset of
 * the payload is: a record is its body's length (2), type (1), body, CRC (4);
 * a checkpoint's body begins with the link (34) and the offset (4). */
static size_t entry_behind(const uint8_t *j, size_t len, uint32_t offset)
{
    bool behind = false;
    size_t at = 8;

    while (at + 7 < len) {
        const uint8_t *r = j + at;

        if (behind && r[2] == 2)
            return at;
        if (r[2] == 4 && r[37] == (uint8_t)offset &&
            r[38] == (uint8_t)(offset >> 8))
            behind = true;
        at += 7 + r[0] + 256u * r[1];
    }
    return 0;
}

/* What an earlier try wrote to the journal behind a record that was torn must
 * not come into force again when that record is written anew. */
static void test_stale_records(void)
{
    struct world *w = device(five, 1);
    const struct bundle *b = five->bundle[2];
    const uint8_t *found;
    uint8_t journal[4096];
    uint32_t first, last;
    size_t len;
    unsigned mode;
    int wrong = 0, n;

    feed_bytes(w, 1);
    feed_bytes(w, (uint32_t)b->payload_len[1] / 3);
    first = goes_on_at(w);
    feed_bytes(w, (uint32_t)b->payload_len[1] - first - 1);
    last = goes_on_at(w);
    found = w->type->get(w, ".ota/journal", &len, &mode);
    memcpy(journal, found, len < sizeof(journal) ? len : 0);
    journal[entry_behind(journal, len, first) + 8] ^= 1;
    w->type->put(w, ".ota/journal", journal, len, 0644);
    check(first > 0 && last > first && goes_on_at(w) == first,
          "a torn record: staging goes on at %u, not %u", (unsigned)first,
          (unsigned)last);
    for (n = 1; n < 40; n++) {
        struct world *c = w->type->copy(w);

        sim_fail(c, FAIL_STAYS, n);
        feed_bytes(c, (uint32_t)b->payload_len[1] / 3);
        sim_repair(c);
        wrong += goes_on_at(c) == last;
        done(c);
    }
    check(wrong == 0, "and what lay behind it stays out: %d points", n - 1);
    done(w);
}

static void test_drop(void)
{
    struct world *w = device(five, 1);
    struct ota_install *i = scene_start(five, w);

    feed_part(i, five->bundle[2], OTA_CHOOSE_FULL, 1);
    check(ota_stage_finish(i) == OTA_ERR_TRUNCATED &&
              status(five, w).phase == OTA_STAGING,
          "an end that lacks: it can be gone on with");
    check(ota_stage_drop(i) == OTA_OK && status(five, w).phase == OTA_IDLE &&
              !there(w, ".ota/journal") && !there(w, ".ota/new/00/00/01"),
          "or given up");
    check(ota_stage_feed(i, (const uint8_t *)"x", 1) == OTA_ERR_STATE &&
              ota_stage_finish(i) == OTA_ERR_STATE,
          "and then not fed");
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
    st = status(five, w);
    check(st.phase == OTA_STAGING && st.failed == 0, "it may come right");
    check(scene_stage(five, w, 2) == OTA_OK, "and does");
    done(w);
}

static void test_spoiled(void)
{
    struct bundle_options o = {.version = 2, .spoil = true};
    struct world *w = device(five, 1);
    struct bundle *second = five->bundle[2];
    struct ota_status st;

    put(w, ".ota/etag", "tag");
    bundle_make(&made, &five->set[2], &o);
    five->bundle[2] = &made;
    check(scene_stage(five, w, 2) == OTA_ERR_CONTENT, "signed, but wrong");
    st = status(five, w);
    check(st.phase == OTA_IDLE && st.failed == 2 &&
              st.reason == -OTA_ERR_CONTENT && !there(w, ".ota/etag"),
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
    st = status(five, w);
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
    check(need > 1000 && status(five, w).phase == OTA_IDLE, "%u bytes would do",
          (unsigned)need);
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
                  status(five, w).phase == (n % 2 ? OTA_IDLE : OTA_READY),
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

/* -- stale work files -------------------------------------------------------
 */

static void stale(struct world *w)
{
    static const char *const folders[] = {
        ".ota",     ".ota/new",    ".ota/new/00",   ".ota/new/00/00",
        ".ota/old", ".ota/old/00", ".ota/old/00/00"};
    char path[32];

    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
        w->type->mkdir(w, folders[i]);
    for (unsigned n = 0; n < 40; n++) {
        snprintf(path, sizeof(path), ".ota/new/%02x/%02x/%02x", 0U, n / 32,
                 n % 32);
        if (n < 32)
            put(w, path, "stale");
        memcpy(path + 5, "old", 3);
        if (n < 32)
            put(w, path, "stale");
    }
}

static void test_stale(void)
{
    for (unsigned version = 0; version < 2; version++) {
        struct world *w = device(rich, version);
        struct ota_status st;

        stale(w);
        scene_wrong = NULL;
        check(scene_install(rich, w, version + 1) == OTA_OK && !scene_wrong,
              "over stale files: version %u", version + 1);
        scene_undo(rich, w, &st);
        check(st.version == version && !scene_wrong, "and back");
        done(w);
    }
}

/* A journal that is damaged once all is staged. */
static void test_damaged_journal(void)
{
    size_t len, cut;
    unsigned mode;
    int swapped = 0, count = 0;
    struct world *w = device(five, 1);

    scene_stage(five, w, 2);
    w->type->get(w, ".ota/journal", &len, &mode);
    for (cut = 0; cut < len; cut += 7) {
        struct world *c = w->type->copy(w);
        uint8_t bytes[4096];
        struct ota_status st;

        memcpy(bytes, c->type->get(c, ".ota/journal", &len, &mode), len);
        bytes[cut] ^= 0x10;
        c->type->put(c, ".ota/journal", bytes, len, 0644);
        scene_wrong = NULL;
        scene_boot(five, c, &st);
        swapped += st.phase != OTA_IDLE || st.version != 1 || scene_wrong;
        count++;
        done(c);
    }
    check(swapped == 0, "a damaged journal is dropped: %d places", count);
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
    test_resume();
    test_stale_records();
    test_drop();
    test_chunk();
    test_spoiled();
    test_medium();
    test_space();
    test_largest();
    test_memory();
    test_stale();
    test_damaged_journal();
    test_yield();
    test_wiped();
    scene_free(rich);
    scene_free(five);
    return tap_done();
}
