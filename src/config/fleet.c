/* Devices: ids in every spelling, and a table that no device is in twice. */
#include <stdlib.h>
#include <string.h>
#include "fleet_reading.h"
#include "base/array.h"
#include "base/hex.h"
#include "base/utf8.h"
#include <ota/bundle.h>

int device_id_parse(const char *text, size_t len, struct device_id *id)
{
    uint8_t id_len = ota_device_parse(text, len, id->bytes);

    if (!id_len)
        return -1;
    id->len = id_len;
    return 0;
}

void device_id_hex(const struct device_id *id, char out[DEVICE_HEX])
{
    hex_encode(id->bytes, id->len, out);
}

void device_id_text(const struct device_id *id, char out[DEVICE_TEXT])
{
    for (unsigned i = 0; i < id->len; i++) {
        hex_encode(id->bytes + i, 1, out + 3 * i);
        out[3 * i + 2] = i + 1 < id->len ? ':' : '\0';
    }
}

int device_id_compare(const struct device_id *a, const struct device_id *b)
{
    int r = memcmp(a->bytes, b->bytes, sizeof a->bytes);

    return r ? r : (int)a->len - (int)b->len;
}

const char *device_value(const struct device *d, const char *key, size_t len,
                         char *hex)
{
    if (len == 2 && memcmp(key, "id", 2) == 0) {
        device_id_hex(&d->id, hex);
        return hex;
    }
    if (len == 4 && memcmp(key, "name", 4) == 0)
        return d->name;
    for (const struct device_value *v = d->values; v; v = v->next)
        if (strncmp(v->key, key, len) == 0 && !v->key[len])
            return v->value;
    return NULL;
}

/* splitmix64's last step. */
static size_t mix(uint64_t h)
{
    h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
    h = (h ^ h >> 27) * 0x94d049bb133111ebu;
    return (size_t)(h ^ h >> 31);
}

static size_t hash_id(const struct device_id *id)
{
    uint64_t h;

    memcpy(&h, id->bytes, sizeof h);
    return mix(h + id->len);
}

static size_t hash_name(const char *name)
{
    uint64_t h = 0;

    for (; *name; name++)
        h = h * 31 + (unsigned char)*name;
    return mix(h);
}

static uint32_t *find_id(const struct fleet *f, const struct device_id *id)
{
    const struct fleet_table *t = &f->ids;
    size_t i = hash_id(id) & t->mask;

    while (t->slots[i] &&
           device_id_compare(&f->devices[t->slots[i] - 1].id, id) != 0)
        i = (i + 1) & t->mask;
    return &t->slots[i];
}

static uint32_t *find_name(const struct fleet *f, const char *name)
{
    const struct fleet_table *t = &f->names;
    size_t i = hash_name(name) & t->mask;

    while (t->slots[i] && strcmp(f->devices[t->slots[i] - 1].name, name) != 0)
        i = (i + 1) & t->mask;
    return &t->slots[i];
}

/* Makes room for one more; *old is what the slots were, to be put in anew. */
static int widen(struct fleet_table *t, uint32_t **old, size_t *old_size)
{
    size_t size = t->slots ? 2 * (t->mask + 1) : 64;
    uint32_t *slots;

    *old = NULL;
    *old_size = 0;
    if (t->slots && 2 * (t->used + 1) <= t->mask + 1)
        return 0;
    if (!(slots = calloc(size, sizeof *slots)))
        return diag_no_memory();
    *old = t->slots;
    *old_size = t->slots ? t->mask + 1 : 0;
    t->slots = slots;
    t->mask = size - 1;
    return 0;
}

static int widen_ids(struct fleet *f)
{
    uint32_t *old;
    size_t size;

    if (widen(&f->ids, &old, &size) < 0)
        return -1;
    for (size_t i = 0; i < size; i++)
        if (old[i])
            *find_id(f, &f->devices[old[i] - 1].id) = old[i];
    free(old);
    return 0;
}

static int widen_names(struct fleet *f)
{
    uint32_t *old;
    size_t size;

    if (widen(&f->names, &old, &size) < 0)
        return -1;
    for (size_t i = 0; i < size; i++)
        if (old[i])
            *find_name(f, f->devices[old[i] - 1].name) = old[i];
    free(old);
    return 0;
}

static int widen_list(struct fleet *f)
{
    if (f->count > UINT32_MAX / 2) /* the tables have 32 bits for a place */
        return diag_no_memory();
    return array_grow(&f->devices, f->count, &f->room, sizeof *f->devices);
}

static void say_twice(const struct fleet *f, const struct device *d,
                      const struct device *first)
{
    char id[DEVICE_TEXT];

    device_id_text(&d->id, id);
    if (d->release == first->release)
        diag_error_at(DIAG_CONFIG, d->mark,
                      "device %s is listed twice in release '%s'", id,
                      f->releases[d->release]);
    else
        diag_error_at(DIAG_CONFIG, d->mark,
                      "device %s is in two releases, '%s' and '%s'", id,
                      f->releases[first->release], f->releases[d->release]);
    diag_note_at(first->mark, "first listed here");
}

