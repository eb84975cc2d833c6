#include <ota/install.h>
#include <stdio.h>

/* The board's own.  http_get() gives take() what `path` has from byte `from`
 * on, `most` bytes at most, until there is no more or take() returns an error:
 * that is then its own; OTA_ERR_IO where the network failed. */
typedef int take_fn(void *ctx, const uint8_t *buf, size_t len);
int http_get(const char *path, uint32_t from, uint32_t most, take_fn *take,
             void *ctx);
bool program_reached_its_server(void);

/* Enough for windows of up to 4 KiB and chunks of up to 1 KiB. */
static uint64_t arena[(OTA_INSTALL_MEMORY(12, 1024) + 7) / 8];

/* What follows a manifest is nobody's: byte by byte up to its end. */
static int take_manifest(void *ctx, const uint8_t *buf, size_t len)
{
    int err = OTA_OK;

    while (err == OTA_OK && len-- > 0 && !ota_stage_wants_payload(ctx))
        err = ota_stage_feed(ctx, buf++, 1);
    return err;
}

static int take_payload(void *ctx, const uint8_t *buf, size_t len)
{
    return ota_stage_feed(ctx, buf, len);
}

/* Never more than the size that is signed, whatever the server sends. */
static int get_payload(struct ota_install *i)
{
    const uint8_t *name = ota_stage_payload(i);
    uint32_t from = ota_stage_offset(i);
    char path[16 + 2 * OTA_HASH];
    int k, len = snprintf(path, sizeof path, "payloads/%02x/", name[0]);

    for (k = 0; k < OTA_HASH; k++)
        len += snprintf(path + len, sizeof path - (size_t)len, "%02x", name[k]);
    return http_get(path, from, ota_stage_size(i) - from, take_payload, i);
}

/* OTA_OK: all is staged.  OTA_CURRENT: nothing new. */
static int stage_news(struct ota_install *i, const char *manifest, int choose)
{
    int err = ota_stage(i, choose);

    if (err == OTA_OK)
        err = http_get(manifest, 0, OTA_MANIFEST_MAX, take_manifest, i);
    if (err == OTA_OK && ota_stage_wants_payload(i))
        err = get_payload(i);
    return err == OTA_OK ? ota_stage_finish(i) : err;
}

/* One poll, now and then.  True: restart, when it suits. */
static bool poll_once(struct ota_install *i, const char *manifest)
{
    struct ota_status s;
    int err = ota_poll(i);

    if (err == OTA_OK)
        err = stage_news(i, manifest, OTA_CHOOSE_INSTALLED);
    if (err == OTA_ERR_BASE)
        err = stage_news(i, manifest, OTA_CHOOSE_FULL);
    if (err != OTA_OK)
        printf("# %s\n", err > 0 ? "nothing new" : ota_strerror(err));
    if (ota_status(i, &s) != OTA_OK)
        return false;
    if (s.phase == OTA_TRIAL && program_reached_its_server())
        return ota_confirm(i) != OTA_OK;
    return s.phase == OTA_READY || (s.phase == OTA_TRIAL && s.chances == 0);
}

/* The first call of every start.  True: restart at once. */
static bool start(struct ota_install **i, const struct ota_port *port,
                  const struct ota_install_config *config)
{
    int err;

    *i = ota_install_init(arena, sizeof arena, port, config);
    err = ota_boot(*i);
    return err == OTA_RESTART || err == OTA_ERR_IO;
}

/* The above is the second example of ota-reader(3), to the letter:
 * tests/cli/manual.t.  Here it is used. */
#include <ftw.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "device/posix.h"
#include "tap.h"

static const char bundle[] = "tests/vectors/good/tree-w10.otab";
static const char manifest[] = "devices/246f28aabb01/manifest";
static char root[64];
static bool good, network;
static uint32_t manifest_len;

/* A web server: the bundle's manifest, with its payload behind it, and its
 * payload. */
