/* What a repair has put again. */
#ifndef CLI_REPAIR_PRINT_H
#define CLI_REPAIR_PRINT_H

#include "cmd.h"
#include "publish/repair.h"

/* A line, or nothing where nothing was put; or one object of JSON. */
void repair_print(const struct cmd_global *g, const struct repair_result *r);

#endif
