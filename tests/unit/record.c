/* Rules of ota-bundle(5) that no vector breaks or uses: record streams byte by
 * byte, the choice of an alternative, checkpoints, paths, manifests. */
#include "bundle/inflate.h"
#include "tap.h"
#include "writer.h"

#include <stdlib.h>

static uint8_t payload[WRITER_MAX], bundle[WRITER_MAX + OTA_MANIFEST_MAX];
static uint8_t stream[1024];
static size_t stream_len;

/* -- building record bytes ---------------------------------------------- */

static void add(const void *bytes, size_t len)
{
    memcpy(stream + stream_len, bytes, len);
    stream_len += len;
}

static void add_file(int type, unsigned size, const char *content,
                     const char *path)
{
    uint8_t head[39] = {0}, hash[64];
    size_t at = type == OTA_BASE ? 1 : 3;

    head[0] = (uint8_t)type;
    head[at] = (uint8_t)size;
    head[at + 1] = (uint8_t)(size >> 8);
    head[at + 3] = (uint8_t)(size >> 24);
    crypto_hash_sha512(hash, (const uint8_t *)content, strlen(content));
    memcpy(head + at + 4, hash, OTA_HASH);
    add(head, at + 4 + OTA_HASH);
    head[0] = (uint8_t)strlen(path);
    add(head, 1);
    add(path, strlen(path));
}

/* -- the sink: one file in memory, built from "0123456789" --------------- */

static const char base_text[] = "0123456789";
static char made[256];
static size_t made_len;
static int opens, begins, begin_error;
static struct ota_checkpoint last_at;

static int sink_begin(void *ctx, const struct ota_manifest *m,
                      const struct ota_alternative *a, unsigned index)
{
    (void)ctx, (void)m, (void)a;
    begins = begins % 10 * 10 + (int)index + 1; /* the last two */
    return index == 0 ? begin_error : OTA_OK;
}

static int sink_open(void *ctx, const struct ota_file *f,
                     const struct ota_file *base)
{
    (void)ctx, (void)f;
    opens++;
    made_len = 0;
    return base && base->size != 10 ? OTA_ERR_BASE : OTA_OK;
}

static int sink_base(void *ctx, uint32_t offset, uint8_t *buf, size_t len)
{
    (void)ctx;
    if (offset > 10 || len > 10 - offset)
        return OTA_ERR_IO;
    memcpy(buf, base_text + offset, len);
    return OTA_OK;
}

static int sink_data(void *ctx, const uint8_t *buf, size_t len)
{
    (void)ctx;
    if (made_len + len < sizeof(made)) {
        memcpy(made + made_len, buf, len);
        made_len += len;
    }
    return OTA_OK;
}

static int sink_segment(void *ctx, const struct ota_checkpoint *at)
{
    (void)ctx;
    last_at = *at;
    return OTA_OK;
}

static const struct ota_sink sink = {.begin = sink_begin,
                                     .open = sink_open,
                                     .base_read = sink_base,
                                     .data = sink_data,
                                     .segment = sink_segment};
static const uint8_t some_digest[OTA_DIGEST] = "installed here";
static uint64_t arena[OTA_READER_MEMORY(15, 4096) / 8 + 1];

static struct ota_device device_of(const struct writer *w)
{
    struct ota_device d = {.id_len = 6,
                           .keys = &w->public,
                           .key_count = 1,
                           .installed = some_digest};

    memcpy(d.id, w->manifest.device, sizeof(d.id));
    return d;
}

/* Reads `stream` as the payload of a delta (first alternative of two). */
static int read_delta(unsigned records)
{
    struct writer w;
    struct ota_device d;
    struct ota_reader *r;
    const uint8_t *segment = stream;
    size_t len, n;

    begins = 0;
    writer_init(&w);
    d = device_of(&w);
    memcpy(w.alt[0].base, some_digest, OTA_DIGEST);
    w.alt[0].records = (uint16_t)records;
    w.alt[0].space = 6 * records;
    len = writer_payload(&w, &segment, &stream_len, 1, payload);
    w.alt[1] = w.alt[0];
    memset(w.alt[1].base, 0, OTA_DIGEST);
    w.manifest.alternatives = 2;
    n = writer_manifest(&w, bundle);
    r = ota_reader_init(arena, sizeof(arena), &d, &sink, OTA_CHOOSE_INSTALLED);
    ota_reader_feed(r, bundle, n);
    ota_reader_feed(r, payload, len);
    return ota_reader_finish(r);
}

