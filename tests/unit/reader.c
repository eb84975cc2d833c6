/* The reader over every vector, in pieces of several sizes, in an arena that
 * is exact, and resumed at every segment start. */
#include "tap.h"

#include <ota/bundle.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 16, CHECKPOINTS = 64, BUFFER = 1 << 20 };

/* What a sink saw: each file's path and a running hash of all that came. */
struct seen {
    char dir[256];  /* of the base, for deltas */
    char file[512]; /* the base that is open */
    int files, closed, removed, ended;
    uint32_t written;
    struct ota_checkpoint at[CHECKPOINTS];
    int segments;
    crypto_hash_sha512_state all;
};

static char top[200];

static uint8_t *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *buf = malloc(BUFFER);

    if (!buf)
        abort();
    *len = 0;
    if (!buf)
        abort();
    if (f) {
        *len = fread(buf, 1, BUFFER, f);
        fclose(f);
    } else {
        printf("# cannot open %s\n", path);
    }
    return buf;
}

static int see_open(void *ctx, const struct ota_file *file,
                    const struct ota_file *base)
{
    struct seen *s = ctx;
    uint8_t hash[64], *buf;
    size_t len;

    s->files++;
    s->written = 0;
    crypto_hash_sha512_update(&s->all, (const uint8_t *)file->path,
                              strlen(file->path));
    if (!base)
        return OTA_OK;
    snprintf(s->file, sizeof(s->file), "%s/%s", s->dir, base->path);
    buf = slurp(s->file, &len);
    crypto_hash_sha512(hash, buf, len);
    free(buf);
    return len == base->size && memcmp(hash, base->hash, OTA_HASH) == 0
               ? OTA_OK
               : OTA_ERR_BASE;
}

static int see_base_read(void *ctx, uint32_t offset, uint8_t *buf, size_t len)
{
    struct seen *s = ctx;
    FILE *f = fopen(s->file, "rb");
    bool ok = f && fseek(f, (long)offset, SEEK_SET) == 0 &&
              fread(buf, 1, len, f) == len;

    if (f)
        fclose(f);
    return ok ? OTA_OK : OTA_ERR_IO;
}

static int see_data(void *ctx, const uint8_t *buf, size_t len)
{
    struct seen *s = ctx;

    s->written += (uint32_t)len;
    crypto_hash_sha512_update(&s->all, buf, len);
    return OTA_OK;
}

static int see_close(void *ctx, const struct ota_file *file)
{
    struct seen *s = ctx;

    s->closed++;
    return s->segments || s->written == file->size ? OTA_OK : OTA_ERR_STATE;
}

static int see_remove(void *ctx, const char *path)
{
    struct seen *s = ctx;

    s->removed++;
    crypto_hash_sha512_update(&s->all, (const uint8_t *)path, strlen(path));
    return OTA_OK;
}

static int see_segment(void *ctx, const struct ota_checkpoint *at)
{
    struct seen *s = ctx;

    if (s->segments < CHECKPOINTS)
        s->at[s->segments++] = *at;
    return OTA_OK;
}

static int see_end(void *ctx)
{
    ((struct seen *)ctx)->ended++;
    return OTA_OK;
}

static struct ota_sink sink_of(struct seen *s)
{
    struct ota_sink sink = {.ctx = s,
                            .open = see_open,
                            .base_read = see_base_read,
                            .data = see_data,
                            .close = see_close,
                            .remove = see_remove,
                            .segment = see_segment,
                            .end = see_end};

    memset(s, 0, sizeof(*s));
    snprintf(s->dir, sizeof(s->dir), "%s/base", top);
    crypto_hash_sha512_init(&s->all);
    return sink;
}

/* A device of the vectors. */
static uint8_t key[1][OTA_PUBLIC_KEY], device_key[OTA_DEVICE_KEY];
static const struct ota_device plain = {
    .id = {0x24, 0x6f, 0x28, 0xaa, 0xbb, 0x01},
    .id_len = 6,
    .keys = (const uint8_t (*)[OTA_PUBLIC_KEY])key,
    .key_count = 1,
    .now = 1795400000};
static const uint8_t eui64[8] = {0x40, 0x4c, 0xca, 0xff,
                                 0xfe, 0x11, 0x22, 0x01};

static int read_all(struct ota_reader *r, const uint8_t *buf, size_t len,
                    size_t piece)
{
    for (; len > 0; buf += piece, len -= piece) {
        if (piece > len)
            piece = len;
        ota_reader_feed(r, buf, piece);
    }
    return ota_reader_finish(r);
}

/* Reads in an arena of `arena_len` bytes, which malloc makes exact. */
static int read_once(const uint8_t *buf, size_t len, size_t piece,
                     const struct ota_device *device, int choose,
                     size_t arena_len, struct seen *s)
{
    struct ota_sink sink = sink_of(s);
    void *arena = malloc(arena_len);
    struct ota_reader *r =
        ota_reader_init(arena, arena_len, device, &sink, choose);
    int err = r ? read_all(r, buf, len, piece) : 1;

    free(arena);
    return err;
}

