/* Puts on their way at once, in the order that store.h promises, and the
 * folders that they lie in.  For all stores but the folder. */
#ifndef STORE_PUTS_H
#define STORE_PUTS_H

#include "request.h"

struct store_puts {
    struct store *store;
    struct engine *engine;
    enum store_class last; /* class of the last put */
    bool broken;           /* a payload, shard or head was not put */
    bool lost;             /* a manifest was not put, and `failed` called */
    uint8_t made_hh[32];   /* a bit for each folder of payloads: it is there */
};

bool store_is_manifest(enum store_class class);
/* Named by content: what has its name and size is it. */
bool store_is_content(enum store_class class);

/* Waits for what has to be there before an object of this class is put.  -1:
 * it must not be, as something before it failed. */
int store_puts_settle(struct store_puts *p, enum store_class class);
/* One was not put, as was reported. */
void store_puts_failed(struct store_puts *p, const char *name,
                       enum store_class class);
/* As store_ops.flush. */
int store_puts_flush(struct store_puts *p);

/* The folder that an object lies in; false: it is one of those that all others
 * are in, or the base. */
bool store_folder_of(const char *name, char folder[STORE_NAME]);
/* The same, where the object is all that was in it: a device's. */
bool store_device_folder(const char *name, char folder[STORE_NAME]);

/* Whether the object's folder of payloads is known to be there; false for what
 * is no payload. */
bool store_puts_has_hh(const struct store_puts *p, const char *name);
/* It is. */
void store_puts_made_hh(struct store_puts *p, const char *name);
bool store_is_payload(const char *name);

#endif
