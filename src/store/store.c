/* What holds for all stores. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/diag.h"
#include "base/hex.h"
#include "store.h"

int store_get(struct store *s, const char *name, size_t max, uint8_t **bytes,
              size_t *len)
{
    int result = s->ops->get(s, name, max, bytes, len);

    if (result != STORE_LONG)
        return result;
    if (store_is_strange(s, name, 0, max))
        return -1;
    return diag_error(DIAG_SERVER,
                      "'%s/%s' is not one of ours: it has more than %zu bytes",
                      s->where, name, max);
}

static bool is_text(const struct store_source *f)
{
    for (size_t i = 0; i < f->first_len; i++)
        if (f->first[i] < ' ' && !strchr("\t\r\n", f->first[i]))
            return false;
    return f->first_len > 0;
}

static bool begins(const struct store_source *f, size_t at, const char *with)
{
    size_t len = strlen(with);

    return f->first_len - at >= len &&
           strncasecmp((const char *)f->first + at, with, len) == 0;
}

/* What the first bytes look like, or NULL: it may be one of ours.  Of an object
 * that is `exact`, text and nothing are strange, too. */
static const char *looks_like(const struct store_source *f, bool exact)
{
    size_t at = 0;

    if (begins(f, 0, "\x1f\x8b"))
        return "gzip data";
    if (begins(f, 0, "\x28\xb5\x2f\xfd"))
        return "zstd data";
    if (begins(f, 0, "\xef\xbb\xbf"))
        at = 3;
    while (at < f->first_len && strchr(" \t\r\n", f->first[at]))
        at++;
    if (begins(f, at, "<?xml"))
        return "XML";
    if (is_text(f) && begins(f, at, "<"))
        return "a web page"; /* and no payload whose first byte is one */
    if (is_text(f) && (begins(f, at, "{") || begins(f, at, "[")))
        return "JSON";
    if (*f->encoding && strcasecmp(f->encoding, "identity") != 0)
        return "compressed data";
    if (!exact)
        return NULL;
    return !f->first_len ? "nothing" : is_text(f) ? "text" : NULL;
}

bool store_is_strange(const struct store *s, const char *name, size_t bytes,
                      size_t len)
{
    const struct store_source *f = &s->source;
    const char *what = looks_like(f, bytes > 0);
    char cut[64] = "";

    if (bytes > len)
        snprintf(cut, sizeof cut, "the first %zu of %zu bytes", len, bytes);
    if (!f->known || (!what && !*cut))
        return false;
    diag_error(DIAG_SERVER, "'%s/%s' answers with %s%s%s%s%s%s", s->where, name,
               what ? what : cut,
               what ? " in place of what was published (Content-Type: "
                    : " (Content-Type: ",
               *f->type ? f->type : "none",
               *f->encoding ? ", Content-Encoding: " : "", f->encoding,
               what ? "): a login, maintenance, or something on the way? "
                      "nothing was changed; look at that URL, and try again"
                    : "): was it cut on the way? try again; if it is no longer "
                      "on the server's disk, put it back from a copy");
    return true;
}

char *store_trimmed(const char *text)
{
    size_t len = strlen(text);

    while (len && text[len - 1] == '/')
        len--;
    return strndup(text, len);
}

void store_ahead(struct store *s, enum store_verb verb, const char *name,
                 size_t max)
{
    if (s->ops->ahead)
        s->ops->ahead(s, verb, name, max);
}

bool store_lost(struct store *s)
{
    return s->ops->lost && s->ops->lost(s);
}

struct store_meter *store_meter(const struct store *s, enum store_class class)
{
    return class == STORE_SHARD || class == STORE_HEAD ? NULL : s->meter;
}

void store_dice(char *hex, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = 0;

        (void)!getrandom(&byte, 1, 0);
        hex_encode(&byte, 1, hex + 2 * i);
    }
}
