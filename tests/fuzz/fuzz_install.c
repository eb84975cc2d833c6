/* The installer over a .ota that anybody may have written: whatever its state,
 * journal and list say, the port is never asked for a path out of the root or,
 * as a target, into .ota; no more files are open than is promised; boots and a
 * reset come to their end. */
#include "bundle/format.h"
#include "bundle/install.h"
#include "craft.h"
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NODES = 128, FILE_MAX = 8192, OPEN_MAX = 4 };

/* -- a file system ----------------------------------------------------------
 */

static struct node {
    char path[OTA_PATH + 1]; /* "": free */
    uint8_t kind;
    uint32_t len;
    uint8_t bytes[FILE_MAX];
} nodes[NODES];

static struct node *handles[OPEN_MAX];
static unsigned fails_at, operations;

static struct node *find(const char *path)
{
    for (size_t i = 0; i < NODES; i++) {
        if (strcmp(nodes[i].path, path) == 0)
            return &nodes[i];
    }
    return NULL;
}

static bool below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* Ours, or a path that a bundle may name or a folder above one. */
static void require_inside(const char *path)
{
    static const char *const ours[] = {
        ".ota",      ".ota/state0",  ".ota/state1", ".ota/keys0",  ".ota/keys1",
        ".ota/etag", ".ota/journal", ".ota/files",  ".ota/folders"};
    size_t len = strlen(path);

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (strcmp(path, ours[i]) == 0)
            return;
    }
    if (below(path, ".ota")) {
        path += 5;
        len = strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789/");
        require(path[len] == '\0' &&
                (strcmp(path, "new") == 0 || below(path, "new") ||
                 strcmp(path, "old") == 0 || below(path, "old") ||
                 strcmp(path, "aside") == 0 || below(path, "aside")));
        return;
    }
    require(ota_path_check(path, len) == OTA_OK);
}

static bool folder_there(const char *path)
{
    char above[OTA_PATH + 1];
    const char *slash = strrchr(path, '/');
    const struct node *n;

    if (!slash)
        return true;
    memcpy(above, path, (size_t)(slash - path));
    above[slash - path] = '\0';
    n = find(above);
    return n && n->kind == OTA_DIRECTORY;
}

static struct node *make(const char *path, uint8_t kind)
{
    struct node *n = folder_there(path) ? find("") : NULL;

    if (!n)
        return NULL;
    memcpy(n->path, path, strlen(path) + 1);
    n->kind = kind;
    n->len = 0;
    return n;
}

static void forget(struct node *n)
{
    for (int h = 0; h < OPEN_MAX; h++)
        require(handles[h] != n);
    n->path[0] = '\0';
}

/* True if this one fails. */
static bool operation(const char *path)
{
    if (path)
        require_inside(path);
    return ++operations == fails_at;
}

static int port_open(void *ctx, const char *path, enum ota_open how)
{
    struct node *n = find(path);
    int h = 0;

    (void)ctx;
    if (operation(path) || (n && n->kind != OTA_REGULAR) ||
        (!n && how == OTA_OPEN_READ))
        return OTA_ERR_IO;
    while (h < OPEN_MAX && handles[h])
        h++;
    require(h < OPEN_MAX);
    n = n ? n : make(path, OTA_REGULAR);
    if (!n)
        return OTA_ERR_SPACE;
    if (how == OTA_OPEN_NEW)
        n->len = 0;
    handles[h] = n;
    return h;
}

static struct node *opened(int h)
{
    require(h >= 0 && h < OPEN_MAX && handles[h]);
    return handles[h];
}

static int port_read_at(void *ctx, int h, uint32_t offset, uint8_t *buf,
                        size_t len)
{
    const struct node *n = opened(h);

    (void)ctx;
    if (operation(NULL))
        return OTA_ERR_IO;
    if (offset >= n->len)
        return 0;
    len = len < n->len - offset ? len : n->len - offset;
    memcpy(buf, n->bytes + offset, len);
    return (int)len;
}

