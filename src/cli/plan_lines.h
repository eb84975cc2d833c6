/* The files of a release that change, each named once however many devices it
 * changes for. */
#ifndef CLI_PLAN_LINES_H
#define CLI_PLAN_LINES_H

#include "plan/plan.h"

/* A path and how it changes, with the least sizes of all devices that have this
 * change, and the most. */
struct plan_line {
    struct plan_file file;
    uint64_t before_most, after_most;
    size_t device_count;
};

/* In record order.  Paths are the plan's. */
struct plan_lines {
    struct plan_line *list;
    size_t count;
};

/* Of all groups of the release; to be released in any case.  0, or -1
 * (reported). */
int plan_lines_make(const struct plan *p, const struct plan_release *r,
                    struct plan_lines *out);
void plan_lines_release(struct plan_lines *l);

/* The line that has this change, or NULL.  `hint` is its place in the list as a
 * guess: quick where that is right. */
struct plan_line *plan_lines_find(const struct plan_lines *l,
                                  const struct plan_file *f, size_t hint);

/* All devices of the release have the change, in the same sizes. */
bool plan_line_shared(const struct plan_line *l, const struct plan_release *r);

#endif
