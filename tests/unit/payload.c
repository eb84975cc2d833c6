/* Payloads, taken apart by a reader of this file's own: chain, deflate,
 * records. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "payload_help.h"

enum { STREAM_MAX = 4 << 20 };

/* What a payload says, read anew. */
struct reading {
    const uint8_t *at, *end; /* chunks to come */
    uint8_t link[OTA_LINK];
    uint8_t *stream; /* of the segment */
    size_t len;
    size_t segments, records, space;
    const char *wrong; /* NULL: fine */
};

static bool wrong(struct reading *r, const char *what)
{
    if (!r->wrong)
        r->wrong = what;
    return false;
}

/* The chunks of one segment, joined. */
static size_t join_segment(struct reading *r, const struct ota_alternative *a,
                           uint8_t *out)
{
    uint8_t full[64];
    size_t joined = 0;
    bool first = true;

    for (;;) {
        size_t field = r->link[0] | (size_t)r->link[1] << 8;
        size_t len = field & 0x7fff;

        if (!len || (!first && field & 0x8000))
            return joined;
        if (first != !!(field & 0x8000) || len > a->chunk_max || len < 35 ||
            len > (size_t)(r->end - r->at))
            return wrong(r, "a link"), 0;
        crypto_hash_sha512(full, r->at, len);
        if (memcmp(full, r->link + 2, OTA_HASH) != 0)
            return wrong(r, "a chunk's hash"), 0;
        memcpy(out + joined, r->at, len - OTA_LINK);
        joined += len - OTA_LINK;
        memcpy(r->link, r->at + len - OTA_LINK, OTA_LINK);
        r->at += len;
        first = false;
    }
}

static bool inflate_segment(struct reading *r, const struct ota_alternative *a,
                            uint8_t *in, size_t len)
{
    z_stream z;
    bool ok;

    memset(&z, 0, sizeof z);
    z.next_in = in;
    z.avail_in = (uInt)len;
    z.next_out = r->stream;
    z.avail_out = STREAM_MAX;
    if (inflateInit2(&z, -a->window_bits) != Z_OK)
        abort();
    ok = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0;
    r->len = z.total_out;
    inflateEnd(&z);
    if (!ok || r->len == 0)
        return wrong(r, "a segment is not one deflate stream");
    if (r->len > 65537)
        return wrong(r, "a segment is too long");
    if (len > r->len + 5 * ((r->len + 65534) / 65535))
        return wrong(r, "a segment is larger than stored");
    return true;
}

/* Where the records of a payload are compared with what they should be. */
struct expect {
    const struct fixture *f;
    const char *const *deletes; /* in order, each once */
    size_t delete_count;
    size_t file, deleted; /* how many came */
    uint32_t written;     /* of the open file */
    bool open, ended;
    char last[OTA_PATH + 1];
    bool files; /* SLOTs are over */
};

static bool ascends(struct expect *x, const uint8_t *path, size_t len)
{
    bool ok = !x->last[0] || ota_path_compare(x->last, strlen(x->last),
                                              (const char *)path, len) < 0;

    memcpy(x->last, path, len);
    x->last[len] = '\0';
    return ok;
}

static size_t read_file(struct reading *r, struct expect *x, const uint8_t *p,
                        size_t left)
{
    const struct tree_entry *e = &x->f->entries[x->file];
    size_t len = left > 39 ? p[39] : 0;

    if (x->file == x->f->set.count || x->open || left < 40 + len)
        return wrong(r, "a file too many, or half of one"), 0;
    if (p[0] == OTA_FILE && !x->files) {
        x->files = true;
        x->last[0] = '\0';
    }
    if (p[0] != e->type || p[1] + (p[2] << 8) != e->mode ||
        (p[3] | (uint32_t)p[4] << 8 | (uint32_t)p[5] << 16 |
         (uint32_t)p[6] << 24) != e->size ||
        memcmp(p + 7, e->hash, OTA_HASH) != 0 || len != strlen(e->path) ||
        memcmp(p + 40, e->path, len) != 0 || !ascends(x, p + 40, len))
        return wrong(r, "a file's record"), 0;
    x->open = e->size > 0;
    x->file += !x->open;
    x->written = 0;
    r->records++;
    r->space += p[0] == OTA_FILE ? e->size : 0;
    return 40 + len;
}

static size_t read_delete(struct reading *r, struct expect *x, const uint8_t *p,
                          size_t left)
{
    size_t len = left > 1 ? p[1] : 0;
    const char *path;

    if (!x->files) {
        x->files = true;
        x->last[0] = '\0';
    }
    if (x->deleted == x->delete_count || x->open || left < 2 + len)
        return wrong(r, "a delete too many"), 0;
    path = x->deletes[x->deleted++];
    if (len != strlen(path) || memcmp(path, p + 2, len) != 0 ||
        !ascends(x, p + 2, len))
        return wrong(r, "a delete's path"), 0;
    r->records++;
    return 2 + len;
}

