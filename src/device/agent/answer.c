/* Login pages, proxies that compress, connections that break off: all that
 * stands between a device and its server answers in its place. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "answer.h"

enum kind { PAGE, COMPRESSED, EMPTY, TEXT_ONLY, CUT, OTHER };

static const struct {
    const char *is, *next;
} kinds[] = {
    [PAGE] = {"is a web page", "a login or a maintenance page? open it in a "
                               "browser on this network"},
    [COMPRESSED] = {"came compressed, which was not asked for",
                    "switch compression off at the server, or at the proxy in "
                    "between"},
    [EMPTY] = {"came empty",
               "the next poll asks again; if it stays so, run 'ota-pack verify "
               "--server'"},
    [TEXT_ONLY] = {"is a text",
                   "an error of the server, or of a proxy in between? look at "
                   "it with curl"},
    [CUT] = {"was cut off", "the next poll asks again"},
    [OTHER] = {"is something else",
               "does '--url' name the folder that is published to?"},
};

static bool begins(const struct fetch_answer *a, const char *text, size_t at)
{
    size_t n = strlen(text);

    return at + n <= FETCH_FIRST && a->got >= at + n &&
           strncasecmp((const char *)a->first + at, text, n) == 0;
}

static bool is_printable(const struct fetch_answer *a)
{
    size_t i, n = a->got < FETCH_FIRST ? (size_t)a->got : FETCH_FIRST;

    for (i = 0; i < n; i++) {
        if (a->first[i] >= 0x7f ||
            (a->first[i] < 0x20 && !strchr("\t\r\n\f", a->first[i])))
            return false;
    }
    return n > 0;
}

static bool is_page(const struct fetch_answer *a)
{
    static const char *const tags[] = {"<!doctype", "<!--",   "<html",
                                       "<?xml",     "<head",  "<body",
                                       "<meta",     "<script"};
    size_t at = begins(a, "\xef\xbb\xbf", 0) ? 3 : 0, i;

    while (at < FETCH_FIRST && at < a->got && a->first[at] &&
           strchr(" \t\r\n", a->first[at]))
        at++;
    for (i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
        if (begins(a, tags[i], at))
            return true;
    }
    return strcasestr(a->type, "html") && is_printable(a);
}

static bool is_compressed(const struct fetch_answer *a)
{
    return (*a->encoding && strcasecmp(a->encoding, "identity") != 0) ||
           begins(a, "\x1f\x8b\x08", 0);
}

bool answer_is_foreign(const struct fetch_answer *a)
{
    return a->got > 0 && (is_page(a) || is_compressed(a));
}

/* How it begins counts for more than how long it is: a page that was cut is a
 * page. */
static enum kind kind_of(const struct fetch_answer *a)
{
    bool ours = begins(a, "OTA", 0);

    if (a->got == 0)
        return EMPTY;
    if (is_compressed(a) && !ours)
        return COMPRESSED;
    if (is_page(a))
        return PAGE;
    if (is_printable(a) && !ours)
        return TEXT_ONLY;
    return ours || a->result == FETCH_CUT ? CUT : OTHER;
}

/* "no Content-Type", or "Content-Type 'text/html'". */
static int put_header(char *out, size_t size, const char *name,
                      const char *value)
{
    return *value ? snprintf(out, size, "%s '%s'", name, value)
                  : snprintf(out, size, "no %s", name);
}

/* Its length, its headers, where it came from. */
static void put_details(const struct fetch_answer *a, uint64_t whole, char *out,
                        size_t size)
{
    char of[32] = "", type[96], encoding[64];

    if (whole > a->got)
        snprintf(of, sizeof(of), " of %llu", (unsigned long long)whole);
    put_header(type, sizeof(type), "Content-Type", a->type);
    put_header(encoding, sizeof(encoding), "Content-Encoding", a->encoding);
    snprintf(out, size, "%llu%s bytes, %s, %s, from '%s'",
             (unsigned long long)a->got, of, type, encoding, a->url);
}

const char *answer_words(const struct fetch_answer *a, const char *what,
                         uint64_t whole, char out[ANSWER_WORDS])
{
    enum kind kind = kind_of(a);
    char details[FETCH_URL + 256];

    /* it brought bytes of a payload, and no more */
    if (whole > a->got && kind == OTHER)
        kind = CUT;
    put_details(a, whole, details, sizeof(details));
    snprintf(out, ANSWER_WORDS, "the %s %s (%s): %s", what, kinds[kind].is,
             details, kinds[kind].next);
    return out;
}

/* -- other statuses ---------------------------------------------------------
 */

static const struct {
    long from, to;
    const char *next;
} statuses[] = {
    {204, 204, "there is nothing in it: look into the server's log"},
    {300, 399,
     "it leads nowhere: does '--url' name the folder that is "
     "published to?"},
    {401, 401,
     "let devices read without a login, or give '--url' one: "
     "http://USER:PASSWORD@HOST/"},
    {403, 403,
     "the web server may not give it away: look at the modes of the "
     "published files"},
    {407, 407, "the proxy wants a login: see http_proxy"},
    {416, 416,
     "what is there is shorter than it should be: run 'ota-pack "
     "verify --server'"},
    {429, 429, "too many ask: the next poll asks again"},
    {511, 511, "this network wants a login: open a browser there"},
    {500, 599, "look into the server's log; the next poll asks again"},
};

const char *answer_status(const struct fetch_answer *a, char out[ANSWER_WORDS])
{
    const char *next = "the next poll asks again";
    size_t i;

    for (i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
        if (a->status >= statuses[i].from && a->status <= statuses[i].to) {
            next = statuses[i].next;
            break;
        }
    }
    snprintf(out, ANSWER_WORDS, "answered %ld: %s", a->status, next);
    return out;
}