static int port_write_at(void *ctx, int h, uint32_t offset, const uint8_t *buf,
                         size_t len)
{
    struct node *n = opened(h);

    (void)ctx;
    if (operation(NULL))
        return OTA_ERR_IO;
    if (offset > FILE_MAX || len > FILE_MAX - offset)
        return OTA_ERR_SPACE;
    if (offset > n->len)
        memset(n->bytes + n->len, 0, offset - n->len);
    if (len > 0)
        memcpy(n->bytes + offset, buf, len);
    n->len = n->len > offset + len ? n->len : offset + (uint32_t)len;
    return OTA_OK;
}

static int port_sync(void *ctx, int h)
{
    (void)ctx;
    opened(h);
    return operation(NULL) ? OTA_ERR_IO : OTA_OK;
}

static int port_close(void *ctx, int h)
{
    (void)ctx;
    opened(h);
    handles[h] = NULL;
    return OTA_OK;
}

static int port_stat(void *ctx, const char *path, struct ota_stat *st)
{
    const struct node *n = find(path);

    (void)ctx;
    if (operation(path))
        return OTA_ERR_IO;
    memset(st, 0, sizeof *st);
    if (n && *path) {
        st->kind = n->kind;
        st->size = n->len;
        st->mode = 0755;
    }
    return OTA_OK;
}

static int port_move(void *ctx, const char *from, const char *to)
{
    struct node *n = find(from), *there = find(to);

    (void)ctx;
    require_inside(to);
    if (operation(from) || !n || n->kind != OTA_REGULAR || !folder_there(to) ||
        (there && there->kind != OTA_REGULAR))
        return OTA_ERR_IO;
    if (there && there != n)
        forget(there);
    memcpy(n->path, to, strlen(to) + 1);
    return OTA_OK;
}

static int port_aside(void *ctx, const char *from, const char *to)
{
    size_t len = strlen(from);

    (void)ctx;
    require_inside(to);
    if (operation(from) || !find(from) || find(to) || !folder_there(to))
        return OTA_ERR_IO;
    for (size_t i = 0; i < NODES; i++) {
        char moved[3 * OTA_PATH];

        if (strcmp(nodes[i].path, from) != 0 && !below(nodes[i].path, from))
            continue;
        snprintf(moved, sizeof moved, "%s%s", to, nodes[i].path + len);
        if (strlen(moved) > OTA_PATH)
            nodes[i].path[0] = '\0';
        else
            memcpy(nodes[i].path, moved, strlen(moved) + 1);
    }
    return OTA_OK;
}

static int port_clear(void *ctx, const char *path)
{
    (void)ctx;
    if (operation(path))
        return OTA_ERR_IO;
    for (size_t i = 0; i < NODES; i++) {
        if (strcmp(nodes[i].path, path) == 0 || below(nodes[i].path, path))
            forget(&nodes[i]);
    }
    return OTA_OK;
}

static int port_remove(void *ctx, const char *path)
{
    struct node *n = find(path);

    (void)ctx;
    if (operation(path) || !n || n->kind == OTA_DIRECTORY)
        return OTA_ERR_IO;
    forget(n);
    return OTA_OK;
}

static int port_rmdir(void *ctx, const char *path)
{
    struct node *n = find(path);

    (void)ctx;
    if (operation(path) || !n || n->kind != OTA_DIRECTORY)
        return OTA_ERR_IO;
    for (size_t i = 0; i < NODES; i++) {
        if (below(nodes[i].path, path))
            return OTA_ERR_IO;
    }
    forget(n);
    return OTA_OK;
}

static int port_mkdir(void *ctx, const char *path)
{
    const struct node *n = find(path);

    (void)ctx;
    if (operation(path))
        return OTA_ERR_IO;
    if (n)
        return n->kind == OTA_DIRECTORY ? OTA_OK : OTA_ERR_IO;
    return make(path, OTA_DIRECTORY) ? OTA_OK : OTA_ERR_SPACE;
}

static int port_mkdir_as(void *ctx, const char *path, const struct ota_stat *as)
{
    (void)as;
    return find(path) ? OTA_ERR_IO : port_mkdir(ctx, path);
}

static int port_barrier(void *ctx)
{
    (void)ctx;
    return operation(NULL) ? OTA_ERR_IO : OTA_OK;
}

/* -- what an input says -----------------------------------------------------
 */

static struct {
    const uint8_t *at;
    size_t left;
} input;

static uint8_t next(void)
{
    if (input.left == 0)
        return 0;
    input.left--;
    return *input.at++;
}

