/* How staging goes on after a cut or an error, over what earlier ones left.
 * ota-install(7), Resuming. */
#include "scene.h"
#include "simfs.h"

#include "../unit/tap.h"

#include <string.h>

static struct scene *rich, *five;

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

/* -- going on ---------------------------------------------------------------
 */

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

    world_put(w, "lib/net.py", "edited");
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
              scene_status(five, w).phase == OTA_STAGING,
          "an end that lacks: it can be gone on with");
    check(ota_stage_drop(i) == OTA_OK &&
              scene_status(five, w).phase == OTA_IDLE &&
              !world_has(w, ".ota/journal") &&
              !world_has(w, ".ota/new/00/00/01"),
          "or given up");
    check(ota_stage_feed(i, (const uint8_t *)"x", 1) == OTA_ERR_STATE &&
              ota_stage_finish(i) == OTA_ERR_STATE,
          "and then not fed");
    scene_end(i);
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
            world_put(w, path, "stale");
        memcpy(path + 5, "old", 3);
        if (n < 32)
            world_put(w, path, "stale");
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

int main(void)
{
    rich = scene_rich();
    five = scene_five();
    test_resume();
    test_stale_records();
    test_drop();
    test_stale();
    test_damaged_journal();
    scene_free(rich);
    scene_free(five);
    return tap_done();
}
