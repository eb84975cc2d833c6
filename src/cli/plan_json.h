/* A plan as objects. */
#ifndef CLI_PLAN_JSON_H
#define CLI_PLAN_JSON_H

#include "publish/publish.h"

/* release, file, device and not-listed, one a line; and numbers for the
 * summary. */
void plan_json(const struct plan *p);

/* What publish did: a release a line; and, also where there was nothing to do,
 * numbers for the summary. */
void plan_json_done(const struct plan *p);
void plan_json_totals(const struct publish_result *done);

#endif