static const char *const names[] = {
    "a",      "a/b",        "a/b/c", "lib",   "lib/x",   "lib/y/z",
    "Main",   "main",       "n/m",   "../up", "/etc/up", ".ota/state0",
    "a/../b", ".OTA/keys0", "",      "x/"};
enum { NAMES = sizeof names / sizeof *names };

static void put(const char *path, const uint8_t *bytes, size_t len)
{
    struct node *n = find(path);

    n = n && n->kind == OTA_REGULAR ? n : n ? NULL : make(path, OTA_REGULAR);
    if (!n)
        return;
    memcpy(n->bytes, bytes, len);
    n->len = (uint32_t)len;
}

static void put_state(const char *path)
{
    uint8_t b[96] = "OTAS\1";

    for (size_t i = 5; i < 31; i++)
        b[i] = next();
    b[5] %= 9;
    b[11] &= 1; /* few entries */
    for (size_t i = 64; i < 67; i++)
        b[i] = next() % 4;
    put32(b + 92, ota_crc32(0, b, 92));
    put(path, b, sizeof b);
}

static size_t put_file(uint8_t *b)
{
    static const uint8_t types[] = {OTA_FILE, OTA_SLOT, OTA_DELETE, 0};
    uint8_t flags = next();
    const char *name = names[next() % NAMES];
    size_t len = strlen(name);

    memset(b, 0, 40);
    b[0] = types[flags & 3];
    b[1] = flags >> 4;
    b[3] = next();
    b[39] = (uint8_t)len;
    memcpy(b + 40, name, len);
    if (flags & 8) /* a long one */
        memset(b + 40, 'l', b[39] = 255);
    return 40U + b[39];
}

static size_t body(uint8_t type, uint8_t *b)
{
    size_t len = 0;

    switch (type) {
    case JOURNAL_MANIFEST:
        memset(b, 0, 400);
        b[1 + MANIFEST_VERSION] = next();
        return 400;
    case JOURNAL_ENTRY:
        b[0] = next() & 7;
        b[1] = next() % 40;
        b[2] = 0;
        return 3 + put_file(b + 3);
    case JOURNAL_CHECKPOINT:
        for (len = 0; len < OTA_LINK + 24; len++)
            b[len] = next();
        len += put_file(b + len);
        return len + put_file(b + len);
    default: /* a folder, with and without its mode */
        len = next() & 1 ? 10 : 0;
        memset(b, 0, len);
        return len + (size_t)snprintf((char *)b + len, 64, "%s",
                                      names[next() % NAMES]);
    }
}

/* One record at `at`; where the next one goes. */
static size_t put_record(uint8_t *file, size_t at, uint8_t type, uint32_t *crc)
{
    size_t len = type == JOURNAL_END ? 0 : body(type, file + at + 3);

    put16(file + at, (uint16_t)len);
    file[at + 2] = type;
    *crc = ota_crc32(*crc, file + at, len + 3);
    put32(file + at + 3 + len, *crc);
    return at + len + 7;
}

/* Mostly with the beginning and the end that are believed. */
static void put_records(const char *path, char letter)
{
    static uint8_t file[FILE_MAX];
    uint8_t head[8] = {'O', 'T', 'A', (uint8_t)letter, 1}, type;
    uint32_t crc = ota_crc32(0, head, sizeof head);
    size_t at = sizeof head;
    uint8_t shape = next();

    memcpy(file, head, sizeof head);
    if (letter == 'J' && shape & 3)
        at = put_record(file, at, JOURNAL_MANIFEST, &crc);
    for (int count = shape >> 4; count > 0; count--) {
        type = next() % 16;
        at = put_record(file, at, type < 9 ? type : JOURNAL_ENTRY, &crc);
    }
    if (shape & 12)
        at = put_record(file, at, JOURNAL_END, &crc);
    put(path, file, at);
}

static void put_kept(void)
{
    char path[32];

    snprintf(path, sizeof path, ".ota/%s/00/00/%02x",
             next() & 1 ? "new" : "old", next() % 32);
    put(path, (const uint8_t *)"kept", 4);
}

static void put_live(void)
{
    const char *path = names[next() % 9];
    uint8_t kind = next() % 3;

    if (kind == 0)
        put(path, (const uint8_t *)"live", 4);
    else if (!find(path))
        make(path, kind == 1 ? OTA_DIRECTORY : OTA_OTHER);
}

