/* The rules for paths and labels: ota-bundle(5), Paths and Manifest. */
#include "text.h"

#include <ota/bundle.h>
#include <string.h>

/* Decodes the UTF-8 sequence (RFC 3629) at `s` into `cp`.  Returns its length,
 * or 0 where there is none. */
static size_t utf8_decode(const uint8_t *s, size_t len, uint32_t *cp)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80             ? 1
               : (s[0] & 0xe0) == 0xc0 ? 2
               : (s[0] & 0xf0) == 0xe0 ? 3
               : (s[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    size_t i;

    if (n == 0 || n > len)
        return 0;
    *cp = n == 1 ? s[0] : s[0] & (0x7fU >> n);
    for (i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *cp = *cp << 6 | (s[i] & 0x3f);
    }
    if (*cp < least[n] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp <= 0xdfff))
        return 0;
    return n;
}

bool ota_text_check(const char *text, size_t len)
{
    const uint8_t *s = (const uint8_t *)text;
    uint32_t cp;
    size_t n;

    for (; len > 0; s += n, len -= n) {
        n = utf8_decode(s, len, &cp);
        if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp <= 0x9f))
            return false;
    }
    return true;
}

static uint8_t fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(c - 'A' + 'a');
    return c == '/' ? 0 : (uint8_t)c;
}

/* FAT and Windows resolve names with these to other files. */
static bool component_check(const char *s, size_t len)
{
    size_t i;

    if (len == 0 || s[len - 1] == '.' || s[len - 1] == ' ')
        return false;
    for (i = 0; i < len; i++) {
        if (s[i] == '\0' || strchr("\"*:<>?|~\\", s[i]))
            return false;
    }
    return true;
}

int ota_path_check(const char *path, size_t len)
{
    size_t start = 0, i;

    if (len == 0 || len > OTA_PATH || !ota_text_check(path, len))
        return OTA_ERR_PATH;
    for (i = 0; i <= len; i++) {
        if (i < len && path[i] != '/')
            continue;
        if (!component_check(path + start, i - start))
            return OTA_ERR_PATH;
        if (start == 0 && ota_path_compare(path, i, ".ota", 4) == 0)
            return OTA_ERR_PATH;
        start = i + 1;
    }
    return OTA_OK;
}

int ota_path_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t i;

    for (i = 0; i < a_len && i < b_len; i++) {
        if (fold(a[i]) != fold(b[i]))
            return fold(a[i]) < fold(b[i]) ? -1 : 1;
    }
    return a_len == b_len ? 0 : a_len < b_len ? -1 : 1;
}

bool ota_path_below(const char *path, size_t len, const char *dir,
                    size_t dir_len)
{
    return len > dir_len && path[dir_len] == '/' &&
           ota_path_compare(path, dir_len, dir, dir_len) == 0;
}