int http_get(const char *path, uint32_t from, uint32_t most, take_fn *take,
             void *ctx)
{
    uint8_t buf[100];
    FILE *f = network ? fopen(bundle, "rb") : NULL;
    size_t n = 1;
    int err = f ? OTA_OK : OTA_ERR_IO;

    if (f && strcmp(path, manifest) != 0)
        fseek(f, (long)from + (long)manifest_len, SEEK_SET);
    while (err == OTA_OK && most > 0 && n > 0) {
        n = fread(buf, 1, most < sizeof buf ? most : sizeof buf, f);
        most -= (uint32_t)n;
        err = take(ctx, buf, n);
    }
    if (f)
        fclose(f);
    return err;
}

bool program_reached_its_server(void)
{
    return good;
}

static bool read_key(uint8_t key[OTA_PUBLIC_KEY])
{
    char line[128] = "";
    size_t len = 0;
    FILE *f = fopen("tests/vectors/release.pub", "r");

    /* the second line: a comment comes first */
    for (int i = 0; f && i < 2; i++)
        if (!fgets(line, sizeof line, f))
            line[0] = '\0';
    if (f)
        fclose(f);
    line[strcspn(line, "\n")] = '\0';
    return sodium_base642bin(key, OTA_PUBLIC_KEY, line, strlen(line), NULL,
                             &len, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
           len == OTA_PUBLIC_KEY;
}

/* Bytes 6 and 7 of a manifest are its length. */
static void measure(void)
{
    FILE *f = fopen(bundle, "rb");
    uint8_t head[8] = {0};

    if (f && fread(head, 1, sizeof head, f) == sizeof head)
        manifest_len = head[6] + 256U * head[7];
    if (f)
        fclose(f);
}

static bool installed(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/main.py", root);
    return access(path, R_OK) == 0;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

/* A device without anything, and a port to its files. */
static struct ota_posix posix;

static bool new_device(const char *where)
{
    snprintf(root, sizeof root, "%s/ota-example-XXXXXX", where);
    return mkdtemp(root) && ota_posix_open(&posix, root) == 0;
}

static void drop_device(void)
{
    ota_posix_close(&posix);
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A version that proves good. */
static void test_good(const struct ota_install_config *config)
{
    const struct ota_port port = ota_posix_port(&posix);
    struct ota_install *i = NULL;
    struct ota_status s;

    check(!start(&i, &port, config), "the first start");
    network = false;
    check(!poll_once(i, manifest), "a poll without network");
    network = true;
    check(poll_once(i, manifest) && !installed(), "a poll: all is staged");
    check(!start(&i, &port, config) && installed(), "a start: installed");
    check(!poll_once(i, manifest), "a poll on trial");
    good = true;
    check(!poll_once(i, manifest), "one that reaches its server");
    check(ota_status(i, &s) == OTA_OK && s.phase == OTA_IDLE && s.version,
          "confirms");
    check(!poll_once(i, manifest) && installed(), "nothing new");
    good = false;
}

/* One that does not. */
static void test_bad(const struct ota_install_config *config)
{
    const struct ota_port port = ota_posix_port(&posix);
    struct ota_install *i = NULL;
    struct ota_status s;
    int starts;

    check(!start(&i, &port, config) && poll_once(i, manifest), "staged");
    for (starts = 0; starts < 10; starts++) {
        check(!start(&i, &port, config), "start");
        if (!installed())
            break;
    }
    check(starts == 4, "undone at the fourth start after its first (%d)",
          starts);
    check(ota_status(i, &s) == OTA_OK && s.phase == OTA_IDLE && s.failed &&
              s.reason == OTA_REASON_CHANCES,
          "idle");
    check(!poll_once(i, manifest), "and not taken again");
}

int main(void)
{
    uint8_t key[1][OTA_PUBLIC_KEY];
    const struct ota_install_config config = {
        .device = {.id = {0x24, 0x6f, 0x28, 0xaa, 0xbb, 1},
                   .id_len = 6,
                   .keys = (const uint8_t(*)[OTA_PUBLIC_KEY])key,
                   .key_count = 1}};
    const char *where = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    measure();
    check(read_key(key[0]) && manifest_len > 0, "key and bundle");
    check(new_device(where), "a device");
    test_good(&config);
    drop_device();
    check(new_device(where), "another device");
    test_bad(&config);
    drop_device();
    return tap_done();
}
