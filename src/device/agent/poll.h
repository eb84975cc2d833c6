/* One poll: the manifest, and if it is news, its payload. */
#ifndef AGENT_POLL_H
#define AGENT_POLL_H

#include "agent.h"
#include "fetch.h"

struct poll {
    struct agent *agent;
    struct fetch *fetch;
    struct etag kept;       /* the one from the last time; empty: ask without */
    size_t base;            /* which --url is asked */
    char keyed[TRUST_NAME]; /* empty: no device key */
    struct etag answer;     /* of the manifest that was answered last */
    uint8_t manifest[OTA_MANIFEST_MAX + 1]; /* that one: a byte too many shows
                                               that it is too long */
    size_t manifest_len;
    struct ota_manifest decoded; /* of it, if it can be decoded */
    struct fetch_answer got;     /* how it came */
    bool keep;  /* the ETag of `answer`: nothing remains to be done about it */
    bool again; /* it failed in a way that may pass: back off */
};

/* `poll`.  An exit status. */
int poll_run(struct agent *a);

/* The URL at p->base, of which *len bytes count: not the slashes at its end. */
const char *poll_url(const struct poll *p, int *len);

/* -- manifest.c -------------------------------------------------------------
 */

/* Asks p->base for the manifest and stages it: EXIT_DONE where there is
 * nothing new, EXIT_RESTART where its payload is wanted or none is needed, else
 * another status after the message. */
int manifest_ask(struct poll *p);

/* Only reports how this device is. */
int manifest_report(struct poll *p);

/* Gives the installer the manifest.  OTA_OK: it wants the payload. */
int manifest_stage(struct poll *p, int choose);

/* -- payload.c --------------------------------------------------------------
 */

/* Fetches the payload that the installer wants, from p->base and then from the
 * others.  EXIT_RESTART: all is staged. */
int payload_fetch(struct poll *p);

#endif
