/* What a rollback asks for: everything that is published as if it were
 * configured, and one release of it with the content of a version that it
 * had. */
#ifndef PUBLISH_BACK_H
#define PUBLISH_BACK_H

#include "plan/plan.h"

struct back {
    struct config config; /* all releases and devices; one is selected */
    struct tree tree;     /* its content, without the bytes */
    struct plan_back request;
    struct arena memory;
    uint32_t *at_least; /* as in struct plan_request */
};

/* Makes it of an index with its shards, which must outlive it; `where` is for
 * messages.  0, or -1: it is not possible (reported, with the devices that
 * are in the way); to be released in both cases. */
int back_open(const struct index *x, const char *where, const char *release,
              uint32_t to, struct back *out);
void back_release(struct back *b);

/* The least number of the new version, for several servers to get one. */
void back_at_least(struct back *b, uint32_t least);

/* Packs the group's payload from the one that the server has of its content.
 * 0, 1: it is not to be had there (reported), or -1 (reported). */
int back_pack(const struct plan *p, const struct plan_group *g, unsigned jobs,
              struct payload *out);

#endif
