/* A device's id as people write it: one grammar for all who read one. */
#include <ota/bundle.h>
#include <string.h>

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits between separators: 0 for bare hex, -1 for no known spelling. */
static int group_of(const char *text, size_t len)
{
    if (len == 12 || len == 16)
        return 0;
    if ((len == 17 || len == 23) && (text[2] == ':' || text[2] == '-'))
        return 2;
    return (len == 14 || len == 19) && text[4] == '.' ? 4 : -1;
}

uint8_t ota_device_parse(const char *text, size_t len, uint8_t id[8])
{
    int group = group_of(text, len), digit, in_group = 0;
    uint8_t out[8] = {0};
    unsigned digits = 0;
    size_t i;

    if (group < 0)
        return 0;
    for (i = 0; i < len; i++) {
        if (group > 0 && in_group++ == group) {
            if (text[i] != text[group])
                return 0;
            in_group = 0;
            continue;
        }
        if ((digit = digit_of(text[i])) < 0)
            return 0;
        out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | digit);
        digits++;
    }
    memcpy(id, out, sizeof(out));
    return (uint8_t)(digits / 2);
}
