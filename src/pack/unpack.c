/* A bundle read back on the host with the device's own reader. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sodium.h>

#include "base/array.h"
#include "base/diag.h"
#include "base/hex.h"
#include "bundle/format.h"
#include "config/fleet.h"
#include "keys/keys.h"
#include "unpack.h"
#include "unpack_base.h"
#include "unpack_error.h"
#include "unpack_kind.h"
#include "unpack_out.h"
#include "bundle/reader.h"

/* Enough for any manifest that there can be. */
#define ARENA OTA_READER_MEMORY(15, OTA_CHUNK_MAX)

struct run {
    const char *file;
    const struct unpack_options *options;
    struct unpack_result *result;
    struct ota_device device;
    struct ota_sink sink;
    struct ota_reader *reader;
    void *arena;
    struct unpack_base base;
    struct unpack_out out;
    int fd;           /* the file */
    size_t head_len;  /* bytes of it that are in result->manifest_bytes */
    size_t room;      /* of result->entries */
    int decode_error; /* of the manifest, nothing verified */
    bool failed;      /* this machine: reported, or stopped */
    uint8_t any_key[1][OTA_PUBLIC_KEY]; /* trust_any */
    uint8_t head[OTA_MANIFEST_MAX];     /* what is fed of it */
    uint8_t link[OTA_LINK];             /* of the chosen alternative */
};

static int machine_failed(struct run *r)
{
    r->failed = true;
    return OTA_ERR_IO;
}

static bool stopped(const struct run *r)
{
    return r->options->stop && *r->options->stop;
}

/* -- the sink ----------------------------------------------------------- */

static int on_begin(void *ctx, const struct ota_manifest *m,
                    const struct ota_alternative *a, unsigned index)
{
    struct run *r = ctx;

    (void)m;
    r->result->alternative = index;
    memcpy(r->link, a->link, sizeof r->link);
    return OTA_OK;
}

static int on_keys(void *ctx, const uint8_t (*keys)[OTA_PUBLIC_KEY],
                   size_t key_count)
{
    struct run *r = ctx;

    r->result->key_count = (uint8_t)key_count;
    memcpy(r->result->keys, keys, key_count * sizeof *keys);
    return OTA_OK;
}

static struct unpack_entry *add_entry(struct run *r)
{
    struct unpack_result *result = r->result;
    struct unpack_entry *entry;

    if (array_grow(&result->entries, result->entry_count, &r->room,
                   sizeof *entry) < 0)
        return NULL;
    entry = &result->entries[result->entry_count++];
    memset(entry, 0, sizeof *entry);
    return entry;
}

static int on_open(void *ctx, const struct ota_file *file,
                   const struct ota_file *base)
{
    struct run *r = ctx;
    struct unpack_entry *entry = add_entry(r);
    char path[sizeof file->path + sizeof ".ota/slot/"];

    if (!entry)
        return machine_failed(r);
    entry->file = *file;
    entry->has_base = base != NULL;
    unpack_error_at(r->result, base ? base->path : file->path);
    if (base && unpack_base_open(&r->base, file->type, base) != OTA_OK)
        return OTA_ERR_BASE;
    snprintf(path, sizeof path, "%s%s",
             file->type == OTA_SLOT ? ".ota/slot/" : "", file->path);
    unpack_error_at(r->result, file->path);
    if (r->options->into && unpack_out_open(&r->out, path, file->mode))
        return machine_failed(r);
    return OTA_OK;
}

static int on_base_read(void *ctx, uint32_t offset, uint8_t *buf, size_t len)
{
    const struct run *r = ctx;

    return unpack_base_read(&r->base, offset, buf, len);
}

static int on_data(void *ctx, const uint8_t *buf, size_t len)
{
    struct run *r = ctx;

    if (r->options->into && unpack_out_write(&r->out, buf, len))
        return machine_failed(r);
    return OTA_OK;
}

static int on_close(void *ctx, const struct ota_file *file)
{
    struct run *r = ctx;

    (void)file;
    unpack_base_close(&r->base);
    unpack_error_at(r->result, "");
    if (r->options->into && unpack_out_close(&r->out))
        return machine_failed(r);
    return OTA_OK;
}

