/* A bundle for people and for scripts: all that it says. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "pack/unpack.h"

struct show {
    const char *file; /* as the user named it */
    const struct unpack_result *result;
    bool signature_checked; /* and good */
    bool complete;          /* the payload was read, and is well */
};

void show_text(const struct show *s);
void show_json(const struct show *s);

#endif
