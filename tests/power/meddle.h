/* What the program that is updated does meanwhile: at any target and at any
 * folder above one it removes, makes and replaces. */
#ifndef MEDDLE_H
#define MEDDLE_H

#include "plan.h"

enum meddle {
    MEDDLE_GONE,   /* removes it */
    MEDDLE_FILE,   /* a file of its own in its place */
    MEDDLE_FOLDER, /* a folder with a file in it */
    MEDDLE_EMPTY,  /* an empty folder */
    MEDDLE_INSIDE, /* a file in it, where it is a folder */
    MEDDLE_LINK,   /* a link, a socket, a FIFO: where the world has them */
    MEDDLE_KINDS
};

struct meddle_sums {
    struct plan_sums plan;
    long done, lost;
};

/* With each kind at each path of the rich scene, after `life`'s beginning: on
 * trial, or `early`, staged and not begun.  `fresh` makes an empty device. */
void meddle_everywhere(struct scene *s, struct world *(*fresh)(void *arg),
                       void *arg, bool links, bool early,
                       const struct explore *how, struct meddle_sums *sums);

const char *meddle_text(const struct meddle_sums *sums);

#endif
