/* The simulated file system: see simfs.h.  Contents are shared between copies
 * until one is written to, so that a test can afford a copy at every
 * operation. */
#include "simfs_core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const sim_mode_names[SIM_MODES] = {
    "rename replaces", "rename refuses", "copy and remove"};

/* -- contents ---------------------------------------------------------------
 */

static struct blob *blob_new(uint32_t room)
{
    struct blob *b = malloc(sizeof(*b) + room);

    if (!b)
        abort();
    memset(b, 0, sizeof(*b));
    b->refs = 1;
    b->room = room;
    return b;
}

static struct blob *blob_hold(struct blob *b)
{
    b->refs++;
    return b;
}

static void blob_drop(struct blob *b)
{
    if (b && --b->refs == 0)
        free(b);
}

/* One that may be written to, with `room` bytes. */
static struct blob *blob_own(struct blob *b, uint32_t room)
{
    struct blob *to;

    if (b->refs == 1 && b->room >= room) {
        b->hash = 0;
        return b;
    }
    if (room < b->len)
        room = b->len;
    to = blob_new(room * 2);
    to->len = b->len;
    memcpy(to->bytes, b->bytes, b->len);
    blob_drop(b);
    return to;
}

static uint64_t blob_hash(struct blob *b)
{
    if (b->hash == 0)
        b->hash = world_mix(b->len + 1, b->bytes, b->len) | 1;
    return b->hash;
}

/* -- inodes -----------------------------------------------------------------
 */

void *sim_grow(void *p, int *space, size_t size)
{
    *space = *space ? *space * 2 : 64;
    p = realloc(p, (size_t)*space * size);
    if (!p)
        abort();
    return p;
}

void sim_hold(struct sim *s, int inode)
{
    if (inode >= 0)
        s->inode[inode].refs++;
}

void sim_drop(struct sim *s, int inode)
{
    struct inode *n = inode < 0 ? NULL : &s->inode[inode];

    if (!n || --n->refs > 0)
        return;
    blob_drop(n->now);
    blob_drop(n->safe);
    n->now = n->safe = NULL;
}

/* The inode has no reference yet. */
int sim_new_inode(struct sim *s)
{
    int i = 0;

    while (i < s->inodes && s->inode[i].refs > 0)
        i++;
    if (i == s->inode_space)
        s->inode = sim_grow(s->inode, &s->inode_space, sizeof(*s->inode));
    if (i == s->inodes)
        s->inodes++;
    memset(&s->inode[i], 0, sizeof(s->inode[i]));
    s->inode[i].mode = s->inode[i].safe_mode = 0644;
    s->inode[i].now = blob_new(16);
    s->inode[i].safe = blob_hold(s->inode[i].now);
    return i;
}

void sim_make_safe(struct inode *n)
{
    if (n->safe == n->now && n->safe_mode == n->mode)
        return;
    blob_drop(n->safe);
    n->safe = blob_hold(n->now);
    n->safe_mode = n->mode;
}

static void make_all_safe(struct sim *s)
{
    for (int i = 0; i < s->inodes; i++) {
        if (s->inode[i].refs > 0)
            sim_make_safe(&s->inode[i]);
    }
}

void sim_make_durable(struct sim *s)
{
    make_all_safe(s);
    sim_copy_names(s, &s->safe, &s->now);
    sim_settle_names(s);
}

void sim_truncate(struct inode *n)
{
    blob_drop(n->now);
    n->now = blob_new(16);
}

void sim_write(struct inode *n, uint32_t offset, const uint8_t *buf, size_t len)
{
    uint32_t end = offset + (uint32_t)len;
    struct blob *b = n->now = blob_own(n->now, end);

    if (offset > b->len)
        memset(b->bytes + b->len, 0, offset - b->len);
    memcpy(b->bytes + offset, buf, len);
    if (end > b->len)
        b->len = end;
}

/* -- the cut ----------------------------------------------------------------
 */

static uint32_t dice(struct sim *s)
{
    s->seed = s->seed * 1664525 + 1013904223;
    return s->seed >> 16;
}

static bool survives(struct sim *s, int i, enum sim_loss loss)
{
    /* FatFs does one thing after the other, and the last one may lack */
    if (s->mode == SIM_COPIES)
        return loss == SIM_ALL || loss == SIM_NAMES || i + 1 < s->ops;
    switch (loss) {
    case SIM_NONE:
        return false;
    case SIM_LAST:
        return i + 1 == s->ops;
    case SIM_ODD:
        return i % 2 == 1;
    case SIM_DICE:
        return dice(s) % 2 == 0;
    default:
        return true;
    }
}

/* One half is what was written, the other what was there before or nothing. */
static void tear(struct inode *n, bool first_half)
{
    uint32_t len = n->now->len, i;
    struct blob *b = blob_new(len ? len : 1);

    b->len = len;
    for (i = 0; i < len; i++) {
        if ((i < len / 2) == first_half)
            b->bytes[i] = n->now->bytes[i];
        else
            b->bytes[i] = i < n->safe->len ? n->safe->bytes[i] : 0xff;
    }
    blob_drop(n->now);
    n->now = b;
}

