/* A queue of requests, and threads that take from it.  A thread is started when
 * all others are busy and its login will pay, and none but the first before
 * somebody was let in: a wrong password is said once, not sixteen times. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/diag.h"
#include "pool.h"

enum {
    CONNECTIONS = 16,
    MOST = 4 * CONNECTIONS, /* requests on their way */
    HANDSHAKES = 8,         /* at once: sshd's MaxStartups is 10:30:100 */
    CROWDED_TRIES = 2,      /* to connect, before it is taken for a limit */
    KEEPALIVE_S = 30,       /* routers forget connections after minutes */
    HURRY_S = 10,
    MOST_PAUSE = 256, /* ms between two looks at a connection */
    NAP_MS = 100
};

struct worker {
    struct pool *pool;
    pthread_t thread;
    CURLM *multi; /* with one transfer at a time */
    CURL *easy;
    bool up;        /* has a connection, as far as is known */
    bool ever_up;   /* had one */
    bool in_gate;   /* is one of those who connect */
    bool fresh;     /* the next request is to have a new connection */
    bool holds;     /* pool_transfer_hold() */
    uint64_t began; /* ms, to connect */
};

struct pool {
    struct engine engine; /* first */
    struct pool_hooks hooks;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t work;  /* something for threads has changed */
    pthread_cond_t told;  /* something for the caller */
    struct worker workers[CONNECTIONS];
    unsigned count, idle, retired, connecting;
    struct request *queue, **queue_end;
    unsigned queued;
    struct request *finished;
    bool ever_up;              /* somebody was let in */
    uint64_t login_ms;         /* what that took */
    uint64_t busy_ms, served;  /* in which so many requests were answered */
    uint64_t all_busy_since;   /* ms, 0: a connection is idle */
    atomic_bool hold;          /* all workers do */
    volatile sig_atomic_t cut; /* all is given up */
    bool closing;
};

/* -- one attempt, in a thread -----------------------------------------------
 */

static bool stopped(const struct pool *p)
{
    return p->cut || store_curl_stopped(p->engine.curl);
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c,
                       curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return stopped(ctx);
}

static void leave_gate(struct worker *w, bool up)
{
    struct pool *p = w->pool;

    pthread_mutex_lock(&p->lock);
    if (up && !p->ever_up && w->in_gate)
        p->login_ms = store_curl_ms() - w->began;
    if (up)
        w->up = w->ever_up = p->ever_up = true;
    if (w->in_gate) {
        w->in_gate = false;
        p->connecting--;
        pthread_cond_broadcast(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
}

/* Waits while enough others connect. */
static void enter_gate(struct worker *w)
{
    struct pool *p = w->pool;

    pthread_mutex_lock(&p->lock);
    while (p->connecting >= HANDSHAKES)
        pthread_cond_wait(&p->work, &p->lock);
    w->in_gate = true;
    w->began = store_curl_ms();
    p->connecting++;
    pthread_mutex_unlock(&p->lock);
}

/* We are let in: called by libcurl before each request is made. */
static int on_connected(void *ctx, char *a, char *b, int c, int d)
{
    struct worker *w = ctx;

    (void)a, (void)b, (void)c, (void)d;
    leave_gate(w, true);
    return CURL_PREREQFUNC_OK;
}

static void set_options(struct worker *w, struct request *r)
{
    struct pool *p = w->pool;
    CURL *easy = w->easy;

    curl_easy_reset(easy);
    store_curl_setup(p->engine.curl, easy, r->error);
    curl_easy_setopt(easy, CURLOPT_URL, r->url);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, p);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, w);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)w->fresh);
    pool_transfer_setup(r, easy);
    if (p->engine.away)
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)HURRY_S);
    if (p->engine.hurry)
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)HURRY_S);
    p->hooks.setup(p->hooks.ctx, easy);
    if (p->hold || w->holds)
        pool_transfer_hold(r, easy, p->hooks.hold_port);
}

