/* The names of the simulated file system, those of now and the durable ones,
 * and the operations between them. */
#include "simfs_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t path_hash(const char *path)
{
    return (uint32_t)world_mix(7, path, strlen(path));
}

struct node *sim_find(const struct names *names, const char *path)
{
    uint32_t hash = path_hash(path);
    int i = names->head[hash % HEADS];

    while (i >= 0 && (names->node[i].hash != hash ||
                      strcmp(names->node[i].path, path) != 0))
        i = names->node[i].next;
    return i < 0 ? NULL : &names->node[i];
}

void sim_names_init(struct names *names)
{
    memset(names, 0, sizeof(*names));
    names->unused = -1;
    memset(names->head, 0xff, sizeof(names->head));
}

static struct node *add(struct names *names, const char *path)
{
    struct node *n;
    int i = names->unused;

    if (strlen(path) >= PATH)
        abort();
    if (i >= 0) {
        names->unused = names->node[i].next;
    } else {
        if (names->count == names->space)
            names->node = sim_grow(names->node, &names->space, sizeof(*n));
        i = names->count++;
    }
    n = &names->node[i];
    memset(n, 0, sizeof(*n));
    memcpy(n->path, path, strlen(path) + 1);
    n->hash = path_hash(path);
    n->inode = -1;
    n->next = names->head[n->hash % HEADS];
    names->head[n->hash % HEADS] = (int16_t)i;
    return n;
}

void sim_del(struct sim *s, struct names *names, struct node *n)
{
    int16_t *at = &names->head[n->hash % HEADS];
    int16_t i = (int16_t)(n - names->node);

    while (*at != i)
        at = &names->node[*at].next;
    *at = n->next;
    sim_drop(s, n->inode);
    memset(n, 0, sizeof(*n));
    n->next = names->unused;
    names->unused = i;
}

bool sim_has_parent(const struct names *names, const char *path)
{
    char dir[PATH];
    const char *slash = strrchr(path, '/');
    struct node *n;

    if (!slash)
        return true;
    memcpy(dir, path, (size_t)(slash - path));
    dir[slash - path] = '\0';
    n = sim_find(names, dir);
    return n && n->kind == OTA_DIRECTORY;
}

bool sim_has_children(const struct names *names, const char *path)
{
    size_t len = strlen(path);

    for (int i = 0; i < names->count; i++) {
        if (strncmp(names->node[i].path, path, len) == 0 &&
            names->node[i].path[len] == '/')
            return true;
    }
    return false;
}

/* A folder goes with all that is in it, as one step. */
static void move_tree(struct sim *s, struct names *names, const struct op *op)
{
    size_t len = strlen(op->from);

    for (int i = 0; i < names->count; i++) {
        struct node from = names->node[i], *n;
        char to[2 * PATH];

        if (strncmp(from.path, op->from, len) != 0 ||
            (from.path[len] != '\0' && from.path[len] != '/'))
            continue;
        snprintf(to, sizeof(to), "%s%s", op->to, from.path + len);
        sim_hold(s, from.inode);
        sim_del(s, names, &names->node[i]);
        n = add(names, to);
        n->kind = from.kind;
        n->elsewhere = from.elsewhere;
        n->mode = from.mode;
        n->owner = from.owner;
        n->inode = from.inode;
    }
}

void sim_apply(struct sim *s, struct names *names, const struct op *op)
{
    struct node *n;

    if (op->kind == OTA_DIRECTORY && op->from[0] && op->to[0]) {
        move_tree(s, names, op);
        return;
    }
    sim_hold(s, op->inode);
    if (op->from[0] && (n = sim_find(names, op->from)))
        sim_del(s, names, n);
    if (!op->to[0]) {
        sim_drop(s, op->inode);
        return;
    }
    if ((n = sim_find(names, op->to)))
        sim_del(s, names, n);
    n = add(names, op->to);
    n->kind = op->kind;
    n->mode = op->mode;
    n->owner = op->owner;
    n->inode = op->inode;
}

void sim_name(struct sim *s, const char *from, const char *to, int kind,
              int inode)
{
    sim_name_as(s, from, to, kind, inode, kind == OTA_DIRECTORY ? 0755 : 0, 0);
}

void sim_name_as(struct sim *s, const char *from, const char *to, int kind,
                 int inode, unsigned mode, unsigned owner)
{
    struct op *op;

    if (s->ops == s->op_space)
        s->op = sim_grow(s->op, &s->op_space, sizeof(*op));
    op = &s->op[s->ops++];
    memset(op, 0, sizeof(*op));
    memcpy(op->from, from, strlen(from) + 1);
    memcpy(op->to, to, strlen(to) + 1);
    op->kind = (uint8_t)kind;
    op->mode = (uint16_t)mode;
    op->owner = (uint16_t)owner;
    op->inode = (int16_t)inode;
    sim_hold(s, inode);
    sim_apply(s, &s->now, op);
}

void sim_settle_names(struct sim *s)
{
    for (int i = 0; i < s->ops; i++)
        sim_drop(s, s->op[i].inode);
    s->ops = 0;
}

void sim_copy_names(struct sim *s, struct names *to, const struct names *from)
{
    struct node *node = to->node;
    int space = to->space;

    for (int i = 0; i < to->count; i++)
        sim_drop(s, node[i].path[0] ? node[i].inode : -1);
    while (space < from->count)
        node = sim_grow(node, &space, sizeof(*node));
    *to = *from;
    to->node = node;
    to->space = space;
    if (from->count > 0)
        memcpy(node, from->node, (size_t)from->count * sizeof(*node));
    for (int i = 0; i < to->count; i++)
        sim_hold(s, node[i].path[0] ? node[i].inode : -1);
}
