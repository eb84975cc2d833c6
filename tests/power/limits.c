/* What staging promises its port and its caller: watchdogs, memory, what the
 * application or the port does meanwhile.  ota-install(7), Rules. */
#include "scene.h"
#include "simfs.h"

#include "../unit/tap.h"

#include <string.h>

enum { LARGE = 40000 };

static struct scene *rich;
static struct bundle first, second;
static char old_text[LARGE + 1], new_text[LARGE + 1];
static const struct item old_item = {"large", old_text, 0644, OTA_FILE},
                         new_item = {"large", new_text, 0644, OTA_FILE};
static const struct set old_set = {&old_item, 1}, new_set = {&new_item, 1};

/* A scene of those two texts. */
static struct scene *scene_large(void)
{
    static struct scene s;
    struct bundle_options o = {.version = 1};

    bundle_make(&first, &old_set, &o);
    o.version = 2;
    o.base = &first;
    o.base_set = &old_set;
    bundle_make(&second, &new_set, &o);
    memset(&s, 0, sizeof(s));
    s.name = "one large file";
    bundle_device(&s.config.device);
    s.set[1] = old_set;
    s.set[2] = new_set;
    s.bundle[1] = &first;
    s.bundle[2] = &second;
    return &s;
}

static struct world *device(const struct scene *s)
{
    struct world *w = sim_new(SIM_REPLACES);

    scene_wrong = NULL;
    scene_prepare(s, w, 1);
    return w;
}

static void done(struct world *w)
{
    w->type->free(w);
}

/* -- watchdogs --------------------------------------------------------------
 */

static size_t bytes, most;
static int (*write_at)(void *ctx, int file, uint32_t offset, const uint8_t *buf,
                       size_t len);

static int counting_write(void *ctx, int file, uint32_t offset,
                          const uint8_t *buf, size_t len)
{
    bytes += len;
    most = bytes > most ? bytes : most;
    return write_at(ctx, file, offset, buf, len);
}

static int resetting_yield(void *ctx)
{
    (void)ctx;
    bytes = 0;
    return OTA_OK;
}

/* One chunk of a delta can make all of a file. */
static void test_yield(void)
{
    struct scene *s;
    struct world *w;
    int err;

    memset(old_text, 'x', LARGE);
    memset(new_text, 'x', LARGE);
    new_text[LARGE / 2] = 'y';
    s = scene_large();
    w = device(s);
    write_at = w->port.write_at;
    w->port.write_at = counting_write;
    w->port.yield = resetting_yield;
    bytes = most = 0;
    err = scene_stage(s, w, 2);
    check(err == OTA_OK && most > 0 && most <= 4096 + 256,
          "%d bytes from %u of payload: %s, %u bytes without a yield", LARGE,
          (unsigned)second.payload_len[0], ota_error_name(err), (unsigned)most);
    done(w);
}

/* -- a base that changes ----------------------------------------------------
 */

static struct world *edited;

/* When most of the file is made, the rest of its base changes. */
static int editing_write(void *ctx, int file, uint32_t offset,
                         const uint8_t *buf, size_t len)
{
    struct world *w = edited;

    if (w && offset > LARGE / 2) {
        edited = NULL;
        sim_edit(w, "large", LARGE - 6, "edited");
    }
    return write_at(ctx, file, offset, buf, len);
}

static void test_base(void)
{
    struct scene *s = scene_large();
    struct world *w = device(s);
    struct ota_install *i = scene_start(s, w);
    struct ota_status st;
    int err;

    write_at = w->port.write_at;
    w->port.write_at = editing_write;
    edited = w;
    err = scene_feed(i, &second, OTA_CHOOSE_INSTALLED);
    ota_status(i, &st);
    check(!edited && err == OTA_ERR_BASE && st.failed == 0,
          "a base is edited while it is read: %s, failed %u",
          ota_error_name(err), (unsigned)st.failed);
    check(scene_feed(i, &second, OTA_CHOOSE_FULL) == OTA_OK,
          "the full payload does");
    scene_end(i);
    scene_boot(s, w, NULL);
    check(!scene_wrong, "and is installed");
    done(w);
}

/* -- memory -----------------------------------------------------------------
 */

static int stage_in(const struct scene *s, struct world *w, size_t len,
                    size_t *need)
{
    static uint64_t arena[(OTA_INSTALL_MEMORY(15, OTA_CHUNK_MAX) + 7) / 8];
    struct ota_install *i = ota_install_init(arena, len, &w->port, &s->config);
    int err = ota_stage(i, OTA_CHOOSE_INSTALLED);

    if (err == OTA_OK)
        err = ota_stage_feed(i, s->bundle[2]->manifest,
                             s->bundle[2]->manifest_len);
    *need = ota_stage_memory(i);
    ota_stage_drop(i);
    return err;
}

static void test_memory(void)
{
    struct world *w = device(rich);
    size_t need = 0, more;
    int err;

    err = stage_in(rich, w,
                   OTA_INSTALL_STATE + OTA_READER_STATE + OTA_MANIFEST_MAX,
                   &need);
    if (!check(err == OTA_ERR_MEMORY && need > 0,
               "too little memory: %u bytes are needed", (unsigned)need))
        return;
    check(stage_in(rich, w, need - 1, &more) == OTA_ERR_MEMORY && more == need,
          "one less is too little");
    check(stage_in(rich, w, need, &more) == OTA_OK, "they are enough");
    done(w);
}

/* -- a port that fails ------------------------------------------------------
 */

static int calls, failing;
static int (*slot_active)(void *ctx, const char *name);

static int failing_active(void *ctx, const char *name)
{
    return ++calls == failing ? OTA_ERR_IO : slot_active(ctx, name);
}

/* Which image runs cannot be told, once: that is an error, and no image. */
static void test_slot(void)
{
    int wrong = 0;

    for (failing = 1;; failing++) {
        struct world *w = device(rich);
        struct ota_status st;
        int err;

        slot_active = w->port.slot_active;
        w->port.slot_active = failing_active;
        calls = 0;
        err = scene_stage(rich, w, 2);
        if (calls < failing)
            failing = -1;
        if (err == OTA_OK) {
            wrong += failing > 0;
            scene_boot(rich, w, &st);
            wrong += scene_wrong || st.version != 2;
        }
        done(w);
        if (failing < 0)
            break;
    }
    check(wrong == 0, "the running slot cannot be told: %d wrong", wrong);
}

/* -- a device's own list ----------------------------------------------------
 */

/* A file is protected once all is staged: that version is staged anew. */
static void test_protect(void)
{
    static const char *const own[] = {"Main.py"};
    struct world *w = device(rich);
    struct ota_install_config before = rich->config;
    struct ota_status st;
    size_t len;
    unsigned mode;
    int err = scene_stage(rich, w, 2);

    rich->config.protect = own;
    rich->config.protect_count = 1;
    scene_boot(rich, w, &st);
    check(err == OTA_OK && !scene_wrong && st.version == 1 &&
              st.phase == OTA_IDLE && st.failed == 0,
          "protected since it was staged: dropped");
    rich->edited = true;
    scene_stage(rich, w, 2);
    scene_boot(rich, w, &st);
    check(st.version == 2 &&
              strncmp((const char *)w->type->get(w, "main.py", &len, &mode),
                      "print('old')", 12) == 0,
          "the next time it is left alone");
    rich->edited = false;
    rich->config = before;
    done(w);
}

int main(void)
{
    rich = scene_rich();
    test_yield();
    test_base();
    test_memory();
    test_slot();
    test_protect();
    scene_free(rich);
    return tap_done();
}
