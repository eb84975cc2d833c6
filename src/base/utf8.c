/* UTF-8 for messages and names: decoding, and what must not be printed. */
#include "utf8.h"

static bool continues(const unsigned char *p, size_t count)
{
    for (size_t i = 1; i <= count; i++)
        if ((p[i] & 0xc0) != 0x80)
            return false;
    return true;
}

size_t utf8_next(const char *text, size_t len, uint32_t *point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)text;
    uint32_t c;
    size_t n;

    if (!len)
        return 0;
    if (p[0] < 0x80) {
        *point = p[0];
        return 1;
    }
    n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > len || !continues(p, n - 1))
        return 0;
    c = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *point = c;
    return n;
}

size_t utf8_valid(const char *text, size_t len)
{
    uint32_t point;
    size_t i = 0, n;

    while (i < len) {
        if ((unsigned char)text[i] < 0x80)
            n = 1;
        else if (!(n = utf8_next(text + i, len - i, &point)))
            return i;
        i += n;
    }
    return len;
}

size_t utf8_count(const char *text, size_t len)
{
    uint32_t point;
    size_t count = 0, n;

    for (size_t i = 0; i < len; i += n ? n : 1) {
        n = (unsigned char)text[i] < 0x80
                ? 1
                : utf8_next(text + i, len - i, &point);
        count++;
    }
    return count;
}

bool utf8_control(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point <= 0x9f) ||
           (point >= 0x2028 && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

/* Of DerivedCoreProperties.txt (Unicode 15.1) Default_Ignorable_Code_Point, and
 * the blanks (category Zs). */
bool utf8_hidden(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } blocks[] = {
        {0xa0, 0xa0},       {0xad, 0xad},       {0x34f, 0x34f},
        {0x61c, 0x61c},     {0x115f, 0x1160},   {0x1680, 0x1680},
        {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x2000, 0x200f},
        {0x202f, 0x202f},   {0x205f, 0x206f},   {0x2800, 0x2800},
        {0x3000, 0x3000},   {0x3164, 0x3164},   {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
        {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
    };

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if (point >= blocks[i].first && point <= blocks[i].last)
            return !utf8_control(point);
    return false;
}

size_t utf8_printable(const char *text, size_t len)
{
    uint32_t point;
    size_t i = 0, n;

    while (i < len) {
        if (text[i] >= ' ' && text[i] <= '~') {
            i++;
            continue;
        }
        n = utf8_next(text + i, len - i, &point);
        if (!n || utf8_control(point))
            return i;
        i += n;
    }
    return len;
}
