/* Patterns of ota-pack.yml(5) against paths: component by component, and one
 * character of UTF-8 at a time within them. */
#include "tree_internal.h"
#include "base/compose.h"

#include <string.h>

static size_t component(const char *s)
{
    return strcspn(s, "/");
}

/* The component after this one, NULL behind the last; a '/' at the end counts
 * for nothing. */
static const char *following_part(const char *s)
{
    s += component(s);
    return s[0] == '/' && s[1] ? s + 1 : NULL;
}

static bool is_span(const char *s)
{
    return component(s) == 2 && s[0] == '*' && s[1] == '*';
}

/* One character, with its accent; a byte that is no UTF-8 counts as one, apart
 * from all others. */
static uint32_t take(const char **s, const char *end)
{
    uint32_t c = 0;
    size_t len = compose_next(*s, (size_t)(end - *s), &c);

    if (!len) {
        c = 0x80000000u | (uint8_t) * *s;
        len = 1;
    }
    *s += len;
    return c;
}

/* Behind the ']' of the class that `p` opens, or NULL: it stays open, and '['
 * is an ordinary character. */
static const char *class_end(const char *p, const char *end)
{
    p++;
    if (p < end && (*p == '!' || *p == '^'))
        p++;
    if (p < end && *p == ']')
        p++;
    while (p < end && *p != ']')
        p++;
    return p < end ? p + 1 : NULL;
}

static bool class_has(const char *p, const char *end, uint32_t c)
{
    const char *last = end - 1; /* the closing bracket */
    bool negated, in = false;

    p++;
    negated = *p == '!' || *p == '^';
    p += negated;
    do {
        uint32_t from = take(&p, last), to = from;

        if (last - p >= 2 && *p == '-') {
            p++;
            to = take(&p, last);
        }
        in = in || (from <= c && c <= to);
    } while (p < last);
    return in != negated;
}

/* One character of the name against one element of the pattern. */
static bool element(const char **p, const char *p_end, const char **s,
                    const char *s_end)
{
    uint32_t c = take(s, s_end);
    const char *end = **p == '[' ? class_end(*p, p_end) : NULL;
    bool in;

    if (end) {
        in = class_has(*p, end, c);
        *p = end;
        return in;
    }
    if (**p == '?') {
        ++*p;
        return true;
    }
    return take(p, p_end) == c;
}

/* Going back to the last star alone is enough: what an earlier one could still
 * take, the last one can. */
static bool match_component(const char *p, const char *s)
{
    const char *p_end = p + component(p), *s_end = s + component(s);
    const char *back_p = NULL, *back_s = NULL;

    while (s < s_end) {
        if (p < p_end && *p == '*') {
            back_p = ++p;
            back_s = s;
        } else if (!(p < p_end && element(&p, p_end, &s, s_end))) {
            if (!back_p)
                return false;
            p = back_p;
            take(&back_s, s_end);
            s = back_s;
        }
    }
    while (p < p_end && *p == '*')
        p++;
    return p == p_end;
}

bool tree_match(const char *pattern, const char *path)
{
    const char *p = pattern, *s = path;
    const char *back_p = NULL, *back_s = NULL;

    while (s) {
        if (p && is_span(p)) {
            back_p = p = following_part(p);
            back_s = s;
            if (!p)
                return true;
        } else if (p && match_component(p, s)) {
            p = following_part(p);
            s = following_part(s);
        } else {
            if (!back_p)
                return false;
            p = back_p;
            s = back_s = following_part(back_s);
        }
    }
    return !p;
}

bool tree_match_below(const char *pattern, const char *folder)
{
    const char *p = pattern, *s;

    for (s = folder; s; s = following_part(s)) {
        const char *next = following_part(p);

        if (is_span(p))
            return true;
        if (!next || !match_component(p, s))
            return false;
        p = next;
    }
    return true;
}

static bool wild_component(const char *s)
{
    const char *end = s + component(s);

    for (; s < end; s++) {
        if (*s == '*' || *s == '?' || (*s == '[' && class_end(s, end)))
            return true;
    }
    return false;
}

bool tree_wild(const char *text)
{
    const char *s;

    for (s = text; s; s = following_part(s)) {
        if (wild_component(s))
            return true;
    }
    return false;
}

size_t tree_wild_prefix(const char *pattern)
{
    const char *s;

    for (s = pattern; s; s = following_part(s)) {
        if (wild_component(s))
            return (size_t)(s - pattern);
    }
    return 0;
}

/* The name's first component in lower case, as far as ASCII goes; "" where it
 * is longer than any. */
static void lower_component(const char *name, char out[256])
{
    size_t len = component(name);

    if (len > 255)
        len = 0;
    for (size_t i = 0; i < len; i++)
        out[i] =
            name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
    out[len] = '\0';
}

/* In whatever case: FAT and desktops are not of one mind.  What git's mergetool
 * leaves is as it writes it: "net_local_1.py" is a person's. */
static bool is_left(const char *name)
{
    static const char *const left[] = {
        ".git",
        ".svn",
        ".hg",
        "cvs",
        "__pycache__",
        "*~",
        "~$*",
        "#*#",
        "*.sw[g-p]",
        "*.bak",
        "*.tmp",
        "*.save",
        "*.orig",
        "*.rej",
        "nohup.out",
        ".ds_store",
        "__macosx",
        "icon\r",
        "desktop.ini",
        "thumbs.db",
        "ehthumbs*.db",
        "$recycle.bin",
        "system volume information",
    };
    static const char *const exact[] = {
        "*.BACKUP.[0-9]*", "*.BASE.[0-9]*", "*.LOCAL.[0-9]*", "*.REMOTE.[0-9]*",
        "*_BACKUP_[0-9]*", "*_BASE_[0-9]*", "*_LOCAL_[0-9]*", "*_REMOTE_[0-9]*",
    };
    char lower[256] = "";

    lower_component(name, lower);
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        if (match_component(left[i], lower))
            return true;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        if (match_component(exact[i], name))
            return true;
    return false;
}

bool tree_passes_over(const char *pattern, const char *name)
{
    if (is_left(name))
        return true;
    if (*name != '.')
        return false;
    for (const char *p = pattern; p; p = following_part(p))
        if (*p == '.' && match_component(p, name))
            return false;
    return true;
}
