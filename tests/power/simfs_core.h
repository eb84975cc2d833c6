/* The simulated file system from inside: contents and the cut in simfs.c, names
 * in simfs_names.c, the port's operations in simfs_port.c. */
#ifndef SIMFS_CORE_H
#define SIMFS_CORE_H

#include "simfs.h"

enum { HANDLES = 4, PATH = 64, HEADS = 512 };

/* A content, shared between copies until one is written to. */
struct blob {
    unsigned refs;
    uint32_t len, room;
    uint64_t hash; /* 0: not known */
    uint8_t bytes[];
};

struct inode {
    unsigned refs; /* names, safe names, pending, handles; 0: free */
    uint16_t mode, safe_mode;
    struct blob *now, *safe;
};

struct node {
    char path[PATH]; /* "": free */
    uint32_t hash;
    int16_t next; /* of the same head, or of the free ones; -1: none */
    uint8_t kind; /* enum ota_kind */
    bool elsewhere;
    uint16_t mode, owner; /* of a folder */
    int16_t inode;        /* of a regular file, else -1 */
};

struct names {
    int count, space; /* used nodes lie below count */
    int16_t unused, head[HEADS];
    struct node *node;
};

/* A name operation since the last barrier. */
struct op {
    char from[PATH], to[PATH]; /* link: from ""; unlink: to "" */
    uint8_t kind;
    uint16_t mode, owner; /* of a folder that is made */
    int16_t inode;
};

struct sim {
    struct world world;
    enum sim_mode mode;
    struct names now, safe;
    struct inode *inode;
    int inodes, inode_space;
    struct op *op;
    int ops, op_space;
    int16_t handle[HANDLES]; /* inode, -1: closed */
    struct {
        long at; /* 0: nothing fails */
        enum sim_fail how;
        bool failed;
        int spare; /* bytes that were freed on a full disk */
        char path[PATH];
    } fail;
    uint32_t seed;
    uint64_t room;
};

/* -- simfs_names.c ---------------------------------------------------------
 */

void sim_names_init(struct names *names);
struct node *sim_find(const struct names *names, const char *path);
bool sim_has_parent(const struct names *names, const char *path);
bool sim_has_children(const struct names *names, const char *path);
/* A name operation: link from "", unlink to "", or a rename. */
void sim_name(struct sim *s, const char *from, const char *to, int kind,
              int inode);
void sim_name_as(struct sim *s, const char *from, const char *to, int kind,
                 int inode, unsigned mode, unsigned owner);
/* Without its operation. */
void sim_del(struct sim *s, struct names *names, struct node *n);
void sim_apply(struct sim *s, struct names *names, const struct op *op);
void sim_copy_names(struct sim *s, struct names *to, const struct names *from);
/* All operations so far are forgotten. */
void sim_settle_names(struct sim *s);

/* -- simfs.c ---------------------------------------------------------------
 */

/* An array with room for more; *space in items of `size`. */
void *sim_grow(void *p, int *space, size_t size);
/* Without a name yet. */
int sim_new_inode(struct sim *s);
void sim_hold(struct sim *s, int inode);
void sim_drop(struct sim *s, int inode);
void sim_truncate(struct inode *n);
void sim_write(struct inode *n, uint32_t offset, const uint8_t *buf,
               size_t len);
void sim_make_safe(struct inode *n);
void sim_make_durable(struct sim *s);

extern const struct ota_port sim_port;

#endif
