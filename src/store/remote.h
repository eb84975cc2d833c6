/* Folders on another machine, by SFTP or FTP: what both have in common.  Where
 * a rename replaces (FTP), all is put by `.part` and rename; where it does not
 * (OpenSSH's SFTP), that is so for new names, and others are written in place:
 * ota-publish(7), SFTP and FTP. */
#ifndef STORE_REMOTE_H
#define STORE_REMOTE_H

#include "net.h"
#include "pool.h"

enum remote_verb { REMOTE_MKDIR, REMOTE_RMDIR, REMOTE_REMOVE, REMOTE_RENAME };

struct store_remote;

struct remote_protocol {
    const char *schemes;     /* as CURLOPT_PROTOCOLS_STR takes them */
    bool replaces;           /* a rename does */
    bool tops_first;         /* a transfer must not fail for want of a folder */
    struct pool_hooks hooks; /* without a context: it is the store */
    /* Adds a command to the list; `to` for a rename alone.  May_fail: the
     * request goes on then.  0, or -1 (no memory, reported). */
    int (*command)(struct curl_slist **list, enum remote_verb verb,
                   bool may_fail, const char *path, const char *to);
    /* Makes it a question whether the folder of this path is there. */
    int (*ask_folder)(struct request *q, const char *path);
    bool (*has_folder)(const struct request *q); /* the answer */
    /* Reports what only this protocol knows of; false: it is nothing such. */
    bool (*explain)(struct store_remote *r, const char *verb,
                    const struct request *q);
    void (*release)(struct store_remote *r); /* what it added, or NULL */
};

struct store_remote {
    struct store_net net; /* first */
    const struct remote_protocol *protocol;
    char *where; /* the URL as configured, without '/' at its end */
    char *base;  /* the same, as libcurl takes it and without user */
    char *path;  /* as commands take it, "" or with '/' at its end */
    char *host;
    unsigned port;
    bool met;       /* somebody else had the lock: he may have left parts */
    bool replaces;  /* a rename does, as far as is known */
    uint64_t since; /* ms, when the lock was ours, 0: not yet */
    int64_t clock;  /* seconds by the server's when store_curl_ms() was 0, */
    bool clock_asked, clock_known; /* found by what we have written there */
    char mark[9];                  /* of this run's parts */
    unsigned next;                 /* number of the next part */
    unsigned in_row; /* so many could not be written, one by one */
};

extern const struct net_kind store_remote_kind;

/* Fills in a store of store_net_new().  `port`: where the URL names none.
 * `scheme` is libcurl's.  0, or -1 (reported): then only store_net_close(). */
int store_remote_open(struct store_remote *r, const struct config *c,
                      const struct config_server *s,
                      const struct remote_protocol *protocol,
                      const char *scheme, unsigned port);

/* A request for the object, or with a '/' at its end or "" the folder.  NULL:
 * reported. */
struct request *store_remote_request(struct store_remote *r,
                                     enum request_kind kind, const char *name);

/* Adds the command on objects to the list.  0, or -1 (reported). */
int store_remote_command(struct store_remote *r, struct curl_slist **list,
                         enum remote_verb verb, bool may_fail, const char *name,
                         const char *to);

/* Adds what makes the folders that all others are in. */
int store_remote_tops(struct store_remote *r, struct curl_slist **list);

/* Reports that it failed; returns -1. */
int store_remote_fail(struct store_net *n, const char *verb,
                      const struct request *q);

/* remote_put.c */
int store_remote_put(struct store_net *n, const char *name,
                     const uint8_t *bytes, size_t len, enum store_class class);

/* remote_lock.c: as store_lock_ops. */
int store_remote_lock_make(struct store *s);
int store_remote_lock_write(struct store *s, const char *text);
void store_remote_lock_remove(struct store *s);
uint64_t store_remote_lock_now(struct store *s);
/* As net_kind.dated: only while the lock is ours. */
void store_remote_dated(struct store_net *n, struct request *q);
/* Removes parts that others have left. */
void store_remote_sweep(struct store_remote *r);

#endif
