/* Cuts the power at every operation of a life, and again at every operation of
 * the lives that follow, as deep as is asked for. */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "scene.h"

enum { EXPLORE_DEPTH = 3 };

struct explore {
    const struct scene *scene;
    scene_life *life;
    int depth;                      /* cuts that follow each other, at most */
    unsigned losses[EXPLORE_DEPTH]; /* bit mask of what the n-th cut loses */
    uint32_t seed;                  /* for what is lost by chance */
    long every[EXPLORE_DEPTH]; /* only each so many'th operation; 0: each */
    /* found */
    long operations;          /* of a life without a cut */
    long cuts[EXPLORE_DEPTH]; /* by which cut it was */
    long states;              /* different ones that they left */
    long wrong, stuck;
    /* own */
    struct {
        long op;
        int loss;
    } trail[EXPLORE_DEPTH];
    int level;
    uint64_t *seen;
    size_t seen_count, seen_space;
};

/* From `start` on, which stays as it is.  Says what it found wrong. */
void explore(struct explore *x, const struct world *start);

#endif
