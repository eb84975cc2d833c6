/* Segments are compressed in threads.  Each knows its place, so that the bytes
 * do not depend on who was first. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "payload_internal.h"

enum { JOBS_MAX = 256 };

/* A segment on its way. */
struct cell {
    uint8_t bytes[PAYLOAD_SEGMENT_ROOM];
    size_t len, index;
    struct cell *next;
};

struct payload_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, space; /* for threads; for the owner */
    struct cell *cells, *spare; /* all of them; those that nobody fills */
    struct cell *first, **last; /* filled ones that no thread took yet */
    struct payload_segments out;
    size_t busy; /* filled ones that are not done */
    bool stop, failed;
    unsigned window_bits;
    struct payload_deflater *own; /* where there is no thread */
    pthread_t *threads;
    unsigned thread_count;
};

void payload_segments_release(struct payload_segments *s)
{
    while (s->count) {
        struct payload_segment *last = &s->list[--s->count];

        if (!last->lent)
            free(last->bytes);
    }
    free(s->list);
    memset(s, 0, sizeof *s);
}

/* The next cell to be compressed, NULL when all is done.  Under the lock. */
static struct cell *take(struct payload_pool *p)
{
    struct cell *c;

    while (!p->first && !p->stop)
        pthread_cond_wait(&p->work, &p->lock);
    c = p->first;
    if (c && !(p->first = c->next))
        p->last = &p->first;
    return c;
}

/* Under the lock. */
static void done(struct payload_pool *p, struct cell *c,
                 struct payload_segment segment, bool ok)
{
    p->out.list[c->index] = segment;
    p->failed = p->failed || !ok;
    p->busy--;
    c->next = p->spare;
    p->spare = c;
    pthread_cond_signal(&p->space);
}

static void *run(void *arg)
{
    struct payload_pool *p = arg;
    struct payload_deflater *d = payload_deflater_new(p->window_bits);
    struct cell *c;

    pthread_mutex_lock(&p->lock);
    while ((c = take(p))) {
        struct payload_segment segment = {NULL, 0, false};
        bool ok;

        pthread_mutex_unlock(&p->lock);
        ok = d && payload_deflater_run(d, c->bytes, c->len, &segment) == 0;
        pthread_mutex_lock(&p->lock);
        done(p, c, segment, ok);
    }
    pthread_mutex_unlock(&p->lock);
    payload_deflater_free(d);
    return NULL;
}

static int add_cells(struct payload_pool *p, size_t count)
{
    p->cells = malloc(count * sizeof *p->cells);
    if (!p->cells)
        return diag_no_memory();
    while (count--) {
        p->cells[count].next = p->spare;
        p->spare = &p->cells[count];
    }
    return 0;
}

/* Fewer threads than wanted will do; none at all: the owner does the work. */
static int start(struct payload_pool *p, unsigned jobs)
{
    if (jobs > JOBS_MAX)
        jobs = JOBS_MAX;
    if (add_cells(p, jobs > 1 ? jobs + 1 : 1))
        return -1;
    p->threads = calloc(jobs, sizeof *p->threads);
    if (!p->threads)
        return diag_no_memory();
    while (jobs > 1 && p->thread_count < jobs &&
           !pthread_create(&p->threads[p->thread_count], NULL, run, p))
        p->thread_count++;
    if (!p->thread_count)
        p->own = payload_deflater_new(p->window_bits);
    return p->thread_count || p->own ? 0 : diag_no_memory();
}

struct payload_pool *payload_pool_new(unsigned jobs, unsigned window_bits)
{
    struct payload_pool *p = calloc(1, sizeof *p);

    if (!p) {
        diag_no_memory();
        return NULL;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->space, NULL);
    p->last = &p->first;
    p->window_bits = window_bits;
    if (start(p, jobs)) {
        payload_pool_free(p);
        return NULL;
    }
    return p;
}

uint8_t *payload_pool_buffer(struct payload_pool *p)
{
    struct cell *c;

    pthread_mutex_lock(&p->lock);
    while (!p->spare)
        pthread_cond_wait(&p->space, &p->lock);
    c = p->spare;
    p->spare = c->next;
    pthread_mutex_unlock(&p->lock);
    return c->bytes;
}

/* A place for one more result; -1 (reported): none.  Under the lock: threads
 * write to the list. */
static int make_room(struct payload_segments *s)
{
    if (array_grow(&s->list, s->count, &s->room, sizeof *s->list) < 0)
        return -1;
    s->list[s->count++] = (struct payload_segment){NULL, 0, false};
    return 0;
}

static void queue(struct payload_pool *p, struct cell *c)
{
    c->next = NULL;
    *p->last = c;
    p->last = &c->next;
    pthread_cond_signal(&p->work);
}

static void do_own(struct payload_pool *p, struct cell *c)
{
    struct payload_segment segment = {NULL, 0, false};
    int err = payload_deflater_run(p->own, c->bytes, c->len, &segment);

    done(p, c, segment, err == 0);
}

int payload_pool_put(struct payload_pool *p, uint8_t *buf, size_t len)
{
    struct cell *c = (struct cell *)(void *)buf; /* its first member */
    bool failed;
    int result;

    pthread_mutex_lock(&p->lock);
    result = make_room(&p->out);
    failed = result < 0 || p->failed;
    c->len = len;
    c->index = p->out.count - 1;
    if (!failed) {
        p->busy++;
        if (p->own)
            do_own(p, c);
        else
            queue(p, c);
        failed = p->failed;
    }
    pthread_mutex_unlock(&p->lock);
    return failed && result == 0 ? diag_no_memory() : result;
}

int payload_pool_lend(struct payload_pool *p, const struct payload_segment *s)
{
    int result;

    pthread_mutex_lock(&p->lock);
    result = make_room(&p->out);
    if (result == 0)
        p->out.list[p->out.count - 1] =
            (struct payload_segment){s->bytes, s->len, true};
    pthread_mutex_unlock(&p->lock);
    return result;
}

/* Only its owner adds to them. */
size_t payload_pool_count(const struct payload_pool *p)
{
    return p->out.count;
}

int payload_pool_finish(struct payload_pool *p, struct payload_segments *out)
{
    bool failed;

    pthread_mutex_lock(&p->lock);
    while (p->busy)
        pthread_cond_wait(&p->space, &p->lock);
    failed = p->failed;
    if (!failed) {
        *out = p->out;
        memset(&p->out, 0, sizeof p->out);
    }
    pthread_mutex_unlock(&p->lock);
    return failed ? diag_no_memory() : 0;
}

void payload_pool_free(struct payload_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    while (p->thread_count)
        pthread_join(p->threads[--p->thread_count], NULL);
    free(p->threads);
    payload_deflater_free(p->own);
    payload_segments_release(&p->out);
    free(p->cells);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->space);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
