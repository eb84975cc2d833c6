/* zlib's inflate in an arena: the room's only file with zlib. */
#include "inflate.h"
#include "format.h"

#include <ota/bundle.h>
#include <string.h>
#include <zlib.h>

struct inflate {
    z_stream z;
    uint8_t *free; /* what is left of the arena, aligned to 8 */
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

int ota_inflate_next(struct ota_inflate *f, uint8_t *out, size_t out_len)
{
    struct inflate *s = inflate_of(f);
    int ret, made = 0;

    if (!s->ended) {
        s->z.next_out = out;
        s->z.avail_out = (uInt)out_len;
        ret = inflate(&s->z, Z_SYNC_FLUSH);
        if (ret == Z_MEM_ERROR)
            return OTA_ERR_MEMORY;
        if (ret != Z_OK && ret != Z_BUF_ERROR && ret != Z_STREAM_END)
            return OTA_ERR_DEFLATE;
        s->ended = ret == Z_STREAM_END;
        made = (int)(out_len - s->z.avail_out);
    }
    /* The end may come without a byte: nobody asks again then. */
    return made == 0 && s->ended && s->z.avail_in != 0 ? OTA_ERR_DEFLATE : made;
}
