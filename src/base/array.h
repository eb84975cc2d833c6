/* Lists that grow. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stddef.h>

/* Room for one more than `count` items of `size` bytes in `*list`, which has
 * *room of them and is the caller's to free(); it is doubled where it is full.
 * `list` is the address of a pointer of any type.  0, or -1 (reported), and the
 * list is as it was. */
int array_grow(void *list, size_t count, size_t *room, size_t size);

#endif
