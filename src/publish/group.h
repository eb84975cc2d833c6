/* What a plan's groups become: a payload each, and manifests. */
#ifndef PUBLISH_GROUP_H
#define PUBLISH_GROUP_H

#include "pack/sign.h"
#include "plan/plan.h"

/* Packs the group's payload.  0, 1: what it is made of is lost (reported), or
 * -1 (reported). */
int group_pack(const struct plan *p, const struct plan_group *g, unsigned jobs,
               struct payload_cache *cache, struct payload *out);

/* The manifest of one of the group's devices, with this payload; `a` and the
 * plan must outlive it. */
void group_request(const struct plan *p, const struct plan_device *d,
                   const struct ota_alternative *a, struct sign_request *out);

#endif
