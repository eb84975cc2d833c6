/* Words that name no release or device, for what they are. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "fleet.h"

/* "0x246f28aabbcc", "24 6f 28 ...": digits and what people put between them. */
static int parse_digits(const char *text, struct device_id *id)
{
    char hex[DEVICE_HEX];
    size_t len = 0;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    for (; *text; text++) {
        if (strchr(" :.-_", *text))
            continue;
        if (len + 1 == sizeof hex)
            return -1;
        hex[len++] = *text;
    }
    return device_id_parse(hex, len, id);
}

/* The id in a path as "public/devices/246f28aabbcc/manifest". */
static int parse_path(const char *text, struct device_id *id)
{
    int result = -1;

    for (size_t len; *text; text += len + (text[len] == '/')) {
        len = strcspn(text, "/");
        if (device_id_parse(text, len, id) == 0)
            result = 0;
    }
    return result;
}

static bool say_id(const char *word)
{
    struct device_id id;
    char text[DEVICE_TEXT];

    if (device_id_parse(word, strlen(word), &id) == 0 ||
        (strchr(word, '/') ? parse_path(word, &id) : parse_digits(word, &id)))
        return false;
    device_id_text(&id, text);
    diag_error(DIAG_USAGE,
               "'%s' is not how an id is written: that would be '%s'", word,
               text);
    return true;
}

static bool ends_in(const char *word, const char *end)
{
    size_t len = strlen(word), end_len = strlen(end);

    return len > end_len && strcmp(word + len - end_len, end) == 0;
}

static bool say_file(const char *word)
{
    struct stat st;

    if (stat(word, &st) < 0)
        return false;
    if (S_ISDIR(st.st_mode))
        diag_error(DIAG_USAGE,
                   "'%s' is a folder: name releases, or devices by name or id",
                   word);
    else if (ends_in(word, ".yml") || ends_in(word, ".yaml"))
        diag_error(DIAG_USAGE,
                   "'%s' is a file: a configuration is named with '-c'", word);
    else
        diag_error(DIAG_USAGE,
                   "'%s' is a file: name releases, or devices by name or id",
                   word);
    return true;
}

bool fleet_say_other(const char *word, bool near)
{
    return say_id(word) || (!near && say_file(word));
}
