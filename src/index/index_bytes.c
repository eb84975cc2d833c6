/* Bytes written and read one field at a time, with every bound checked. */
#include <stdlib.h>
#include <string.h>
#include <ota/bundle.h>
#include "base/utf8.h"
#include "index_bytes.h"

static uint8_t *out_room(struct index_out *o, size_t len)
{
    size_t room = o->room ? o->room : 4096;
    uint8_t *grown;

    if (o->full || len > o->max - o->len) {
        o->full = true;
        return NULL;
    }
    while (room - o->len < len)
        room *= 2;
    if (room != o->room) {
        if (!(grown = realloc(o->bytes, room))) {
            o->full = true;
            return NULL;
        }
        o->bytes = grown;
        o->room = room;
    }
    o->len += len;
    return o->bytes + o->len - len;
}

void index_out_bytes(struct index_out *o, const void *bytes, size_t len)
{
    uint8_t *to = len ? out_room(o, len) : NULL;

    if (to)
        memcpy(to, bytes, len);
}

void index_out_zeros(struct index_out *o, size_t len)
{
    uint8_t *to = len ? out_room(o, len) : NULL;

    if (to)
        memset(to, 0, len);
}

static void out_number(struct index_out *o, uint64_t value, size_t len)
{
    uint8_t *to = out_room(o, len);

    for (size_t i = 0; to && i < len; i++)
        to[i] = (uint8_t)(value >> 8 * i);
}

void index_out_u8(struct index_out *o, unsigned value)
{
    out_number(o, value, 1);
}

void index_out_u16(struct index_out *o, unsigned value)
{
    out_number(o, value, 2);
}

void index_out_u32(struct index_out *o, uint32_t value)
{
    out_number(o, value, 4);
}

void index_out_u64(struct index_out *o, uint64_t value)
{
    out_number(o, value, 8);
}

void index_out_v(struct index_out *o, uint32_t value)
{
    for (; value > 0x7f; value >>= 7)
        index_out_u8(o, (value & 0x7f) | 0x80);
    index_out_u8(o, value);
}

void index_out_text(struct index_out *o, const char *text)
{
    size_t len = strlen(text);

    if (len > UINT8_MAX) {
        o->full = true;
        return;
    }
    index_out_u8(o, (unsigned)len);
    index_out_bytes(o, text, len);
}

void index_out_release(struct index_out *o)
{
    free(o->bytes);
    *o = (struct index_out){0};
}

void index_in_fail(struct index_in *in, const char *bad)
{
    if (!in->bad)
        in->bad = bad;
    in->at = in->end;
}

const uint8_t *index_in_bytes(struct index_in *in, size_t len)
{
    if ((size_t)(in->end - in->at) < len)
        index_in_fail(in, "it ends too early");
    if (in->bad)
        return NULL;
    in->at += len;
    return in->at - len;
}

void index_in_copy(struct index_in *in, void *to, size_t len)
{
    const uint8_t *from = index_in_bytes(in, len);

    if (from)
        memcpy(to, from, len);
    else
        memset(to, 0, len);
}

static uint64_t in_number(struct index_in *in, size_t len)
{
    const uint8_t *from = index_in_bytes(in, len);
    uint64_t value = 0;

    for (size_t i = 0; from && i < len; i++)
        value |= (uint64_t)from[i] << 8 * i;
    return value;
}

uint8_t index_in_u8(struct index_in *in)
{
    return (uint8_t)in_number(in, 1);
}

uint16_t index_in_u16(struct index_in *in)
{
    return (uint16_t)in_number(in, 2);
}

uint32_t index_in_u32(struct index_in *in)
{
    return (uint32_t)in_number(in, 4);
}

uint64_t index_in_u64(struct index_in *in)
{
    return in_number(in, 8);
}

uint32_t index_in_v(struct index_in *in)
{
    uint64_t value = 0;
    uint8_t byte = 0x80;

    for (unsigned shift = 0; byte & 0x80; shift += 7) {
        byte = index_in_u8(in);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (shift > 28 || (shift && !byte)) {
            index_in_fail(in, "a number is too long");
            return 0;
        }
    }
    if (value > UINT32_MAX)
        index_in_fail(in, "a number is too large");
    return in->bad ? 0 : (uint32_t)value;
}

const char *index_in_text(struct index_in *in, size_t min, size_t max,
                          size_t *len)
{
    const char *text;

    *len = index_in_u8(in);
    if (!in->bad && (*len < min || *len > max))
        index_in_fail(in, "a text is too short or too long");
    text = (const char *)index_in_bytes(in, *len);
    if (text && utf8_printable(text, *len) != *len) {
        index_in_fail(in, "a text is not clean UTF-8");
        return NULL;
    }
    return text;
}

const char *index_in_path(struct index_in *in, size_t *len)
{
    const char *path;

    *len = index_in_u8(in);
    path = (const char *)index_in_bytes(in, *len);
    if (path && ota_path_check(path, *len) != OTA_OK) {
        index_in_fail(in, "a path breaks the rules");
        return NULL;
    }
    return path;
}
