/* What a record may touch: ota-install(7), Targets and Protected. */
#include "stage.h"

#include <string.h>

/* In a list of paths, or below one of them; ASCII case ignored. */
static bool listed(const char *path, const char *const *list, size_t count)
{
    size_t len = strlen(path), n, k;

    for (k = 0; k < count; k++) {
        n = strlen(list[k]);
        if (n > 0 && list[k][n - 1] == '/')
            n--;
        if (ota_path_compare(path, len, list[k], n) == 0 ||
            ota_path_below(path, len, list[k], n))
            return true;
    }
    return false;
}

bool ota_protected(const struct ota_install *i, const char *path)
{
    return listed(path, i->config->protect, i->config->protect_count);
}

void ota_note_size(struct ota_install *i, uint32_t size)
{
    if (size > i->largest)
        i->largest = size;
}

void ota_note_folder(struct ota_install *i, const char *path, size_t len)
{
    memcpy(i->folder, path, len);
    i->folder[len] = '\0';
    i->folders++;
}

/* Records come in order, so a folder that was noted is the last one that was,
 * or above it. */
static bool noted(const struct ota_install *i, const char *path, size_t len)
{
    size_t last = strlen(i->folder);

    return last >= len && memcmp(i->folder, path, len) == 0 &&
           (i->folder[len] == '\0' || i->folder[len] == '/');
}

static int new_folder(struct ota_install *i, const char *path, size_t len)
{
    const struct ota_port *p = i->port;
    struct ota_journal *j = &i->journal;
    int err;

    if (!i->reader || i->reader->at.file.type != OTA_FILE ||
        noted(i, path, len))
        return OTA_OK;
    ota_note_folder(i, path, len);
    err = ota_journal_begin(p, j, JOURNAL_DIRECTORY, len);
    if (err == OTA_OK)
        err = ota_journal_put(p, j, (const uint8_t *)path, len);
    return err == OTA_OK ? ota_journal_commit(p, j) : err;
}

static int stat_of(struct ota_install *i, const char *path, struct ota_stat *st)
{
    memset(st, 0, sizeof(*st));
    return i->port->stat(i->port->ctx, path, st);
}

void ota_block(struct ota_install *i, const char *path)
{
    memmove(i->folder, path, strlen(path) + 1);
    i->blocked = true;
}

static int in_the_way(struct ota_install *i, const char *path)
{
    ota_block(i, path);
    return OTA_ERR_PATH;
}

const char *ota_blocked(const struct ota_install *i)
{
    return i->blocked ? i->folder : NULL;
}

/* One folder above a target: there, on the same file system, or to be made. */
static int check_folder(struct ota_install *i, const char *path, size_t len,
                        uint32_t fs)
{
    char dir[OTA_PATH + 1];
    struct ota_stat st;
    int err;

    memcpy(dir, path, len);
    dir[len] = '\0';
    err = stat_of(i, dir, &st);
    if (err != OTA_OK)
        return err;
    if (st.kind == OTA_DIRECTORY)
        return st.fs == fs ? OTA_OK : in_the_way(i, dir);
    if (st.kind == OTA_NOTHING ||
        (st.kind == OTA_REGULAR && i->deleted[0] != '\0' &&
         ota_path_compare(dir, len, i->deleted, strlen(i->deleted)) == 0))
        return new_folder(i, path, len);
    return in_the_way(i, dir);
}

int ota_check_target(struct ota_install *i, const char *path)
{
    struct ota_stat st;
    uint32_t fs;
    size_t n;
    int err;

    if (listed(path, i->config->boot_paths, i->config->boot_path_count))
        return OTA_ERR_PATH;
    err = stat_of(i, ".ota", &st);
    fs = st.fs;
    for (n = 0; err == OTA_OK && path[n] != '\0'; n++) {
        if (path[n] == '/')
            err = check_folder(i, path, n, fs);
    }
    if (err == OTA_OK)
        err = stat_of(i, path, &st);
    if (err != OTA_OK || st.kind == OTA_NOTHING)
        return err;
    ota_note_size(i, st.size);
    return st.kind == OTA_REGULAR && st.fs == fs ? OTA_OK : in_the_way(i, path);
}
