/* Random trees on disk, found, packed, signed, and read back by the device's
 * reader in pieces of 1, 7 and 4096 bytes: what was put in comes out. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "pack/payload.h"
#include "tap.h"

enum {
    TREES = 7,
    SOAK_TREES = 96,
    FILES = 40,
    NAMES = 24,
    SIZE_MAX_FILE = 300 * 1024
};

/* Components that a file system somewhere could trip over, and all devices
 * take. */
static const char *const names[NAMES] = {
    "main.py",
    "a",
    "b-c",
    "b.c",
    "B c",
    "{x}",
    "[y]",
    "_hidden",
    "-rf",
    "#!",
    "$HOME",
    "%s%n",
    "'q'",
    "\xc3\xa4",
    "\xe2\x82\xac.txt",
    "x.swp.py",
    "\xf0\x9f\x98\x80",
    "CON",
    "0",
    "a=b&c",
    "@",
    "(1)",
    "+,;",
    "\xd0\x96",
};

static uint64_t state;

static uint32_t below(uint32_t limit)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

/* A tree: paths with what is in them, in no order. */
struct file {
    char path[OTA_PATH + 1];
    uint8_t *bytes; /* of a place in `contents` */
    uint32_t size;
    uint8_t type;
    bool seen;
};

static uint8_t contents[FILES][SIZE_MAX_FILE];

struct world {
    struct file files[FILES];
    size_t count;
    const char *deletes[4];
    size_t delete_count, deleted;
};

/* No path is another one's folder, or another one but for case. */
static bool clashes(const struct world *w, const char *path)
{
    size_t i, len = strlen(path);

    for (i = 0; i < w->count; i++) {
        const char *other = w->files[i].path;
        size_t other_len = strlen(other);

        if (!ota_path_compare(path, len, other, other_len) ||
            ota_path_below(path, len, other, other_len) ||
            ota_path_below(other, other_len, path, len))
            return true;
    }
    return false;
}

static void random_path(char *out)
{
    uint32_t depth = 1 + below(4);
    size_t len = 0;

    while (depth--)
        len += (size_t)snprintf(out + len, OTA_PATH + 1 - len, "%s%s",
                                len ? "/" : "", names[below(NAMES)]);
}

static void random_bytes(struct file *f)
{
    static const uint32_t sizes[] = {0, 1, 63, 65491, 65492, 65536};
    uint32_t i, kind = below(3), run = 1 + below(50);

    f->size = below(3) ? below(3000) : below(SIZE_MAX_FILE + 1);
    if (!below(4))
        f->size = sizes[below(sizeof sizes / sizeof *sizes)];
    if (f->type == OTA_SLOT && !f->size)
        f->size = 1;
    for (i = 0; i < f->size; i++)
        f->bytes[i] = kind == 0   ? (uint8_t)below(256)
                      : kind == 1 ? (uint8_t)(i / run)
                                  : (uint8_t)("abcd"[below(4)]);
}

/* Slots stand apart, where the pattern does not find them. */
static void write_file(const struct file *f)
{
    const char *top = f->type == OTA_FILE ? "tree" : "slot";
    char path[OTA_PATH + 8], *s;
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", top, f->path);
    for (s = path; (s = strchr(s, '/')); s++) {
        *s = '\0';
        mkdir(path, 0755);
        *s = '/';
    }
    out = fopen(path, "w");
    if (!out || fwrite(f->bytes, 1, f->size, out) != f->size || fclose(out))
        abort();
}

static void add_file(struct world *w, const char *path, uint8_t type)
{
    struct file *f = &w->files[w->count++];

    memset(f, 0, sizeof *f);
    memcpy(f->path, path, strlen(path) + 1);
    f->type = type;
    f->bytes = contents[f - w->files];
    random_bytes(f);
    write_file(f);
}

static void make_world(struct world *w)
{
    static const char *const old[] = {"old.py", "a0/old", "zz", "B/old/x"};
    uint32_t want = 1 + below(FILES - 1), i;
    char path[OTA_PATH + 1];

    memset(w, 0, sizeof *w);
    for (i = 0; i < want; i++) {
        random_path(path);
        if (!clashes(w, path))
            add_file(w, path, OTA_FILE);
    }
    for (i = 0; i < 4; i++) {
        if (below(2) && !clashes(w, old[i]))
            w->deletes[w->delete_count++] = old[i];
    }
}

static void clear_world(struct world *w)
{
    w->count = 0;
    if (system("rm -rf tree slot"))
        abort();
}

/* Finds the tree with a pattern; a slot stands beside it now and then. */
static int load(struct world *w, struct tree **t)
{
    struct config_file files[2] = {
        {.from = {"tree/**", {0}}, .to = {"", {0}}, .mode = 0600},
        {.from = {"slot/app", {0}}, .slot = {"app", {0}}}};
    struct config_release release = {
        .name = {"r", {0}}, .selected = true, .files = files, .file_count = 1};
    struct device device = {.id = {{1, 2, 3, 4, 5, 6}, 6}};
    struct config c = {.path = "x",
                       .dir = ".",
                       .releases = &release,
                       .release_count = 1,
                       .devices = &device,
                       .device_count = 1};

    if (below(2)) {
        add_file(w, "app", OTA_SLOT);
        release.file_count = 2;
    }
    return tree_load(&c, t);
}

