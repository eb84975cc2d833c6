/* Bytes in: the manifest, then chunks, hash chain, decryption, inflate.
 * ota-bundle(5), Payload and Encryption.  Nothing goes on to the next step
 * before it is authenticated. */
#include "reader.h"
#include "format.h"
#include "manifest.h"

#include <string.h>

/* The reader, rounded up so that inflate's memory behind it is aligned. */
#define READER_LEN ((sizeof(struct ota_reader) + 7) / 8 * 8)

STATIC_ASSERT(reader_state, READER_LEN <= OTA_READER_STATE);

struct ota_reader *ota_reader_init(void *arena, size_t arena_len,
                                   const struct ota_device *device,
                                   const struct ota_sink *sink, int choose)
{
    struct ota_reader *r = arena;

    if (arena_len < OTA_READER_STATE + OTA_MANIFEST_MAX ||
        (uintptr_t)arena % 8 != 0)
        return NULL;
    memset(r, 0, sizeof(*r));
    r->device = device;
    r->sink = sink;
    r->arena_len = arena_len;
    r->choose = choose;
    r->buf = (uint8_t *)arena + READER_LEN;
    ota_manifest_frame(r->buf, 0, &r->need);
    return r;
}

void ota_reader_any_signer(struct ota_reader *r)
{
    r->any_signer = true;
}

static int give_way(const struct ota_reader *r)
{
    return r->sink->yield ? r->sink->yield(r->sink->ctx) : OTA_OK;
}

static unsigned chosen_payload(const struct ota_reader *r,
                               const struct ota_manifest *m)
{
    struct ota_alternative a;
    unsigned i, full = m->alternatives - 1U;

    if (r->choose >= 0)
        return (unsigned)r->choose < full ? (unsigned)r->choose : full;
    if (r->choose != OTA_CHOOSE_INSTALLED || !r->device->installed)
        return full;
    for (i = 0; i < full; i++) {
        ota_manifest_alternative(m, i, &a);
        if (memcmp(a.base, r->device->installed, OTA_DIGEST) == 0)
            return i;
    }
    return full;
}

/* ota-bundle(5), Encryption. */
APART static int unwrap_key(struct ota_reader *r,
                            const struct ota_alternative *a)
{
    struct ota_hash h;
    uint8_t check[sizeof(a->key_check)];

    if (!r->device->device_key)
        return OTA_ERR_DEVICE_KEY;
    memcpy(r->payload_key, a->wrapped_key, sizeof(r->payload_key));
    ota_stream_xor(r->payload_key, sizeof(r->payload_key), a->link + LINK_HASH,
                   r->device->device_key);
    ota_hash_init(&h);
    ota_hash_update(&h, r->payload_key, sizeof(r->payload_key));
    ota_hash_final(&h, check, sizeof(check));
    ota_wipe(&h, sizeof(h));
    return ota_equal(check, a->key_check, sizeof(check)) ? OTA_OK
                                                         : OTA_ERR_DEVICE_KEY;
}

/* Asks whether alternative `index` will do, and takes it. */
static int begin(struct ota_reader *r, const struct ota_manifest *m,
                 unsigned index, struct ota_alternative *a)
{
    int err;

    ota_manifest_alternative(m, index, a);
    r->needs = OTA_READER_MEMORY(a->window_bits, a->chunk_max);
    if (r->needs > r->arena_len)
        return OTA_ERR_MEMORY;
    if (m->flags & OTA_ENCRYPTED) {
        err = unwrap_key(r, a);
        if (err != OTA_OK)
            return err;
    }
    return r->sink->begin ? r->sink->begin(r->sink->ctx, m, a, index) : OTA_OK;
}

/* From here on the manifest's place is the chunks'. */
static int start_payload(struct ota_reader *r, const struct ota_manifest *m,
                         const struct ota_alternative *a, bool full)
{
    uint8_t *memory = (uint8_t *)r + READER_LEN;
    size_t inflate_len = OTA_INFLATE_MEMORY(a->window_bits);

    r->signer = r->any_signer ? NULL : ota_manifest_signer(r->buf, r->device);
    memcpy(r->release, m->release, sizeof(r->release));
    r->encrypted = (m->flags & OTA_ENCRYPTED) != 0;
    r->delta = !full;
    r->size = a->size;
    r->space = a->space;
    r->chunk_max = a->chunk_max;
    r->records = a->records;
    memcpy(r->at.link, a->link, sizeof(r->at.link));
    r->buf = memory + inflate_len;
    r->have = r->need = 0;
    r->phase = READER_PAYLOAD;
    ota_hash_init(&r->digest);
    return ota_inflate_init(&r->inflate, memory, inflate_len, a->window_bits);
}

