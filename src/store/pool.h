/* Requests over several connections, each with a thread of its own: libcurl
 * blocks a whole multi handle at the end of each SFTP and FTP transfer
 * (ota-publish(7), SFTP and FTP).  For the stores of SFTP and FTP. */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include "curl.h"

enum { POOL_CONNECTIONS = 16 };

struct pool;

enum pool_kind {
    POOL_READ,   /* the object's bytes */
    POOL_SIZE,   /* how many it has */
    POOL_LIST,   /* the names in the folder, a line each */
    POOL_WRITE,  /* `body` to the object */
    POOL_COMMAND /* `before` alone; the URL is a folder's */
};

/* One request and its answer. */
struct pool_job {
    enum pool_kind kind;
    char *url;
    const uint8_t *body; /* borrowed */
    size_t len;
    struct curl_slist *before, *after; /* commands around the transfer */
    size_t max;                        /* bytes of the answer that are taken */
    struct store_meter *meter;         /* of the bytes that are sent, or NULL */
    /* Called once it is answered, from within the functions below and in their
     * thread; it may free it and queue another one.  NULL: pool_run() waits. */
    void (*done)(struct pool_job *j);
    void *ctx;
    char name[STORE_NAME]; /* the object, for messages */
    /* the answer */
    size_t sent; /* of the body, in this try */
    CURLcode code;
    long status;    /* FTP's reply, or 0 */
    char said[160]; /* that reply as a line where it is a refusal, or "" */
    uint8_t *bytes;
    size_t got;
    bool too_long; /* more than `max` */
    uint64_t size; /* UINT64_MAX: not said */
    long modified; /* seconds since 1970, -1: not said */
    char error[CURL_ERROR_SIZE];
    /* the engine's */
    struct {
        unsigned port; /* of the connection for commands, 0: nothing is held */
        int socket;    /* what is held, -1: nothing now */
    } hold;
    struct pool *pool;
    bool answered;
    struct pool_job *next;
};

/* What a protocol adds; both are called in any thread. */
struct pool_hooks {
    void (*setup)(void *ctx, CURL *easy);
    unsigned hold_port; /* pool_job_hold() may be of use; 0: it is not */
    /* The login was refused, and nobody was let in before: true where there is
     * another one to try.  Or NULL. */
    bool (*denied)(void *ctx);
    void *ctx;
};

/* Nothing is started yet.  NULL: no memory (reported). */
struct pool *pool_new(struct store_curl *c, const struct pool_hooks *hooks);
/* What is not answered is given up. */
void pool_free(struct pool *p);

/* A request for `url`, which is copied.  NULL: no memory (reported). */
struct pool_job *pool_job_new(struct pool *p, enum pool_kind kind,
                              const char *url);
void pool_job_free(struct pool_job *j);

/* Starts it; waits for others while too much is on its way. */
void pool_start(struct pool *p, struct pool_job *j);
/* Starts it without waiting: for `done`. */
void pool_queue(struct pool *p, struct pool_job *j);
/* Starts it before all that waits, and waits until it is answered. */
void pool_run(struct pool *p, struct pool_job *j);
/* Waits until that one is answered, which has no `done`. */
void pool_wait(struct pool *p, struct pool_job *j);
/* Waits until nothing is on its way. */
void pool_drain(struct pool *p);
/* From here on a request is tried once, for ten seconds. */
void pool_hurry(struct pool *p);
/* Whether the last request was given up since the server is not there.  Then
 * the next ones are tried once, with ten seconds to connect. */
bool pool_is_away(const struct pool *p);

/* store_pool_job.c: what the transfer of a request has of its own, and how long
 * it may take; forgets what another try has answered. */
void pool_job_setup(struct pool_job *j, CURL *easy);
void pool_job_reset(struct pool_job *j);

/* Holds back what the transfer sends over its connection for data until the
 * server says that it has taken the command, as RFC 4217, 7 has it: libcurl
 * 7.88 begins TLS there before it sends the command, and a server in Python
 * (pyftpdlib) takes the early bytes for the end of the connection.  Linux holds
 * them for 200 ms (tcp(7), TCP_CORK); elsewhere nothing is held.  `port`: of
 * the connection for commands, whose bytes are never held. */
void pool_job_hold(struct pool_job *j, CURL *easy, unsigned port);

#endif
