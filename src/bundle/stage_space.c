/* Room for a bundle: ota-install(7), Space. */
#include "stage.h"

#include <string.h>

/* Of the journal and the list an entry takes some 55 bytes each and its path,
 * of the journal a segment of 64 KiB at most 900. */
enum { ENTRY_LEN = 2 * (55 + 40), SEGMENT = 65536, SEGMENT_LEN = 900 };

static int size_of(struct ota_install *i, const char *path, uint32_t *size)
{
    struct ota_stat st;
    int err;

    memset(&st, 0, sizeof(st));
    err = i->port->stat(i->port->ctx, path, &st);
    *size = err == OTA_OK && st.kind == OTA_REGULAR ? st.size : 0;
    return err;
}

/* What lies in new/ and old/ goes before anything comes: it counts as free. */
static int stale_bytes(struct ota_install *i, uint32_t block, uint64_t *bytes)
{
    static const char *const kinds[2] = {".ota/new", ".ota/old"};
    char path[WORK_PATH];
    uint32_t size;
    unsigned n, k;
    int err = OTA_OK;

    *bytes = 0;
    for (n = 0; err == OTA_OK && n <= i->state.entries; n++) {
        for (k = 0; err == OTA_OK && k < 2; k++) {
            ota_work_path(i, kinds[k], n, false, path);
            err = size_of(i, path, &size);
            *bytes += ((uint64_t)size + block - 1) / block * block;
        }
        if (err == OTA_OK)
            err = ota_yield(i);
    }
    return err;
}

static int room(struct ota_install *i, uint64_t need, uint64_t have)
{
    i->space = need > have ? need : 0;
    return need > have ? OTA_ERR_SPACE : OTA_OK;
}

int ota_space_begin(struct ota_install *i, const struct ota_alternative *a)
{
    uint64_t have, blocks, stale;
    uint32_t block = 1, list;
    int err;

    if (!i->port->free)
        return OTA_OK;
    err = i->port->free(i->port->ctx, &have, &block);
    if (err == OTA_OK)
        err = stale_bytes(i, block, &stale);
    if (err == OTA_OK)
        err = size_of(i, ".ota/files", &list);
    if (err != OTA_OK)
        return err;
    blocks = a->records + 2ULL + 8ULL + 4ULL * (a->records / 32 + 1U);
    return room(i,
                a->space + (uint64_t)ENTRY_LEN * a->records + list +
                    SEGMENT_LEN * (a->space / SEGMENT + 1ULL) + block * blocks,
                have + stale);
}

/* What only the records tell: folders that will be new, and the largest file
 * where a move copies. */
int ota_space_swap(struct ota_install *i)
{
    uint64_t have;
    uint32_t block = 1, list = 0;
    int err;

    if (!i->port->free)
        return OTA_OK;
    err = i->port->free(i->port->ctx, &have, &block);
    if (err == OTA_OK)
        err = size_of(i, ".ota/new/00/00/00", &list);
    if (err != OTA_OK)
        return err;
    ota_note_size(i, list);
    return room(i,
                (i->port->move_copies ? i->largest : 0) +
                    block * (2ULL * i->folders + 4ULL),
                have);
}
