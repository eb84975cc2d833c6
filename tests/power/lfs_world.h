/* A device with littlefs on flash of 4 KiB blocks: each program and erase is
 * an operation.  Loss 0: of the last one nothing has landed, 1: one half. */
#ifndef LFS_WORLD_H
#define LFS_WORLD_H

#include "world.h"

/* Formatted, of so many blocks. */
struct world *lfs_new(uint32_t blocks);

#endif
