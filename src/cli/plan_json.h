/* A plan as objects. */
#ifndef CLI_PLAN_JSON_H
#define CLI_PLAN_JSON_H

#include "publish/publish.h"

/* release, file, device and not-listed, one a line; and numbers for the
 * summary. */
void plan_json(const struct plan *p);
void plan_json_done(const struct plan *p, const struct publish_result *done);

#endif
