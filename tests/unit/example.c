#include <ota/bundle.h>
#include <stdio.h>

/* Enough for windows of up to 4 KiB and chunks of up to 1 KiB. */
static uint64_t arena[(OTA_READER_MEMORY(12, 1024) + 7) / 8];
static FILE *out;

static int open_file(void *ctx, const struct ota_file *file,
                     const struct ota_file *base)
{
    char path[512];

    (void)base; /* NULL: this one asks for full payloads only */
    snprintf(path, sizeof path, "%s/%s", (const char *)ctx, file->path);
    out = fopen(path, "wb"); /* a real one makes its folders */
    return out ? OTA_OK : OTA_ERR_IO;
}

static int write_data(void *ctx, const uint8_t *buf, size_t len)
{
    (void)ctx;
    return fwrite(buf, 1, len, out) == len ? OTA_OK : OTA_ERR_IO;
}

static int close_file(void *ctx, const struct ota_file *file)
{
    (void)ctx;
    (void)file;
    return fclose(out) == 0 ? OTA_OK : OTA_ERR_IO;
}

/* Reads a bundle into the folder `staged`.  What is there counts for nothing
 * unless this returns OTA_OK. */
static int stage(FILE *bundle, const uint8_t (*key)[OTA_PUBLIC_KEY],
                 char *staged)
{
    const struct ota_device device = {.id = {0x24, 0x6f, 0x28, 0xaa, 0xbb, 1},
                                      .id_len = 6,
                                      .keys = key,
                                      .key_count = 1,
                                      .highest = 0};
    const struct ota_sink sink = {.ctx = staged,
                                  .open = open_file,
                                  .data = write_data,
                                  .close = close_file};
    struct ota_reader *r =
        ota_reader_init(arena, sizeof arena, &device, &sink, OTA_CHOOSE_FULL);
    int err = r ? OTA_OK : OTA_ERR_MEMORY;
    uint8_t buf[256];
    size_t n;

    while (err == OTA_OK && (n = fread(buf, 1, sizeof buf, bundle)) > 0)
        err = ota_reader_feed(r, buf, n);
    if (err == OTA_OK)
        err = ota_reader_finish(r);
    if (err != OTA_OK)
        fprintf(stderr, "# %s\n", ota_strerror(err));
    return err;
}

/* The above is the example of ota-reader(3), to the letter: tests/cli/manual.t.
 * Here it is used. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tap.h"

static bool read_key(const char *path, uint8_t key[OTA_PUBLIC_KEY])
{
    char line[128] = "";
    size_t len = 0;
    FILE *f = fopen(path, "r");

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

static int stage_file(const char *path, const uint8_t (*key)[OTA_PUBLIC_KEY],
                      char *folder)
{
    FILE *f = fopen(path, "rb");
    int err = f ? stage(f, key, folder) : 1;

    if (f)
        fclose(f);
    return err;
}

static bool same(const char *a, const char *b)
{
    char buf[2][4096] = {"", ""};
    const char *path[2] = {a, b};
    size_t len[2] = {0, 0};

    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(path[i], "rb");

        if (!f)
            return false;
        len[i] = fread(buf[i], 1, sizeof buf[i], f);
        fclose(f);
    }
    return len[0] && len[0] == len[1] && !memcmp(buf[0], buf[1], len[0]);
}

int main(void)
{
    uint8_t key[1][OTA_PUBLIC_KEY];
    const uint8_t(*keys)[OTA_PUBLIC_KEY] =
        (const uint8_t(*)[OTA_PUBLIC_KEY])key;
    char folder[] = "/tmp/ota-example-XXXXXX", path[64];

    dup2(STDOUT_FILENO, STDERR_FILENO); /* what it says is a TAP comment */
    check(mkdtemp(folder) != NULL, "a folder");
    snprintf(path, sizeof path, "%s/program.py", folder);
    check(read_key("tests/vectors/release.pub", key[0]), "the key");
    check(stage_file("tests/vectors/good/one.otab", keys, folder) == OTA_OK,
          "a good bundle is staged");
    check(same(path, "tests/vectors/one/program.py"), "as it was packed");
    check(stage_file("tests/vectors/bad/chunk.otab", keys, folder) ==
              OTA_ERR_CHUNK,
          "a changed one is refused");
    remove(path);
    rmdir(folder);
    return tap_done();
}