static void same_in_pieces(const char *name, const uint8_t *buf, size_t len,
                           const struct ota_device *d, int choose, int want)
{
    static const size_t pieces[] = {BUFFER, 1, 7, 4096};
    static struct seen s;
    uint8_t first[64], all[64];
    size_t i;

    for (i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
        int err = read_once(buf, len, pieces[i], d, choose,
                            OTA_READER_MEMORY(15, OTA_CHUNK_MAX), &s);

        crypto_hash_sha512_final(&s.all, all);
        if (i == 0)
            memcpy(first, all, sizeof(first));
        check(err == want && memcmp(first, all, sizeof(all)) == 0 &&
                  s.ended == (want == OTA_OK),
              "%s by %zu: %s, not %s", name, pieces[i], ota_error_name(err),
              ota_error_name(want));
    }
}

/* From each checkpoint on, a new reader gives what the first one gave then. */
static void resumed(const char *name, const uint8_t *buf, size_t len,
                    const struct ota_device *d, int choose)
{
    static struct seen s, again;
    struct ota_sink sink = sink_of(&again);
    size_t arena_len = OTA_READER_MEMORY(15, OTA_CHUNK_MAX), manifest;
    void *arena = malloc(arena_len);
    struct ota_reader *r;
    int i;

    read_once(buf, len, len, d, choose, arena_len, &s);
    manifest = (size_t)buf[6] | (size_t)buf[7] << 8;
    for (i = 0; i < s.segments; i++) {
        size_t from = manifest + s.at[i].offset;
        int err;

        sink_of(&again);
        r = ota_reader_init(arena, arena_len, d, &sink, choose);
        ota_reader_feed(r, buf, manifest);
        err = ota_reader_resume(r, &s.at[i]);
        again.segments = 1; /* a file may begin before */
        if (err == OTA_OK)
            err = read_all(r, buf + from, len - from, 7);
        check(err == OTA_OK && again.ended == 1, "%s resumed at %u: %s", name,
              s.at[i].offset, ota_error_name(err));
    }
    check(s.segments > 0 || len < 65536, "%s has %d segments", name,
          s.segments + 1);
    free(arena);
}

/* The smallest arena reads it, one byte less is `memory`. */
static void exact(const char *name, const uint8_t *buf, size_t len,
                  const struct ota_device *d)
{
    static struct seen s;
    struct ota_manifest m;
    struct ota_alternative a;
    size_t need;

    check(ota_manifest_decode(&m, buf, len) == OTA_OK, "%s decodes", name);
    ota_manifest_alternative(&m, m.alternatives - 1U, &a);
    need = OTA_READER_MEMORY(a.window_bits, a.chunk_max);
    check(read_once(buf, len, len, d, OTA_CHOOSE_FULL, need, &s) == OTA_OK,
          "%s in %zu bytes", name, need);
    check(read_once(buf, len, len, d, OTA_CHOOSE_FULL, need - 1, &s) ==
              OTA_ERR_MEMORY,
          "%s in one byte less", name);
}

static int error_number(const char *name)
{
    int i;

    for (i = 0; i >= OTA_ERR_IO; i--) {
        if (strcmp(ota_error_name(i), name) == 0)
            return i;
    }
    return 1;
}

/* One entry of index.json. */
struct entry {
    char file[128], error[32];
    bool good, encrypted, published, eui64;
    unsigned above, hardware;
};

static void run_published(const struct entry *e, uint8_t *buf, size_t len)
{
    static const char *const payloads[] = {
        "52/522336438230d8f19bb092aa4edea01fd472e295f0a7ee9a52d78858e9716806",
        "fd/fdf4ca22cfc9de7822a81ebb91910e6f0c8d28ef920c56719e52d176ff816c93"};
    char path[600];
    size_t i, n;

    for (i = 0; i < 2; i++) {
        uint8_t *payload;
        int alternative;

        snprintf(path, sizeof(path), "%s/good/delta/payloads/%s", top,
                 payloads[i]);
        payload = slurp(path, &n);
        memcpy(buf + len, payload, n);
        free(payload);
        /* the first chunk's hash in the manifest tells which one it is */
        sodium_hex2bin((uint8_t *)path, 32, payloads[i] + 3, 64, NULL, NULL,
                       NULL);
        alternative = memcmp(buf + 96 + 32, path, 32) == 0 ? 0 : 1;
        same_in_pieces(e->file, buf, len + n, &plain, alternative, OTA_OK);
        resumed(e->file, buf, len + n, &plain, alternative);
    }
}

static void run_entry(const struct entry *e)
{
    struct ota_device d = plain;
    char path[600];
    uint8_t *buf;
    size_t len;
    int want = e->good ? OTA_OK : error_number(e->error);

    snprintf(path, sizeof(path), "%s/%s", top, e->file);
    buf = slurp(path, &len);
    if (e->encrypted)
        d.device_key = device_key;
    if (e->eui64) {
        memcpy(d.id, eui64, sizeof(eui64));
        d.id_len = 8;
    }
    d.highest = e->above;
    d.hardware = (uint16_t)e->hardware;
    if (e->published) {
        run_published(e, buf, len);
    } else {
        same_in_pieces(e->file, buf, len, &d, OTA_CHOOSE_FULL, want);
        if (e->good) {
            resumed(e->file, buf, len, &d, OTA_CHOOSE_FULL);
            exact(e->file, buf, len, &d);
        }
    }
    free(buf);
}