static void lose_content(struct sim *s, struct inode *n, enum sim_loss loss)
{
    unsigned roll = loss == SIM_DICE ? dice(s) % 4 : 0;

    if (n->now == n->safe && n->mode == n->safe_mode)
        return;
    if (loss == SIM_ALL || (loss == SIM_DICE && roll == 1)) {
        sim_make_safe(n);
        return;
    }
    if (loss == SIM_LAST || (loss == SIM_DICE && roll > 1)) {
        tear(n, roll != 3);
        n->mode = n->safe_mode;
        sim_make_safe(n);
        return;
    }
    blob_drop(n->now);
    n->now = blob_hold(n->safe);
    n->mode = n->safe_mode;
}

/* What lies in a folder that was lost is lost. */
static void drop_orphans(struct sim *s)
{
    bool dropped;

    do {
        dropped = false;
        for (int i = 0; i < s->safe.count; i++) {
            struct node *n = &s->safe.node[i];

            if (n->path[0] && !sim_has_parent(&s->safe, n->path)) {
                sim_del(s, &s->safe, n);
                dropped = true;
            }
        }
    } while (dropped);
}

static void crash(struct world *w, int loss)
{
    struct sim *s = (struct sim *)w;

    w->at_op = NULL;
    s->fail.at = 0;
    s->seed ^= (uint32_t)w->ops * 2654435761U;
    w->ops = 0;
    for (int i = 0; i < HANDLES; i++) {
        sim_drop(s, s->handle[i]);
        s->handle[i] = -1;
    }
    if (loss == SIM_KILL) {
        world_start(w);
        return;
    }
    for (int i = 0; i < s->ops; i++) {
        if (survives(s, i, (enum sim_loss)loss))
            sim_apply(s, &s->safe, &s->op[i]);
    }
    drop_orphans(s);
    sim_copy_names(s, &s->now, &s->safe);
    sim_settle_names(s);
    for (int i = 0; i < s->inodes; i++) {
        if (s->inode[i].refs > 0)
            lose_content(s, &s->inode[i], (enum sim_loss)loss);
    }
    world_start(w);
}

/* -- copies -----------------------------------------------------------------
 */

static void *copy_of(const void *from, int count, size_t size)
{
    void *to = malloc((size_t)count * size + 1);

    if (!to)
        abort();
    if (count > 0)
        memcpy(to, from, (size_t)count * size);
    return to;
}

static struct world *sim_copy(const struct world *w)
{
    const struct sim *from = (const struct sim *)w;
    struct sim *s = copy_of(from, 1, sizeof(*s));

    s->world.port.ctx = s;
    s->world.at_op = NULL;
    s->now.node = copy_of(from->now.node, from->now.count, sizeof(struct node));
    s->now.space = s->now.count;
    s->safe.node =
        copy_of(from->safe.node, from->safe.count, sizeof(struct node));
    s->safe.space = s->safe.count;
    s->inode = copy_of(from->inode, from->inodes, sizeof(*s->inode));
    s->inode_space = s->inodes;
    for (int i = 0; i < s->inodes; i++) {
        if (s->inode[i].refs > 0) {
            blob_hold(s->inode[i].now);
            blob_hold(s->inode[i].safe);
        }
    }
    s->op = copy_of(from->op, from->ops, sizeof(*s->op));
    s->op_space = s->ops;
    return &s->world;
}

static void sim_free(struct world *w)
{
    struct sim *s = (struct sim *)w;

    for (int i = 0; i < s->inodes; i++) {
        if (s->inode[i].refs > 0) {
            blob_drop(s->inode[i].now);
            blob_drop(s->inode[i].safe);
        }
    }
    free(s->inode);
    free(s->now.node);
    free(s->safe.node);
    free(s->op);
    free(s);
}

/* In no order: nodes lie where they happened to fit. */
static uint64_t hash_names(const struct sim *s, const struct names *names,
                           bool safe)
{
    uint64_t sum = 0;

    for (int i = 0; i < names->count; i++) {
        const struct node *n = &names->node[i];
        const struct inode *inode = n->inode < 0 ? NULL : &s->inode[n->inode];
        uint64_t h[3] = {
            n->hash,
            n->kind | (uint64_t)n->mode << 32 | (uint64_t)n->owner << 48, 0};

        if (!n->path[0])
            continue;
        if (inode) {
            h[1] |= (uint64_t)(safe ? inode->safe_mode : inode->mode) << 8;
            h[2] = blob_hash(safe ? inode->safe : inode->now);
        }
        sum += world_mix(1, h, sizeof(h));
    }
    return sum;
}

static uint64_t sim_hash(const struct world *w)
{
    const struct sim *s = (const struct sim *)w;
    uint64_t h[4] = {(uint64_t)s->mode, hash_names(s, &s->now, false),
                     hash_names(s, &s->safe, true), (uint64_t)s->ops};
    uint64_t hash = world_mix(world_mix(2, h, sizeof(h)), s->op,
                              s->ops ? (size_t)s->ops * sizeof(*s->op) : 0);

    return world_mix(hash, &w->slot, sizeof(w->slot));
}

