/* A bundle for people and for scripts: all that it says. */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "bundle/format.h"
#include "config/fleet.h"
#include "keys/keys.h"
#include "json.h"
#include "msg.h"
#include "reading.h"
#include "show.h"

enum { HEX_MAX = 2 * OTA_HASH + 1, FIELD_WIDTH = 11 };

static const uint8_t no_base[OTA_DIGEST];

static bool is_full(const struct ota_alternative *a)
{
    return memcmp(a->base, no_base, sizeof no_base) == 0;
}

static const char *hex_text(const uint8_t *buf, size_t len, char out[HEX_MAX])
{
    hex_encode(buf, len, out);
    return out;
}

/* Bytes of the files and slots that were read. */
static uint64_t content_bytes(const struct unpack_result *result)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < result->entry_count; i++)
        bytes += result->entries[i].file.size;
    return bytes;
}

static const char *record_name(uint8_t type)
{
    return type == OTA_SLOT ? "slot" : type == OTA_DELETE ? "delete" : "file";
}

/* -- for people --------------------------------------------------------- */

static void field(const char *name, const char *value)
{
    printf("  %-*s ", FIELD_WIDTH, name);
    msg_text(stdout, value, strlen(value));
    putchar('\n');
}

static void say_device(const struct ota_manifest *m)
{
    char text[128];

    field("device", reading_device(m, text, sizeof text));
    snprintf(text, sizeof text, "%u", m->hardware);
    field("hardware", m->hardware ? text : "any");
}

static void say_release(const struct ota_manifest *m)
{
    char text[64], release[HEX_MAX];

    snprintf(text, sizeof text, "%lu", (unsigned long)m->version);
    field("version", text);
    field("label", *m->label ? m->label : "none");
    field("created", msg_time(m->created, text));
    field("expires", m->expires ? msg_time(m->expires, text) : "never");
    field("release", hex_text(m->release, sizeof m->release, release));
    field("encrypted", m->flags & OTA_ENCRYPTED ? "yes" : "no");
}

static void say_signature(const struct show *s)
{
    char id[KEYS_ID_TEXT];

    keys_id_text(s->result->manifest.key_id, id);
    field("signed by", id);
    field("signature",
          s->signature_checked ? "good" : "not checked (give a key with -k)");
}

static void say_alternatives(const struct ota_manifest *m)
{
    char base[HEX_MAX], name[HEX_MAX], size[MSG_SIZE], space[MSG_SIZE];
    struct ota_alternative a;

    puts("\npayloads");
    for (unsigned i = 0; i < m->alternatives; i++) {
        ota_manifest_alternative(m, i, &a);
        if (is_full(&a))
            printf("  %u  full", i + 1);
        else
            printf("  %u  delta from %s", i + 1,
                   hex_text(a.base, sizeof a.base, base));
        printf(": %s, writes %s in %u record%s\n", msg_size(a.size, size),
               msg_size(a.space, space), a.records, a.records == 1 ? "" : "s");
        printf("     window %u (%u bytes), chunks up to %u bytes, reader "
               "memory %zu bytes\n",
               a.window_bits, 1U << a.window_bits, a.chunk_max,
               OTA_READER_MEMORY(a.window_bits, a.chunk_max));
        printf("     %s\n", hex_text(a.link + LINK_HASH, OTA_HASH, name));
    }
}

static void say_entry(const struct unpack_entry *e)
{
    const struct ota_file *f = &e->file;
    char size[MSG_SIZE], mode[8];

    if (f->mode)
        snprintf(mode, sizeof mode, "%03o", f->mode);
    else
        strcpy(mode, "-");
    if (f->type == OTA_DELETE)
        printf("  %-6s %-4s %10s  ", "delete", "", "");
    else
        printf("  %-6s %-4s %10s  ", record_name(f->type), mode,
               msg_size(f->size, size));
    msg_text(stdout, f->path, strlen(f->path));
    puts(e->has_base ? "  (from what is installed)" : "");
}

static void say_keys(const struct unpack_result *result)
{
    char id[KEYS_ID_TEXT];

    if (result->key_count)
        puts("\nkeys to be trusted from then on");
    for (uint8_t i = 0; i < result->key_count; i++) {
        keys_id_text(result->keys[i] + KEY_ID, id);
        printf("  %s\n", id);
    }
}

