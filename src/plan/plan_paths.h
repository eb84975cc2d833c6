/* Lists of paths in record order (format.md), each path once. */
#ifndef PLAN_PLAN_PATHS_H
#define PLAN_PLAN_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeros are an empty one.  The list is the caller's to free(); the paths are
 * borrowed. */
struct plan_paths {
    struct plan_path {
        const char *path;
        bool installed; /* by what is published now */
        bool below;     /* a FILE that is to be: it cannot be deleted */
        uint32_t added; /* of two spellings the one that was added last */
    } * list;
    size_t count, room;
    size_t sorted; /* so many were in order when it was last compacted */
    uint32_t added;
};

/* Of two spellings that are one name the last one stays.  0, or -1
 * (reported). */
int plan_paths_add(struct plan_paths *p, const char *path, bool installed);
/* In order, each once. */
void plan_paths_sort(struct plan_paths *p);
/* Once they are in order. */
bool plan_paths_has(const struct plan_paths *p, const char *path);

#endif
