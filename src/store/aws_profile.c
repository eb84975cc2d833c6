/* A profile file: sections in brackets, "key = value" lines, lines that stand
 * further in than the key before them, which belong to it. */
#include <stdlib.h>
#include <string.h>

#include "aws.h"

static const char blank[] = " \t\r";

/* A part of a line. */
struct span {
    const char *at;
    size_t len;
};

static struct span trimmed(const char *at, size_t len)
{
    while (len && strchr(blank, *at)) {
        at++;
        len--;
    }
    while (len && strchr(blank, at[len - 1]))
        len--;
    return (struct span){at, len};
}

static bool is_word(struct span s, const char *word)
{
    return s.len == strlen(word) && strncmp(s.at, word, s.len) == 0;
}

/* "NAME", or in the other file "profile NAME", perhaps in quotes. */
static bool is_section(struct span line, bool config, const char *name)
{
    const char *end = memchr(line.at, ']', line.len);
    struct span s;

    if (!end)
        return false;
    s = trimmed(line.at + 1, (size_t)(end - line.at - 1));
    if (config && s.len > 8 && strncmp(s.at, "profile", 7) == 0 &&
        strchr(blank, s.at[7]))
        s = trimmed(s.at + 8, s.len - 8);
    else if (config && !is_word(s, "default"))
        return false;
    if (s.len >= 2 && strchr("\"'", *s.at) && s.at[s.len - 1] == *s.at)
        s = (struct span){s.at + 1, s.len - 2};
    return is_word(s, name);
}

/* A remark begins with a blank and '#' or ';'. */
static struct span value_of(const char *at, size_t len)
{
    for (size_t i = 1; i < len; i++)
        if (strchr("#;", at[i]) && strchr(blank, at[i - 1]))
            len = i;
    return trimmed(at, len);
}

static void keep(char **into, struct span value)
{
    if (*into)
        explicit_bzero(*into, strlen(*into));
    free(*into);
    *into = value.len ? strndup(value.at, value.len) : NULL;
}

/* A role is asked for with the keys that stand beside it. */
static void note_other(struct span key, const char **other)
{
    static const char *const keys[] = {"role_arn",
                                       "credential_process",
                                       "credential_source",
                                       "login_session",
                                       "sso_session",
                                       "sso_start_url",
                                       "web_identity_token_file"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (is_word(key, keys[i]) && (!*other || i == 0))
            *other = keys[i];
}

static void take(struct span key, struct span value, struct store_aws *out,
                 const char **other)
{
    const struct {
        const char *key;
        char **into;
    } members[] = {{"aws_access_key_id", &out->id},
                   {"aws_secret_access_key", &out->secret},
                   {"aws_session_token", &out->token},
                   {"region", &out->region}};

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (is_word(key, members[i].key))
            keep(members[i].into, value);
    note_other(key, other);
}

bool store_aws_profile(const char *text, bool config, const char *name,
                       struct store_aws *out, const char **other)
{
    bool found = false, ours = false;
    size_t deep = SIZE_MAX; /* how far in the last key stands */

    *out = (struct store_aws){0};
    *other = NULL;
    while (*text) {
        size_t len = strcspn(text, "\n"), in = strspn(text, " \t");
        struct span line = trimmed(text, len);
        const char *equals = memchr(line.at, '=', line.len);

        text += len + (text[len] == '\n');
        if (!line.len || strchr("#;", *line.at) || in > deep)
            continue;
        deep = in;
        if (*line.at == '[') {
            ours = is_section(line, config, name);
            found = found || ours;
            deep = SIZE_MAX;
        } else if (ours && equals) {
            take(
                trimmed(line.at, (size_t)(equals - line.at)),
                value_of(equals + 1, (size_t)(line.at + line.len - equals - 1)),
                out, other);
        }
    }
    return found;
}
