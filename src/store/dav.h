/* What the files of the WebDAV store share. */
#ifndef STORE_DAV_H
#define STORE_DAV_H

#include "web.h"

/* Whether folders have to be made (nginx can make them by itself). */
enum dav_folders { FOLDERS_UNKNOWN, FOLDERS_BY_PUT, FOLDERS_BY_MKCOL };

struct store_dav {
    struct store_web web; /* first */
    enum dav_folders folders;
    bool made_top[3];  /* devices, index, payloads: known to be there */
    uint64_t run_time; /* the Date of what this run writes, 0: not yet */
};

/* dav_put.c */
int store_dav_put(struct store_net *n, const char *name, const uint8_t *bytes,
                  size_t len, enum store_class class);
/* Makes the base itself and what is above it, as far as it is not there. */
void store_dav_make_base(struct store_web *w);

/* dav_lock.c: as store_lock_ops. */
int store_dav_lock_make(struct store *s);
void store_dav_lock_remove(struct store *s);

/* A request for a folder.  NULL: reported. */
struct request *store_dav_folder(struct store_web *w, const char *method,
                                 const char *name);

#endif
