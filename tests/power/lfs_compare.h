/* Ways to replace five files of 9 KiB on littlefs, each cut at every program
 * and erase. */
#ifndef LFS_COMPARE_H
#define LFS_COMPARE_H

#include <stdbool.h>

/* A line to the standard output for each way.  False: the installer left
 * something other than all old or all new. */
bool lfs_compare(void);

#endif
