/* "Did you mean": the candidate that is nearest to what was typed. */
#include <string.h>
#include <strings.h>
#include "diag.h"

/* Longer words are compared for equality alone. */
enum { LONGEST = 64 };

/* What other tools call it, where spelling is no guide. */
static const struct {
    const char *theirs, *ours;
} synonyms[] = {
    {"boards", "devices"},   {"chmod", "mode"},      {"description", "label"},
    {"dest", "to"},          {"destination", "to"},  {"dst", "to"},
    {"fleet", "devices"},    {"hosts", "devices"},   {"hw", "hardware"},
    {"ignore", "exclude"},   {"image", "slot"},      {"include", "files"},
    {"list", "status"},      {"mac", "id"},          {"memory", "ram"},
    {"nodes", "devices"},    {"partition", "slot"},  {"path", "from"},
    {"permissions", "mode"}, {"private_key", "key"}, {"push", "publish"},
    {"remove", "delete"},    {"rev", "version"},     {"secret_key", "key"},
    {"source", "from"},      {"sources", "files"},   {"src", "from"},
    {"targets", "devices"},  {"title", "label"},     {"ttl", "expires"},
    {"upload", "publish"},   {"url", "server"},      {"validity", "expires"},
};

static const char *find_synonym(const char *typed,
                                const char *const *candidates, size_t count)
{
    for (size_t i = 0; i < sizeof synonyms / sizeof synonyms[0]; i++) {
        if (strcasecmp(typed, synonyms[i].theirs) != 0)
            continue;
        for (size_t j = 0; j < count; j++)
            if (strcmp(synonyms[i].ours, candidates[j]) == 0)
                return candidates[j];
    }
    return NULL;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Damerau-Levenshtein, each of insert, delete, change and swap of neighbours
 * costs 1; rows for i, i - 1 and i - 2 characters of a. */
static unsigned distance(const char *a, size_t a_len, const char *b,
                         size_t b_len)
{
    unsigned rows[3][LONGEST + 1], cost;
    unsigned *now, *last, *before;

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        now = rows[i % 3];
        last = rows[(i + 2) % 3];
        before = rows[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            cost = lower(a[i - 1]) != lower(b[j - 1]);
            now[j] = least(least(now[j - 1], last[j]) + 1, last[j - 1] + cost);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

const char *diag_suggest(const char *typed, const char *const *candidates,
                         size_t count)
{
    const char *best = find_synonym(typed, candidates, count);
    unsigned best_distance = LONGEST, d;
    size_t typed_len = strlen(typed), len, longer, limit, gap;

    if (best || !typed_len || typed_len > LONGEST)
        return best;
    for (size_t i = 0; i < count; i++) {
        len = strlen(candidates[i]);
        longer = len > typed_len ? len : typed_len;
        gap = longer - (len > typed_len ? typed_len : len);
        limit = longer / 3 > 1 ? longer / 3 : 1;
        if (longer > LONGEST || gap > limit)
            continue;
        d = distance(typed, typed_len, candidates[i], len);
        if (d <= limit && d < longer && d < best_distance) {
            best = candidates[i];
            best_distance = d;
        }
    }
    return best;
}