static int take_manifest(struct ota_reader *r)
{
    struct ota_manifest m;
    struct ota_alternative a;
    unsigned index;
    int err = give_way(r);

    if (err == OTA_OK)
        err = ota_manifest_check(&m, r->buf, r->have, r->device);
    if (err == OTA_OK)
        err = give_way(r);
    if (err != OTA_OK)
        return err;
    index = chosen_payload(r, &m);
    err = begin(r, &m, index, &a);
    if ((err == OTA_ERR_MEMORY || err == OTA_ERR_SPACE) &&
        index + 1U < m.alternatives && r->choose < 0) {
        index = m.alternatives - 1U;
        err = begin(r, &m, index, &a);
    }
    if (err != OTA_OK)
        return err;
    return start_payload(r, &m, &a, index + 1U == m.alternatives);
}

/* The chunk that the current link announces: ota-bundle(5), Payload. */
static int expect_chunk(struct ota_reader *r)
{
    r->need = get16(r->at.link) & LINK_LENGTH;
    r->have = 0;
    if (r->need < OTA_CHUNK_MIN || r->need > r->chunk_max ||
        r->need > r->size - r->at.offset)
        return OTA_ERR_CHUNK;
    return OTA_OK;
}

APART static int check_chunk(const struct ota_reader *r, const uint8_t *link)
{
    static const uint8_t last[OTA_LINK];
    struct ota_hash h;
    uint8_t hash[OTA_HASH];
    size_t next = get16(link) & LINK_LENGTH;

    ota_hash_init(&h);
    ota_hash_update(&h, r->buf, r->need);
    ota_hash_final(&h, hash, sizeof(hash));
    if (memcmp(hash, r->at.link + LINK_HASH, sizeof(hash)) != 0)
        return OTA_ERR_CHUNK;
    if (next == 0)
        return memcmp(link, last, sizeof(last)) == 0 &&
                       r->at.offset + r->need == r->size
                   ? OTA_OK
                   : OTA_ERR_CHUNK;
    return next >= OTA_CHUNK_MIN && next <= r->chunk_max ? OTA_OK
                                                         : OTA_ERR_CHUNK;
}

static int inflate_chunk(struct ota_reader *r, const uint8_t *data, size_t len)
{
    int n, err;

    ota_inflate_input(&r->inflate, data, len);
    while ((n = ota_inflate_next(&r->inflate, r->out, sizeof(r->out))) > 0) {
        r->inflated = true;
        err = ota_record_feed(r, r->out, (size_t)n);
        if (err != OTA_OK)
            return err;
    }
    return n;
}

static int end_segment(struct ota_reader *r)
{
    if (!ota_inflate_ended(&r->inflate) || !r->inflated)
        return OTA_ERR_DEFLATE;
    if (!ota_record_complete(r))
        return OTA_ERR_RECORD;
    ota_inflate_reset(&r->inflate);
    r->inflated = false;
    return OTA_OK;
}

static int end_payload(struct ota_reader *r)
{
    uint8_t digest[OTA_DIGEST];

    if (!r->at.done)
        return OTA_ERR_RECORD;
    if (!r->delta && !r->encrypted && !r->resumed) {
        ota_hash_final(&r->digest, digest, sizeof(digest));
        if (memcmp(digest, r->release, sizeof(digest)) != 0)
            return OTA_ERR_CONTENT;
    }
    ota_wipe(r->payload_key, sizeof(r->payload_key));
    r->phase = READER_DONE;
    return OTA_OK;
}

