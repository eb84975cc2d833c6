/* The operations of the simulated file system, any of which can fail. */
#include "simfs_core.h"
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- failing ----------------------------------------------------------------
 */

/* Bytes that an operation needs, or: */
enum { NEEDS_NOTHING = 0, IS_MOVE = -1, BLOCK = 512 };

static bool fails(struct sim *s, const char *path, int need)
{
    long ops = s->world.ops;

    if (s->fail.at == 0 || ops < s->fail.at)
        return false;
    if (ops == s->fail.at) {
        memcpy(s->fail.path, path, strlen(path) + 1);
        s->fail.spare = 0;
    }
    switch (s->fail.how) {
    case FAIL_ONCE:
    case FAIL_LATE:
        return ops == s->fail.at;
    case FAIL_FULL:
        if (need <= s->fail.spare) {
            s->fail.spare -= need > 0 ? need : 0;
            return false;
        }
        return need > 0;
    case FAIL_MOVES:
        return need == IS_MOVE;
    case FAIL_PATH:
        return path[0] && strcmp(path, s->fail.path) == 0;
    default:
        return true;
    }
}

/* Every operation that changes something comes through here first.  OTA_OK: it
 * takes effect; *late: and then it fails all the same. */
static int operation(struct sim *s, const char *path, int need, bool *late)
{
    world_op(&s->world);
    *late = false;
    if (!fails(s, path, need))
        return OTA_OK;
    s->fail.failed = true;
    if (s->fail.how == FAIL_LATE) {
        *late = true;
        return OTA_OK;
    }
    return s->fail.how == FAIL_FULL ? OTA_ERR_SPACE : OTA_ERR_IO;
}

static int result(bool late)
{
    return late ? OTA_ERR_IO : OTA_OK;
}

void sim_fail(struct world *w, enum sim_fail how, long at)
{
    struct sim *s = (struct sim *)w;

    w->ops = 0;
    s->fail.at = at;
    s->fail.how = how;
    s->fail.failed = false;
    s->fail.spare = 0;
    s->fail.path[0] = '\0';
}

bool sim_failed(const struct world *w)
{
    return ((const struct sim *)w)->fail.failed;
}

void sim_repair(struct world *w)
{
    ((struct sim *)w)->fail.at = 0;
}

/* -- the port ---------------------------------------------------------------
 */

static int free_handle(const struct sim *s)
{
    int h = 0;

    while (h < HANDLES && s->handle[h] >= 0)
        h++;
    if (h == HANDLES)
        abort(); /* more than the port must offer */
    return h;
}

static int open_handle(struct sim *s, int inode)
{
    int h = free_handle(s);

    s->handle[h] = (int16_t)inode;
    sim_hold(s, inode);
    return h;
}

static int create(struct sim *s, const char *path)
{
    bool late;
    int err = operation(s, path, NEEDS_NOTHING, &late), inode;

    if (err != OTA_OK)
        return err;
    if (!sim_has_parent(&s->now, path))
        return OTA_ERR_IO;
    inode = sim_new_inode(s);
    sim_name(s, "", path, OTA_REGULAR, inode);
    return late ? OTA_ERR_IO : open_handle(s, inode);
}

static int port_open(void *ctx, const char *path, enum ota_open how)
{
    struct sim *s = ctx;
    struct node *n = sim_find(&s->now, path);
    struct inode *inode;
    bool late = false;
    int err = OTA_OK;

    free_handle(s);
    if (!n)
        return how == OTA_OPEN_READ ? OTA_ERR_IO : create(s, path);
    if (n->kind != OTA_REGULAR)
        return OTA_ERR_IO;
    inode = &s->inode[n->inode];
    if (how == OTA_OPEN_NEW && inode->now->len > 0) {
        err = operation(s, path, NEEDS_NOTHING, &late);
        if (err != OTA_OK)
            return err;
        s->fail.spare += (int)inode->now->len;
        sim_truncate(inode);
    }
    return late ? OTA_ERR_IO : open_handle(s, n->inode);
}

static struct inode *inode_of(struct sim *s, int h)
{
    if (h < 0 || h >= HANDLES || s->handle[h] < 0)
        abort();
    return &s->inode[s->handle[h]];
}

