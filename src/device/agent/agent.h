/* What every subcommand works with: the root, the installer on it, and what
 * the options say of this device. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include "device/posix.h"
#include "device.h"
#include "options.h"
#include "say.h"
#include "trust.h"

enum { AGENT_VERSION = 32, AGENT_INSTALLED = 64 };

struct agent {
    const struct options *options;
    struct ota_posix posix;
    struct ota_port port;
    struct ota_install_config config;
    struct ota_install *install;
    struct ota_status status; /* as of the last agent_status() */
    struct trust trust;
    char device[DEVICE_TEXT];
};

/* All functions return 0, or an exit status after the message. */

/* Opens the root; with `lock` nobody else may.  `a` is to be closed in any
 * case. */
int agent_open(struct agent *a, const struct options *o, bool lock);
void agent_close(struct agent *a);

/* While something runs that may want to confirm: others may work on the root.
 * Afterwards, once they are done, a->status is what they made of it. */
void agent_leave(struct agent *a);
int agent_return(struct agent *a);

/* Who this device is and whom it trusts: for what verifies bundles. */
int agent_identify(struct agent *a);

/* Reads the state into a->status. */
int agent_status(struct agent *a);

/* Reports that the installer failed with `err` at `what`, which may be NULL.
 * Never 0. */
int agent_failed(const struct agent *a, int err, const char *what);

/* The same where the command does not fit the phase; says which one does. */
int agent_wrong_phase(const struct agent *a, const char *what);

/* All of `version` is staged: says so. */
void agent_staged(const struct agent *a, uint32_t version);

/* "version 12"; of 0, what was there before any. */
const char *agent_version(uint32_t version, char out[AGENT_VERSION]);

/* "version 12 is installed", or that nothing is. */
const char *agent_installed(const struct agent *a, char out[AGENT_INSTALLED]);

/* The phase in one word, and why a version was undone. */
const char *agent_phase(const struct agent *a);
const char *agent_reason(uint8_t reason);

#endif
