/* The ETag of the last manifest with which nothing remained to be done. */
#ifndef AGENT_ETAG_H
#define AGENT_ETAG_H

#include <ota/install.h>

enum { ETAG_TEXT = 129, ETAG_URL = 1024, ETAG_TRUST = 17 }; /* with NUL */

struct etag {
    char url[ETAG_URL];
    char text[ETAG_TEXT];   /* empty: there is none */
    char trust[ETAG_TRUST]; /* what the device was given to judge by then */
};

/* One entity tag, not too long: what may be sent back. */
bool etag_valid(const char *text, size_t len);

/* Reads what is kept; empty where there is nothing. */
void etag_load(const struct ota_port *port, struct etag *e);

/* Keeps `e`, if it differs from `kept` and has an ETag.  OTA_OK or an error. */
int etag_keep(const struct ota_port *port, const struct etag *kept,
              const struct etag *e);

int etag_forget(const struct ota_port *port);

#endif
