/* The reader against anything: what it promises to its sink holds, pieces of
 * any size give the same, and it can go on from where it was cut. */
#include "craft.h"
#include <sodium.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the reader has told so far. */
struct sink {
    const uint8_t *input;
    struct ota_alternative alt;
    struct ota_file file;
    struct ota_file base;
    struct ota_checkpoint checkpoint;
    bool begun, open, ended, unhashed, has_checkpoint;
    uint32_t written, records;
    uint64_t space, trace;
    char path[OTA_PATH + 1];
    uint8_t last; /* type of the last record with a path */
    crypto_hash_sha512_state content;
};

static void trace(struct sink *s, const void *buf, size_t len)
{
    const uint8_t *p = buf;

    for (size_t i = 0; i < len; i++)
        s->trace = (s->trace ^ p[i]) * 0x100000001b3U;
}

static int on_begin(void *ctx, const struct ota_manifest *m,
                    const struct ota_alternative *a, unsigned index)
{
    struct sink *s = ctx;

    require(!s->open && !s->ended && !s->records);
    require(index < m->alternatives && m->alternatives <= OTA_ALTERNATIVES);
    require(memcmp(m->device, craft_device, sizeof m->device) == 0);
    require(m->version > 0 && m->version <= 0x7fffffff);
    require(a->window_bits >= 9 && a->window_bits <= 15);
    require(a->chunk_max >= 128 && a->chunk_max <= OTA_CHUNK_MAX);
    require(memchr(m->label, 0, sizeof m->label) != NULL);
    s->alt = *a;
    s->begun = true;
    if (s->input[IN_FLAGS] & NO_SPACE && index + 1 < m->alternatives)
        return OTA_ERR_SPACE;
    return OTA_OK;
}

static int on_keys(void *ctx, const uint8_t (*keys)[OTA_PUBLIC_KEY],
                   size_t key_count)
{
    struct sink *s = ctx;
    bool ours = false;

    require(s->begun && !s->open && !s->ended && !s->records);
    require(key_count >= 1 && key_count <= OTA_KEYS);
    for (size_t i = 0; i < key_count; i++)
        ours =
            ours || memcmp(keys[i] + 2, craft_key_id, sizeof craft_key_id) == 0;
    require(ours);
    trace(s, keys, key_count * sizeof *keys);
    return OTA_OK;
}

/* What holds for every record with a path. */
static void check_path(struct sink *s, uint8_t type, const char *path)
{
    size_t len = strlen(path), last = strlen(s->path);

    require(s->begun && !s->open && !s->ended);
    require(ota_path_check(path, len) == OTA_OK);
    require(type != OTA_SLOT || s->last == OTA_SLOT || !s->records);
    if (s->records && (type == OTA_SLOT) == (s->last == OTA_SLOT))
        require(ota_path_compare(s->path, last, path, len) < 0);
    if (s->records && s->last == OTA_FILE)
        require(!ota_path_below(path, len, s->path, last));
    memcpy(s->path, path, len + 1);
    s->last = type;
    s->records++;
    require(s->records <= s->alt.records);
    trace(s, path, len);
}

static int on_open(void *ctx, const struct ota_file *file,
                   const struct ota_file *base)
{
    struct sink *s = ctx;
    uint8_t hash[OTA_HASH];

    require(file->type == OTA_FILE || file->type == OTA_SLOT);
    check_path(s, file->type, file->path);
    require(file->mode <= 0777 && (file->type == OTA_FILE || !file->mode));
    if (file->type == OTA_FILE)
        s->space += file->size;
    require(s->space <= s->alt.space);
    s->file = *file;
    s->open = true;
    s->unhashed = false;
    s->written = 0;
    crypto_hash_sha512_init(&s->content);
    s->base.size = 0;
    if (base) {
        require(ota_path_check(base->path, strlen(base->path)) == OTA_OK);
        if (base->size > BASE_LEN)
            return OTA_ERR_BASE;
        craft_hash(craft_base, base->size, hash);
        if (memcmp(hash, base->hash, OTA_HASH) != 0)
            return OTA_ERR_BASE;
        s->base = *base;
    }
    trace(s, file->hash, OTA_HASH);
    return OTA_OK;
}

static int on_base_read(void *ctx, uint32_t offset, uint8_t *buf, size_t len)
{
    struct sink *s = ctx;

    require(s->open && len <= BASE_LEN && offset <= s->base.size &&
            len <= s->base.size - offset);
    memcpy(buf, craft_base + offset, len);
    return OTA_OK;
}

static int on_data(void *ctx, const uint8_t *buf, size_t len)
{
    struct sink *s = ctx;

    require(s->open && len > 0 && len <= s->file.size - s->written);
    s->written += (uint32_t)len;
    crypto_hash_sha512_update(&s->content, buf, len);
    trace(s, buf, len);
    return OTA_OK;
}

static int on_close(void *ctx, const struct ota_file *file)
{
    struct sink *s = ctx;
    uint8_t full[crypto_hash_sha512_BYTES];

    require(s->open && s->written == s->file.size);
    require(strcmp(file->path, s->file.path) == 0);
    crypto_hash_sha512_final(&s->content, full);
    require(s->unhashed || memcmp(full, s->file.hash, OTA_HASH) == 0);
    s->open = false;
    trace(s, "close", 5);
    return OTA_OK;
}

static int on_remove(void *ctx, const char *path)
{
    check_path(ctx, OTA_DELETE, path);
    return OTA_OK;
}

/* A file is told of once it is known whether a BASE follows, which a segment
 * may lie before. */