static int take_chunk(struct ota_reader *r)
{
    size_t len = r->need - OTA_LINK;
    const uint8_t *link = r->buf + len;
    uint8_t nonce[24] = {0};
    bool last = get16(link) == 0;
    int err = check_chunk(r, link);

    if (err != OTA_OK)
        return err;
    if (r->encrypted) {
        put32(nonce, r->at.chunk);
        ota_stream_xor(r->buf, len, nonce, r->payload_key);
    }
    err = inflate_chunk(r, r->buf, len);
    if (err != OTA_OK)
        return err;
    memcpy(r->at.link, link, sizeof(r->at.link));
    r->at.offset += (uint32_t)r->need;
    r->at.chunk++;
    r->need = 0;
    if (last || get16(link) & LINK_SEGMENT)
        err = end_segment(r);
    if (err == OTA_OK)
        err = give_way(r);
    if (err != OTA_OK)
        return err;
    if (last)
        return end_payload(r);
    if (get16(link) & LINK_SEGMENT && r->sink->segment)
        return r->sink->segment(r->sink->ctx, &r->at);
    return OTA_OK;
}

/* Takes what the manifest or chunk lacks from the input, and uses the whole. */
static int step(struct ota_reader *r, const uint8_t **buf, size_t *len)
{
    size_t n;
    int err = OTA_OK;

    if (r->phase >= READER_DONE)
        return OTA_ERR_TRAILING;
    if (r->need == 0)
        err = expect_chunk(r);
    if (err != OTA_OK)
        return err;
    n = r->need - r->have < *len ? r->need - r->have : *len;
    memcpy(r->buf + r->have, *buf, n);
    r->have += n;
    *buf += n;
    *len -= n;
    if (r->have < r->need)
        return OTA_OK;
    if (r->phase == READER_PAYLOAD)
        return take_chunk(r);
    err = ota_manifest_frame(r->buf, r->have, &r->need);
    if (err == OTA_ERR_TRUNCATED)
        return OTA_OK;
    return err == OTA_OK ? take_manifest(r) : err;
}

int ota_reader_feed(struct ota_reader *r, const uint8_t *buf, size_t len)
{
    while (r->error == OTA_OK && len > 0)
        r->error = step(r, &buf, &len);
    return r->error;
}

int ota_reader_finish(struct ota_reader *r)
{
    if (r->error == OTA_OK && r->phase < READER_DONE)
        r->error = OTA_ERR_TRUNCATED;
    if (r->error == OTA_OK && r->phase == READER_DONE) {
        r->phase = READER_FINISHED;
        if (r->sink->end)
            r->error = r->sink->end(r->sink->ctx);
    }
    return r->error;
}

/* A checkpoint comes from storage: what it says of lengths and names is not
 * believed. */
static bool possible_path(const struct ota_file *f)
{
    return f->path[OTA_PATH] == '\0' &&
           ota_path_check(f->path, strlen(f->path)) == OTA_OK;
}

/* Of the file that is open. */
static bool possible_file(const struct ota_reader *r,
                          const struct ota_checkpoint *at)
{
    const struct ota_file *f = &at->file, *b = &at->base;

    if ((f->type != OTA_FILE && f->type != OTA_SLOT) || !possible_path(f) ||
        f->mode > (f->type == OTA_FILE ? 0777 : 0) ||
        (f->type == OTA_FILE && f->size > at->space) ||
        at->written >= f->size || at->records == 0 || !at->content)
        return false;
    return !at->has_base || (r->delta && possible_path(b) &&
                             b->size <= 0x7fffffff && at->base_pos <= b->size);
}

static bool possible(const struct ota_reader *r,
                     const struct ota_checkpoint *at)
{
    return at->offset < r->size && (get16(at->link) & LINK_SEGMENT) != 0 &&
           at->key_count <= OTA_KEYS && at->records <= r->records &&
           at->space <= r->space && at->file.path[OTA_PATH] == '\0' &&
           (!at->open || possible_file(r, at));
}

/* The installer reads the checkpoint to where it goes. */
int ota_reader_resume(struct ota_reader *r, const struct ota_checkpoint *at)
{
    if (r->error != OTA_OK || r->phase != READER_PAYLOAD || r->have != 0 ||
        (at != &r->at && r->at.chunk != 0))
        return r->error = OTA_ERR_STATE;
    if (!possible(r, at))
        return r->error = OTA_ERR_RECORD;
    if (at != &r->at)
        r->at = *at;
    r->resumed = true;
    r->record.opened = at->open && (at->written > 0 || at->has_base);
    return OTA_OK;
}

bool ota_reader_in_payload(const struct ota_reader *r)
{
    return r->phase == READER_PAYLOAD;
}

size_t ota_reader_needs(const struct ota_reader *r)
{
    return r->needs;
}

void ota_reader_wipe(struct ota_reader *r)
{
    ota_wipe(r, r->arena_len);
}
