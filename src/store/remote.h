/* Folders on another machine, by SFTP or FTP: what both have in common.  Where
 * a rename replaces (FTP), all is put by `.part` and rename; where it does not
 * (OpenSSH's SFTP), that is so for new names, and others are written in place:
 * ota-publish(7), SFTP and FTP. */
#ifndef STORE_REMOTE_H
#define STORE_REMOTE_H

#include "lock.h"
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
    int (*ask_folder)(struct pool_job *j, const char *path);
    bool (*has_folder)(const struct pool_job *j); /* the answer */
    /* Reports what only this protocol knows of; false: it is nothing such. */
    bool (*explain)(struct store_remote *r, const char *verb,
                    const struct pool_job *j);
    void (*release)(struct store_remote *r); /* what it added, or NULL */
};

struct store_remote {
    struct store store; /* first */
    struct store_curl curl;
    const struct remote_protocol *protocol;
    struct pool *pool;
    char *where;    /* the URL as configured, without '/' at its end */
    char *base_url; /* without user, and with '/' at its end */
    char *path;     /* as commands take it, "" or with '/' at its end */
    char *host;
    unsigned port;
    bool open_line; /* anybody on the way can read it */
    struct store_lock lock;
    bool met;       /* somebody else had the lock: he may have left parts */
    bool replaces;  /* a rename does, as far as is known */
    uint64_t since; /* ms, when the lock was ours, 0: not yet */
    struct pool_job *wanted[STORE_AHEAD]; /* begun for a call to come */
    unsigned wanted_count;
    uint8_t made_hh[32];   /* a bit for each folder of payloads */
    char mark[9];          /* of this run's parts */
    unsigned next;         /* number of the next part */
    enum store_class last; /* class of the last put */
    bool broken;           /* a payload or shard was not put */
    bool lost;             /* a manifest was not put, and `failed` called */
    unsigned in_row;       /* so many could not be written, one by one */
};

/* Fills in a store that is zeros.  `port`: where the URL names none.  `scheme`
 * is libcurl's.  0, or -1 (reported): then only store_remote_close(). */
int store_remote_open(struct store_remote *r, const struct config *c,
                      const struct config_server *s,
                      const struct remote_protocol *protocol,
                      const char *scheme, unsigned port);
void store_remote_close(struct store *s);

/* A request for the object, or with a '/' at its end or "" the folder.  NULL:
 * reported. */
struct pool_job *store_remote_job(struct store_remote *r, enum pool_kind kind,
                                  const char *name);

/* Adds the command on objects to the list.  0, or -1 (reported). */
int store_remote_command(struct store_remote *r, struct curl_slist **list,
                         enum remote_verb verb, bool may_fail, const char *name,
                         const char *to);

/* Adds what makes the folders that all others are in. */
int store_remote_tops(struct store_remote *r, struct curl_slist **list);

/* Drops what was begun for calls that did not come. */
void store_remote_forget(struct store_remote *r);

/* Reports that it failed; returns -1. */
int store_remote_fail(struct store_remote *r, const char *verb,
                      const struct pool_job *j);

/* store_remote_put.c */
int store_remote_put(struct store *s, const char *name, const uint8_t *bytes,
                     size_t len, enum store_class class);
int store_remote_flush(struct store *s);

/* store_remote_lock.c */
extern const struct store_lock_ops store_remote_lock_ops;
/* Removes parts that others have left. */
void store_remote_sweep(struct store_remote *r);

#endif
