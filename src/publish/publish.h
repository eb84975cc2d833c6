/* A plan carried out, in the order of ota-publish(7), Steps: intent, payloads,
 * manifests, index.  Cut at any point it leaves each device a manifest, old or
 * new, whose payload is there, and the next run completes it. */
#ifndef PUBLISH_PUBLISH_H
#define PUBLISH_PUBLISH_H

#include "plan/plan.h"
#include "repair.h"
#include "session.h"

/* What was done. */
struct publish_result {
    size_t written;         /* manifests */
    size_t failed;          /* devices whose manifest could not be written */
    size_t payloads;        /* put, not those that were there */
    uint64_t payload_bytes; /* of those */
    /* Where there was nothing to do, and the devices were looked at: how many
     * are up to date, and how many are left alone since their release was
     * rolled back. */
    size_t same, left;
};

struct publish_options {
    const struct config *config;
    const struct tree *tree;
    unsigned jobs;
    const uint32_t *at_least; /* as in struct plan_request */
    bool again;               /* publish also what was rolled back */
    /* Not NULL: what is lost or damaged is put again before, which is said
     * here; devices of what cannot be had again get a new version.  To be
     * released by the caller. */
    struct repair_result *repair;
    /* Called once with what was planned and done, unless there was nothing to
     * do or it failed before the first manifest; or NULL. */
    void (*report)(void *ctx, const struct plan *plan,
                   const struct publish_result *result);
    void *ctx;
};

/* Publishes.  0 (also where there was nothing to do), or -1 (reported): what
 * is not done then is taken up by the next call.  Where some devices could not
 * be written and others could, the error is DIAG_PARTIAL in meaning:
 * result->written and result->failed are both above 0. */
int publish_run(struct session *s, const struct publish_options *options,
                struct publish_result *result);

/* The devices of a release get the content of a version that it had, as a new
 * version, from the server's own payload.  What it goes back from is marked:
 * publish leaves it alone.  config and tree of the options are not looked at.
 * If it is cut short, the next such call, or publish_run() with what it goes
 * back from, completes it.  at_least: the least number of the new version, 0:
 * any.  In a dry run it is only reported.  As publish_run(). */
int publish_rollback(struct session *s, const struct publish_options *options,
                     const char *release, uint32_t to, uint32_t at_least,
                     struct publish_result *result);

#endif
