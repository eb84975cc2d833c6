/* Whether a server does what publishing and polling rely on.  What is put there
 * to find out is removed. */
#ifndef PUBLISH_DOCTOR_H
#define PUBLISH_DOCTOR_H

#include "keys/keys.h"
#include "store/store.h"

enum doctor_result { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_ERROR };

/* One finding; all texts live as long as the call. */
struct doctor_check {
    const char *server; /* NULL: of none */
    const char *name;
    enum doctor_result result;
    enum diag_kind kind; /* of an error: DIAG_SERVER or DIAG_KEY */
    const char *found;   /* "" where there is no more to say */
    const char *advice;  /* NULL where all is well */
};

/* What was reported last while a doctor looks, in place of being printed. */
struct doctor_heard {
    char text[512];
    enum diag_level level;
    enum diag_kind kind;
};

struct doctor_options {
    const struct config *config;
    volatile const sig_atomic_t *stop;
    bool write_nothing;
    struct memory *memory; /* as in struct store */
    void (*tell)(void *ctx, const struct doctor_check *check);
    void *ctx;
    struct doctor_heard *heard; /* of the caller's, until it sets a handler */
};

/* Both take diag's handler for themselves: whoever calls sets it anew after the
 * last call, and resets diag. */

/* The signing key: its file, and that it can be used.  *out NULL: it cannot. */
void doctor_key(const struct doctor_options *o, struct signer **out);

/* One server; signer NULL: its index cannot be checked. */
void doctor_server(const struct doctor_options *o,
                   const struct config_server *server, struct signer *signer);

#endif