static int on_remove(void *ctx, const char *path)
{
    struct run *r = ctx;
    struct unpack_entry *entry = add_entry(r);

    if (!entry)
        return machine_failed(r);
    entry->file.type = OTA_DELETE;
    snprintf(entry->file.path, sizeof entry->file.path, "%s", path);
    return OTA_OK;
}

static int on_yield(void *ctx)
{
    struct run *r = ctx;

    return stopped(r) ? machine_failed(r) : OTA_OK;
}

/* -- what is fed -------------------------------------------------------- */

static ssize_t read_some(const struct run *r, int fd, const char *name,
                         uint8_t *buf, size_t len)
{
    ssize_t n;

    do
        n = read(fd, buf, len);
    while (n < 0 && errno == EINTR && !stopped(r));
    if (n < 0 && !stopped(r))
        diag_error(DIAG_INPUT, "cannot read '%s': %s", name, strerror(errno));
    return n;
}

/* All that is left in `fd`. */
static int feed_rest(struct run *r, int fd, const char *name)
{
    uint8_t buf[16384];
    int err = OTA_OK;
    ssize_t n;

    while (err == OTA_OK) {
        n = read_some(r, fd, name, buf, sizeof buf);
        if (n < 0)
            return machine_failed(r);
        if (n == 0)
            return OTA_OK;
        err = ota_reader_feed(r->reader, buf, (size_t)n);
    }
    return err;
}

/* A file in a folder that may be a stranger's: no pipe there holds us up, and
 * no terminal becomes ours.  -1 with errno, or -2 (reported). */
static int open_regular(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
        return fd;
    close(fd);
    diag_error(DIAG_INPUT, "'%s' is not a regular file", path);
    return -2;
}

/* The payload in `folder`: a descriptor, -1 if it is not there, or -2 if it
 * cannot be opened (reported). */
static int open_in(const struct run *r, const char *folder, char **path)
{
    char name[2 * OTA_HASH + 1];
    int fd;

    hex_encode(r->link + LINK_HASH, OTA_HASH, name);
    if (asprintf(path, "%s/%.2s/%s", folder, name, name) < 0) {
        *path = NULL;
        diag_no_memory();
        return -2;
    }
    fd = open_regular(*path);
    if (fd != -1 || errno == ENOENT || errno == ENOTDIR)
        return fd;
    diag_error(DIAG_INPUT, "cannot open '%s': %s", *path, strerror(errno));
    return -2;
}

/* Where a published manifest's payloads are: beside it (the vectors), or at
 * the top of the server's layout, ROOT/devices/ID/manifest. */
static int open_payload(const struct run *r, char **path)
{
    static const char *const places[] = {"payloads", "../../payloads"};
    const char *slash = strrchr(r->file, '/');
    int len = slash ? (int)(slash - r->file) : 1, fd = -1;
    char *folder;

    if (r->options->payloads)
        return open_in(r, r->options->payloads, path);
    for (int i = 0; i < 2 && fd == -1; i++) {
        free(*path);
        *path = NULL;
        if (asprintf(&folder, "%.*s/%s", len, slash ? r->file : ".",
                     places[i]) < 0) {
            diag_no_memory();
            return -2;
        }
        fd = open_in(r, folder, path);
        free(folder);
    }
    return fd;
}

static int feed_payload(struct run *r)
{
    char *path = NULL;
    int fd = open_payload(r, &path), err = OTA_ERR_TRUNCATED;

    if (fd >= 0) {
        err = feed_rest(r, fd, path);
        close(fd);
    } else if (fd == -2) {
        err = machine_failed(r);
    } else {
        unpack_error_missing(r->result, path, r->options->payloads != NULL);
    }
    free(path);
    return err;
}

/* -- one reading -------------------------------------------------------- */

