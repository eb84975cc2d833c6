/* A device is given nothing any more: its manifest goes, and its index entry
 * keeps the version that it had, so that no other content ever gets it. */
#ifndef PUBLISH_WITHDRAW_H
#define PUBLISH_WITHDRAW_H

#include "session.h"

struct withdraw_options {
    const struct config *config; /* who is listed there is refused */
    char *const *words;          /* ids in any spelling, or published names */
    size_t word_count;
    bool some; /* devices that are not known here are only noted */
    /* Called for each device that is (or would be) withdrawn, with its entry
     * and the highest version that it was given; or NULL. */
    void (*each)(void *ctx, const struct index_device *d, uint32_t version);
    void *ctx;
};

struct withdraw_result {
    size_t found; /* of the words, known here */
    size_t withdrawn, failed;
};

/* Withdraws them; those that are withdrawn already are left so.  0, or -1
 * (reported): where some could not be and others were, both counts are above
 * 0. */
int withdraw_run(struct session *s, const struct withdraw_options *options,
                 struct withdraw_result *result);

#endif