static void say_name_twice(const struct device *d, const struct device *first)
{
    char id[DEVICE_TEXT];

    device_id_text(&first->id, id);
    diag_error_at(DIAG_CONFIG, d->mark, "two devices are named '%s'", d->name);
    diag_note_at(first->mark, "the other one is %s", id);
}

int fleet_add(struct fleet *f, const struct device *d)
{
    uint32_t *id, *name = NULL;

    if (widen_ids(f) < 0 || widen_names(f) < 0 || widen_list(f) < 0)
        return -1;
    id = find_id(f, &d->id);
    if (*id) {
        say_twice(f, d, &f->devices[*id - 1]);
        return 0;
    }
    if (d->name && *(name = find_name(f, d->name))) {
        say_name_twice(d, &f->devices[*name - 1]);
        return 0;
    }
    f->devices[f->count++] = *d;
    *id = (uint32_t)f->count;
    f->ids.used++;
    if (name) {
        *name = (uint32_t)f->count;
        f->names.used++;
    }
    return 0;
}

struct device *fleet_by_id(const struct fleet *f, const struct device_id *id)
{
    uint32_t slot = f->ids.slots ? *find_id(f, id) : 0;

    return slot ? &f->devices[slot - 1] : NULL;
}

struct device *fleet_by_name(const struct fleet *f, const char *name)
{
    uint32_t slot = f->names.slots ? *find_name(f, name) : 0;

    return slot ? &f->devices[slot - 1] : NULL;
}

void fleet_release(struct fleet *f)
{
    free(f->devices);
    free(f->ids.slots);
    free(f->names.slots);
    memset(f, 0, sizeof *f);
}

/* Of one device: IEEE 802, section 8.2.  NULL: it can be. */
static const char *id_problem(const struct device_id *id)
{
    uint8_t all = 0xff, any = 0;

    for (unsigned i = 0; i < id->len; i++) {
        all &= id->bytes[i];
        any |= id->bytes[i];
    }
    if (!any)
        return "is all zeros, what stands where none was read";
    if (all == 0xff)
        return "is the broadcast address";
    return id->bytes[0] & 1 ? "is a multicast address (its first byte is odd)"
                            : NULL;
}

int fleet_take_id(struct diag_mark mark, const char *text, size_t len,
                  struct device_id *id)
{
    const char *why;

    if (device_id_parse(text, len, id) < 0)
        return diag_error_at(DIAG_CONFIG, mark,
                             "'%.*s' is not a device id: 6 or 8 pairs of hex "
                             "digits, like 24:6f:28:aa:bb:cc",
                             (int)len, text);
    if ((why = id_problem(id)))
        return diag_error_at(DIAG_CONFIG, mark,
                             "'%.*s' %s: no device has it, give the id that "
                             "the device itself shows",
                             (int)len, text, why);
    return 0;
}

static bool has_hidden(const char *text, size_t len)
{
    uint32_t point;

    for (size_t i = 0; i < len; i += utf8_next(text + i, len - i, &point))
        if (utf8_next(text + i, len - i, &point) && utf8_hidden(point))
            return true;
    return false;
}

const char *fleet_wrong_name(const char *text, size_t len,
                             const struct device_id *id)
{
    struct device_id other;

    if (len > FLEET_NAME)
        return "is longer than 64 bytes";
    if (utf8_printable(text, len) != len)
        return "has a character that cannot be printed";
    if (has_hidden(text, len))
        return "has a character that cannot be seen: type it again";
    if (device_id_parse(text, len, &other) == 0 &&
        device_id_compare(&other, id) != 0)
        return "is the id of another device";
    return NULL;
}

const char *fleet_wrong_value(const char *text, size_t len)
{
    if (len > FLEET_VALUE)
        return "is longer than 255 bytes";
    if (utf8_printable(text, len) != len)
        return "has a character that cannot be printed";
    return NULL;
}

const char *fleet_wrong_key(const char *text, size_t len)
{
    char c;

    if (!len)
        return "is empty";
    if (len > FLEET_KEY)
        return "is longer than 64 bytes";
    for (size_t i = 0; i < len; i++) {
        c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.'))
            return "has other characters than letters, digits, '_', '-', '.'";
    }
    return NULL;
}

int fleet_add_value(struct fleet *f, struct device_value **list,
                    const char *key, const char *value)
{
    struct device_value *v = arena_alloc(f->arena, sizeof *v);

    if (!v)
        return -1;
    v->key = key;
    v->value = value;
    v->next = *list;
    *list = v;
    return 0;
}