static size_t read_data(struct reading *r, struct expect *x, const uint8_t *p,
                        size_t left)
{
    const struct tree_entry *e = &x->f->entries[x->file];
    size_t at = 1, n = 0, shift = 0;

    do {
        if (at == left || at > 5)
            return wrong(r, "a length"), 0;
        n |= (size_t)(p[at] & 0x7f) << shift;
        shift += 7;
    } while (p[at++] & 0x80);
    if (!x->open || !n || n > left - at || n > e->size - x->written ||
        memcmp(p + at, x->f->content[x->file] + x->written, n) != 0)
        return wrong(r, "data"), 0;
    x->written += (uint32_t)n;
    x->open = x->written < e->size;
    x->file += !x->open;
    return at + n;
}

static void read_records(struct reading *r, struct expect *x)
{
    size_t at = 0, n = 1;

    while (at < r->len && n && !x->ended) {
        const uint8_t *p = r->stream + at;
        size_t left = r->len - at;

        switch (p[0]) {
        case OTA_END:
            x->ended = true;
            n = 1;
            break;
        case OTA_FILE:
        case OTA_SLOT:
            n = read_file(r, x, p, left);
            break;
        case OTA_DELETE:
            n = read_delete(r, x, p, left);
            break;
        case OTA_DATA:
            n = read_data(r, x, p, left);
            break;
        default:
            n = wrong(r, "an unknown record");
        }
        at += n;
    }
    if (at != r->len)
        wrong(r, "something after END");
}

/* NULL, or what is wrong with the payload. */
static const char *read_payload(const struct payload *p, struct expect *x,
                                size_t *segments)
{
    struct reading r = {.at = p->bytes, .end = p->bytes + p->alt.size};
    uint8_t *joined = malloc(STREAM_MAX);

    r.stream = malloc(STREAM_MAX);
    if (!joined || !r.stream)
        abort();
    memcpy(r.link, p->alt.link, OTA_LINK);
    while (r.at < r.end && !r.wrong) {
        size_t len = join_segment(&r, &p->alt, joined);

        if (!r.wrong && inflate_segment(&r, &p->alt, joined, len))
            read_records(&r, x);
        r.segments++;
    }
    if (!r.wrong && (!sodium_is_zero(r.link, OTA_LINK) || !x->ended))
        wrong(&r, "the end");
    if (!r.wrong &&
        (x->file != x->f->set.count || x->deleted != x->delete_count))
        wrong(&r, "something lacks");
    if (!r.wrong && (r.records != p->alt.records || r.space != p->alt.space))
        wrong(&r, "records or space");
    *segments = r.segments;
    free(joined);
    free(r.stream);
    return r.wrong;
}

/* Packs with 1, 2, 3 and 8 threads, compares, and reads the result. */
static void check_pack(const char *name, struct fixture *f,
                       struct payload_shape shape, size_t segments)
{
    static const unsigned jobs[] = {2, 3, 8};
    struct expect x = {.f = f};
    struct payload one, other;
    const char *why;
    size_t i, seen;

    if (!check(payload_pack(&f->set, NULL, 0, shape, 1, NULL, &one) == 0,
               "%s, window %u, chunk %u", name, shape.window_bits,
               shape.chunk_max))
        return;
    why = read_payload(&one, &x, &seen);
    check(!why, "it can be read: %s", why ? why : "yes");
    check(seen == segments, "it has %zu segments", segments);
    check(one.alt.window_bits == shape.window_bits &&
              one.alt.chunk_max == shape.chunk_max &&
              sodium_is_zero(one.alt.base, OTA_DIGEST) &&
              one.content_bytes == f->set.bytes,
          "the alternative says so");
    for (i = 0; i < 3; i++) {
        if (payload_pack(&f->set, NULL, 0, shape, jobs[i], NULL, &other))
            continue;
        check(same_payload(&one, &other), "the same with %u threads", jobs[i]);
        payload_release(&other);
    }
    for (i = 0; i < f->set.count; i++)
        f->entries[i].bytes = f->content[i];
    if (!payload_pack(&f->set, NULL, 0, shape, 2, NULL, &other)) {
        check(same_payload(&one, &other), "the same from memory");
        payload_release(&other);
    }
    payload_release(&one);
}