/* The bundle as alternative `choose` of ota_reader_init(). */
static int attempt(struct run *r, int choose)
{
    int err;

    r->result->entry_count = 0;
    r->result->key_count = 0;
    unpack_error_at(r->result, "");
    r->reader = ota_reader_init(r->arena, ARENA, &r->device, &r->sink, choose);
    if (r->options->trust_any)
        ota_reader_any_signer(r->reader);
    err = ota_reader_feed(r->reader, r->head, r->head_len);
    if (err == OTA_OK && r->result->published)
        err = feed_payload(r);
    else if (err == OTA_OK)
        err = feed_rest(r, r->fd, r->file);
    if (err == OTA_OK)
        err = ota_reader_finish(r->reader);
    ota_reader_wipe(r->reader);
    if (err == OTA_OK && !r->failed)
        return OTA_OK;
    unpack_base_close(&r->base);
    if (r->options->into)
        unpack_out_undo(&r->out);
    return err;
}

/* Each delta as if its base were installed; the full payload comes last. */
static int choose_and_read(struct run *r)
{
    unsigned deltas = 0;
    int err;

    if (r->result->published && r->options->base)
        deltas = r->result->manifest.alternatives - 1U;
    for (unsigned i = 0; i < deltas; i++) {
        err = attempt(r, (int)i);
        if (err != OTA_ERR_BASE)
            return err;
    }
    return attempt(r, OTA_CHOOSE_FULL);
}

static bool took_delta(const struct run *r)
{
    return r->result->alternative + 1U < r->result->manifest.alternatives;
}

static int copy_rest(struct run *r)
{
    if (!r->options->into || !took_delta(r))
        return 0;
    if (unpack_base_copy(&r->base, &r->out, r->result->entries,
                         r->result->entry_count) == 0)
        return 0;
    unpack_out_undo(&r->out);
    return -1;
}

/* A key of our own under the signer's id: the reader then verifies what it is
 * given, and all but the signature is as it was. */
static void trust_any(struct run *r)
{
    const struct ota_manifest *m = &r->result->manifest;
    size_t len = m->bytes_len - SIGNATURE;
    uint8_t secret[crypto_sign_SECRETKEYBYTES];

    memcpy(r->any_key[0], "Ed", 2);
    memcpy(r->any_key[0] + KEY_ID, m->key_id, OTA_KEY_ID);
    crypto_sign_keypair(r->any_key[0] + KEY_KEY, secret);
    crypto_sign_detached(r->head + len, NULL, r->head, len, secret);
    sodium_memzero(secret, sizeof secret);
    r->device.keys = (const uint8_t(*)[OTA_PUBLIC_KEY])r->any_key;
    r->device.key_count = 1;
}

/* Reads as much as a manifest may have; what is read beyond it is payload. */
static int read_head(struct run *r)
{
    struct unpack_result *result = r->result;
    ssize_t n = 1;

    while (n > 0 && r->head_len < sizeof r->head) {
        n = read_some(r, r->fd, r->file, r->head + r->head_len,
                      sizeof r->head - r->head_len);
        if (n < 0)
            return -1;
        r->head_len += (size_t)n;
    }
    memcpy(result->manifest_bytes, r->head, r->head_len);
    result->head_len = r->head_len;
    r->decode_error = ota_manifest_decode(&result->manifest,
                                          result->manifest_bytes, r->head_len);
    result->has_manifest = r->decode_error == OTA_OK;
    result->published =
        result->has_manifest && r->head_len == result->manifest.bytes_len;
    return 0;
}

/* The manifest is not verified yet. */
static void know_device(struct run *r)
{
    r->device = r->options->device;
    if (r->device.id_len == 0 && r->head_len > MANIFEST_DEVICE_LEN) {
        memcpy(r->device.id, r->head + MANIFEST_DEVICE, sizeof r->device.id);
        r->device.id_len = r->head[MANIFEST_DEVICE_LEN];
    }
    if (r->options->trust_any && r->result->has_manifest)
        trust_any(r);
}

/* Its `manifest`; to be freed.  NULL: reported. */
static char *name_in_folder(const char *folder)
{
    size_t len = strlen(folder);
    char *name;

    while (len > 1 && folder[len - 1] == '/')
        len--;
    if (asprintf(&name, "%.*s/manifest", (int)len, folder) >= 0)
        return name;
    diag_no_memory();
    return NULL;
}

static bool is_otab(const char *name)
{
    size_t len = strlen(name);

    return len > 5 && strcmp(name + len - 5, ".otab") == 0;
}