/* -- COPY ----------------------------------------------------------------- */

/* What follows FILE f (6 bytes) and BASE b (10 bytes); -1: no BASE record. */
static const struct {
    const char *what;
    const char *bytes;
    size_t len;
    const char *makes; /* NULL: an error */
    int want;
} copies[] = {
#define C(what, bytes, makes, want)                                            \
    {                                                                          \
        what, bytes, sizeof(bytes) - 1, makes, want                            \
    }
    C("one run", "\5\0\6\6", "012345", 0),
    C("a seek", "\5\4\6\6", "234567", 0),
    C("same and diff", "\5\0\6\2\2\1\1\2", "013445", 0),
    C("diff from the start", "\5\0\6\0\6\1\1\1\1\1\1", "123456", 0),
    C("two copies, back", "\5\0\3\3\5\5\3\3", "012012", 0),
    C("DATA between", "\5\0\2\2\4\2xy\5\0\2\2", "01xy23", 0),
    C("five-byte varint", "\5\x80\x80\x80\x80\0\6\6", "012345", 0),
    C("seek before the base", "\5\1\6\6", NULL, OTA_ERR_RECORD),
    C("seek past the base", "\5\x16\1\1", NULL, OTA_ERR_RECORD),
    C("seek to its end", "\5\x14\1\1", NULL, OTA_ERR_RECORD),
    C("largest seek back", "\5\xff\xff\xff\xff\xf\6\6", NULL, OTA_ERR_RECORD),
    C("largest seek on", "\5\xfe\xff\xff\xff\xf\6\6", NULL, OTA_ERR_RECORD),
    C("leaves the base", "\5\xc\5\5", NULL, OTA_ERR_RECORD),
    C("empty", "\5\0\0\0", NULL, OTA_ERR_RECORD),
    C("passes the size", "\5\0\7\7", NULL, OTA_ERR_RECORD),
    C("same passes n", "\5\0\4\5", NULL, OTA_ERR_RECORD),
    C("same 0 later", "\5\0\6\2\1\1\0\3\1\1\1", NULL, OTA_ERR_RECORD),
    C("diff 0", "\5\0\6\2\0\4", NULL, OTA_ERR_RECORD),
    C("diff passes n", "\5\0\6\2\5\1\1\1\1\1", NULL, OTA_ERR_RECORD),
    C("varint of 33 bits", "\5\0\x86\x80\x80\x80\x10\6", NULL, OTA_ERR_RECORD),
    C("varint of 6 bytes", "\5\0\x86\x80\x80\x80\x80\0\6", NULL,
      OTA_ERR_RECORD),
    C("ends in a run", "\5\0\6\2\4\1", NULL, OTA_ERR_RECORD),
#undef C
};

static void test_copies(void)
{
    size_t i;

    for (i = 0; i < sizeof(copies) / sizeof(*copies); i++) {
        const char *makes = copies[i].makes ? copies[i].makes : "012345";
        int err;

        stream_len = 0;
        add_file(OTA_FILE, 6, makes, "f");
        add_file(OTA_BASE, 10, base_text, "b");
        add(copies[i].bytes, copies[i].len);
        if (copies[i].makes)
            add("\0", 1);
        err = read_delta(1);
        check(err == copies[i].want &&
                  (err || (made_len == 6 && memcmp(made, makes, 6) == 0)),
              "COPY, %s: %s", copies[i].what, ota_error_name(err));
    }
}

/* -- other records -------------------------------------------------------- */

static void expect(const char *what, unsigned records, int want)
{
    int err = read_delta(records);

    check(err == want, "%s: %s", what, ota_error_name(err));
}

