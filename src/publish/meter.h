/* How far a run is, for who looks on from another thread. */
#ifndef PUBLISH_METER_H
#define PUBLISH_METER_H

#include "store/store.h"

struct meter {
    struct store_meter way;    /* of what was put, what is on its way */
    atomic_size_t done, total; /* devices or objects; total 0: not known */
    atomic_size_t bytes;       /* of payloads and manifests put or read */
    atomic_size_t to_pack;     /* bytes of contents, 0: nothing is packed now */
    size_t packed_before;      /* payload_packed() when that began */
};

/* There is something to look on at: not before, since a password may have been
 * asked for.  `s` is what is put to.  Of all three `m` may be NULL. */
void meter_begin(struct meter *m, struct store *s, size_t total);
void meter_count(struct meter *m, size_t done, size_t bytes);
void meter_end(struct meter *m);

/* So many bytes are to be packed from here on; 0: that is done.  `m` may be
 * NULL. */
void meter_pack(struct meter *m, uint64_t bytes);
/* Of these so many are. */
size_t meter_packed(const struct meter *m);

#endif
