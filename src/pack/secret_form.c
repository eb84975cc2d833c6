/* The forms of secrets, each known by how it begins. */
#include "secret_form.h"

#include <string.h>

enum {
    SYMBOLS = 211, /* of base64 in a secret key, without padding */
    GAP = 32,      /* bytes between two of them, at most */
    GAPS = 14,     /* lines of 16 and more; beyond it must look sane */
    AT_OPS = 38,   /* little-endian numbers of 8 bytes: */
    AT_MEM = 46,   /* far below 2^40 in every key */
    AT_ID = 54
};

int secret_symbol(uint8_t b)
{
    if (b >= 'A' && b <= 'Z')
        return b - 'A';
    if (b >= 'a' && b <= 'z')
        return b - 'a' + 26;
    if (b >= '0' && b <= '9')
        return b - '0' + 52;
    if (b == '+' || b == '-')
        return 62;
    return b == '/' || b == '_' ? 63 : -1;
}

bool secret_starts(uint8_t a, uint8_t b)
{
    switch (a) {
    case 'E':
        return b == 'd';
    case 'R':
        return b == 'W' || secret_symbol(b) < 0;
    case '-':
    case '<':
    case '>':
        return b == a;
    case 'P':
        return b == 'u';
    case 'A':
        return b == 'G';
    case 'm':
    case 'd':
        return b == (a == 'm' ? 'a' : 'e');
    }
    return false;
}

/* ---- minisign */

/* Bytes of an escape at p that stands for no symbol: \n, \u000a, %0A, &#10;. */
static size_t escape_length(const uint8_t *p, const uint8_t *end)
{
    size_t left = (size_t)(end - p), len = 0;

    if (*p == '\\' && left > 1)
        len = p[1] == 'u' ? 6 : p[1] == 'x' ? 4 : 2;
    else if (*p == '%')
        len = 3;
    else if (*p == '&')
        while (len < 8 && len < left && p[len++] != ';')
            ;
    return len ? len < left ? len : left : 1;
}

/* The next symbol from *p on, over what wraps and quotes; -1: none near.  NUL,
 * every other byte of UTF-16, is no gap. */
static int next_symbol(const uint8_t **p, const uint8_t *end, unsigned *gaps)
{
    const uint8_t *from = *p;
    bool gap = false;

    while (*p < end && *p - from <= GAP) {
        int symbol = secret_symbol(**p);

        if (symbol >= 0) {
            ++*p;
            *gaps += gap;
            return symbol;
        }
        gap = gap || **p;
        *p += escape_length(*p, end);
    }
    return -1;
}

static bool has_head(const uint8_t *key)
{
    return !memcmp(key, "Ed", 2) && !memcmp(key + 4, "B2", 2) &&
           (!memcmp(key + 2, "Sc", 2) || !memcmp(key + 2, "\0\0", 2));
}

/* Whether what was found across many gaps is a key and not prose. */
static bool is_sane(const uint8_t *key)
{
    static const uint8_t none[AT_ID - AT_OPS];

    if (!key[2])
        return !memcmp(key + AT_OPS, none, sizeof none);
    return !memcmp(key + AT_OPS + 5, none, 3) &&
           !memcmp(key + AT_MEM + 5, none, 3);
}

static enum secret_kind base64_key(struct secret_scan *s, const uint8_t *p,
                                   const uint8_t *end)
{
    static const uint8_t heads[2][8] = {"RWRTY0I", "RWQAAEI"};
    const uint8_t *quick = p + 1;
    unsigned gaps = 0, count = 0;
    uint32_t bits = 0, held = 0;
    size_t len = 0;
    int symbol;

    if (next_symbol(&quick, end, &gaps) != heads[0][1] - 'A')
        return SECRET_NONE;
    gaps = 0;
    while (count < SYMBOLS && (symbol = next_symbol(&p, end, &gaps)) >= 0) {
        bits = bits << 6 | (uint32_t)symbol;
        count++;
        for (held += 6; held >= 8 && len < SECRET_KEY; held -= 8)
            s->key[len++] = (uint8_t)(bits >> (held - 8));
        if (len == 6 && !has_head(s->key))
            return SECRET_NONE;
    }
    return len == SECRET_KEY && (gaps <= GAPS || is_sane(s->key))
               ? SECRET_MINISIGN
               : SECRET_NONE;
}

static enum secret_kind raw_key(struct secret_scan *s, const uint8_t *p,
                                const uint8_t *end)
{
    if (end - p < SECRET_KEY || !has_head(p))
        return SECRET_NONE;
    memcpy(s->key, p, SECRET_KEY);
    return SECRET_MINISIGN;
}

/* ---- texts */

static size_t skip(const uint8_t *p, const uint8_t *end, const char *set)
{
    size_t n = 0;

    while (p + n < end && p[n] && strchr(set, p[n]))
        n++;
    return n;
}