/* As curl_easy_perform(), which in 7.88 sleeps for a second between FTP's EPSV
 * and the connection for data: nothing wakes it. */
static CURLcode perform(struct worker *w)
{
    CURLcode code = CURLE_OUT_OF_MEMORY;
    int running = 1, pause = 1, ready = 0, left;
    CURLMsg *m;

    if (curl_multi_add_handle(w->multi, w->easy) != CURLM_OK)
        return code;
    while (curl_multi_perform(w->multi, &running) == CURLM_OK && running) {
        curl_multi_poll(w->multi, NULL, 0, pause, &ready);
        pause = ready ? 1 : pause < MOST_PAUSE ? 2 * pause : MOST_PAUSE;
    }
    while ((m = curl_multi_info_read(w->multi, &left)))
        if (m->msg == CURLMSG_DONE)
            code = m->data.result;
    curl_multi_remove_handle(w->multi, w->easy);
    return code;
}

static bool has_handles(struct worker *w)
{
    if (!w->multi && (w->multi = curl_multi_init()))
        curl_multi_setopt(w->multi, CURLMOPT_MAXCONNECTS, 1L);
    if (!w->easy)
        w->easy = curl_easy_init();
    return w->multi && w->easy;
}

/* Whether an answer may still be on its way, which would be taken for that to
 * the next command: libcurl asks FTP for another port where TLS of the data
 * connection fails, also when that is because the command is refused. */
static bool is_unclear(CURLcode code)
{
    return code != CURLE_OK && code != CURLE_QUOTE_ERROR &&
           code != CURLE_REMOTE_FILE_NOT_FOUND;
}

/* A read whose refusal libcurl took for the answer to something else. */
static bool is_refused_read(const struct request *r)
{
    return r->code == CURLE_FTP_WEIRD_PASV_REPLY &&
           (r->kind == REQUEST_READ || r->kind == REQUEST_SIZE) &&
           strncmp(r->said, "550", 3) == 0;
}

