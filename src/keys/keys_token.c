/* The key within what CI systems, editors and terminals make of a key file:
 * quotes, "\n" as two characters, a byte order mark, lines wrapped or joined,
 * the whole in base64 once more. */
#include "keys_text.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>

/* Only what no key has in it goes: what is left is read in one way. */
static size_t unwrap_text(const char *text, size_t len, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '\\' && i + 1 < len && memchr("nrt\"'", text[i + 1], 5)) {
            out[n++] = strchr("nr", text[i + 1]) ? '\n' : ' ';
            i++;
        } else if (c == '"' || c == '\'') {
            out[n++] = ' ';
        } else if (c == '-' || c == '_') { /* the other alphabet */
            out[n++] = c == '-' ? '+' : '/';
        } else if (c && c < 0x80) { /* no mark, nor halves of UTF-16 */
            out[n++] = c == '\r' ? '\n' : (char)c;
        }
    }
    return n;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* Decodes from `text` to its end, over `ignore`.  Bytes, 0 where there is
 * anything else in it; *chars: of base64. */
static size_t decode(const char *text, size_t len, const char *ignore,
                     uint8_t *out, size_t max, size_t *chars)
{
    size_t got = 0;
    const char *end;

    while (len && (is_blank(text[len - 1]) || text[len - 1] == '='))
        len--;
    if (sodium_base642bin(out, max, text, len, ignore, &got, &end,
                          sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0 ||
        end != text + len)
        got = 0;
    *chars = 0;
    for (size_t i = 0; i < len; i++)
        *chars += !is_blank(text[i]);
    return got;
}

static bool is_key(const uint8_t *key, size_t len)
{
    return (len == KEYS_SECRET || len == OTA_PUBLIC_KEY) &&
           !memcmp(key, "Ed", 2);
}

/* A key that begins at `text`: its line, or all that follows. */
static size_t take(const char *text, size_t len, uint8_t *out, size_t *chars)
{
    const char *newline = memchr(text, '\n', len);
    size_t line = newline ? (size_t)(newline - text) : len, got, some;

    got = decode(text, line, NULL, out, KEYS_SECRET, &some);
    if (is_key(out, got))
        return got;
    got = decode(text, len, " \t\n", out, KEYS_SECRET, &some);
    if (is_key(out, got))
        return got;
    if (got || some > *chars)
        *chars = some;
    return 0;
}

static size_t find(const char *text, size_t len, uint8_t *out, size_t *chars)
{
    for (size_t i = 0; i + 1 < len; i++) {
        size_t got = 0;

        if (memcmp(text + i, "RW", 2) != 0 ||
            (i && !is_blank(text[i - 1]) && text[i - 1] != '='))
            continue;
        if ((got = take(text + i, len - i, out, chars)) != 0)
            return got;
    }
    return 0;
}

size_t keys_token_find(const char *text, size_t len, uint8_t out[KEYS_SECRET],
                       size_t *chars)
{
    char *plain =
             len <= KEYS_TEXT_MAX ? keys_text_alloc(2 * KEYS_TEXT_MAX) : NULL,
         *again = plain ? plain + KEYS_TEXT_MAX : NULL;
    size_t got = 0, unused;

    *chars = 0;
    if (!plain)
        return 0;
    len = unwrap_text(text, len, plain);
    got = find(plain, len, out, chars);
    if (!got && !*chars) {
        len = decode(plain, len, " \t\n", (uint8_t *)again, KEYS_TEXT_MAX,
                     &unused);
        len = unwrap_text(again, len, plain);
        got = find(plain, len, out, chars);
    }
    keys_text_free(plain);
    return got;
}
