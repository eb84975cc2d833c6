/* What the files of doctor share. */
#ifndef PUBLISH_DOCTOR_PRIVATE_H
#define PUBLISH_DOCTOR_PRIVATE_H

#include "doctor.h"
#include "index/object.h"
#include "store/probe.h"

#define DOCTOR_MANIFEST "devices/doctor/manifest"
#define DOCTOR_PAYLOAD  "payloads/00/doctor"

/* Large enough for a server that compresses. */
enum { DOCTOR_BYTES = 2048, DOCTOR_MAX = 65536 };

struct doctor {
    const struct doctor_options *o;
    const struct config_server *server; /* NULL: none */
    struct signer *signer;
    struct store *store;
    struct store_probe *own;    /* the server's own URL, as the publisher */
    struct store_probe *reader; /* as devices read, or NULL */
    const char *name;           /* of an object that can be read, or NULL */
    uint8_t *bytes;             /* what it holds */
    size_t len;
    bool written; /* it is our own manifest */
    bool tried;   /* something of ours may be there */
    char etag[128];
    char published[OBJECT_NAME]; /* a device's manifest, or "": none is there */
    uint64_t created;            /* what the index says of it */
};

/* doctor_say.c: from now on what is reported is heard, not printed. */
void doctor_listen(const struct doctor *d);
void doctor_forget(const struct doctor *d);
/* Whether anything of that kind was heard since; 0: of any. */
bool doctor_heard(const struct doctor *d, enum diag_kind kind);

/* One finding, whose server is filled in; what was heard is forgotten. */
void doctor_tell(const struct doctor *d, struct doctor_check *check);

/* The same; the text of `found` as printf. */
void doctor_say(const struct doctor *d, const char *name,
                enum doctor_result result, const char *advice,
                const char *found, ...) __attribute__((format(printf, 5, 6)));

/* The same with what was reported last. */
void doctor_say_heard(const struct doctor *d, const char *name,
                      enum doctor_result result, const char *advice);

/* doctor_atomic.c: replaces the manifest, which holds `old`, and says what
 * those see who read it meanwhile. */
void doctor_atomic(struct doctor *d, const uint8_t *old);

/* doctor_modes.c: of a folder; says nothing where they are as they should. */
void doctor_modes(struct doctor *d);

/* doctor_read.c: all that is read as devices do; then, once the manifest was
 * replaced by `bytes`, whether they see that. */
void doctor_read(struct doctor *d);
void doctor_replaced(struct doctor *d, const uint8_t *bytes);

#endif
