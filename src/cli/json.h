/* JSON for scripts: one object a line, "type" first. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    bool comma; /* before the next member */
};

/* {"type":"TYPE" on a new line, and the end of the line. */
void json_begin(struct json *j, FILE *out, const char *type);
void json_end(struct json *j);

/* Members; key NULL within an array.  text NULL is null.  Bytes that are not
 * UTF-8 become U+FFFD. */
void json_string(struct json *j, const char *key, const char *text);
void json_number(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* Bytes as lower-case hex. */
void json_hex(struct json *j, const char *key, const uint8_t *buf, size_t len);

void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);

#endif