/* A signed manifest for the payload. */
struct signed_manifest {
    uint8_t public[OTA_PUBLIC_KEY];
    uint8_t bytes[OTA_MANIFEST_MAX];
    size_t len;
};

static void sign(struct signed_manifest *s, const struct payload *p,
                 const struct tree_set *set)
{
    static const uint8_t seed[crypto_sign_SEEDBYTES] = {7};
    struct ota_manifest m = {.alternatives = 1,
                             .device_len = 6,
                             .device = {1, 2, 3, 4, 5, 6},
                             .key_id = {1, 2, 3, 4, 5, 6, 7, 8},
                             .version = 7,
                             .created = 1790000000,
                             .label = "property"};
    uint8_t secret[crypto_sign_SECRETKEYBYTES];

    memcpy(s->public, "Ed", 2);
    memcpy(s->public + 2, m.key_id, OTA_KEY_ID);
    crypto_sign_seed_keypair(s->public + 10, secret, seed);
    memcpy(m.release, set->digest, OTA_DIGEST);
    s->len = ota_manifest_encode(&m, &p->alt, s->bytes);
    crypto_sign_detached(s->bytes + s->len - crypto_sign_BYTES, NULL, s->bytes,
                         s->len - crypto_sign_BYTES, secret);
}

/* What the reader hands out, compared with the world. */
struct sink {
    struct world *w;
    struct file *open;
    uint32_t written;
    size_t files, deleted;
    bool ended;
    struct ota_checkpoint last; /* the last segment start */
    bool has_last;
};

static int on_open(void *ctx, const struct ota_file *file,
                   const struct ota_file *base)
{
    struct sink *s = ctx;
    size_t i;

    for (i = 0; i < s->w->count; i++) {
        struct file *f = &s->w->files[i];

        if (f->type == file->type && !strcmp(f->path, file->path)) {
            if (f->seen || f->size != file->size || base ||
                file->mode != (f->type == OTA_FILE ? 0600 : 0))
                return OTA_ERR_STATE;
            f->seen = true;
            s->open = f;
            s->written = 0;
            return OTA_OK;
        }
    }
    return OTA_ERR_PATH;
}

static int on_data(void *ctx, const uint8_t *buf, size_t len)
{
    struct sink *s = ctx;

    if (!s->open || len > s->open->size - s->written ||
        memcmp(buf, s->open->bytes + s->written, len) != 0)
        return OTA_ERR_IO;
    s->written += (uint32_t)len;
    return OTA_OK;
}

static int on_close(void *ctx, const struct ota_file *file)
{
    struct sink *s = ctx;

    if (!s->open || s->written != s->open->size ||
        strcmp(file->path, s->open->path) != 0)
        return OTA_ERR_IO;
    s->open = NULL;
    s->files++;
    return OTA_OK;
}

static int on_remove(void *ctx, const char *path)
{
    struct sink *s = ctx;
    size_t i;

    for (i = 0; i < s->w->delete_count; i++) {
        if (!strcmp(s->w->deletes[i], path)) {
            s->deleted++;
            return OTA_OK;
        }
    }
    return OTA_ERR_PATH;
}

static int on_segment(void *ctx, const struct ota_checkpoint *at)
{
    struct sink *s = ctx;

    s->last = *at;
    s->has_last = true;
    return OTA_OK;
}

static int on_end(void *ctx)
{
    ((struct sink *)ctx)->ended = true;
    return OTA_OK;
}

static int feed(struct ota_reader *r, const uint8_t *buf, size_t len,
                size_t step)
{
    int err = OTA_OK;

    for (; len && !err; buf += step, len -= step) {
        step = step < len ? step : len;
        err = ota_reader_feed(r, buf, step);
    }
    return err;
}

static const struct ota_sink sink_calls = {
    .open = on_open,
    .data = on_data,
    .close = on_close,
    .remove = on_remove,
    .segment = on_segment,
    .end = on_end,
};

/* Reads from the start, or from `at`; the arena is exactly what is asked. */
static int read_back(struct sink *s, const struct signed_manifest *m,
                     const struct payload *p, size_t step,
                     const struct ota_checkpoint *at)
{
    struct ota_device device = {.id = {1, 2, 3, 4, 5, 6},
                                .id_len = 6,
                                .keys = &m->public,
                                .key_count = 1,
                                .highest = 6};
    size_t room = OTA_READER_MEMORY(p->alt.window_bits, p->alt.chunk_max);
    uint32_t offset = at ? at->offset : 0;
    struct ota_sink calls = sink_calls;
    void *arena = malloc(room);
    struct ota_reader *r;
    int err;

    calls.ctx = s;
    r = arena ? ota_reader_init(arena, room, &device, &calls, OTA_CHOOSE_FULL)
              : NULL;
    if (!r)
        abort();
    err = feed(r, m->bytes, m->len, step);
    if (!err && at)
        err = ota_reader_resume(r, at);
    if (!err)
        err = feed(r, p->bytes + offset, p->alt.size - offset, step);
    if (!err)
        err = ota_reader_finish(r);
    free(arena);
    return err;
}

