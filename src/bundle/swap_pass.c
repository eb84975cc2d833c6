/* Names of work files, and passes over the journal: ota-install(7), States. */
#include "format.h"
#include "install.h"

#include <string.h>

int ota_kind(struct ota_install *i, const char *path)
{
    struct ota_stat st;
    int err;

    memset(&st, 0, sizeof(st));
    err = i->port->stat(i->port->ctx, path, &st);

    return err == OTA_OK ? st.kind : err;
}

int ota_barrier(struct ota_install *i)
{
    return i->port->barrier(i->port->ctx);
}

int ota_yield(struct ota_install *i)
{
    return i->port->yield ? i->port->yield(i->port->ctx) : OTA_OK;
}

int ota_remove_if(struct ota_install *i, const char *path)
{
    int kind = ota_kind(i, path);

    if (kind != OTA_REGULAR)
        return kind < 0 ? kind : OTA_OK;
    return i->port->remove(i->port->ctx, path);
}

/* Makes the folder `path[0..len)`. */
static int make_folder(struct ota_install *i, const char *path, size_t len)
{
    char dir[OTA_PATH + 1];

    if (len > OTA_PATH)
        return OTA_ERR_PATH;
    memcpy(dir, path, len);
    dir[len] = '\0';
    return i->port->mkdir(i->port->ctx, dir);
}

int ota_make_parents(struct ota_install *i, const char *path)
{
    size_t n;
    int err = OTA_OK;

    for (n = 0; err == OTA_OK && path[n] != '\0'; n++) {
        if (path[n] == '/')
            err = make_folder(i, path, n);
    }
    return err;
}

int ota_work_path(struct ota_install *i, const char *kind, unsigned n,
                  bool make, char out[WORK_PATH])
{
    static const char hex[] = "0123456789abcdef";
    size_t at = strlen(kind);
    int shift;

    memcpy(out, kind, at);
    for (shift = 10; shift >= 0; shift -= 5) {
        unsigned part = n >> shift & 31;

        out[at++] = '/';
        out[at++] = hex[part >> 4];
        out[at++] = hex[part & 15];
    }
    out[at] = '\0';
    return make ? ota_make_parents(i, out) : OTA_OK;
}

/* The manifest that the journal begins with: version and release digest. */
static int load_manifest(struct ota_install *i)
{
    uint8_t head[1 + MANIFEST_HEAD];
    int err = ota_journal_next(i->port, &i->journal);

    if (err != JOURNAL_MANIFEST)
        return err < 0 ? err : OTA_ERR_STATE;
    err = ota_journal_get(i->port, &i->journal, head, sizeof(head));
    if (err != OTA_OK)
        return err;
    i->manifest.version = get32(head + 1 + MANIFEST_VERSION);
    memcpy(i->manifest.release, head + 1 + MANIFEST_RELEASE, OTA_DIGEST);
    return OTA_OK;
}

static int call_entry(struct ota_install *i, ota_pass_fn *each)
{
    int err = ota_journal_get_entry(i->port, &i->journal, &i->entry);

    if (err == OTA_OK && i->entry.number == 0)
        err = OTA_ERR_STATE; /* that is the list's */
    if (err != OTA_OK || i->entry.flags & ENTRY_SKIPPED)
        return err;
    return each(i, &i->entry);
}

static int call_folder(struct ota_install *i, ota_pass_fn *each)
{
    size_t len = ota_journal_left(&i->journal);
    int err;

    memset(&i->entry, 0, sizeof(i->entry));
    err = ota_journal_get_path(i->port, &i->journal, i->entry.file.path, len);
    return err == OTA_OK ? each(i, &i->entry) : err;
}

static int walk(struct ota_install *i, ota_pass_fn *each, bool folders)
{
    int type, err = OTA_OK;

    while (err == OTA_OK) {
        type = ota_journal_next(i->port, &i->journal);
        if (type < 0 || type == JOURNAL_END)
            return type < 0 ? type : OTA_OK;
        if (type == JOURNAL_END_OF_FILE)
            return OTA_ERR_STATE;
        if (type == JOURNAL_ENTRY && !folders)
            err = call_entry(i, each);
        if (type == JOURNAL_DIRECTORY && folders)
            err = call_folder(i, each);
        if (err == OTA_OK)
            err = ota_yield(i);
    }
    return err;
}

static int call_list(struct ota_install *i, ota_pass_fn *each)
{
    memset(&i->entry, 0, sizeof(i->entry));
    i->entry.file.type = OTA_FILE;
    memcpy(i->entry.file.path, ".ota/files", sizeof(".ota/files"));
    return each(i, &i->entry);
}

int ota_pass(struct ota_install *i, ota_pass_fn *each, bool folders)
{
    int err = ota_kind(i, ".ota/journal"), closed;

    if (err != OTA_REGULAR)
        return err < 0 ? err : OTA_ERR_STATE;
    err = ota_journal_open(i->port, &i->journal, ".ota/journal", 'J',
                           OTA_OPEN_READ);
    if (err != OTA_OK)
        return err;
    err = load_manifest(i);
    if (err == OTA_OK && !folders)
        err = call_list(i, each);
    if (err == OTA_OK)
        err = walk(i, each, folders);
    closed = ota_journal_close(i->port, &i->journal);
    return err == OTA_OK ? closed : err;
}

static int each_nothing(struct ota_install *i, const struct ota_entry *e)
{
    (void)i;
    (void)e;
    return OTA_OK;
}

int ota_journal_whole(struct ota_install *i)
{
    return TWICE(ota_pass(i, each_nothing, false));
}
