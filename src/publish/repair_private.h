/* What the files of a repair share. */
#ifndef PUBLISH_REPAIR_PRIVATE_H
#define PUBLISH_REPAIR_PRIVATE_H

#include "gone.h"
#include "repair.h"

/* A payload that the index names; for many devices and versions it is one. */
struct repair_payload {
    struct ota_alternative alt;
    const struct index_content *content; /* one that names it */
    const char *release;                 /* whose that is */
    uint32_t version;
    bool needed; /* a device's manifest names it */
    bool full;
    bool bad;  /* missing, or not what the index says */
    bool lost; /* the same files give other bytes by now */
};

struct repair {
    const struct session *s;
    const struct repair_options *o;
    const struct index *x;
    struct repair_result *result;
    struct gone gone;
    struct repair_payload *list; /* by name, each once */
    size_t count, room;
    const struct tree *tree; /* once it was asked for, or NULL */
    bool asked;
    const struct tree_entry **sources; /* its entries, by hash */
    size_t source_count, source_room;
};

/* repair_payload.c: finds the bad ones, and puts again what can be had.  0, or
 * -1 (reported). */
int repair_payloads(struct repair *r);
/* Of that name (OTA_HASH bytes), or NULL. */
struct repair_payload *repair_find(const struct repair *r, const uint8_t *name);

/* repair_pack.c: makes the bad payload anew.  1: *out is it, to be released;
 * 0: some files are nowhere, or (p->lost) they give other bytes; -1
 * (reported). */
int repair_pack(struct repair *r, struct repair_payload *p,
                struct payload *out);

#endif