static void say_files(const struct unpack_result *result)
{
    char size[MSG_SIZE], wire[MSG_SIZE];
    uint64_t bytes = content_bytes(result);
    struct ota_alternative a;

    ota_manifest_alternative(&result->manifest, result->alternative, &a);
    printf("\nrecords of payload %u\n", result->alternative + 1);
    for (size_t i = 0; i < result->entry_count; i++)
        say_entry(&result->entries[i]);
    printf("  %zu record%s, %s from %s", result->entry_count,
           result->entry_count == 1 ? "" : "s", msg_size(bytes, size),
           msg_size(a.size, wire));
    if (a.size < bytes)
        printf(" (%.1f %%)", 100 * (double)a.size / (double)bytes);
    putchar('\n');
}

void show_text(const struct show *s)
{
    const struct unpack_result *result = s->result;

    msg_text(stdout, s->file, strlen(s->file));
    puts(result->published ? ": a manifest" : ": a bundle");
    say_device(&result->manifest);
    say_release(&result->manifest);
    say_signature(s);
    say_alternatives(&result->manifest);
    if (s->complete) {
        say_keys(result);
        say_files(result);
    } else if (result->payload_missing) {
        fputs("\nrecords: not shown: ", stdout);
        msg_text(stdout, result->detail, strlen(result->detail));
        putchar('\n');
    } else if (result->error == OTA_ERR_DEVICE_KEY) {
        puts("\nrecords: encrypted: give the device's key with --device-key");
    }
}

/* -- for scripts -------------------------------------------------------- */

static void put_manifest(struct json *j, const struct ota_manifest *m)
{
    char device[DEVICE_HEX];

    reading_device_hex(m, device);
    json_string(j, "device", device);
    json_number(j, "hardware", m->hardware);
    json_number(j, "version", m->version);
    json_string(j, "label", m->label);
    json_number(j, "created", m->created);
    json_number(j, "expires", m->expires);
    json_hex(j, "release", m->release, sizeof m->release);
    json_bool(j, "encrypted", m->flags & OTA_ENCRYPTED);
}

static void put_alternative(struct json *j, const struct ota_alternative *a)
{
    json_object(j, NULL);
    if (is_full(a))
        json_string(j, "base", NULL);
    else
        json_hex(j, "base", a->base, sizeof a->base);
    json_number(j, "size", a->size);
    json_number(j, "space", a->space);
    json_number(j, "window_bits", a->window_bits);
    json_number(j, "chunk_max", a->chunk_max);
    json_number(j, "records", a->records);
    json_number(j, "memory", OTA_READER_MEMORY(a->window_bits, a->chunk_max));
    json_hex(j, "payload", a->link + LINK_HASH, OTA_HASH);
    json_object_end(j);
}

static void put_alternatives(struct json *j, const struct ota_manifest *m)
{
    struct ota_alternative a;

    json_array(j, "alternatives");
    for (unsigned i = 0; i < m->alternatives; i++) {
        ota_manifest_alternative(m, i, &a);
        put_alternative(j, &a);
    }
    json_array_end(j);
}

static void put_entry(struct json *j, const struct unpack_entry *e)
{
    const struct ota_file *f = &e->file;
    char mode[8];

    json_object(j, NULL);
    json_string(j, "record", record_name(f->type));
    json_string(j, "path", f->path);
    if (f->type != OTA_DELETE) {
        snprintf(mode, sizeof mode, "%03o", f->mode);
        json_string(j, "mode", f->mode ? mode : NULL);
        json_number(j, "size", f->size);
        json_hex(j, "hash", f->hash, sizeof f->hash);
        json_bool(j, "delta", e->has_base);
    }
    json_object_end(j);
}

static void put_records(struct json *j, const struct unpack_result *result)
{
    char id[KEYS_ID_TEXT];

    json_number(j, "alternative", result->alternative);
    json_number(j, "bytes", content_bytes(result));
    json_array(j, "keys");
    for (uint8_t i = 0; i < result->key_count; i++) {
        keys_id_text(result->keys[i] + KEY_ID, id);
        json_string(j, NULL, id);
    }
    json_array_end(j);
    json_array(j, "records");
    for (size_t i = 0; i < result->entry_count; i++)
        put_entry(j, &result->entries[i]);
    json_array_end(j);
}

void show_json(const struct show *s)
{
    const struct unpack_result *result = s->result;
    char id[KEYS_ID_TEXT];
    struct json j;

    json_begin(&j, stdout, "show");
    json_string(&j, "file", s->file);
    json_string(&j, "form", result->published ? "manifest" : "otab");
    put_manifest(&j, &result->manifest);
    keys_id_text(result->manifest.key_id, id);
    json_string(&j, "key", id);
    json_string(&j, "signature", s->signature_checked ? "good" : "not checked");
    put_alternatives(&j, &result->manifest);
    if (s->complete)
        put_records(&j, result);
    json_end(&j);
}