static void test_base(void)
{
    stream_len = 0;
    add_file(OTA_FILE, 6, "012345", "f");
    add_file(OTA_BASE, 10, base_text, "b");
    add_file(OTA_BASE, 10, base_text, "b");
    expect("BASE twice", 1, OTA_ERR_RECORD);
    stream_len = 0;
    add_file(OTA_FILE, 6, "012345", "f");
    add("\4\1x", 3);
    add_file(OTA_BASE, 10, base_text, "b");
    expect("BASE after DATA", 1, OTA_ERR_RECORD);
    stream_len = 0;
    add_file(OTA_FILE, 6, "012345", "f");
    add_file(OTA_BASE, 0x80000000U, base_text, "b");
    expect("BASE over 2 GiB", 1, OTA_ERR_RECORD);
    stream_len = 0;
    add_file(OTA_FILE, 6, "012345", "f");
    add_file(OTA_BASE, 9, base_text, "b");
    expect("BASE that the sink refuses", 1, OTA_ERR_BASE);
    stream_len = 0;
    add_file(OTA_FILE, 6, "012345", "f");
    add_file(OTA_BASE, 10, base_text, "../b");
    expect("BASE outside", 1, OTA_ERR_PATH);
    stream_len = 0;
    add_file(OTA_BASE, 10, base_text, "b");
    expect("BASE first", 1, OTA_ERR_RECORD);
    stream_len = 0;
    add_file(OTA_FILE, 0, "", "f");
    add_file(OTA_BASE, 10, base_text, "b");
    expect("BASE of an empty file", 1, OTA_ERR_RECORD);
}

/* KEYS with the signer's id but `last` for the key's last byte. */
static void add_keys(const struct writer *w, uint8_t last)
{
    uint8_t key[OTA_PUBLIC_KEY];

    memcpy(key, w->public, sizeof(key));
    key[OTA_PUBLIC_KEY - 1] = last;
    stream_len = 0;
    add("\7\1", 2);
    add(key, sizeof(key));
    add("\0", 1);
}

static void test_keys(void)
{
    struct writer w;

    writer_init(&w);
    add_keys(&w, w.public[OTA_PUBLIC_KEY - 1]);
    expect("KEYS of the signer", 0, OTA_OK);
    add_keys(&w, (uint8_t)~w.public[OTA_PUBLIC_KEY - 1]);
    expect("KEYS of another key under the signer's id", 0, OTA_ERR_RECORD);
}

static void test_counts(void)
{
    stream_len = 0;
    add("\0", 1);
    expect("an empty delta", 0, OTA_OK);
    stream_len = 0;
    add("\6\1a\6\1b\0", 7);
    expect("more records than stated", 1, OTA_ERR_RECORD);
    stream_len = 0;
    add_file(OTA_SLOT, 1, "x", "boot");
    add("\4\1x", 3);
    add_file(OTA_SLOT, 1, "x", "app");
    add("\4\1x", 3);
    expect("slots out of order", 2, OTA_ERR_RECORD);
    stream_len = 0;
    add_file(OTA_FILE, 6, "wrong!", "f");
    add("\4\6right!\0", 9);
    expect("another content", 1, OTA_ERR_CONTENT);
    stream_len = 0;
    add_file(OTA_FILE, 5, "right", "f");
    add("\4\5right\0", 8);
    expect("less space than stated", 1, OTA_ERR_RECORD);
}

/* -- the choice ------------------------------------------------------------ */

static void test_choice(void)
{
    struct writer w;
    struct ota_device d;
    struct ota_reader *r;
    const uint8_t *segment = stream;
    size_t n;

    stream_len = 0;
    add_file(OTA_FILE, 6, "012345", "f");
    add("\4\6"
        "012345\0",
        9);
    writer_init(&w);
    d = device_of(&w);
    memcpy(w.alt[0].base, some_digest, OTA_DIGEST);
    w.alt[0].window_bits = 15;
    writer_payload(&w, &segment, &stream_len, 1, payload);
    writer_payload(&w, &segment, &stream_len, 1, payload);
    n = writer_manifest(&w, bundle);

    begins = 0;
    r = ota_reader_init(arena, sizeof(arena), &d, &sink, OTA_CHOOSE_INSTALLED);
    check(ota_reader_feed(r, bundle, n) == OTA_OK && begins == 1,
          "the delta for what is installed");
    check(ota_reader_in_payload(r) &&
              ota_reader_needs(r) == OTA_READER_MEMORY(15, 4096),
          "says what it needs");

    begins = 0;
    d.installed = (const uint8_t *)"something other";
    r = ota_reader_init(arena, sizeof(arena), &d, &sink, OTA_CHOOSE_INSTALLED);
    check(ota_reader_feed(r, bundle, n) == OTA_OK && begins == 2,
          "the full one for anything else");

    begins = 0;
    d.installed = some_digest;
    begin_error = OTA_ERR_SPACE;
    r = ota_reader_init(arena, sizeof(arena), &d, &sink, OTA_CHOOSE_INSTALLED);
    check(ota_reader_feed(r, bundle, n) == OTA_OK && begins == 12,
          "no space for the delta: the full one");
    begins = 0;
    r = ota_reader_init(arena, sizeof(arena), &d, &sink, 0);
    check(ota_reader_feed(r, bundle, n) == OTA_ERR_SPACE && begins == 1,
          "one that was asked for is not exchanged");
    begin_error = OTA_OK;

    begins = 0;
    r = ota_reader_init(arena, OTA_READER_MEMORY(10, 4096), &d, &sink,
                        OTA_CHOOSE_INSTALLED);
    check(ota_reader_feed(r, bundle, n) == OTA_OK && begins == 2,
          "no memory for the delta: the full one");

    d.failed = 1;
    r = ota_reader_init(arena, sizeof(arena), &d, &sink, OTA_CHOOSE_FULL);
    check(ota_reader_feed(r, bundle, n) == OTA_ERR_FAILED_BEFORE,
          "a version that was undone here");
}

