/* Raw deflate of a buffer. */
#include "deflate.h"

#include <stdbool.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

#include "diag.h"

enum { WINDOW = -15, MEM_LEVEL = 9 }; /* below 0: raw */

int deflate_buffer(const uint8_t *buf, size_t len, uint8_t **out,
                   size_t *out_len)
{
    z_stream z = {.next_in = buf, .avail_in = (uInt)len};
    int result = Z_MEM_ERROR;

    *out = NULL;
    if (len > UINT32_MAX / 2)
        return diag_error(DIAG_FAILED, "%zu bytes are too many to compress",
                          len);
    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW, MEM_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return diag_no_memory();
    z.avail_out = (uInt)deflateBound(&z, (uLong)len);
    if ((*out = z.next_out = malloc(z.avail_out)))
        result = deflate(&z, Z_FINISH);
    *out_len = z.total_out;
    deflateEnd(&z);
    if (result == Z_STREAM_END)
        return 0;
    free(*out);
    *out = NULL;
    return diag_no_memory();
}

/* Twice the room, or all that is allowed. */
static int grow_room(uint8_t **out, size_t *room, size_t max)
{
    size_t more = *room > max / 2 ? max : 2 * *room;
    uint8_t *p = more > *room ? realloc(*out, more) : NULL;

    if (!p)
        return -1;
    *out = p;
    *room = more;
    return 0;
}

/* Returns what inflate() says last: Z_STREAM_END if all is well. */
static int inflate_all(z_stream *z, uint8_t **out, size_t room, size_t max)
{
    int result;

    do {
        size_t used = z->total_out;

        if (used == room && grow_room(out, &room, max))
            return Z_BUF_ERROR;
        z->next_out = *out + used;
        z->avail_out = (uInt)(room - used);
        result = inflate(z, Z_NO_FLUSH);
    } while (result == Z_OK && (z->avail_in || !z->avail_out));
    return result;
}

int deflate_reverse(const uint8_t *buf, size_t len, size_t max, uint8_t **out,
                    size_t *out_len)
{
    size_t room = max < 4096 ? max + 1 : 4096; /* one more shows the end */
    z_stream z = {.next_in = buf, .avail_in = (uInt)len};
    bool ok;

    *out = NULL;
    if (len > UINT32_MAX / 2 || max > UINT32_MAX / 2)
        return -1;
    if (inflateInit2(&z, WINDOW) != Z_OK)
        return -1;
    *out = malloc(room);
    ok = *out && inflate_all(&z, out, room, max + 1) == Z_STREAM_END &&
         z.avail_in == 0 && z.total_out <= max;
    *out_len = z.total_out;
    inflateEnd(&z);
    if (ok)
        return 0;
    free(*out);
    *out = NULL;
    return -1;
}
