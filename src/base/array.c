/* Lists that grow by doubling. */
#include "array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

int array_grow(void *list, size_t count, size_t *room, size_t size)
{
    size_t more = *room ? 2 * *room : 16;
    void *old, *bigger;

    if (count < *room)
        return 0;
    memcpy(&old, list, sizeof old); /* its type is the caller's */
    bigger = more > SIZE_MAX / size ? NULL : realloc(old, more * size);
    if (!bigger)
        return diag_no_memory();
    memcpy(list, &bigger, sizeof bigger);
    *room = more;
    return 0;
}