static void check_steps(struct world *w, const struct signed_manifest *m,
                        const struct payload *p, unsigned number)
{
    static const size_t steps[] = {1, 7, 4096};
    struct sink s;
    size_t i, f;

    for (i = 0; i < 3; i++) {
        int err;

        memset(&s, 0, sizeof s);
        s.w = w;
        for (f = 0; f < w->count; f++)
            w->files[f].seen = false;
        err = read_back(&s, m, p, steps[i], NULL);
        check(!err && s.ended && s.files == w->count &&
                  s.deleted == w->delete_count,
              "tree %u by %zu bytes: %s", number, steps[i], ota_strerror(err));
    }
    if (s.has_last) {
        struct ota_checkpoint at = s.last;
        struct sink rest = {.w = w, .written = at.written};

        for (f = 0; f < w->count; f++) {
            if (at.open && !strcmp(at.file.path, w->files[f].path) &&
                at.file.type == w->files[f].type)
                rest.open = &w->files[f];
            w->files[f].seen = false;
        }
        check(read_back(&rest, m, p, 7, &at) == OTA_OK && rest.ended,
              "tree %u from its last segment", number);
    }
}

/* One bit anywhere, and the reader refuses. */
static void check_damage(struct world *w, const struct signed_manifest *m,
                         const struct payload *p, unsigned number)
{
    unsigned i, refused = 0;
    size_t f;

    for (i = 0; i < 8; i++) {
        struct sink s = {.w = w};
        uint32_t at = below(p->alt.size);
        uint8_t bit = (uint8_t)(1u << below(8));

        for (f = 0; f < w->count; f++)
            w->files[f].seen = false;
        p->bytes[at] ^= bit;
        refused += read_back(&s, m, p, 4096, NULL) == OTA_ERR_CHUNK && !s.ended;
        p->bytes[at] ^= bit;
    }
    check(refused == 8, "tree %u damaged", number);
}

/* As if rules with a {value} had brought some of them. */
static void mark_own(const struct tree_set *set)
{
    size_t i;

    for (i = 0; i < set->count; i++)
        ((struct tree_entry *)set->entries[i])->own = !below(6);
}

/* With threads and a cache, which helps the second time. */
static void check_again(const struct world *w, const struct payload *p,
                        const struct tree_set *set, unsigned number)
{
    struct payload_shape shape = {p->alt.window_bits, p->alt.chunk_max};
    struct payload_cache *cache = payload_cache_new();
    unsigned i, same = 0;

    for (i = 0; cache && i < 2; i++) {
        struct payload other;

        if (payload_pack(set, w->deletes, w->delete_count, shape, 4, cache,
                         &other))
            break;
        same += other.alt.size == p->alt.size &&
                !memcmp(other.bytes, p->bytes, p->alt.size);
        payload_release(&other);
    }
    payload_cache_free(cache);
    check(same == 2, "tree %u: the same with 4 threads and a cache", number);
}

static void test_tree(unsigned number)
{
    struct payload_shape shape = {(uint8_t)(9 + below(7)),
                                  (uint16_t)(128 + below(4000))};
    struct signed_manifest m;
    struct payload p;
    struct world w;
    struct tree *t;
    const struct tree_set *set;

    make_world(&w);
    if (check(load(&w, &t) == 0, "tree %u: %zu files", number, w.count)) {
        set = &t->releases[0].sets[0];
        if (number % 2)
            mark_own(set);
        if (check(!payload_pack(set, w.deletes, w.delete_count, shape, 1, NULL,
                                &p),
                  "window %u, chunk %u", shape.window_bits, shape.chunk_max)) {
            sign(&m, &p, set);
            check_steps(&w, &m, &p, number);
            check_damage(&w, &m, &p, number);
            check_again(&w, &p, set, number);
            payload_release(&p);
        }
        tree_free(t);
    }
    clear_world(&w);
}

int main(int argc, char **argv)
{
    unsigned trees = tap_soak(argc, argv) ? SOAK_TREES : TREES;
    char dir[] = "/tmp/ota-property-XXXXXX", command[64];
    unsigned i;

    if (sodium_init() < 0 || !mkdtemp(dir) || chdir(dir))
        return 1;
    for (i = 1; i <= trees; i++) {
        state = i;
        below(1);
        test_tree(i);
    }
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) ? 1 : tap_done();
}