static void furnish(void)
{
    static const char *const folders[] = {
        ".ota",     ".ota/new",    ".ota/new/00",   ".ota/new/00/00",
        ".ota/old", ".ota/old/00", ".ota/old/00/00"};

    for (size_t i = 0; i < NODES; i++)
        nodes[i].path[0] = 0;
    memset(handles, 0, sizeof handles);
    operations = 0;
    fails_at = next() & 1 ? next() + 1U : 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        make(folders[i], OTA_DIRECTORY);
    for (int count = next() % 32; count > 0; count--) {
        switch (next() % 7) {
        case 0:
            put_state(".ota/state0");
            break;
        case 1:
            put_state(".ota/state1");
            break;
        case 2:
            put_records(".ota/journal", 'J');
            break;
        case 3:
            put_records(".ota/files", 'F');
            break;
        case 4:
            put_records(".ota/folders", 'D');
            break;
        case 5:
            put_kept();
            break;
        default:
            put_live();
        }
    }
}

static int stage(struct ota_install *i)
{
    static struct bundle b;
    struct ota_manifest m;
    uint32_t from;
    int err = ota_stage(i, OTA_CHOOSE_FULL);

    if (err != OTA_OK || input.left < IN_HEAD)
        return err;
    craft_bundle(&b, input.at, input.left < INPUT_MAX ? input.left : INPUT_MAX);
    if (ota_manifest_decode(&m, b.bytes, b.len) != OTA_OK)
        return OTA_OK;
    err = ota_stage_feed(i, b.bytes, m.bytes_len);
    if (err != OTA_OK || !ota_stage_wants_payload(i))
        return err;
    from = ota_stage_offset(i);
    require(from <= b.len - m.bytes_len);
    err = ota_stage_feed(i, b.bytes + m.bytes_len + from,
                         b.len - m.bytes_len - from);
    return err == OTA_OK ? ota_stage_finish(i) : err;
}

static int call(struct ota_install *i)
{
    struct ota_status st;

    switch (next() % 8) {
    case 0:
        return ota_undo(i, OTA_REASON_HAND);
    case 1:
        return ota_confirm(i);
    case 2:
        return ota_poll(i);
    case 3:
        return ota_stage_drop(i);
    case 4:
        return ota_forget_backup(i);
    case 5:
        return stage(i);
    case 6:
        return ota_status(i, &st);
    default:
        return ota_boot(i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t arena[OTA_INSTALL_MEMORY(15, OTA_CHUNK_MAX) / 8 + 1];
    static const struct ota_port port = {.open = port_open,
                                         .read_at = port_read_at,
                                         .write_at = port_write_at,
                                         .sync = port_sync,
                                         .close = port_close,
                                         .move = port_move,
                                         .remove = port_remove,
                                         .mkdir = port_mkdir,
                                         .rmdir = port_rmdir,
                                         .stat = port_stat,
                                         .mkdir_as = port_mkdir_as,
                                         .aside = port_aside,
                                         .clear = port_clear,
                                         .barrier = port_barrier};
    struct ota_install_config config = {.entries_max = 64};
    struct ota_install *i;
    struct ota_status st;
    int err;

    craft_init();
    memcpy(config.device.id, craft_device, sizeof config.device.id);
    config.device.id_len = 6;
    config.device.keys = (const uint8_t(*)[OTA_PUBLIC_KEY])craft_public_key;
    config.device.key_count = 1;
    config.device.device_key = craft_device_key;
    input.at = data;
    input.left = size;
    furnish();
    i = ota_install_init(arena, sizeof arena, &port, &config);
    require(i);
    for (int calls = next() % 8; calls > 0; calls--) {
        err = call(i);
        require(err >= OTA_ERR_IO && err <= OTA_RESTART);
    }
    fails_at = 0;
    err = ota_reset(i);
    require(err == OTA_OK || err == OTA_ERR_SPACE || err == OTA_ERR_IO);
    if (err == OTA_OK)
        require(ota_status(i, &st) == OTA_OK && st.phase == OTA_IDLE &&
                st.version == 0 && !st.can_undo);
    return 0;
}