/* An example of what is wanted of a folder that is no device's; to be freed. */
static char *example_in(const char *folder)
{
    static const char *const below[] = {"", "devices/", "public/devices/"};
    struct device_id id;
    char *name = NULL;

    for (int i = 0; i < 3 && !name; i++) {
        char *path = NULL;
        struct dirent *e;
        DIR *dir;

        if (asprintf(&path, "%s/%s", folder, below[i]) < 0)
            return NULL;
        dir = opendir(path);
        while (dir && !name && (e = readdir(dir)))
            if ((device_id_parse(e->d_name, strlen(e->d_name), &id) == 0 ||
                 is_otab(e->d_name)) &&
                asprintf(&name, "%s%s", path, e->d_name) < 0)
                name = NULL;
        if (dir)
            closedir(dir);
        free(path);
    }
    return name;
}

static int not_opened(const struct run *r, const char *folder)
{
    int reason = errno;
    char *example = folder && reason == ENOENT ? example_in(folder) : NULL;

    if (folder && reason == ENOENT)
        diag_error(
            DIAG_INPUT,
            "'%s' is not a device's folder: it has no 'manifest'; give %s",
            folder, example ? example : "public/devices/ID");
    else
        diag_error(DIAG_INPUT, "cannot open '%s': %s", r->file,
                   strerror(reason));
    free(example);
    return -1;
}

static int open_source(struct run *r, char **in_folder)
{
    const char *given = r->file;
    struct stat st;
    bool folder;

    if (strcmp(r->file, "-") == 0) {
        r->file = "standard input";
        r->fd = STDIN_FILENO;
        return 0;
    }
    folder = stat(r->file, &st) == 0 && S_ISDIR(st.st_mode);
    if (folder) {
        *in_folder = name_in_folder(r->file);
        if (!*in_folder)
            return -1;
        r->file = *in_folder;
    }
    r->fd = folder ? open_regular(r->file)
                   : open(r->file, O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (r->fd == -1)
        return not_opened(r, folder ? given : NULL);
    return r->fd < 0 ? -1 : 0;
}

static int open_folders(struct run *r)
{
    const struct unpack_options *o = r->options;

    if (o->base && unpack_base_begin(&r->base, o->base))
        return -1;
    return o->into ? unpack_out_begin(&r->out, o->into) : 0;
}

static int read_bundle(struct run *r)
{
    r->sink = (struct ota_sink){.ctx = r,
                                .begin = on_begin,
                                .keys = on_keys,
                                .open = on_open,
                                .base_read = on_base_read,
                                .data = on_data,
                                .close = on_close,
                                .remove = on_remove,
                                .yield = on_yield};
    r->arena = malloc(ARENA);
    if (!r->arena)
        return diag_no_memory();
    know_device(r);
    r->result->error = r->decode_error && r->options->trust_any
                           ? r->decode_error
                           : choose_and_read(r);
    if (!r->failed && r->result->error == OTA_OK && copy_rest(r))
        r->failed = true;
    if (r->decode_error)
        r->result->other =
            unpack_kind(r->file, r->fd, r->result->manifest_bytes, r->head_len,
                        r->result->detail, sizeof r->result->detail);
    unpack_error_explain(r->result, &r->device);
    free(r->arena);
    return r->failed ? -1 : 0;
}

int unpack_run(const char *file, const struct unpack_options *options,
               struct unpack_result *result)
{
    struct run *r = calloc(1, sizeof *r);
    char *in_folder = NULL;
    int status;

    memset(result, 0, sizeof *result);
    if (!r)
        return diag_no_memory();
    r->file = file;
    r->options = options;
    r->result = result;
    r->fd = r->base.root = r->base.fd = r->out.root = r->out.fd = -1;
    r->base.stop = options->stop;
    status = open_source(r, &in_folder);
    if (status == 0)
        status = read_head(r);
    if (status == 0)
        status = open_folders(r);
    if (status == 0)
        status = read_bundle(r);
    unpack_out_release(&r->out, status == 0 && result->error == OTA_OK);
    unpack_base_release(&r->base);
    if (r->fd > STDERR_FILENO)
        close(r->fd);
    free(in_folder);
    free(r);
    return status;
}

void unpack_result_release(struct unpack_result *result)
{
    free(result->entries);
    result->entries = NULL;
    result->entry_count = 0;
}
