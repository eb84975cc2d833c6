/* Who we are to S3: the variables and files of AWS's own programs. */
#ifndef STORE_AWS_H
#define STORE_AWS_H

#include "config/config.h"

/* Each NULL where there is none; wiped by store_aws_release(). */
struct store_aws {
    char *id, *secret;
    char *token; /* of a session that ends */
    char *region;
    char *from; /* where the keys are from, for messages */
};

/* Keys from the variables, where the server names no profile, else from the
 * profile files; the region from the server, a variable, or the profile.  0,
 * with id and secret, or -1 (DIAG_KEY; DIAG_CONFIG for a region that is none).
 */
int store_aws(const struct config_server *s, struct store_aws *out);
void store_aws_release(struct store_aws *a);

/* What the text of a profile file says of the profile `name`; `config`: of the
 * file whose sections are named "profile NAME".  True where it is there. *other
 * is the setting by which keys come from elsewhere, or NULL; *out is to be
 * released. */
bool store_aws_profile(const char *text, bool config, const char *name,
                       struct store_aws *out, const char **other);

#endif
