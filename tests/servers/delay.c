/* A line that takes time, for tests: whatever comes in at one loopback address
 * leaves at another one's same port, MS milliseconds later each way.
 *
 *     delay MS LISTEN TARGET PORT[-PORT]...
 *
 * A connection is made at the far end after three times MS, as if its own
 * packets had been on the way too.  Runs until it is killed. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, CHUNK = 65536, QUEUED = 16 << 20 };

struct chunk {
    struct chunk *next;
    uint64_t due; /* us */
    size_t at, len;
    bool end; /* nothing follows it */
    char bytes[];
};

/* One way of a connection. */
struct way {
    int from, to;
    struct chunk *first, **last;
    size_t queued;
    bool read_all, done;
};

struct line {
    struct line *next;
    struct way there, back;
    struct sockaddr_in target;
    uint64_t begin; /* us, when the far end is connected to; 0: it is */
};

static uint64_t delay_us;
static struct line *lines;
static int listeners[MOST];
static struct sockaddr_in targets[MOST];
static size_t listener_count;

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in address(const char *text, unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port)};

    if (inet_pton(AF_INET, text, &a.sin_addr) != 1 ||
        ntohl(a.sin_addr.s_addr) >> 24 != 127) {
        fprintf(stderr, "delay: '%s' is no loopback address\n", text);
        exit(2);
    }
    return a;
}

static void quicken(int fd)
{
    int one = 1;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void listen_at(const char *from, const char *to, unsigned port)
{
    struct sockaddr_in a = address(from, port);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

    if (listener_count == MOST)
        exit(2);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
        listen(fd, 128) < 0)
        die("delay: listen");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    targets[listener_count] = address(to, port);
    listeners[listener_count++] = fd;
}

static void add_chunk(struct way *w, const char *bytes, size_t len,
                      uint64_t not_before)
{
    struct chunk *c = malloc(sizeof *c + len);
    uint64_t due = now_us() + delay_us;

    if (!c)
        die("delay");
    *c = (struct chunk){.due = due > not_before ? due : not_before,
                        .len = len,
                        .end = len == 0};
    memcpy(c->bytes, bytes, len);
    *w->last = c;
    w->last = &c->next;
    w->queued += len;
}

static void take_in(struct way *w, uint64_t not_before)
{
    static char bytes[CHUNK];
    ssize_t n = read(w->from, bytes, sizeof bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    w->read_all = n <= 0;
    add_chunk(w, bytes, n > 0 ? (size_t)n : 0, not_before);
}

static void drop_first(struct way *w)
{
    struct chunk *c = w->first;

    w->first = c->next;
    if (!w->first)
        w->last = &w->first;
    w->queued -= c->len;
    free(c);
}

static void let_out(struct way *w, uint64_t now)
{
    struct chunk *c;

    while ((c = w->first) && c->due <= now && !w->done) {
        ssize_t n = 0;

        if (c->end) {
            shutdown(w->to, SHUT_WR);
            w->done = true;
            return;
        }
        n = send(w->to, c->bytes + c->at, c->len - c->at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            w->done = w->read_all = true;
            shutdown(w->from, SHUT_RDWR);
            return;
        }
        c->at += (size_t)n;
        if (c->at == c->len)
            drop_first(w);
    }
}

static void accept_one(size_t i)
{
    int fd = accept(listeners[i], NULL, NULL);
    struct line *l = fd < 0 ? NULL : calloc(1, sizeof *l);

    if (!l)
        return;
    quicken(fd);
    l->there = (struct way){.from = fd, .to = -1};
    l->back = (struct way){.from = -1, .to = fd};
    l->there.last = &l->there.first;
    l->back.last = &l->back.first;
    l->target = targets[i];
    l->begin = now_us() + 3 * delay_us;
    l->next = lines;
    lines = l;
}

/* Loopback connects at once, or not at all. */
static void begin(struct line *l)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    l->begin = 0;
    if (fd < 0 ||
        connect(fd, (struct sockaddr *)&l->target, sizeof l->target) < 0) {
        close(fd);
        l->there.done = l->back.done = true;
        return;
    }
    quicken(fd);
    l->there.to = l->back.from = fd;
}

static void end_line(struct line **at)
{
    struct line *l = *at;

    *at = l->next;
    while (l->there.first)
        drop_first(&l->there);
    while (l->back.first)
        drop_first(&l->back);
    close(l->there.from);
    if (l->there.to >= 0)
        close(l->there.to);
    free(l);
}

/* Adds what is waited for; the time until something is due, in us. */
static uint64_t ask(struct way *w, struct pollfd *p, uint64_t now)
{
    uint64_t due = w->first ? w->first->due : UINT64_MAX;

    *p = (struct pollfd){.fd = -1};
    if (!w->read_all && w->from >= 0 && w->queued < QUEUED)
        *p = (struct pollfd){.fd = w->from, .events = POLLIN};
    if (w->done || due == UINT64_MAX || w->to < 0)
        return UINT64_MAX;
    return due > now ? due - now : 1000; /* the far end is full */
}

static void step(struct line *l, const struct pollfd *there,
                 const struct pollfd *back, uint64_t now)
{
    if (there->revents)
        take_in(&l->there, l->begin);
    if (back->revents)
        take_in(&l->back, 0);
    if (l->begin && l->begin <= now)
        begin(l);
    if (l->begin)
        return;
    let_out(&l->there, now);
    let_out(&l->back, now);
}

static void round_of_all(void)
{
    static struct pollfd p[3 * MOST];
    size_t count = 0, i;
    uint64_t now = now_us(), soonest = 1000000;
    struct timespec t;

    for (; count < listener_count; count++)
        p[count] = (struct pollfd){.fd = listeners[count], .events = POLLIN};
    for (struct line *l = lines; l && count < 3 * MOST - 2; l = l->next) {
        uint64_t a = ask(&l->there, &p[count++], now);
        uint64_t b = ask(&l->back, &p[count++], now);
        uint64_t c = l->begin > now ? l->begin - now : a;

        a = a < b ? a : b;
        a = a < c ? a : c;
        soonest = a < soonest ? a : soonest;
    }
    t = (struct timespec){.tv_sec = (time_t)(soonest / 1000000),
                          .tv_nsec = (long)(soonest % 1000000) * 1000};
    if (ppoll(p, count, &t, NULL) < 0 && errno != EINTR)
        die("delay: poll");
    now = now_us();
    i = listener_count;
    for (struct line **at = &lines; *at && i < count; i += 2) {
        step(*at, &p[i], &p[i + 1], now);
        if ((*at)->there.done && (*at)->back.done)
            end_line(at);
        else
            at = &(*at)->next;
    }
    for (i = 0; i < listener_count; i++)
        if (p[i].revents)
            accept_one(i);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: delay MS LISTEN TARGET PORT[-PORT]...\n");
        return 2;
    }
    delay_us = strtoull(argv[1], NULL, 10) * 1000;
    for (int i = 4; i < argc; i++) {
        char *end;
        unsigned long first = strtoul(argv[i], &end, 10);
        unsigned long last = *end == '-' ? strtoul(end + 1, NULL, 10) : first;

        for (; first <= last; first++)
            listen_at(argv[2], argv[3], (unsigned)first);
    }
    for (;;)
        round_of_all();
}
