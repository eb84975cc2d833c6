/* One request to a server and its answer, whichever engine carries it, and one
 * layer over both of them: how much is on its way at once, what is tried again,
 * and when.  http.c has many transfers in one thread, pool.c a thread for each
 * connection (SFTP, FTP). */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include "curl.h"

struct engine;

/* What is asked for by SFTP or FTP; HTTP has methods. */
enum request_kind {
    REQUEST_READ,   /* the object's bytes */
    REQUEST_SIZE,   /* how many it has */
    REQUEST_LIST,   /* the names in the folder, a line each */
    REQUEST_WRITE,  /* `body` to the object */
    REQUEST_COMMAND /* `before` alone; the URL is a folder's */
};

struct request {
    char *url;
    char name[STORE_NAME]; /* the object, for messages */
    const uint8_t *body;   /* what is sent, or NULL: borrowed, unless */
    uint8_t *copy;         /* it is that */
    size_t len;
    size_t max; /* bytes of the answer that are taken */
    /* Called once it is answered, in the caller's thread and from within the
     * functions below; it may queue it anew or another one, or free it.  NULL:
     * somebody waits for it. */
    void (*done)(struct request *r);
    void *ctx;
    long final;             /* a status for which it is not tried again, or 0 */
    bool once;              /* is not tried again at all */
    enum store_class class; /* of a put: the caller's */
    /* by HTTP */
    const char *method; /* GET, HEAD, PUT, MKCOL, DELETE, PROPFIND */
    struct curl_slist *headers;
    /* Called once half of the body is sent; the rest follows its return.  Or
     * NULL.  Such a request is tried once. */
    void (*midway)(void *ctx);
    void *midway_ctx;
    /* by SFTP or FTP */
    struct curl_slist *before, *after; /* commands around the transfer */
    enum request_kind kind;
    bool timed; /* `modified`, too: of a size that is a round trip more */

    /* the answer */
    CURLcode code;
    long status; /* of HTTP, FTP's reply, or 0 */
    uint8_t *bytes;
    size_t got;
    uint64_t size;     /* of the object, UINT64_MAX: not said */
    uint64_t modified; /* seconds since 1970, 0: not said */
    bool too_long;     /* more than `max` */
    char error[CURL_ERROR_SIZE];
    /* of HTTP */
    uint64_t date; /* the server's clock, seconds since 1970, 0: not said */
    char etag[128], encoding[32], cache[128], type[96];
    uint8_t first[STORE_FIRST_BYTES]; /* of the body, however long it is */
    size_t first_len;
    /* of FTP */
    char said[160]; /* its reply as a line where it is a refusal, or "" */

    /* the engine's */
    struct engine *engine;
    struct store_meter *meter; /* of the bytes that are sent, or NULL */
    size_t sent;               /* of the body, in this try */
    uint64_t due;              /* ms, when it is tried again */
    long wait_s;               /* seconds that the server asks for until then */
    unsigned tries;
    bool counted, answered; /* counted: by request_count() */
    CURL *easy;
    struct {
        unsigned port; /* of the connection for commands, 0: nothing is held */
        int socket;    /* what is held, -1: nothing now */
    } hold;
    enum store_verb verb; /* of one that is asked ahead */
    struct request *next;
};

/* NOW: there is room.  NEXT: with what follows, for `done`.  FIRST: before all
 * that waits. */
enum request_turn { TURN_NOW, TURN_NEXT, TURN_FIRST };

/* How requests get to a server.  All but `passes` is called in the caller's
 * thread. */
struct engine_ops {
    /* Begins it.  request_answered() follows: for NEXT not from within. */
    void (*begin)(struct engine *e, struct request *r, enum request_turn turn);
    /* Something is on its way: waits for answers, and tells them. */
    void (*drive)(struct engine *e);
    /* It failed in a way that may pass. */
    bool (*passes)(const struct request *r);
    void (*free)(struct engine *e); /* what is not answered is given up */
};

struct engine {
    const struct engine_ops *ops; /* these three are set by who makes it */
    struct store_curl *curl;
    unsigned most;           /* requests on their way at once */
    unsigned pending;        /* begun, and not told of yet */
    uint64_t bytes;          /* of their bodies */
    atomic_bool away, hurry; /* patience is short */
};

/* NULL: no. */
void engine_free(struct engine *e);
/* Waits until nothing is on its way. */
void engine_drain(struct engine *e);
/* From now on patience is short: one try, of a few seconds. */
void engine_hurry(struct engine *e);
/* Whether the last request was given up since the server is not there: then the
 * next ones are tried once. */
bool engine_is_away(const struct engine *e);

/* A request for BASE/NAME, of which both are copied.  NULL: no memory
 * (reported). */
struct request *request_new(struct engine *e, const char *base,
                            const char *name);
void request_free(struct request *r); /* or NULL */
/* Counts it in the store's meter, until it is freed. */
void request_count(struct request *r, const struct store *s,
                   enum store_class class);

/* Starts it; waits for others while too much is on its way. */
void request_start(struct request *r);
/* Starts it without waiting: for `done`. */
void request_queue(struct request *r);
/* Starts it before all that waits, and waits until it is answered. */
void request_run(struct request *r);

/* -- for engines: in any thread, but for request_answered() -----------------
 */

/* Forgets what another try has answered. */
void request_reset(struct request *r);
/* More of the answer.  False: no memory. */
bool request_take(struct request *r, const void *bytes, size_t len);
/* So much of the body has been sent, in this try. */
void request_note_sent(struct request *r, size_t sent);
/* Whether it failed in a way that may pass, and was not tried too often. */
bool request_passes(const struct request *r);
/* Whether it is to be tried again, too. */
bool request_again(const struct request *r);
/* Milliseconds until then: doubled each time, with jitter, or what the server
 * asks for. */
unsigned request_delay(const struct request *r);
/* For ops->passes: whether that may pass, by any protocol. */
bool request_may_pass(CURLcode code, long status);
/* This was the last try: notes whether the server is there. */
void request_settled(struct request *r);
/* Hands the answer to who asked. */
void request_answered(struct request *r);

/* -- requests that are begun before their answers are asked for -------------
 */

struct request_ahead {
    struct request *list[STORE_AHEAD];
    size_t count;
};

/* Takes the request, or NULL, and starts it; without room it is freed. */
void request_ahead_add(struct request_ahead *a, enum store_verb verb,
                       struct request *r);
/* The one for that object, answered, to be freed by the caller; NULL: there is
 * none. */
struct request *request_ahead_take(struct request_ahead *a,
                                   enum store_verb verb, const char *name);
/* Waits for all of them, and frees them: before engine_free(). */
void request_ahead_forget(struct request_ahead *a);

#endif
