/* What a path on a device may be, with the reason for people. */
#include "path.h"

#include <ota/bundle.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* U+202A to U+202E and U+2066 to U+2069: text that reads in another order
 * than it is written. */
static bool has_bidi_control(const char *s)
{
    for (; (s = strstr(s, "\xe2")); s++) {
        uint8_t b = (uint8_t)s[1], c = b ? (uint8_t)s[2] : 0;

        if ((b == 0x80 && c >= 0xaa && c <= 0xae) ||
            (b == 0x81 && c >= 0xa6 && c <= 0xa9))
            return true;
    }
    return false;
}

static bool has_control(const char *s)
{
    for (; *s; s++) {
        uint8_t c = (uint8_t)s[0], d = (uint8_t)s[1];

        if (c < 0x20 || c == 0x7f || (c == 0xc2 && d >= 0x80 && d < 0xa0))
            return true;
    }
    return false;
}

static const char *component_problem(const char *s, size_t len, bool first)
{
    if (len == 0)
        return "it has an empty component ('//', or '/' at an end)";
    if (len <= 2 && !memcmp(s, "..", len))
        return "it has a component '.' or '..'";
    if (s[len - 1] == '.' || s[len - 1] == ' ')
        return "a component ends in '.' or ' ', which FAT drops";
    if (first && len == 4 && !strncasecmp(s, ".ota", 4))
        return "'.ota' belongs to the installer";
    return NULL;
}

static const char *first_problem(const char *path)
{
    const char *s = path, *why;

    if (!*path)
        return "it is empty";
    if (strlen(path) > OTA_PATH)
        return "it is longer than 255 bytes";
    for (;; s++) {
        size_t len = strcspn(s, "/");

        if ((why = component_problem(s, len, s == path)))
            return why;
        s += len;
        if (!*s)
            break;
    }
    if (strpbrk(path, "\"*:<>?|~\\"))
        return "it holds one of \" * : < > ? | ~ \\";
    if (has_control(path))
        return "it holds a control character";
    return has_bidi_control(path) ? "it holds a bidirectional control" : NULL;
}

const char *path_problem(const char *path)
{
    const char *why = first_problem(path);

    if (!why && ota_path_check(path, strlen(path)) != OTA_OK)
        why = "it is not valid UTF-8"; /* the one rule left */
    return why;
}
