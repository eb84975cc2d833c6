/* zlib's inflate in an arena: the room's only file with zlib. */
#include "inflate.h"
#include "format.h"

#include <ota/bundle.h>
#include <string.h>
#include <zlib.h>

struct inflate {
    z_stream z;
    uint32_t window; /* bytes */
    uint8_t *free;   /* what is left of the arena, aligned to 8 */
    size_t free_len;
    bool ended;
};

STATIC_ASSERT(inflate_state,
              sizeof(struct inflate) <= sizeof(struct ota_inflate));

static struct inflate *inflate_of(struct ota_inflate *f)
{
    return (struct inflate *)(void *)f->state;
}

static voidpf arena_alloc(voidpf opaque, uInt items, uInt size)
{
    struct inflate *s = opaque;
    size_t len;
    uint8_t *p = s->free;

    if (size != 0 && items > (SIZE_MAX - 7) / size)
        return Z_NULL;
    len = ((size_t)items * size + 7) / 8 * 8;
    if (len > s->free_len)
        return Z_NULL;
    s->free += len;
    s->free_len -= len;
    return p;
}

static void arena_free(voidpf opaque, voidpf p)
{
    (void)opaque;
    (void)p;
}

int ota_inflate_init(struct ota_inflate *f, void *memory, size_t memory_len,
                     unsigned window_bits)
{
    struct inflate *s = inflate_of(f);

    memset(s, 0, sizeof(*s));
    s->free = memory;
    s->free_len = memory_len;
    s->z.zalloc = arena_alloc;
    s->z.zfree = arena_free;
    s->z.opaque = s;
    s->window = (uint32_t)1 << window_bits;
    return inflateInit2(&s->z, -(int)window_bits) == Z_OK ? OTA_OK
                                                          : OTA_ERR_MEMORY;
}

void ota_inflate_reset(struct ota_inflate *f)
{
    struct inflate *s = inflate_of(f);

    inflateReset(&s->z);
    s->ended = false;
}

bool ota_inflate_ended(const struct ota_inflate *f)
{
    return ((const struct inflate *)(const void *)f->state)->ended;
}

void ota_inflate_input(struct ota_inflate *f, const uint8_t *in, size_t len)
{
    struct inflate *s = inflate_of(f);

    s->z.next_in = (z_const Bytef *)in;
    s->z.avail_in = (uInt)len;
}

/* Up to `len` bytes; *len: how many. */
static int inflate_some(struct inflate *s, uint8_t *out, size_t *len)
{
    size_t want = *len;
    int ret;

    s->z.next_out = out;
    s->z.avail_out = (uInt)want;
    ret = inflate(&s->z, Z_SYNC_FLUSH);
    *len = want - s->z.avail_out;
    if (ret == Z_MEM_ERROR)
        return OTA_ERR_MEMORY;
    if (ret != Z_OK && ret != Z_BUF_ERROR && ret != Z_STREAM_END)
        return OTA_ERR_DEFLATE;
    s->ended = ret == Z_STREAM_END;
    return OTA_OK;
}

/* zlib takes what it wrote in the same call for a part of the window.  So that
 * no distance passes the stated one, wherever the calls fall, a call is for the
 * rest of the first window, and then for one byte. */
static size_t call_len(const struct inflate *s, size_t left)
{
    size_t most = s->z.total_out < s->window ? s->window - s->z.total_out : 1;

    return left < most ? left : most;
}

int ota_inflate_next(struct ota_inflate *f, uint8_t *out, size_t out_len)
{
    struct inflate *s = inflate_of(f);
    size_t made = 0, len = 1;
    int err = OTA_OK;

    while (err == OTA_OK && !s->ended && made < out_len && len > 0) {
        len = call_len(s, out_len - made);
        err = inflate_some(s, out + made, &len);
        made += len;
    }
    if (err != OTA_OK)
        return err;
    /* The end may come without a byte: nobody asks again then. */
    return made == 0 && s->ended && s->z.avail_in != 0 ? OTA_ERR_DEFLATE
                                                       : (int)made;
}
