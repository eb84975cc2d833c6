/* The durable state and the trusted keys: ota-install(7), State. */
#include "format.h"
#include "install.h"

#include <string.h>

/* .ota/state0 and state1 */
enum {
    STATE_PHASE = 5,
    STATE_FLAGS = 6, /* bit 0 backup */
    STATE_CHANCES = 7,
    STATE_WAKES = 8,
    STATE_ENTRIES = 10,
    STATE_SEQUENCE = 12,
    STATE_VERSION = 16,
    STATE_PREVIOUS = 20,
    STATE_HIGHEST = 24,
    STATE_FAILED = 28,
    STATE_RELEASE = 32,
    STATE_PREVIOUS_RELEASE = 48,
    STATE_REASON = 64,
    STATE_KEYS = 65,
    STATE_NEW_KEYS = 66,
    STATE_CRC = 92, /* bytes between are zero */
    STATE_LEN = 96
};

static const char *const state_files[2] = {".ota/state0", ".ota/state1"};
static const char *const key_files[2] = {".ota/keys0", ".ota/keys1"};

/* `len` bytes of a whole small file; OTA_ERR_TRUNCATED if it has fewer. */
static int read_file(struct ota_install *i, const char *path, uint8_t *buf,
                     size_t len)
{
    const struct ota_port *p = i->port;
    int file = p->open(p->ctx, path, OTA_OPEN_READ), n, err;

    if (file < 0)
        return file;
    n = p->read_at(p->ctx, file, 0, buf, len);
    err = p->close(p->ctx, file);
    if (n < 0 || err != OTA_OK)
        return n < 0 ? n : err;
    return (size_t)n == len ? OTA_OK : OTA_ERR_TRUNCATED;
}

/* Written, synced, closed, opened again and compared.  In place: on a full
 * disk no block is given up that could not be had again. */
static int write_file(struct ota_install *i, const char *path,
                      const uint8_t *buf, size_t len)
{
    const struct ota_port *p = i->port;
    uint8_t back[KEYS_HEAD + OTA_KEYS * OTA_PUBLIC_KEY + 4];
    int file = p->open(p->ctx, path, OTA_OPEN_UPDATE), err, closed;

    if (file < 0)
        return file;
    err = p->write_at(p->ctx, file, 0, buf, len);
    if (err == OTA_OK)
        err = p->sync(p->ctx, file);
    closed = p->close(p->ctx, file);
    if (err == OTA_OK)
        err = closed;
    if (err == OTA_OK)
        err = read_file(i, path, back, len);
    if (err == OTA_OK && memcmp(buf, back, len) != 0)
        err = OTA_ERR_IO;
    return err == OTA_ERR_TRUNCATED ? OTA_ERR_IO : err;
}

static void encode_state(const struct ota_state *s, uint8_t *b)
{
    memset(b, 0, STATE_LEN);
    memcpy(b, "OTAS\1", 5);
    b[STATE_PHASE] = s->phase;
    b[STATE_FLAGS] = s->backup ? 1 : 0;
    b[STATE_CHANCES] = s->chances;
    put16(b + STATE_WAKES, s->wakes);
    put16(b + STATE_ENTRIES, s->entries);
    put32(b + STATE_SEQUENCE, s->sequence);
    put32(b + STATE_VERSION, s->version);
    put32(b + STATE_PREVIOUS, s->previous);
    put32(b + STATE_HIGHEST, s->highest);
    put32(b + STATE_FAILED, s->failed);
    memcpy(b + STATE_RELEASE, s->release, OTA_DIGEST);
    memcpy(b + STATE_PREVIOUS_RELEASE, s->previous_release, OTA_DIGEST);
    b[STATE_REASON] = s->reason;
    b[STATE_KEYS] = s->keys;
    b[STATE_NEW_KEYS] = s->new_keys;
    put32(b + STATE_CRC, ota_crc32(0, b, STATE_CRC));
}

static bool decode(const uint8_t *b, struct ota_state *s)
{
    if (memcmp(b, "OTAS\1", 5) != 0 ||
        get32(b + STATE_CRC) != ota_crc32(0, b, STATE_CRC) ||
        b[STATE_PHASE] > OTA_UIN || b[STATE_KEYS] > 2 || b[STATE_NEW_KEYS] > 2)
        return false;
    s->phase = b[STATE_PHASE];
    s->backup = (b[STATE_FLAGS] & 1) != 0;
    s->chances = b[STATE_CHANCES];
    s->wakes = get16(b + STATE_WAKES);
    s->entries = get16(b + STATE_ENTRIES);
    s->sequence = get32(b + STATE_SEQUENCE);
    s->version = get32(b + STATE_VERSION);
    s->previous = get32(b + STATE_PREVIOUS);
    s->highest = get32(b + STATE_HIGHEST);
    s->failed = get32(b + STATE_FAILED);
    memcpy(s->release, b + STATE_RELEASE, OTA_DIGEST);
    memcpy(s->previous_release, b + STATE_PREVIOUS_RELEASE, OTA_DIGEST);
    s->reason = b[STATE_REASON];
    s->keys = b[STATE_KEYS];
    s->new_keys = b[STATE_NEW_KEYS];
    return true;
}

