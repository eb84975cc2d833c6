/* Self-contained bundles: one .otab a device, of the versions that a plan
 * says. */
#ifndef PUBLISH_BUILD_H
#define PUBLISH_BUILD_H

#include <signal.h>
#include "plan/plan.h"

struct build_options {
    struct plan *plan; /* made with `all` */
    struct signer *signer;
    const char *folder; /* <folder>/<id>/<version>.otab; made if need be */
    unsigned jobs;
    volatile const sig_atomic_t *stop; /* not 0: stop at the next file */
};

struct build_result {
    size_t written;
    size_t same; /* files that were there with these bytes: not touched */
};

/* Writes them; what is published is taken from the store where it is whole.
 * 0, or -1 (reported): files are there whole or not at all. */
int build_run(const struct build_options *options, struct build_result *result);

#endif