/* index.json has one field a line. */
static void run_index(void)
{
    char line[512], path[300];
    struct entry e = {0};
    FILE *f;
    int entries = 0;

    snprintf(path, sizeof(path), "%s/index.json", top);
    f = fopen(path, "r");
    if (!f)
        return;
    while (fgets(line, sizeof(line), f)) {
        sscanf(line, " \"file\": \"%127[^\"]", e.file);
        sscanf(line, " \"error\": \"%31[^\"]", e.error);
        sscanf(line, " \"above\": %u", &e.above);
        sscanf(line, " \"hardware\": %u", &e.hardware);
        if (strstr(line, "\"encrypted\": true"))
            e.encrypted = true;
        if (strstr(line, "\"payloads\""))
            e.published = true;
        if (strstr(line, "\"device\": \"40:4c"))
            e.eui64 = true;
        if (strstr(line, "}") && e.file[0]) {
            e.good = e.error[0] == '\0';
            run_entry(&e);
            entries++;
            memset(&e, 0, sizeof(e));
        }
    }
    fclose(f);
    check(entries > 100, "%d vectors", entries);
}

/* The first error stays, and nothing reaches the sink after it. */
static void error_stays(void)
{
    static struct seen s;
    struct ota_sink sink = sink_of(&s);
    size_t len, arena_len = OTA_READER_MEMORY(15, 4096);
    char path[300];
    uint8_t *buf, *arena = malloc(arena_len);
    struct ota_reader *r;

    snprintf(path, sizeof(path), "%s/good/one.otab", top);
    buf = slurp(path, &len);
    r = ota_reader_init(arena, arena_len, &plain, &sink, OTA_CHOOSE_FULL);
    buf[30] ^= 1;
    check(ota_reader_feed(r, buf, len) == OTA_ERR_SIGNATURE, "flipped");
    buf[30] ^= 1;
    check(ota_reader_feed(r, buf, len) == OTA_ERR_SIGNATURE, "stays");
    check(ota_reader_finish(r) == OTA_ERR_SIGNATURE && s.files == 0, "ends");
    check(!ota_reader_init(arena, OTA_READER_STATE, &plain, &sink, 0),
          "an arena that is too small");
    check(!ota_reader_init(arena + 1, arena_len - 1, &plain, &sink, 0),
          "an arena that is not aligned");
    r = ota_reader_init(arena, arena_len, &plain, &sink, OTA_CHOOSE_FULL);
    check(ota_reader_resume(r, &s.at[0]) == OTA_ERR_STATE, "resume too early");
    free(buf);
    free(arena);
}

/* Every single bit of a small bundle is covered by signature or hash. */
static void every_bit(void)
{
    static struct seen s;
    char path[300];
    size_t len, i;
    uint8_t *buf;
    int accepted = 0;

    snprintf(path, sizeof(path), "%s/good/one.otab", top);
    buf = slurp(path, &len);
    for (i = 0; i < len; i++) {
        buf[i] ^= (uint8_t)(1 << i % 8);
        if (read_once(buf, len, len, &plain, OTA_CHOOSE_FULL,
                      OTA_READER_MEMORY(15, 4096), &s) == OTA_OK)
            accepted++;
        buf[i] ^= (uint8_t)(1 << i % 8);
    }
    check(accepted == 0, "%d of %zu flipped bytes accepted", accepted, len);
    for (i = 0; i < len; i++) {
        if (read_once(buf, i, len, &plain, OTA_CHOOSE_FULL,
                      OTA_READER_MEMORY(15, 4096), &s) != OTA_ERR_TRUNCATED)
            accepted++;
    }
    check(accepted == 0, "every shorter one is truncated");
    free(buf);
}

static void read_keys(void)
{
    char path[300], line[200];
    FILE *f;
    uint8_t *json;
    size_t len;

    snprintf(path, sizeof(path), "%s/release.pub", top);
    f = fopen(path, "r");
    if (f && fgets(line, sizeof(line), f) && fgets(line, sizeof(line), f))
        sodium_base642bin(key[0], sizeof(key[0]), line, strlen(line), "\n",
                          NULL, NULL, sodium_base64_VARIANT_ORIGINAL);
    if (f)
        fclose(f);
    snprintf(path, sizeof(path), "%s/index.json", top);
    json = slurp(path, &len);
    json[len < BUFFER ? len : BUFFER - 1] = '\0';
    sodium_hex2bin(device_key, sizeof(device_key),
                   strstr((char *)json, "\"device_key\": \"") + 15, 64, NULL,
                   NULL, NULL);
    free(json);
}

int main(void)
{
    const char *dir = getenv("VECTORS");

    if (sodium_init() < 0)
        return 2;
    snprintf(top, sizeof(top), "%s", dir ? dir : "tests/vectors");
    read_keys();
    run_index();
    error_stays();
    every_bit();
    return tap_done();
}
