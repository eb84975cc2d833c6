/* See real.h. */
#include "real.h"
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- the port ---------------------------------------------------------------
 */

/* A folder only if it is empty: unlink sees to that. */
static int remove_as(struct real *r, const char *path, int kind)
{
    struct ota_stat st;
    int err = r->world.port.stat(r, path, &st);

    if (err == OTA_OK && st.kind != kind)
        err = OTA_ERR_IO;
    return err == OTA_OK ? r->type->unlink(r, path) : err;
}

static int port_remove(void *ctx, const char *path)
{
    return remove_as(ctx, path, OTA_REGULAR);
}

static int port_rmdir(void *ctx, const char *path)
{
    return remove_as(ctx, path, OTA_DIRECTORY);
}

static int port_mkdir(void *ctx, const char *path)
{
    struct real *r = ctx;
    struct ota_stat st;
    int err = r->world.port.stat(r, path, &st);

    if (err != OTA_OK || st.kind == OTA_DIRECTORY)
        return err;
    return r->type->make_folder(r, path);
}

struct name {
    char *to;
    size_t size;
};

static void take_name(void *arg, const char *name, bool folder)
{
    const struct name *n = arg;

    (void)folder;
    snprintf(n->to, n->size, "%s", name);
}

/* A name in the folder `path`, or "". */
static void first_in(void *ctx, const char *path, char *name, size_t size)
{
    struct real *r = ctx;
    struct name n = {name, size};

    name[0] = '\0';
    r->type->list(r, path, take_name, &n);
}

static int port_aside(void *ctx, const char *from, const char *to)
{
    return tree_move(ctx, &((struct real *)ctx)->world.port, from, to,
                     first_in);
}

static int port_clear(void *ctx, const char *path)
{
    return tree_clear(ctx, &((struct real *)ctx)->world.port, path, first_in);
}

/* -- the world --------------------------------------------------------------
 */

static struct real *allocate(const struct real_type *type)
{
    struct real *r = calloc(1, type->size);

    if (!r)
        abort();
    r->type = type;
    return r;
}

struct real *real_new(const struct real_type *type, uint32_t page,
                      uint32_t pages)
{
    struct real *r = allocate(type);
    struct ota_port *port = &r->world.port;

    *port = type->port;
    port->remove = port_remove;
    port->rmdir = port_rmdir;
    port->mkdir = port_mkdir;
    port->clear = port_clear;
    if (!port->aside)
        port->aside = port_aside;
    world_init(&r->world, &type->world);
    disk_init(&r->disk, page, pages);
    type->start(r);
    return r;
}

struct world *real_copy(const struct world *w)
{
    const struct real *from = (const struct real *)w;
    struct real *r = allocate(from->type);

    r->world = from->world;
    r->world.port.ctx = r;
    r->world.at_op = NULL;
    disk_copy(&r->disk, &from->disk);
    r->type->start(r);
    return &r->world;
}

void real_free(struct world *w)
{
    struct real *r = (struct real *)w;

    disk_release(&r->disk);
    free(r->found);
    free(r);
}

void real_crash(struct world *w, int loss)
{
    struct real *r = (struct real *)w;

    w->at_op = NULL;
    w->ops = 0;
    disk_cut(&r->disk, loss == 1);
    r->type->start(r);
    world_start(w);
}

uint64_t real_hash(const struct world *w)
{
    const struct real *r = (const struct real *)w;

    return world_mix(disk_hash(&r->disk), &w->slot, sizeof(w->slot));
}

const uint8_t *real_get(struct world *w, const char *path, size_t *len,
                        unsigned *mode)
{
    const struct ota_port *p = &w->port;
    struct real *r = (struct real *)w;
    struct ota_stat st;
    int h, n;

    if (p->stat(w, path, &st) != OTA_OK || st.kind != OTA_REGULAR)
        return NULL;
    h = p->open(w, path, OTA_OPEN_READ);
    if (h < 0)
        return NULL;
    free(r->found);
    r->found = malloc(st.size + 1);
    if (!r->found)
        abort();
    n = p->read_at(w, h, 0, r->found, st.size);
    p->close(w, h);
    *len = st.size;
    *mode = 0;
    return n == (int)st.size ? r->found : NULL;
}

void real_put(struct world *w, const char *path, const void *bytes, size_t len,
              unsigned mode)
{
    const struct ota_port *p = &w->port;
    int h = p->open(w, path, OTA_OPEN_NEW);

    (void)mode;
    if (h < 0 || p->write_at(w, h, 0, bytes, len) != OTA_OK ||
        p->close(w, h) != OTA_OK)
        abort();
}

void real_remove(struct world *w, const char *path)
{
    w->port.remove(w, path);
}

void real_mkdir(struct world *w, const char *path)
{
    if (w->port.mkdir(w, path) != OTA_OK)
        abort();
}

struct walk {
    struct real *r;
    char path[OTA_PATH + 1];
    size_t len; /* of the folder that is listed */
    void (*each)(void *arg, const char *path, bool folder);
    void *arg;
};

static void walk_name(void *arg, const char *name, bool folder)
{
    struct walk *w = arg;
    size_t len = w->len, at = len;

    if (name[0] == '.')
        return; /* .ota */
    if (len > 0)
        w->path[at++] = '/';
    if (at + strlen(name) > OTA_PATH)
        abort();
    memcpy(w->path + at, name, strlen(name) + 1);
    w->each(w->arg, w->path, folder);
    if (folder) {
        w->len = strlen(w->path);
        w->r->type->list(w->r, w->path, walk_name, w);
        w->len = len;
    }
    w->path[len] = '\0';
}

void real_walk(struct world *w, const char *root,
               void (*each)(void *arg, const char *path, bool folder),
               void *arg)
{
    struct walk walk = {
        .r = (struct real *)w, .len = strlen(root), .each = each, .arg = arg};

    snprintf(walk.path, sizeof(walk.path), "%s", root);
    walk.r->type->list(walk.r, root, walk_name, &walk);
}
