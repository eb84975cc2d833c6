/* Requests over several connections, each with a thread of its own: libcurl
 * blocks a whole multi handle at the end of each SFTP and FTP transfer
 * (ota-publish(7), SFTP and FTP).  For the stores of SFTP and FTP. */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include "request.h"

/* What a protocol adds; both are called in any thread. */
struct pool_hooks {
    void (*setup)(void *ctx, CURL *easy);
    unsigned hold_port; /* pool_transfer_hold() may be of use; 0: it is not */
    /* The login was refused, and nobody was let in before: true where there is
     * another one to try.  Or NULL. */
    bool (*denied)(void *ctx);
    void *ctx;
};

/* Nothing is started yet.  NULL: no memory (reported). */
struct engine *pool_new(struct store_curl *c, const struct pool_hooks *hooks);

/* pool_transfer.c: what the transfer of a request has of its own, and how long
 * it may take. */
void pool_transfer_setup(struct request *r, CURL *easy);

/* Holds back what the transfer sends over its connection for data until the
 * server says that it has taken the command, as RFC 4217, 7 has it: libcurl
 * 7.88 begins TLS there before it sends the command, and a server in Python
 * (pyftpdlib) takes the early bytes for the end of the connection.  Linux holds
 * them for 200 ms (tcp(7), TCP_CORK); elsewhere nothing is held.  `port`: of
 * the connection for commands, whose bytes are never held. */
void pool_transfer_hold(struct request *r, CURL *easy, unsigned port);

#endif