/* -- checkpoints ------------------------------------------------------------
 */

/* A segment that ends between FILE and BASE; then every damage of it. */
static void test_checkpoint(void)
{
    struct writer w;
    struct ota_device d;
    struct ota_reader *r;
    struct ota_checkpoint at;
    const uint8_t *segments[2];
    size_t lens[2], len, n;

    stream_len = 0;
    add_file(OTA_FILE, 6, "012345", "f");
    segments[0] = stream;
    lens[0] = stream_len;
    segments[1] = stream + stream_len;
    add_file(OTA_BASE, 10, base_text, "b");
    add("\5\0\6\6\0", 5);
    lens[1] = stream_len - lens[0];
    writer_init(&w);
    d = device_of(&w);
    memcpy(w.alt[0].base, some_digest, OTA_DIGEST);
    w.alt[0].records = 1;
    w.alt[0].space = 6;
    len = writer_payload(&w, segments, lens, 2, payload);
    w.alt[1] = w.alt[0];
    memset(w.alt[1].base, 0, OTA_DIGEST);
    w.manifest.alternatives = 2;
    n = writer_manifest(&w, bundle);

    r = ota_reader_init(arena, sizeof(arena), &d, &sink, 0);
    ota_reader_feed(r, bundle, n);
    opens = 0;
    check(ota_reader_feed(r, payload, len) == OTA_OK &&
              ota_reader_finish(r) == OTA_OK && opens == 1,
          "FILE and BASE in two segments");
    at = last_at;
    check(at.open && !at.has_base && at.written == 0 && at.records == 1,
          "the checkpoint between them");
    r = ota_reader_init(arena, sizeof(arena), &d, &sink, 0);
    ota_reader_feed(r, bundle, n);
    opens = 0;
    check(ota_reader_resume(r, &at) == OTA_OK &&
              ota_reader_feed(r, payload + at.offset, len - at.offset) ==
                  OTA_OK &&
              ota_reader_finish(r) == OTA_OK && opens == 1,
          "resumed there, the file is opened once");

#define REFUSED(change, what)                                                  \
    do {                                                                       \
        struct ota_checkpoint bad = at;                                        \
                                                                               \
        bad.change;                                                            \
        r = ota_reader_init(arena, sizeof(arena), &d, &sink, 0);               \
        ota_reader_feed(r, bundle, n);                                         \
        check(ota_reader_resume(r, &bad) == OTA_ERR_RECORD, what);             \
    } while (0)
    REFUSED(offset = (uint32_t)len, "offset at the end");
    REFUSED(key_count = OTA_KEYS + 1, "more keys than there are");
    REFUSED(records = 2, "more records than stated");
    REFUSED(space = 7, "more space than stated");
    REFUSED(written = 6, "an open file that is whole");
    REFUSED(file.type = OTA_DELETE, "an open DELETE");
    REFUSED(file.path[OTA_PATH] = 'x', "a path without an end");
    REFUSED(file.path[0] = '/', "a path outside");
    REFUSED(file.path[0] = '\0', "no path");
    REFUSED(file.mode = 01000, "a mode out of range");
    REFUSED(file.size = 7, "a file of more space than was claimed");
    REFUSED(records = 0, "an open file that is no record");
    REFUSED(content = false, "an open file that is no content");
    REFUSED(link[1] &= 0x7f, "no segment start");
    at.has_base = true;
    REFUSED(base_pos = at.base.size + 1, "a position behind the base");
    REFUSED(base.path[0] = '/', "a base outside");
    REFUSED(base.size = 0x80000000U, "a base over 2 GiB");
    at.file.type = OTA_SLOT;
    REFUSED(file.mode = 0600, "a slot with a mode");
#undef REFUSED
    r = ota_reader_init(arena, sizeof(arena), &d, &sink, 0);
    ota_reader_feed(r, bundle, n);
    ota_reader_feed(r, payload, 1);
    check(ota_reader_resume(r, &at) == OTA_ERR_STATE, "resumed too late");
}

