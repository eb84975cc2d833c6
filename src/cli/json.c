/* The JSON writer: escapes, commas, and nothing that needs memory. */
#include <string.h>

#include "base/utf8.h"
#include "json.h"

/* ota-pack-json(5): a higher one where a member goes or means another thing. */
enum { JSON_SCHEMA = 1 };

/* Also what acts on a terminal is escaped; all of it lies below U+10000. */
static void put_char(FILE *out, const char *s, size_t len, uint32_t point)
{
    if (point == '"' || point == '\\')
        fprintf(out, "\\%c", (int)point);
    else if (point == '\n')
        fputs("\\n", out);
    else if (point == '\t')
        fputs("\\t", out);
    else if (point <= 0xffff && utf8_control(point))
        fprintf(out, "\\u%04x", (unsigned)point);
    else
        fwrite(s, 1, len, out);
}

static void put_string(FILE *out, const char *text, size_t len)
{
    uint32_t point;
    size_t n;

    putc('"', out);
    for (; len; text += n, len -= n) {
        n = utf8_next(text, len, &point);
        if (n) {
            put_char(out, text, n, point);
        } else {
            fputs("\\ufffd", out);
            n = 1;
        }
    }
    putc('"', out);
}

static void member(struct json *j, const char *key)
{
    if (j->comma)
        putc(',', j->out);
    j->comma = true;
    if (key) {
        put_string(j->out, key, strlen(key));
        putc(':', j->out);
    }
}

void json_begin(struct json *j, FILE *out, const char *type)
{
    j->out = out;
    j->comma = false;
    putc('{', out);
    json_string(j, "type", type);
}

void json_end(struct json *j)
{
    json_number(j, "v", JSON_SCHEMA);
    fputs("}\n", j->out);
}

void json_string(struct json *j, const char *key, const char *text)
{
    member(j, key);
    if (text)
        put_string(j->out, text, strlen(text));
    else
        fputs("null", j->out);
}

void json_number(struct json *j, const char *key, uint64_t value)
{
    member(j, key);
    fprintf(j->out, "%llu", (unsigned long long)value);
}

void json_bool(struct json *j, const char *key, bool value)
{
    member(j, key);
    fputs(value ? "true" : "false", j->out);
}

void json_hex(struct json *j, const char *key, const uint8_t *buf, size_t len)
{
    member(j, key);
    putc('"', j->out);
    for (size_t i = 0; i < len; i++)
        fprintf(j->out, "%02x", buf[i]);
    putc('"', j->out);
}

void json_object(struct json *j, const char *key)
{
    member(j, key);
    putc('{', j->out);
    j->comma = false;
}

void json_object_end(struct json *j)
{
    putc('}', j->out);
    j->comma = true;
}

void json_array(struct json *j, const char *key)
{
    member(j, key);
    putc('[', j->out);
    j->comma = false;
}

void json_array_end(struct json *j)
{
    putc(']', j->out);
    j->comma = true;
}
