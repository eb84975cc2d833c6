/* See tree.h. */
#include "tree.h"

#include <stdio.h>
#include <string.h>

static int kind_of(void *ctx, const struct ota_port *p, const char *path)
{
    struct ota_stat st;
    int err;

    memset(&st, 0, sizeof(st));
    err = p->stat(ctx, path, &st);
    return err == OTA_OK ? st.kind : err;
}

static int copy_all(void *ctx, const struct ota_port *p, int in, int out)
{
    uint8_t buf[256];
    uint32_t at = 0;
    int n, err = OTA_OK;

    while (err == OTA_OK && (n = p->read_at(ctx, in, at, buf, sizeof(buf)))) {
        err = n < 0 ? n : p->write_at(ctx, out, at, buf, (size_t)n);
        at += n > 0 ? (uint32_t)n : 0;
    }
    return err == OTA_OK ? p->sync(ctx, out) : err;
}

int tree_copy(void *ctx, const struct ota_port *p, const char *from,
              const char *to)
{
    int in = p->open(ctx, from, OTA_OPEN_READ), out, err, closed;

    if (in < 0)
        return in;
    out = p->open(ctx, to, OTA_OPEN_NEW);
    err = out < 0 ? out : copy_all(ctx, p, in, out);
    closed = out < 0 ? OTA_OK : p->close(ctx, out);
    p->close(ctx, in);
    if (err == OTA_OK)
        err = closed;
    return err == OTA_OK ? p->remove(ctx, from) : err;
}

int tree_move(void *ctx, const struct ota_port *p, const char *from,
              const char *to, tree_first *first)
{
    char a[2 * OTA_PATH], b[2 * OTA_PATH], name[OTA_PATH];
    int kind = kind_of(ctx, p, from), err;

    if (kind != OTA_DIRECTORY)
        return kind < 0 ? kind : p->move(ctx, from, to);
    err = p->mkdir(ctx, to);
    for (first(ctx, from, name, sizeof(name)); err == OTA_OK && name[0];
         first(ctx, from, name, sizeof(name))) {
        snprintf(a, sizeof(a), "%.250s/%.250s", from, name);
        snprintf(b, sizeof(b), "%.250s/%.250s", to, name);
        err = tree_move(ctx, p, a, b, first);
    }
    return err == OTA_OK ? p->rmdir(ctx, from) : err;
}

int tree_clear(void *ctx, const struct ota_port *p, const char *path,
               tree_first *first)
{
    char a[2 * OTA_PATH], name[OTA_PATH];
    int kind = kind_of(ctx, p, path), err = OTA_OK;

    if (kind == OTA_NOTHING)
        return OTA_OK;
    if (kind != OTA_DIRECTORY)
        return kind < 0 ? kind : p->remove(ctx, path);
    for (first(ctx, path, name, sizeof(name)); err == OTA_OK && name[0];
         first(ctx, path, name, sizeof(name))) {
        snprintf(a, sizeof(a), "%.250s/%.250s", path, name);
        err = tree_clear(ctx, p, a, first);
    }
    return err == OTA_OK ? p->rmdir(ctx, path) : err;
}