static int port_read_at(void *ctx, int h, uint32_t offset, uint8_t *buf,
                        size_t len)
{
    struct blob *b = inode_of(ctx, h)->now;

    if (offset >= b->len)
        return 0;
    if (len > b->len - offset)
        len = b->len - offset;
    memcpy(buf, b->bytes + offset, len);
    return (int)len;
}

/* A path of the inode, for errors that stay with one file. */
static const char *path_of(const struct sim *s, int inode)
{
    for (int i = 0; i < s->now.count; i++) {
        if (s->now.node[i].path[0] && s->now.node[i].inode == inode)
            return s->now.node[i].path;
    }
    return "";
}

static const char *handle_path(const struct sim *s, int h)
{
    return s->fail.at ? path_of(s, s->handle[h]) : "";
}

static int port_write_at(void *ctx, int h, uint32_t offset, const uint8_t *buf,
                         size_t len)
{
    struct sim *s = ctx;
    struct inode *n = inode_of(s, h);
    uint32_t end = offset + (uint32_t)len;
    int need = end > n->now->len ? (int)(end - n->now->len) : 0, err;
    bool late;

    if (len > 1)
        sim_write(n, offset, buf, len / 2); /* what is cut or fails is torn */
    err = operation(s, handle_path(s, h), need, &late);
    if (err != OTA_OK)
        return err;
    sim_write(inode_of(s, h), offset, buf, len);
    return result(late);
}

static int port_sync(void *ctx, int h)
{
    struct sim *s = ctx;
    bool late;
    int err = operation(s, handle_path(s, h), NEEDS_NOTHING, &late);

    if (err != OTA_OK)
        return err;
    sim_make_safe(inode_of(s, h));
    return result(late);
}

static int port_close(void *ctx, int h)
{
    struct sim *s = ctx;

    inode_of(s, h);
    sim_drop(s, s->handle[h]);
    s->handle[h] = -1;
    return OTA_OK;
}

static int move_by_rename(struct sim *s, const char *from, const char *to)
{
    struct node *n = sim_find(&s->now, from), *there = sim_find(&s->now, to);
    bool late;
    int err = operation(s, from, IS_MOVE, &late);

    if (err != OTA_OK)
        return err;
    if (!n || !sim_has_parent(&s->now, to) ||
        (there && (there->kind == OTA_DIRECTORY || s->mode == SIM_REFUSES)))
        return OTA_ERR_IO;
    sim_name(s, from, to, OTA_REGULAR, n->inode);
    return result(late);
}

static int port_remove(void *ctx, const char *path)
{
    struct sim *s = ctx;
    struct node *n = sim_find(&s->now, path);
    bool late;
    int err = operation(s, path, NEEDS_NOTHING, &late);

    if (err != OTA_OK)
        return err;
    if (!n || n->kind == OTA_DIRECTORY)
        return OTA_ERR_IO;
    if (n->inode >= 0)
        s->fail.spare += (int)s->inode[n->inode].now->len;
    sim_name(s, path, "", 0, -1);
    return result(late);
}

static int move_by_copy(struct sim *s, const char *from, const char *to)
{
    bool late;
    int err = OTA_OK;

    if (s->fail.how == FAIL_MOVES && s->fail.at)
        err = operation(s, from, IS_MOVE, &late);
    return err == OTA_OK ? tree_copy(s, &sim_port, from, to) : err;
}

static int port_move(void *ctx, const char *from, const char *to)
{
    struct sim *s = ctx;

    return s->mode == SIM_COPIES ? move_by_copy(s, from, to)
                                 : move_by_rename(s, from, to);
}

static int port_mkdir(void *ctx, const char *path)
{
    struct sim *s = ctx;
    struct node *n = sim_find(&s->now, path);
    bool late;
    int err;

    if (n)
        return n->kind == OTA_DIRECTORY ? OTA_OK : OTA_ERR_IO;
    err = operation(s, path, BLOCK, &late);
    if (err != OTA_OK)
        return err;
    if (!sim_has_parent(&s->now, path))
        return OTA_ERR_IO;
    sim_name(s, "", path, OTA_DIRECTORY, -1);
    return result(late);
}

