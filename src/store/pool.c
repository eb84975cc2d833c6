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
    MOST_JOBS = 4 * POOL_CONNECTIONS, /* on their way */
    MOST_BYTES = 32 << 20,            /* of their bodies */
    HANDSHAKES = 8,    /* at once: sshd's MaxStartups is 10:30:100 */
    CROWDED_TRIES = 2, /* to connect, before it is taken for a limit */
    KEEPALIVE_S = 30,  /* routers forget connections after minutes */
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
    bool holds;     /* pool_job_hold() */
    uint64_t began; /* ms, to connect */
};

struct pool {
    struct store_curl *curl;
    struct pool_hooks hooks;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t work;  /* something for threads has changed */
    pthread_cond_t told;  /* something for the caller */
    struct worker workers[POOL_CONNECTIONS];
    unsigned count, idle, retired, connecting;
    struct pool_job *queue, **queue_end;
    unsigned queued;
    struct pool_job *finished;
    unsigned pending;          /* not yet told to the caller */
    uint64_t bytes;            /* of their bodies */
    bool ever_up;              /* somebody was let in */
    uint64_t login_ms;         /* what that took */
    uint64_t busy_ms, served;  /* in which so many requests were answered */
    uint64_t all_busy_since;   /* ms, 0: a connection is idle */
    atomic_bool hold;          /* all workers do */
    atomic_bool away, hurry;   /* patience is short */
    volatile sig_atomic_t cut; /* all is given up */
    bool closing;
};

struct pool *pool_new(struct store_curl *c, const struct pool_hooks *hooks)
{
    struct pool *p = calloc(1, sizeof *p);

    if (!p) {
        diag_no_memory();
        return NULL;
    }
    p->curl = c;
    p->hooks = *hooks;
    p->queue_end = &p->queue;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->told, NULL);
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    p->cut = 1;
    pool_drain(p);
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

/* -- one attempt, in a thread -----------------------------------------------
 */

static bool stopped(const struct pool *p)
{
    return p->cut || store_curl_stopped(p->curl);
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

static void set_options(struct worker *w, struct pool_job *j)
{
    struct pool *p = w->pool;
    CURL *easy = w->easy;

    curl_easy_reset(easy);
    store_curl_setup(p->curl, easy, j->error);
    curl_easy_setopt(easy, CURLOPT_URL, j->url);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, p);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, w);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)w->fresh);
    pool_job_setup(j, easy);
    if (p->away)
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)HURRY_S);
    if (p->hurry)
        curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)HURRY_S);
    p->hooks.setup(p->hooks.ctx, easy);
    if (p->hold || w->holds)
        pool_job_hold(j, easy, p->hooks.hold_port);
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
static bool is_refused_read(const struct pool_job *j)
{
    return j->code == CURLE_FTP_WEIRD_PASV_REPLY &&
           (j->kind == POOL_READ || j->kind == POOL_SIZE) &&
           strncmp(j->said, "550", 3) == 0;
}