static bool starts(const uint8_t *p, const uint8_t *end, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(end - p) >= len && !memcmp(p, text, len);
}

/* Behind what ends a line in a text or in a string of a program; the key
 * begins there.  NULL: the marker stands alone, as in a program. */
static const uint8_t *pem_body(const uint8_t *p, const uint8_t *end)
{
    bool broken = false;

    while (p < end && (secret_symbol(*p) < 0 || *p == '-')) {
        if (*p == '\n' || *p == '\r' || *p == ' ' || *p == '\\')
            broken = true;
        else if (!*p || *p == '-' || !broken)
            return NULL;
        p += escape_length(p, end);
    }
    return p < end ? p : NULL;
}

/* "-----BEGIN ... PRIVATE KEY-----" with something behind it. */
static bool is_pem(const uint8_t *p, const uint8_t *end)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ";
    size_t dashes = skip(p, end, "-"), len;

    if (dashes < 4)
        return false;
    p += dashes;
    p += skip(p, end, " ");
    if (!starts(p, end, "BEGIN "))
        return false;
    len = skip(p, end, letters);
    if (len > 64 || !memmem(p, len, "PRIVATE KEY", 11))
        return false;
    p += len;
    dashes = skip(p, end, "-");
    return dashes >= 4 && pem_body(p + dashes, end);
}

static bool line_begins(const struct secret_text *t, const uint8_t *p)
{
    while (p > t->begin && (p[-1] == ' ' || p[-1] == '\t'))
        p--;
    if (p == t->begin)
        return t->line;
    /* Also in a string of a program, in an archive, behind a byte order mark.
     */
    return strchr("\n\r\"'", p[-1]) || p[-1] >= 0xbf ||
           (p - t->begin > 1 && p[-2] == '\\');
}

/* The next word of a netrc: its length, 0 at the end.  *p is at its start. */
static size_t next_word(const uint8_t **p, const uint8_t *end)
{
    static const char blanks[] = " \t\r\n";
    size_t len = 0;

    for (;;) {
        *p += skip(*p, end, blanks);
        if (!starts(*p, end, "\\n") && !starts(*p, end, "\\r"))
            break;
        *p += 2;
    }
    while (*p + len < end && (*p)[len] > ' ' && (*p)[len] < 0x7f &&
           !starts(*p + len, end, "\\n") && !starts(*p + len, end, "\\r"))
        len++;
    return len;
}

static bool is_word(const uint8_t *p, size_t len, const char *word)
{
    return len == strlen(word) && !memcmp(p, word, len);
}

/* "machine HOST login NAME password WORD", in any order and over lines.  Prose
 * has no such pairs behind a word with a dot, or a login among them. */
static bool is_netrc(const uint8_t *p, const uint8_t *end)
{
    bool host = false, login = false, password = false;
    size_t len = next_word(&p, end);

    if (is_word(p, len, "machine")) {
        p += len;
        len = next_word(&p, end);
        host = memchr(p, '.', len) || memchr(p, ':', len);
    } else if (!is_word(p, len, "default")) {
        return false;
    }
    for (p += len; (len = next_word(&p, end)) != 0; p += len) {
        if (is_word(p, len, "password") || is_word(p, len, "passwd"))
            password = true;
        else if (is_word(p, len, "login") || is_word(p, len, "user"))
            login = true;
        else if (!is_word(p, len, "account"))
            break;
        p += len;
        if (!(len = next_word(&p, end)))
            return false;
    }
    return password && (host || login);
}

/* Not secrets, and seen on the way: what git leaves where a merge failed. */
static void note_conflict(struct secret_scan *s, const uint8_t *p,
                          const uint8_t *end)
{
    if (starts(p, end, "<<<<<<< "))
        s->ours = true;
    if (s->ours && starts(p, end, ">>>>>>> "))
        s->theirs = true;
}

enum secret_kind secret_form(struct secret_scan *s, const struct secret_text *t,
                             const uint8_t *p)
{
    switch (*p) {
    case 'E':
        return raw_key(s, p, t->end);
    case 'R':
        return base64_key(s, p, t->end);
    case '-':
        return is_pem(p, t->end) ? SECRET_PRIVATE : SECRET_NONE;
    case 'P':
        return starts(p, t->end, "PuTTY-User-Key-File-") ? SECRET_PRIVATE
                                                         : SECRET_NONE;
    case 'A':
        return starts(p, t->end, "AGE-SECRET-KEY-1") ? SECRET_PRIVATE
                                                     : SECRET_NONE;
    case 'm':
    case 'd':
        return line_begins(t, p) && is_netrc(p, t->end) ? SECRET_NETRC
                                                        : SECRET_NONE;
    }
    if (p == t->begin ? t->line : p[-1] == '\n')
        note_conflict(s, p, t->end);
    return SECRET_NONE;
}