static bool untold(const struct ota_checkpoint *at)
{
    return at->open && at->written == 0 && !at->has_base;
}

static uint32_t untold_space(const struct ota_checkpoint *at)
{
    return untold(at) && at->file.type == OTA_FILE ? at->file.size : 0;
}

static int on_segment(void *ctx, const struct ota_checkpoint *at)
{
    struct sink *s = ctx;

    require(s->begun && at->offset < s->alt.size);
    require(at->records == s->records + untold(at));
    require(at->space == s->space + untold_space(at));
    require(s->open == (at->open && !untold(at)));
    require(!s->open || at->written == s->written);
    if (!s->has_checkpoint || s->input[IN_PIECE] & 1)
        s->checkpoint = *at;
    s->has_checkpoint = true;
    return OTA_OK;
}

static int on_end(void *ctx)
{
    struct sink *s = ctx;

    require(s->begun && !s->open && !s->ended);
    require(s->records == s->alt.records && s->space == s->alt.space);
    s->ended = true;
    return OTA_OK;
}

/* ---- readers ---- */

static struct ota_reader *start(struct sink *s, const struct ota_sink *calls,
                                struct ota_device *d, void **arena)
{
    const uint8_t *in = s->input;
    struct ota_alternative alt;
    size_t len = OTA_READER_MEMORY(15, OTA_CHUNK_MAX);

    craft_shape(in, &alt);
    if (in[IN_KIND] % 4 < MANIFEST)
        len = OTA_READER_MEMORY(alt.window_bits, alt.chunk_max);
    if (in[IN_FLAGS] & SMALL_ARENA)
        len = len * in[IN_PIECE] / 256;
    *d = (struct ota_device){
        .id_len = 6,
        .keys = (const uint8_t(*)[OTA_PUBLIC_KEY])craft_public_key,
        .key_count = 1};
    memcpy(d->id, craft_device, sizeof d->id);
    d->installed = craft_installed;
    d->device_key = in[IN_FLAGS] & NO_DEVICE_KEY ? NULL : craft_device_key;
    *arena = malloc(len ? len : 1);
    require(*arena != NULL);
    return ota_reader_init(*arena, len, d, calls, OTA_CHOOSE_INSTALLED);
}

static int feed(struct ota_reader *r, const uint8_t *p, size_t len,
                size_t piece)
{
    int err = OTA_OK;
    size_t n;

    for (; len > 0 && err == OTA_OK; p += n, len -= n) {
        n = len < piece ? len : piece;
        err = ota_reader_feed(r, p, n);
    }
    return err;
}

static struct ota_sink calls_for(struct sink *s)
{
    return (struct ota_sink){
        .ctx = s,
        .begin = on_begin,
        .keys = on_keys,
        .open = on_open,
        .base_read = on_base_read,
        .data = on_data,
        .close = on_close,
        .remove = on_remove,
        .segment = on_segment,
        .end = on_end,
    };
}

/* Reads all of it in pieces; 1 where the arena is too small to begin. */
static int read_all(struct sink *s, const struct bundle *b, size_t piece)
{
    struct ota_sink calls = calls_for(s);
    struct ota_device d;
    void *arena;
    struct ota_reader *r = start(s, &calls, &d, &arena);
    int err = 1;

    if (r) {
        err = feed(r, b->bytes, b->len, piece);
        require(err <= 0);
        if (err != OTA_OK)
            require(ota_reader_feed(r, b->bytes, 1) == err);
        if (err == OTA_OK)
            err = ota_reader_finish(r);
        require(err <= 0 && err >= OTA_ERR_IO);
        require(err == OTA_OK ? s->ended : true);
        require(strlen(ota_strerror(err)) > 0);
        ota_reader_wipe(r);
    }
    free(arena);
    return err;
}

/* Goes on at a checkpoint of a bundle that was read to its end. */
static void read_on(const struct sink *first, const struct bundle *b)
{
    struct sink s = {.input = first->input};
    const struct ota_checkpoint *at = &first->checkpoint;
    struct ota_sink calls = calls_for(&s);
    size_t head = b->bytes[6] | (size_t)b->bytes[7] << 8;
    struct ota_device d;
    void *arena;
    struct ota_reader *r = start(&s, &calls, &d, &arena);

    require(r && ota_reader_feed(r, b->bytes, head) == OTA_OK);
    s.open = s.unhashed = at->open && !untold(at);
    s.file = at->file;
    s.base = at->base;
    s.written = at->written;
    s.records = at->records - (uint32_t)untold(at);
    s.space = at->space - untold_space(at);
    s.last =
        at->file.type == OTA_FILE && untold(at) ? OTA_DELETE : at->file.type;
    crypto_hash_sha512_init(&s.content);
    if (at->records && !untold(at))
        memcpy(s.path, at->file.path, sizeof s.path);
    require(ota_reader_resume(r, at) == OTA_OK);
    require(feed(r, b->bytes + head + at->offset, b->len - head - at->offset,
                 4096) == OTA_OK);
    require(ota_reader_finish(r) == OTA_OK && s.ended);
    free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bundle b;
    struct sink whole = {.input = data}, pieces = {.input = data};
    int err;

    if (size < IN_HEAD || size > INPUT_MAX)
        return 0;
    craft_init();
    craft_bundle(&b, data, size);
    err = read_all(&whole, &b, SIZE_MAX);
    require(read_all(&pieces, &b, 1U + data[IN_PIECE]) == err);
    require(whole.trace == pieces.trace);
    if (err == OTA_OK && whole.has_checkpoint)
        read_on(&whole, &b);
    return 0;
}