/* -- for tests --------------------------------------------------------------
 */

static const uint8_t *sim_get(struct world *w, const char *path, size_t *len,
                              unsigned *mode)
{
    struct sim *s = (struct sim *)w;
    struct node *n = sim_find(&s->now, path);

    if (!n || n->kind != OTA_REGULAR)
        return NULL;
    *len = s->inode[n->inode].now->len;
    *mode = s->inode[n->inode].mode;
    return s->inode[n->inode].now->bytes;
}

static void sim_mkdir(struct world *w, const char *path)
{
    struct sim *s = (struct sim *)w;

    if (!sim_find(&s->now, path))
        sim_name(s, "", path, OTA_DIRECTORY, -1);
    sim_make_durable(s);
}

static void sim_put(struct world *w, const char *path, const void *bytes,
                    size_t len, unsigned mode)
{
    struct sim *s = (struct sim *)w;
    int inode = sim_new_inode(s);

    if (!sim_has_parent(&s->now, path))
        abort();
    sim_write(&s->inode[inode], 0, bytes, len);
    s->inode[inode].mode = (uint16_t)mode;
    sim_name(s, "", path, OTA_REGULAR, inode);
    sim_make_durable(s);
}

static void sim_remove(struct world *w, const char *path)
{
    struct sim *s = (struct sim *)w;

    if (sim_find(&s->now, path))
        sim_name(s, path, "", 0, -1);
    sim_make_durable(s);
}

static bool in_walk(const char *path, const char *root)
{
    size_t len = strlen(root);

    if (len == 0)
        return strncmp(path, ".ota", 4) != 0;
    return strncmp(path, root, len) == 0 && path[len] == '/';
}

static void sim_walk(struct world *w, const char *root,
                     void (*each)(void *arg, const char *path, bool folder),
                     void *arg)
{
    struct sim *s = (struct sim *)w;

    for (int i = 0; i < s->now.count; i++) {
        const struct node *n = &s->now.node[i];

        if (n->path[0] && in_walk(n->path, root))
            each(arg, n->path, n->kind == OTA_DIRECTORY);
    }
}

static const struct world_type sim_types[SIM_MODES] = {
#define SIM_TYPE(number, has_modes)                                            \
    [number] = {.losses = SIM_LOSSES,                                          \
                .modes = (has_modes),                                          \
                .copy = sim_copy,                                              \
                .free = sim_free,                                              \
                .crash = crash,                                                \
                .hash = sim_hash,                                              \
                .get = sim_get,                                                \
                .put = sim_put,                                                \
                .remove = sim_remove,                                          \
                .mkdir = sim_mkdir,                                            \
                .walk = sim_walk}
    SIM_TYPE(SIM_REPLACES, true), SIM_TYPE(SIM_REFUSES, true),
    SIM_TYPE(SIM_COPIES, false)};

struct world *sim_new(enum sim_mode mode)
{
    struct sim *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->world.port = sim_port;
    s->world.port.move_copies = mode == SIM_COPIES;
    if (mode == SIM_COPIES) /* FAT knows no modes */
        s->world.port.mkdir_as = NULL;
    world_init(&s->world, &sim_types[mode]);
    s->mode = mode;
    s->room = 8 << 20;
    sim_names_init(&s->now);
    sim_names_init(&s->safe);
    memset(s->handle, 0xff, sizeof(s->handle));
    return &s->world;
}

void sim_seed(struct world *w, uint32_t seed)
{
    ((struct sim *)w)->seed = seed;
}

void sim_room(struct world *w, uint64_t bytes)
{
    ((struct sim *)w)->room = bytes;
}

void sim_mount(struct world *w, const char *path)
{
    struct node *n = sim_find(&((struct sim *)w)->now, path);

    if (!n)
        abort();
    n->elsewhere = true;
}

void sim_edit(struct world *w, const char *path, uint32_t offset,
              const char *text)
{
    struct sim *s = (struct sim *)w;
    struct node *n = sim_find(&s->now, path);

    sim_write(&s->inode[n->inode], offset, (const uint8_t *)text, strlen(text));
}

void sim_own(struct world *w, const char *path, unsigned mode, unsigned owner)
{
    struct sim *s = (struct sim *)w;
    struct node *n = sim_find(&s->now, path);

    n->mode = (uint16_t)mode;
    n->owner = (uint16_t)owner;
    sim_make_durable(s);
}

bool sim_owned(struct world *w, const char *path, unsigned mode, unsigned owner)
{
    struct node *n = sim_find(&((struct sim *)w)->now, path);

    return n && n->kind == OTA_DIRECTORY && n->mode == mode &&
           n->owner == owner;
}

void sim_link(struct world *w, const char *path)
{
    struct sim *s = (struct sim *)w;

    sim_name(s, "", path, OTA_OTHER, -1);
    sim_make_durable(s);
}
