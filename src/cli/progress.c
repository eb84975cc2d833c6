/* A thread that looks at the meter a few times a second: whatever the run
 * waits for, the line and the answer to SIGUSR1 do not. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "msg.h"
#include "progress.h"

enum {
    TICK_MS = 200,
    DELAY_MS = 500, /* what takes less is not worth a line */
    SAMPLES = 16,   /* the rate is that of the last three seconds */
    LINE = 160
};

struct sample {
    uint64_t ms;
    size_t done, bytes;
};

static struct {
    const struct meter *meter;
    const char *what;  /* it counts */
    bool line;         /* may be drawn */
    atomic_bool shown; /* stands there now */
    pthread_t thread;
    int wake[2]; /* a pipe: 'u' SIGUSR1, 'q' the end */
    struct sigaction before;
    uint64_t since; /* ms, when there began to be something to do, 0: not yet */
    struct sample samples[SAMPLES];
    size_t count; /* of samples, ever */
    bool packing; /* they are of bytes that are packed */
    /* what was said last: an object that waits for a connection is on its way
     * before it is counted */
    size_t done, total;
} self = {.wake = {-1, -1}};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* What was put first and is on its way is not done. */
static size_t without(size_t all, size_t some)
{
    return all > some ? all - some : 0;
}

static struct sample look(void)
{
    const struct meter *m = self.meter;

    size_t done = without(m->done, m->way.objects);

    if (m->to_pack)
        return (struct sample){.ms = clock_ms(),
                               .done = meter_packed(m),
                               .bytes = meter_packed(m)};
    if (done > self.done || self.total != m->total)
        self.done = done;
    self.total = m->total;
    return (struct sample){.ms = clock_ms(),
                           .done = self.done,
                           .bytes = without(m->bytes, m->way.unsent)};
}

static void take_sample(void)
{
    if (!self.meter->total) {
        self.since = 0;
        self.count = 0;
        return;
    }
    if (!self.since)
        self.since = clock_ms();
    if (self.packing != (self.meter->to_pack > 0))
        self.count = 0;
    self.packing = self.meter->to_pack > 0;
    self.samples[self.count++ % SAMPLES] = look();
}

/* -- the words --------------------------------------------------------------
 */

static void add_left(char *out, size_t size, uint64_t seconds)
{
    if (seconds < 100)
        snprintf(out, size, ", %u s left", (unsigned)seconds);
    else if (seconds < 100 * 60)
        snprintf(out, size, ", %u min left", (unsigned)(seconds + 30) / 60);
    else
        snprintf(out, size, ", %llu h left",
                 (unsigned long long)(seconds + 1800) / 3600);
}

/* Rate and time left, from the oldest sample that is kept; the time once
 * something is done: what payloads there will be is not known. */
static void add_rate(char *out, size_t size, const struct sample *now,
                     size_t total)
{
    const struct sample *old =
        &self.samples[self.count > SAMPLES ? self.count % SAMPLES : 0];
    uint64_t ms = self.count ? now->ms - old->ms : 0;
    char text[MSG_SIZE];
    size_t len = 0;

    if (ms < TICK_MS)
        return;
    if (now->bytes)
        len = (size_t)snprintf(
            out, size, ", %s/s",
            msg_size(without(now->bytes, old->bytes) * UINT64_C(1000) / ms,
                     text));
    if (now->done > old->done && len < size)
        add_left(out + len, size - len,
                 (total - now->done) * ms / 1000 / (now->done - old->done));
}

static void packing_words(char out[LINE], size_t total)
{
    struct sample now = look();
    char done[MSG_SIZE], all[MSG_SIZE];
    int len = snprintf(out, LINE, "packing %s of %s", msg_size(now.bytes, done),
                       msg_size(total, all));

    if (self.packing && now.done < total)
        add_rate(out + len, LINE - (size_t)len, &now, total);
}

static void words(char out[LINE])
{
    struct sample now = look();
    size_t total = self.meter->total;
    size_t to_pack = self.meter->to_pack;
    char text[MSG_SIZE];
    int len;

    if (to_pack) {
        packing_words(out, to_pack);
        return;
    }
    if (!total) {
        snprintf(out, LINE, "no %s has been begun", self.what);
        return;
    }
    len = snprintf(out, LINE, "%zu of %zu %s%s", now.done, total, self.what,
                   total == 1 ? "" : "s");
    if (now.bytes)
        len += snprintf(out + len, LINE - (size_t)len, ", %s",
                        msg_size(now.bytes, text));
    if (now.done < total)
        add_rate(out + len, LINE - (size_t)len, &now, total);
}

/* -- the line ---------------------------------------------------------------
 */

static void erase(void)
{
    if (self.shown)
        fputs("\r\033[K", stderr);
    self.shown = false;
}

static int columns(void)
{
    struct winsize w;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 ? w.ws_col
                                                                     : 80;
}

/* A job in the background draws nothing over the one in front. */
static void draw(void)
{
    char text[LINE];

    if (!self.line || !self.since || cmd_stopped ||
        clock_ms() - self.since < DELAY_MS ||
        tcgetpgrp(STDERR_FILENO) != getpgrp()) {
        erase();
        return;
    }
    words(text);
    fprintf(stderr, "\r%.*s\033[K", columns() - 1, text);
    self.shown = true;
}

static void answer(void)
{
    char text[LINE];

    words(text);
    erase();
    fprintf(stderr, "ota-pack: %s\n", text);
}

static void *run(void *ctx)
{
    struct pollfd p = {.fd = self.wake[0], .events = POLLIN};
    char c = 0;

    (void)ctx;
    while (c != 'q') {
        c = 0;
        if (poll(&p, 1, TICK_MS) > 0 && read(p.fd, &c, 1) != 1)
            c = 0;
        pthread_mutex_lock(&mutex);
        take_sample();
        if (c == 'u')
            answer();
        if (c != 'q')
            draw();
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void on_usr1(int number)
{
    int before = errno;

    (void)number;
    (void)!write(self.wake[1], "u", 1);
    errno = before;
}

static bool is_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

/* Signals are the main thread's. */
static int start(void)
{
    sigset_t all, old;
    int result;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    result = pthread_create(&self.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return result;
}

static void close_pipe(void)
{
    for (int i = 0; i < 2; i++) {
        if (self.wake[i] >= 0)
            close(self.wake[i]);
        self.wake[i] = -1;
    }
}

/* Where there is no thread to be had, there is no line. */
void progress_begin(const struct cmd_global *g, const struct meter *m,
                    const char *what)
{
    struct sigaction sa = {.sa_handler = on_usr1, .sa_flags = SA_RESTART};

    msg_around(progress_hide, progress_show);
    self.meter = m;
    self.what = what;
    self.line = !g->quiet && !g->json && is_terminal();
    if (pipe2(self.wake, O_CLOEXEC) < 0 || start() != 0) {
        close_pipe();
        return;
    }
    sigemptyset(&sa.sa_mask);
    sigaction(SIGUSR1, &sa, &self.before);
}

void progress_end(void)
{
    if (self.wake[1] < 0)
        return;
    sigaction(SIGUSR1, &self.before, NULL);
    (void)!write(self.wake[1], "q", 1);
    pthread_join(self.thread, NULL);
    erase();
    close_pipe();
}

void progress_interrupt(void)
{
    static const char gone[] = "\r\033[K";

    if (self.shown)
        (void)!write(STDERR_FILENO, gone, sizeof gone - 1);
}

void progress_hide(void)
{
    pthread_mutex_lock(&mutex);
    erase();
}

void progress_show(void)
{
    pthread_mutex_unlock(&mutex);
}