/* -- streams ------------------------------------------------------------- */

/* Feeds a stored block, then `rest` in a chunk of its own. */
static int inflate_after(const char *rest, size_t len)
{
    struct ota_inflate f;
    uint8_t out[16];
    int n = ota_inflate_init(&f, arena, sizeof(arena), 9);

    check(n == OTA_OK, "inflate begins");
    ota_inflate_input(&f,
                      (const uint8_t *)"\0\3\0\xfc\xff"
                                       "abc",
                      8);
    n = ota_inflate_next(&f, out, sizeof(out));
    check(n == 3 && ota_inflate_next(&f, out, sizeof(out)) == 0 &&
              !ota_inflate_ended(&f),
          "a block that is not the last");
    ota_inflate_input(&f, (const uint8_t *)rest, len);
    n = ota_inflate_next(&f, out, sizeof(out));
    return n == 0 && !ota_inflate_ended(&f) ? OTA_ERR_TRUNCATED : n;
}

static void test_streams(void)
{
    check(inflate_after("\1\0\0\xff\xff", 5) == OTA_OK,
          "an end without a byte");
    check(inflate_after("\1\0\0\xff\xff", 4) == OTA_ERR_TRUNCATED,
          "cut before its end");
    check(inflate_after("\1\0\0\xff\xff?", 6) == OTA_ERR_DEFLATE,
          "a byte behind an end without a byte");
    check(inflate_after("\7", 1) == OTA_ERR_DEFLATE, "a block of no type");
}

/* -- manifests ---------------------------------------------------------------
 */

static void test_manifest(void)
{
    struct writer w;
    struct ota_manifest m;
    struct ota_alternative a;
    uint8_t buf[OTA_MANIFEST_MAX];
    unsigned i;
    size_t len;

    writer_init(&w);
    w.manifest.flags = OTA_ENCRYPTED;
    w.manifest.alternatives = OTA_ALTERNATIVES;
    w.manifest.hardware = 0x1234;
    w.manifest.version = 0x7fffffff;
    w.manifest.created = 0x0123456789abcdefU;
    w.manifest.expires = 0xfedcba9876543210U;
    memcpy(w.manifest.label, "a label of thirty-two bytes, \xc3\xa9.", 33);
    for (i = 0; i < OTA_ALTERNATIVES; i++) {
        memset(&w.alt[i], (int)i + 1, sizeof(w.alt[i]));
        if (i + 1 == OTA_ALTERNATIVES)
            memset(w.alt[i].base, 0, OTA_DIGEST);
        w.alt[i].window_bits = (uint8_t)(9 + i % 7);
        w.alt[i].chunk_max = (uint16_t)(128 + i);
        w.alt[i].link[0] = 35;
        w.alt[i].link[1] = 0x80;
    }
    len = writer_manifest(&w, buf);
    check(len == OTA_MANIFEST_MAX, "the largest manifest has %zu bytes", len);
    check(ota_manifest_decode(&m, buf, len) == OTA_OK, "and is decoded");
    check(m.hardware == 0x1234 && m.version == 0x7fffffff &&
              m.created == w.manifest.created &&
              m.expires == w.manifest.expires && m.device_len == 6 &&
              strcmp(m.label, w.manifest.label) == 0,
          "to the same fields");
    for (i = 0; i < OTA_ALTERNATIVES; i++) {
        ota_manifest_alternative(&m, i, &a);
        check(memcmp(a.base, w.alt[i].base, OTA_DIGEST) == 0 &&
                  a.size == w.alt[i].size && a.space == w.alt[i].space &&
                  a.window_bits == w.alt[i].window_bits &&
                  a.chunk_max == w.alt[i].chunk_max &&
                  a.records == w.alt[i].records &&
                  memcmp(a.link, w.alt[i].link, OTA_LINK) == 0 &&
                  memcmp(a.wrapped_key, w.alt[i].wrapped_key, 32) == 0 &&
                  memcmp(a.key_check, w.alt[i].key_check, 16) == 0,
              "alternative %u to the same fields", i);
    }
    buf[22] = 1; /* behind a MAC-48 */
    check(ota_manifest_decode(&m, buf, len) == OTA_ERR_RESERVED,
          "a MAC-48 of seven bytes");
}