static int port_rmdir(void *ctx, const char *path)
{
    struct sim *s = ctx;
    struct node *n = sim_find(&s->now, path);
    bool late;
    int err;

    if (!n || n->kind != OTA_DIRECTORY || sim_has_children(&s->now, path))
        return OTA_ERR_IO;
    err = operation(s, path, NEEDS_NOTHING, &late);
    if (err != OTA_OK)
        return err;
    sim_name(s, path, "", 0, -1);
    return result(late);
}

/* A name in the folder `path`, or "". */
static void first_in(void *ctx, const char *path, char *name, size_t size)
{
    const struct names *names = &((struct sim *)ctx)->now;
    size_t len = strlen(path);

    name[0] = '\0';
    for (int i = 0; i < names->count; i++) {
        const char *at = names->node[i].path;

        if (strncmp(at, path, len) == 0 && at[len] == '/' &&
            !strchr(at + len + 1, '/'))
            snprintf(name, size, "%s", at + len + 1);
    }
}

static int port_aside(void *ctx, const char *from, const char *to)
{
    struct sim *s = ctx;
    struct node *n = sim_find(&s->now, from);
    bool late;
    int err;

    if (s->mode == SIM_COPIES)
        return tree_move(ctx, &s->world.port, from, to, first_in);
    err = operation(s, from, IS_MOVE, &late);
    if (err != OTA_OK)
        return err;
    if (!n || !sim_has_parent(&s->now, to) || sim_find(&s->now, to))
        return OTA_ERR_IO;
    sim_name_as(s, from, to, n->kind, n->inode, n->mode, n->owner);
    return result(late);
}

static int port_clear(void *ctx, const char *path)
{
    return tree_clear(ctx, &((struct sim *)ctx)->world.port, path, first_in);
}

static int port_mkdir_as(void *ctx, const char *path, const struct ota_stat *as)
{
    struct sim *s = ctx;
    bool late;
    int err = operation(s, path, BLOCK, &late);

    if (err != OTA_OK)
        return err;
    if (sim_find(&s->now, path) || !sim_has_parent(&s->now, path))
        return OTA_ERR_IO;
    sim_name_as(s, "", path, OTA_DIRECTORY, -1, as->mode, as->uid);
    return result(late);
}

static int port_stat(void *ctx, const char *path, struct ota_stat *st)
{
    struct sim *s = ctx;
    struct node *n = sim_find(&s->now, path);

    st->kind = n ? n->kind : OTA_NOTHING;
    st->size = n && n->inode >= 0 ? s->inode[n->inode].now->len : 0;
    st->fs = n && n->elsewhere;
    st->mode = n ? n->mode : 0;
    st->uid = n ? n->owner : 0;
    return OTA_OK;
}

static int port_chmod(void *ctx, const char *path, unsigned mode)
{
    struct sim *s = ctx;
    struct node *n = sim_find(&s->now, path);
    bool late;
    int err;

    if (s->mode == SIM_COPIES)
        return OTA_OK; /* FAT has none */
    err = operation(s, path, NEEDS_NOTHING, &late);
    if (err != OTA_OK)
        return err;
    if (!n || n->inode < 0)
        return OTA_ERR_IO;
    s->inode[n->inode].mode = (uint16_t)mode;
    return result(late);
}

static int port_free(void *ctx, uint64_t *bytes, uint32_t *block)
{
    *bytes = ((struct sim *)ctx)->room;
    *block = 512;
    return OTA_OK;
}

static int port_barrier(void *ctx)
{
    struct sim *s = ctx;
    bool late;
    int err = operation(s, "", NEEDS_NOTHING, &late);

    if (err != OTA_OK)
        return err;
    sim_make_durable(s);
    return result(late);
}

const struct ota_port sim_port = {.open = port_open,
                                  .read_at = port_read_at,
                                  .write_at = port_write_at,
                                  .sync = port_sync,
                                  .close = port_close,
                                  .move = port_move,
                                  .remove = port_remove,
                                  .mkdir = port_mkdir,
                                  .rmdir = port_rmdir,
                                  .mkdir_as = port_mkdir_as,
                                  .aside = port_aside,
                                  .clear = port_clear,
                                  .stat = port_stat,
                                  .chmod = port_chmod,
                                  .free = port_free,
                                  .barrier = port_barrier};