static void attempt_job(struct worker *w, struct request *r)
{
    curl_off_t size = -1, modified = -1;

    request_reset(r);
    r->code = CURLE_OUT_OF_MEMORY;
    if (!has_handles(w))
        return;
    set_options(w, r);
    if (!w->up)
        enter_gate(w);
    r->code = stopped(w->pool) ? CURLE_ABORTED_BY_CALLBACK : perform(w);
    leave_gate(w, false);
    if (*r->said)
        r->status = strtol(r->said, NULL, 10);
    else
        curl_easy_getinfo(w->easy, CURLINFO_RESPONSE_CODE, &r->status);
    curl_easy_getinfo(w->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    curl_easy_getinfo(w->easy, CURLINFO_FILETIME_T, &modified);
    r->size = size < 0 ? UINT64_MAX : (uint64_t)size;
    /* 0 is for what was not said */
    r->modified = modified > 0 ? (uint64_t)modified : modified == 0;
    if (stopped(w->pool))
        r->code = CURLE_ABORTED_BY_CALLBACK;
    w->fresh = is_unclear(r->code);
    if (is_refused_read(r))
        r->code = CURLE_REMOTE_FILE_NOT_FOUND;
}

/* -- threads ----------------------------------------------------------------
 */

/* FTP's 4xx pass, but for 452, a full disk. */
static bool is_final(long status)
{
    return status >= 500 || status == 452;
}

/* FAILED_INIT: sshd hung up while keys were exchanged; PASV: there may be no
 * port just now. */
static bool pool_passes(const struct request *r)
{
    if (r->code == CURLE_OK)
        return false;
    if (r->code == CURLE_FTP_WEIRD_PASV_REPLY || r->code == CURLE_PARTIAL_FILE)
        return !is_final(r->status);
    if (r->code == CURLE_UPLOAD_FAILED)
        return r->status >= 400 && !is_final(r->status);
    return request_may_pass(r->code, 0) || r->code == CURLE_FAILED_INIT;
}

static void sleep_ms(const struct pool *p, unsigned ms)
{
    const struct timespec t = {.tv_nsec = NAP_MS * 1000000L};

    for (; ms > NAP_MS && !stopped(p); ms -= NAP_MS)
        nanosleep(&t, NULL);
}

/* Others are let in and this one never was: servers limit the connections of a
 * user. */
static bool is_crowded(struct worker *w, const struct request *r)
{
    struct pool *p = w->pool;
    bool crowded;

    pthread_mutex_lock(&p->lock);
    crowded = p->ever_up && !w->ever_up && w != p->workers &&
              (r->tries >= CROWDED_TRIES || r->code == CURLE_LOGIN_DENIED);
    pthread_mutex_unlock(&p->lock);
    return crowded;
}

static bool other_login(struct pool *p, const struct request *r)
{
    bool ever_up;

    pthread_mutex_lock(&p->lock);
    ever_up = p->ever_up;
    pthread_mutex_unlock(&p->lock);
    return r->code == CURLE_LOGIN_DENIED && !ever_up && p->hooks.denied &&
           p->hooks.denied(p->hooks.ctx);
}

/* The connection for data failed, as by a server that took the beginning of TLS
 * for its end. */
static bool is_cut_early(const struct worker *w, const struct request *r)
{
    long said = strtol(r->said, NULL, 10);

    if (!w->pool->hooks.hold_port || !w->up || r->hold.port)
        return false;
    if (said >= 500 && said != 522) /* it refused the command */
        return false;
    return r->code == CURLE_FTP_WEIRD_PASV_REPLY ||
           r->code == CURLE_SSL_CONNECT_ERROR || r->code == CURLE_RECV_ERROR ||
           r->code == CURLE_SEND_ERROR || r->code == CURLE_GOT_NOTHING;
}

static void attempt_held(struct worker *w, struct request *r)
{
    w->holds = true;
    attempt_job(w, r);
    w->holds = !is_unclear(r->code);
    if (w->holds)
        w->pool->hold = true; /* and so do all */
}

/* Until it is answered; false: this connection is one too many.  A thread waits
 * for the next try itself: what its connection was refused, another one of it
 * would be, too. */
static bool serve_job(struct worker *w, struct request *r)
{
    for (r->tries = 1;; r->tries++) {
        bool passes;

        attempt_job(w, r);
        if (is_cut_early(w, r))
            attempt_held(w, r);
        while (other_login(w->pool, r))
            attempt_job(w, r);
        passes = request_passes(r);
        if (passes)
            w->up = false;
        if ((passes || r->code == CURLE_LOGIN_DENIED) && is_crowded(w, r))
            return false;
        if (!request_again(r))
            return true;
        sleep_ms(w->pool, request_delay(r));
    }
}

static void push_job(struct pool *p, struct request *r, bool first)
{
    r->next = first ? p->queue : NULL;
    if (first)
        p->queue = r;
    else
        *p->queue_end = r;
    if (!r->next)
        p->queue_end = &r->next;
    p->queued++;
    pthread_cond_signal(&p->work);
}

/* Under the lock, by a thread that counts as idle.  NULL: it is to end. */
static struct request *next_job(struct pool *p)
{
    struct request *r;

    while (!p->queue && !p->closing)
        pthread_cond_wait(&p->work, &p->lock);
    p->idle--;
    r = p->queue;
    if (!r)
        return NULL;
    if (!(p->queue = r->next))
        p->queue_end = &p->queue;
    p->queued--;
    return r;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct pool *p = w->pool;
    struct request *r;

    pthread_mutex_lock(&p->lock);
    while ((r = next_job(p))) {
        uint64_t began = store_curl_ms();
        bool was_up = w->up, served;

        pthread_mutex_unlock(&p->lock);
        served = serve_job(w, r);
        if (served)
            request_settled(r);
        pthread_mutex_lock(&p->lock);
        if (was_up) {
            p->busy_ms += store_curl_ms() - began;
            p->served++;
        }
        if (!served) {
            p->retired++;
            push_job(p, r, true);
            break;
        }
        r->next = p->finished;
        p->finished = r;
        p->idle++;
        pthread_cond_signal(&p->told);
    }
    pthread_mutex_unlock(&p->lock);
    curl_easy_cleanup(w->easy);
    curl_multi_cleanup(w->multi);
    return NULL;
}

/* Signals are for the thread that started us. */
static bool start_worker(struct worker *w)
{
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&w->thread, NULL, work, w) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

/* Whether another connection is worth its login, by what the first one took:
 * where what waits keeps those that there are busy for longer, or where they
 * have been busy for that long, since who waits for many requests hands on only
 * a few of them at once.  Under the lock. */
static bool is_worthwhile(struct pool *p)
{
    uint64_t now = store_curl_ms(), each = 0;

    if (!p->all_busy_since)
        p->all_busy_since = now;
    if (p->served)
        each = p->busy_ms / p->served;
    return (p->queued - p->idle) * each >= p->login_ms * p->count ||
           now - p->all_busy_since >= p->login_ms;
}

/* Those that have been started and are not let in yet. */
static unsigned count_new(const struct pool *p)
{
    unsigned count = 0;

    for (unsigned i = 0; i < p->count; i++)
        count += !p->workers[i].ever_up;
    return count;
}

/* No more than may connect at once: a request that another one has taken would
 * wait for two logins.  Under the lock. */
static void add_workers(struct pool *p)
{
    unsigned before = p->count;

    if (p->queued <= p->idle)
        p->all_busy_since = 0;
    while (p->queued > p->idle && p->count < CONNECTIONS &&
           (p->count == 0 || (p->ever_up && !p->retired &&
                              count_new(p) < HANDSHAKES && is_worthwhile(p)))) {
        struct worker *w = &p->workers[p->count];

        w->pool = p;
        if (!start_worker(w))
            return;
        p->count++;
        p->idle++; /* until it takes one */
    }
    if (p->count > before)
        p->all_busy_since = 0;
}

/* -- the caller's side ------------------------------------------------------
 */

/* Waits until something is answered, and tells it. */
static void pool_drive(struct engine *e)
{
    struct pool *p = (struct pool *)e;
    struct request *r;

    pthread_mutex_lock(&p->lock);
    while (!p->finished)
        pthread_cond_wait(&p->told, &p->lock);
    add_workers(p);
    r = p->finished;
    p->finished = NULL;
    pthread_mutex_unlock(&p->lock);
    while (r) {
        struct request *next = r->next;

        request_answered(r);
        r = next;
    }
}

static void pool_begin(struct engine *e, struct request *r,
                       enum request_turn turn)
{
    struct pool *p = (struct pool *)e;
    bool alone;

    pthread_mutex_lock(&p->lock);
    push_job(p, r, turn == TURN_FIRST);
    add_workers(p);
    alone = p->count == 0;
    if (alone) { /* no thread could be had */
        p->queue = NULL;
        p->queue_end = &p->queue;
        p->queued = 0;
        r->code = CURLE_OUT_OF_MEMORY;
        r->next = p->finished;
        p->finished = r;
    }
    pthread_mutex_unlock(&p->lock);
}

static void pool_free(struct engine *e)
{
    struct pool *p = (struct pool *)e;

    p->cut = 1;
    engine_drain(e);
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->count; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_cond_destroy(&p->told);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static const struct engine_ops pool_ops = {.begin = pool_begin,
                                           .drive = pool_drive,
                                           .passes = pool_passes,
                                           .free = pool_free};

struct engine *pool_new(struct store_curl *c, const struct pool_hooks *hooks)
{
    struct pool *p = calloc(1, sizeof *p);

    if (!p) {
        diag_no_memory();
        return NULL;
    }
    p->engine.ops = &pool_ops;
    p->engine.curl = c;
    p->engine.most = MOST;
    p->hooks = *hooks;
    p->queue_end = &p->queue;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->told, NULL);
    return &p->engine;
}