/* -- paths
 * --------------------------------------------------------------------- */

static void test_paths(void)
{
    static const char *const good[] = {
        "a",
        "lib/net.py",
        ".hidden",
        ".otaku",
        "a.ota/.ota",
        "b/.ota",
        "caf\xc3\xa9",
        "a b",
        "-",
        "...a",
        "\xf0\x9f\x8c\xb1",
        "\xe2\x80\xae" /* for the host alone to refuse */,
        "[x]{y}(z)'&%!"};
    static const char *const bad[] = {"",
                                      "/a",
                                      "a/",
                                      "a//b",
                                      ".",
                                      "..",
                                      "a/.",
                                      "a/../b",
                                      "a.",
                                      "a /b",
                                      ".ota",
                                      ".OtA/x",
                                      "a\\b",
                                      "a:b",
                                      "a*",
                                      "a?",
                                      "a<b",
                                      "a>b",
                                      "a|b",
                                      "a~1",
                                      "a\"b",
                                      "a\x01",
                                      "a\x7f",
                                      "a\xc2\x80",
                                      "\xc2\x9f",
                                      "\xff",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xe0\x80\x80",
                                      "\xf8\x88\x80\x80\x80"};
    char longest[OTA_PATH + 2];
    size_t i;

    for (i = 0; i < sizeof(good) / sizeof(*good); i++)
        check(ota_path_check(good[i], strlen(good[i])) == OTA_OK,
              "path %zu is good", i);
    for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        check(ota_path_check(bad[i], strlen(bad[i])) == OTA_ERR_PATH,
              "path %zu is bad", i);
    check(ota_path_check("a\0b", 3) == OTA_ERR_PATH, "a NUL inside");
    memset(longest, 'x', sizeof(longest));
    check(ota_path_check(longest, OTA_PATH) == OTA_OK, "255 bytes");
    check(ota_path_check(longest, OTA_PATH + 1) == OTA_ERR_PATH, "256 bytes");
    check(ota_path_compare("a/b", 3, "a-b", 3) < 0, "'/' comes first");
    check(ota_path_compare("a", 1, "a/b", 3) < 0, "a folder before its files");
    check(ota_path_compare("A.PY", 4, "a.py", 4) == 0, "ASCII case is one");
    check(ota_path_compare("Z", 1, "_", 1) > 0, "Z is z, behind _");
    check(ota_path_compare("\xc3\x89", 2, "\xc3\xa9", 2) < 0,
          "other case is not");
    check(ota_path_below("A/b", 3, "a", 1), "A/b is below a");
    check(!ota_path_below("ab/c", 4, "a", 1), "ab/c is not below a");
    check(!ota_path_below("a", 1, "a", 1), "a is not below a");
}

static void test_errors(void)
{
    int i;

    for (i = 1; i >= OTA_ERR_IO - 1; i--)
        check(ota_strerror(i) && ota_error_name(i), "%d is %s", i,
              ota_error_name(i));
    check(strcmp(ota_error_name(OTA_ERR_IO), "io") == 0 &&
              strcmp(ota_error_name(-12), "memory") == 0 &&
              strcmp(ota_error_name(-25), "unknown") == 0,
          "names are numbered as in the table");
}

int main(void)
{
    if (sodium_init() < 0)
        return 2;
    test_copies();
    test_base();
    test_counts();
    test_keys();
    test_choice();
    test_checkpoint();
    test_streams();
    test_manifest();
    test_paths();
    test_errors();
    return tap_done();
}