static void attempt(struct worker *w, struct pool_job *j)
{
    curl_off_t size = -1;

    pool_job_reset(j);
    j->code = CURLE_OUT_OF_MEMORY;
    if (!has_handles(w))
        return;
    set_options(w, j);
    if (!w->up)
        enter_gate(w);
    j->code = stopped(w->pool) ? CURLE_ABORTED_BY_CALLBACK : perform(w);
    leave_gate(w, false);
    if (*j->said)
        j->status = strtol(j->said, NULL, 10);
    else
        curl_easy_getinfo(w->easy, CURLINFO_RESPONSE_CODE, &j->status);
    curl_easy_getinfo(w->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    curl_easy_getinfo(w->easy, CURLINFO_FILETIME, &j->modified);
    j->size = size < 0 ? UINT64_MAX : (uint64_t)size;
    if (stopped(w->pool))
        j->code = CURLE_ABORTED_BY_CALLBACK;
    w->fresh = is_unclear(j->code);
    if (is_refused_read(j))
        j->code = CURLE_REMOTE_FILE_NOT_FOUND;
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
static bool worth_another(const struct pool_job *j, unsigned tries)
{
    if (j->code == CURLE_OK)
        return false;
    if (j->code == CURLE_FTP_WEIRD_PASV_REPLY || j->code == CURLE_PARTIAL_FILE)
        return !is_final(j->status);
    if (j->code == CURLE_UPLOAD_FAILED)
        return j->status >= 400 && !is_final(j->status);
    return store_curl_again(j->code, 0, tries) || j->code == CURLE_FAILED_INIT;
}

static void nap(const struct pool *p, unsigned ms)
{
    const struct timespec t = {.tv_nsec = NAP_MS * 1000000L};

    for (; ms > NAP_MS && !stopped(p); ms -= NAP_MS)
        nanosleep(&t, NULL);
}

/* Others are let in and this one never was: servers limit the connections of a
 * user. */
static bool is_crowded(struct worker *w, const struct pool_job *j,
                       unsigned tries)
{
    struct pool *p = w->pool;
    bool crowded;

    pthread_mutex_lock(&p->lock);
    crowded = p->ever_up && !w->ever_up && w != p->workers &&
              (tries >= CROWDED_TRIES || j->code == CURLE_LOGIN_DENIED);
    pthread_mutex_unlock(&p->lock);
    return crowded;
}

static bool other_login(struct pool *p, const struct pool_job *j)
{
    bool ever_up;

    pthread_mutex_lock(&p->lock);
    ever_up = p->ever_up;
    pthread_mutex_unlock(&p->lock);
    return j->code == CURLE_LOGIN_DENIED && !ever_up && p->hooks.denied &&
           p->hooks.denied(p->hooks.ctx);
}

/* The connection for data failed, as by a server that took the beginning of TLS
 * for its end. */
static bool is_cut_early(const struct worker *w, const struct pool_job *j)
{
    long said = strtol(j->said, NULL, 10);

    if (!w->pool->hooks.hold_port || !w->up || j->hold.port)
        return false;
    if (said >= 500 && said != 522) /* it refused the command */
        return false;
    return j->code == CURLE_FTP_WEIRD_PASV_REPLY ||
           j->code == CURLE_SSL_CONNECT_ERROR || j->code == CURLE_RECV_ERROR ||
           j->code == CURLE_SEND_ERROR || j->code == CURLE_GOT_NOTHING;
}

static void attempt_held(struct worker *w, struct pool_job *j)
{
    w->holds = true;
    attempt(w, j);
    w->holds = !is_unclear(j->code);
    if (w->holds)
        w->pool->hold = true; /* and so do all */
}

/* Until it is answered; false: this connection is one too many. */
static bool serve(struct worker *w, struct pool_job *j)
{
    for (unsigned tries = 1;; tries++) {
        bool again;

        attempt(w, j);
        if (is_cut_early(w, j))
            attempt_held(w, j);
        again = worth_another(j, tries);
        if (again)
            w->up = false;
        while (other_login(w->pool, j))
            attempt(w, j);
        if ((again || j->code == CURLE_LOGIN_DENIED) && is_crowded(w, j, tries))
            return false;
        if (!again || tries >= STORE_TRIES || w->pool->hurry || w->pool->away)
            return true;
        nap(w->pool, store_curl_delay(tries, 0));
    }
}

static void push(struct pool *p, struct pool_job *j, bool first)
{
    j->next = first ? p->queue : NULL;
    if (first)
        p->queue = j;
    else
        *p->queue_end = j;
    if (!j->next)
        p->queue_end = &j->next;
    p->queued++;
    pthread_cond_signal(&p->work);
}

/* Under the lock, by a thread that counts as idle.  NULL: it is to end. */
static struct pool_job *next_job(struct pool *p)
{
    struct pool_job *j;

    while (!p->queue && !p->closing)
        pthread_cond_wait(&p->work, &p->lock);
    p->idle--;
    j = p->queue;
    if (!j)
        return NULL;
    if (!(p->queue = j->next))
        p->queue_end = &p->queue;
    p->queued--;
    return j;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct pool *p = w->pool;
    struct pool_job *j;

    pthread_mutex_lock(&p->lock);
    while ((j = next_job(p))) {
        uint64_t began = store_curl_ms();
        bool was_up = w->up, served;

        pthread_mutex_unlock(&p->lock);
        served = serve(w, j);
        if (served)
            p->away = store_curl_is_away(j->code);
        pthread_mutex_lock(&p->lock);
        if (was_up) {
            p->busy_ms += store_curl_ms() - began;
            p->served++;
        }
        if (!served) {
            p->retired++;
            push(p, j, true);
            break;
        }
        j->next = p->finished;
        p->finished = j;
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
    while (p->queued > p->idle && p->count < POOL_CONNECTIONS &&
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

static void tell(struct pool *p, struct pool_job *j)
{
    p->pending--;
    p->bytes -= j->len;
    j->answered = true;
    if (j->done)
        j->done(j);
}

/* Waits until something is answered, and tells it. */
static void collect(struct pool *p)
{
    struct pool_job *j;

    pthread_mutex_lock(&p->lock);
    while (!p->finished)
        pthread_cond_wait(&p->told, &p->lock);
    add_workers(p);
    j = p->finished;
    p->finished = NULL;
    pthread_mutex_unlock(&p->lock);
    while (j) {
        struct pool_job *next = j->next;

        tell(p, j);
        j = next;
    }
}

static void add(struct pool *p, struct pool_job *j, bool first)
{
    bool alone;

    j->answered = false;
    p->pending++;
    p->bytes += j->len;
    pthread_mutex_lock(&p->lock);
    push(p, j, first);
    add_workers(p);
    alone = p->count == 0;
    if (alone) { /* no thread could be had */
        p->queue = NULL;
        p->queue_end = &p->queue;
        p->queued = 0;
        j->code = CURLE_OUT_OF_MEMORY;
        j->next = p->finished;
        p->finished = j;
    }
    pthread_mutex_unlock(&p->lock);
}

void pool_start(struct pool *p, struct pool_job *j)
{
    while (p->pending >= MOST_JOBS ||
           (p->pending && p->bytes + j->len > MOST_BYTES))
        collect(p);
    add(p, j, false);
}

void pool_queue(struct pool *p, struct pool_job *j)
{
    add(p, j, false);
}

void pool_wait(struct pool *p, struct pool_job *j)
{
    while (!j->answered)
        collect(p);
}

void pool_run(struct pool *p, struct pool_job *j)
{
    add(p, j, true);
    pool_wait(p, j);
}

void pool_drain(struct pool *p)
{
    while (p->pending)
        collect(p);
}

void pool_hurry(struct pool *p)
{
    p->hurry = true;
}

bool pool_is_away(const struct pool *p)
{
    return p->away;
}