/* OTA_OK with *found, or a failure of the port. */
static int read_state(struct ota_install *i, unsigned which,
                      struct ota_state *s, bool *found)
{
    uint8_t b[STATE_LEN];
    int kind = ota_kind(i, state_files[which]), err;

    *found = false;
    if (kind != OTA_REGULAR)
        return kind < 0 ? kind : OTA_OK;
    err = read_file(i, state_files[which], b, sizeof(b));
    if (err == OTA_OK)
        *found = decode(b, s);
    return err == OTA_ERR_TRUNCATED ? OTA_OK : err;
}

/* No state is damage, except where a cut left nothing but the first state file
 * half written: the second one and the journal come later. */
static int judge_missing(struct ota_install *i)
{
    int second = ota_kind(i, state_files[1]);
    int journal = ota_kind(i, ".ota/journal"), list = ota_kind(i, ".ota/files");

    if (second < 0 || journal < 0 || list < 0)
        return OTA_ERR_IO;
    if (second != OTA_NOTHING || journal != OTA_NOTHING || list != OTA_NOTHING)
        return OTA_ERR_STATE;
    memset(&i->state, 0, sizeof(i->state));
    i->fresh = true;
    return OTA_OK;
}

int ota_state_load(struct ota_install *i)
{
    struct ota_state other;
    bool found[2];
    int err;

    if (i->loaded)
        return OTA_OK;
    i->fresh = false;
    err = read_state(i, 0, &i->state, &found[0]);
    if (err == OTA_OK)
        err = read_state(i, 1, &other, &found[1]);
    if (err != OTA_OK)
        return err;
    /* sequences are compared so that they may wrap */
    if (found[1] &&
        (!found[0] || other.sequence - i->state.sequence < 0x80000000U))
        i->state = other;
    if (!found[0] && !found[1]) {
        err = judge_missing(i);
        if (err != OTA_OK)
            return err;
    }
    if (i->state.highest < i->config->lowest)
        i->state.highest = i->config->lowest;
    i->loaded = true;
    return OTA_OK;
}

int ota_settle(struct ota_install *i)
{
    int err = i->settled ? OTA_OK : ota_barrier(i);

    i->settled = err == OTA_OK;
    return err;
}

static int prepare_save(struct ota_install *i)
{
    int err;

    if (!i->fresh)
        return ota_settle(i);
    err = i->port->mkdir(i->port->ctx, ".ota");
    return err == OTA_OK ? ota_barrier(i) : err;
}

int ota_state_save(struct ota_install *i)
{
    uint8_t b[STATE_LEN];
    uint32_t sequence = i->fresh ? 0 : i->state.sequence + 1;
    int err = prepare_save(i);

    if (err == OTA_OK) {
        i->state.sequence = sequence;
        encode_state(&i->state, b);
        err = write_file(i, state_files[sequence & 1], b, sizeof(b));
        if (err == OTA_OK)
            err = ota_barrier(i);
        if (err != OTA_OK)
            i->state.sequence = sequence - 1; /* the same file is tried again */
    }
    /* what failed may have been written, and need not be durable */
    i->loaded = i->settled = err == OTA_OK;
    i->fresh = i->fresh && err != OTA_OK;
    return err;
}

/* -- keys -------------------------------------------------------------------
 */

int ota_keys_load(struct ota_install *i)
{
    uint8_t b[KEYS_HEAD + OTA_KEYS * OTA_PUBLIC_KEY + 4];
    const char *path;
    size_t len;
    int err;

    i->device = i->config->device;
    if (i->state.keys == 0)
        return OTA_OK;
    path = key_files[i->state.keys - 1];
    err = read_file(i, path, b, KEYS_HEAD);
    if (err == OTA_OK && (memcmp(b, KEYS_MAGIC, 5) != 0 || b[KEYS_COUNT] < 1 ||
                          b[KEYS_COUNT] > OTA_KEYS))
        err = OTA_ERR_STATE;
    if (err != OTA_OK)
        return err == OTA_ERR_TRUNCATED ? OTA_ERR_STATE : err;
    len = KEYS_HEAD + (size_t)b[KEYS_COUNT] * OTA_PUBLIC_KEY;
    err = read_file(i, path, b, len + 4);
    if (err != OTA_OK || get32(b + len) != ota_crc32(0, b, len))
        return err == OTA_OK || err == OTA_ERR_TRUNCATED ? OTA_ERR_STATE : err;
    memcpy(i->keys, b + KEYS_HEAD, len - KEYS_HEAD);
    i->device.keys = (const uint8_t(*)[OTA_PUBLIC_KEY])i->keys;
    i->device.key_count = b[KEYS_COUNT];
    return OTA_OK;
}

int ota_keys_save(struct ota_install *i, const uint8_t (*keys)[OTA_PUBLIC_KEY],
                  size_t count, uint8_t *which)
{
    uint8_t b[KEYS_HEAD + OTA_KEYS * OTA_PUBLIC_KEY + 4] = KEYS_MAGIC;
    size_t len = KEYS_HEAD + count * OTA_PUBLIC_KEY;

    *which = i->state.keys == 1 ? 2 : 1;
    b[KEYS_COUNT] = (uint8_t)count;
    memcpy(b + KEYS_HEAD, keys, count * OTA_PUBLIC_KEY);
    put32(b + len, ota_crc32(0, b, len));
    return write_file(i, key_files[*which - 1], b, len + 4);
}
