/* A device with FatFs on sectors of 512 bytes, each written whole or not at
 * all: each write of one is an operation. */
#ifndef FAT_WORLD_H
#define FAT_WORLD_H

#include "world.h"

/* Formatted, of so many sectors: FAT12 below some 4,100, else FAT16. */
struct world *fat_new(uint32_t sectors);

#endif
