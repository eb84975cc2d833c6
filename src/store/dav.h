/* What the files of the WebDAV store share. */
#ifndef STORE_DAV_H
#define STORE_DAV_H

#include "http.h"
#include "lock.h"
#include "puts.h"

/* Whether folders have to be made (nginx can make them by itself). */
enum dav_folders { FOLDERS_UNKNOWN, FOLDERS_BY_PUT, FOLDERS_BY_MKCOL };

struct store_dav {
    struct store store; /* first */
    struct store_curl curl;
    struct http *http;
    char *base;     /* URL without '/' at its end */
    bool open_line; /* anybody on the way can read it */
    struct http_ahead ahead;
    struct store_lock lock;
    enum dav_folders folders;
    bool made_top[3]; /* devices, index, payloads: known to be there */
    struct store_puts puts;
    uint64_t newest;   /* Last-Modified of all that was read, 0: nothing */
    uint64_t run_time; /* the Date of what this run writes, 0: not yet */
    uint64_t skew;     /* the server's clock less ours, seconds */
};

/* store_dav_put.c */
int store_dav_put(struct store *s, const char *name, const uint8_t *bytes,
                  size_t len, enum store_class class);

/* store_dav_lock.c */
extern const struct store_lock_ops store_dav_lock_ops;

/* A request for the object; NULL: reported. */
struct http_request *store_dav_request(struct store_dav *d, const char *method,
                                       const char *name);
/* The same for a folder, "" the base. */
struct http_request *store_dav_folder(struct store_dav *d, const char *method,
                                      const char *name);

/* Makes the base itself and what is above it, as far as it is not there. */
void store_dav_make_base(struct store_dav *d);

#endif