static void test_pack(void)
{
    static const struct payload_shape shapes[] = {
        {9, 128}, {10, 1056}, {12, 4096}, {15, 4096}, {15, 32767}};
    struct fixture f = {0};
    size_t i;

    add(&f, OTA_FILE, "one", 1, FILL_TEXT);
    check_pack("one byte", &f, shape_of(9, 128), 1);
    clear(&f);
    add(&f, OTA_FILE, "none", 0, FILL_TEXT);
    check_pack("an empty file", &f, shape_of(9, 128), 1);
    clear(&f);
    add(&f, OTA_SLOT, "app", 200000, FILL_TEXT);
    add(&f, OTA_SLOT, "b", 70, FILL_RANDOM);
    add(&f, OTA_FILE, "a/b", 100, FILL_TEXT);
    add(&f, OTA_FILE, "a.b", 66000, FILL_RANDOM);
    add(&f, OTA_FILE, "B/Empty", 0, FILL_TEXT);
    add(&f, OTA_FILE, "b/f", 150000, FILL_ZERO);
    add(&f, OTA_FILE, "c", 300000, FILL_TEXT);
    for (i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_pack("a tree", &f, shapes[i], 11);
    clear(&f);
    add(&f, OTA_FILE, "noise", 70000, FILL_RANDOM);
    check_pack("noise", &f, shape_of(9, 200), 2);
    clear(&f);
}

/* Runs of own entries begin and end a segment; what is short goes with them. */
static void test_own(void)
{
    struct fixture f = {0};

    add(&f, OTA_SLOT, "app", 10000, FILL_TEXT);
    add(&f, OTA_FILE, "a", 5000, FILL_TEXT);
    add(&f, OTA_FILE, "b", 10, FILL_TEXT);
    add(&f, OTA_FILE, "c", 4000, FILL_TEXT);
    add(&f, OTA_FILE, "d", 10, FILL_TEXT);
    add(&f, OTA_FILE, "e", 4100, FILL_TEXT);
    add(&f, OTA_FILE, "f", 70000, FILL_RANDOM);
    add(&f, OTA_FILE, "g", 0, FILL_TEXT);
    check_pack("nothing own", &f, shape_of(12, 4096), 2);
    f.entries[2].own = f.entries[4].own = f.entries[6].own = true;
    check_pack("own entries", &f, shape_of(12, 4096), 5);
    clear(&f);
}

/* Every length around that which fills a segment. */
static void test_edges(void)
{
    size_t len, bad = 0, two = 0;

    for (len = 65400; len <= 65500; len++) {
        struct fixture f = {0};
        struct expect x = {.f = &f};
        struct payload p;
        size_t segments;

        add(&f, OTA_FILE, "a", len, FILL_ZERO);
        add(&f, OTA_FILE, "bbbbbbbbbb", len % 7, FILL_ZERO);
        if (payload_pack(&f.set, NULL, 0, shape_of(9, 4096), 1, NULL, &p)) {
            bad++;
        } else {
            bad += read_payload(&p, &x, &segments) != NULL;
            two += segments == 2;
            payload_release(&p);
        }
        clear(&f);
    }
    check(bad == 0, "lengths that fill a segment");
    check(two > 20 && two < 80, "some of them need a second one (%zu)", two);
}

static void test_stored(void)
{
    struct fixture f = {0};
    struct payload p;

    /* 41 bytes of FILE, 4 of DATA, 1 of END; 5 of a stored block; 34 of link:
     * noise does not get shorter. */
    add(&f, OTA_FILE, "a", 1000, FILL_RANDOM);
    check(payload_pack(&f.set, NULL, 0, shape_of(15, 4096), 1, NULL, &p) == 0 &&
              p.alt.size <= 1000 + 41 + 3 + 1 + 5 + 34,
          "noise is stored");
    payload_release(&p);
    clear(&f);
}

static void test_deletes(void)
{
    static const char *const given[] = {"z",     "b/x", "a.c",     "A.C",
                                        "b/old", "c/y", "a/b/old", "b/old"};
    static const char *const sorted[] = {"a/b/old", "A.C", "b/old",
                                         "b/x",     "c/y", "z"};
    struct fixture f = {0};
    struct expect x = {.f = &f, .deletes = sorted, .delete_count = 6};
    struct payload p;
    const char *why;
    size_t segments;

    add(&f, OTA_SLOT, "b", 10, FILL_TEXT); /* no path: nothing is below it */
    add(&f, OTA_FILE, "a/c", 10, FILL_TEXT);
    add(&f, OTA_FILE, "a.b", 10, FILL_TEXT);
    add(&f, OTA_FILE, "b/p", 10, FILL_TEXT);
    add(&f, OTA_FILE, "d", 10, FILL_TEXT);
    if (check(payload_pack(&f.set, given, 8, shape_of(9, 128), 2, NULL, &p) ==
                  0,
              "deletes between files")) {
        why = read_payload(&p, &x, &segments);
        check(!why, "in order, each once: %s", why ? why : "yes");
        check(p.alt.records == 11, "they are counted");
        payload_release(&p);
    }
    clear(&f);
}

static void test_bad_deletes(void)
{
    static const struct {
        const char *path, *says;
    } t[] = {
        {"A/C", "3: cannot delete 'A/C': 'a/c' is a file of the release\n"},
        {"a/c/x", "3: cannot delete 'a/c/x': 'a/c' is a file of the release\n"},
        {"a/c/x/y",
         "3: cannot delete 'a/c/x/y': 'a/c' is a file of the release\n"},
        {"../x", "3: cannot delete '../x': it has a component '.' or '..'\n"},
        {"", "3: cannot delete '': it is empty\n"},
        {"a", NULL},
        {"a/c.x", NULL},
        {"a/b", NULL},
    };
    struct fixture f = {0};
    struct payload p;
    size_t i;

    add(&f, OTA_FILE, "a/c", 10, FILL_TEXT);
    add(&f, OTA_FILE, "b", 10, FILL_TEXT);
    for (i = 0; i < sizeof t / sizeof *t; i++) {
        int err;

        said[0] = '\0';
        err =
            payload_pack(&f.set, &t[i].path, 1, shape_of(9, 128), 1, NULL, &p);
        check(t[i].says ? err == -1 && !p.bytes && !strcmp(said, t[i].says)
                        : err == 0,
              "delete '%s'", t[i].path);
        payload_release(&p);
    }
    clear(&f);
    said[0] = '\0';
    check(payload_pack(&f.set, NULL, 0, shape_of(9, 128), 1, NULL, &p) == -1 &&
              !strcmp(said, "3: there is nothing to pack\n"),
          "an empty set");
}

static void test_changed(void)
{
    static const struct {
        const char *what;
        long size; /* -1: gone */
        unsigned jobs;
    } t[] = {{"another content", 100000, 1},
             {"another content", 100000, 3},
             {"shorter", 99999, 1},
             {"longer", 100001, 1},
             {"empty", 0, 1},
             {"gone", -1, 1}};
    uint8_t *noise = calloc(1, 100001);
    size_t i;

    for (i = 0; noise && i < sizeof t / sizeof *t; i++) {
        struct fixture f = {0};
        struct payload p;

        add(&f, OTA_FILE, "a", 100000, FILL_TEXT);
        add(&f, OTA_FILE, "b", 100000, FILL_TEXT);
        if (t[i].size < 0)
            unlink("source1");
        else
            put("source1", noise, (size_t)t[i].size);
        said[0] = '\0';
        check(payload_pack(&f.set, NULL, 0, shape_of(15, 4096), t[i].jobs, NULL,
                           &p) == -1 &&
                  !p.bytes,
              "a file that is %s when it is packed", t[i].what);
        check(!strcmp(said, t[i].size < 0
                                ? "4: cannot open 'source1': No such file or "
                                  "directory\n"
                                : "4: 'source1' changed while it was read: run "
                                  "again when nothing writes to it\n"),
              "it is named");
        clear(&f);
    }
    free(noise);
}

static void test_too_many(void)
{
    static const char *const none[] = {NULL};
    const char **deletes = calloc(65536, sizeof *deletes);
    char(*names)[8] = calloc(65536, sizeof *names);
    struct fixture f = {0};
    struct payload p;
    size_t i;

    add(&f, OTA_FILE, "a", 1, FILL_TEXT);
    for (i = 0; deletes && names && i < 65536; i++) {
        snprintf(names[i], sizeof names[i], "d%05zu", i);
        deletes[i] = names[i];
    }
    check(payload_pack(&f.set, deletes, 65534, shape_of(15, 4096), 2, NULL,
                       &p) == 0 &&
              p.alt.records == 65535,
          "65,535 records");
    payload_release(&p);
    said[0] = '\0';
    check(payload_pack(&f.set, deletes, 65535, shape_of(15, 4096), 2, NULL,
                       &p) == -1 &&
              !strcmp(said, "3: 1 files and 65535 deletes are too many: at "
                            "most 65535 are allowed together\n"),
          "one more");
    check(payload_pack(&f.set, none, 0, shape_of(15, 4096), 0, NULL, &p) == 0,
          "no threads are one");
    payload_release(&p);
    free(deletes);
    free(names);
    clear(&f);
}

int main(void)
{
    char dir[] = "/tmp/ota-payload-XXXXXX", command[64];

    if (sodium_init() < 0 || !mkdtemp(dir) || chdir(dir))
        return 1;
    diag_set_handler(remember, NULL);
    test_pack();
    test_own();
    test_edges();
    test_stored();
    test_deletes();
    test_bad_deletes();
    test_changed();
    test_too_many();
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) ? 1 : tap_done();
}
