/* A web server for the agent's tests: serves a folder on the loopback with
 * ETag and Range, and misbehaves where a rule says so.
 *
 *     httpd FOLDER RULES LOG PORT
 *
 * PORT is a file that gets the port's number.  RULES is read again for each
 * request: a line "PREFIX MODE [ARGUMENT]"; the first whose prefix begins the
 * path counts.  Each request leaves a line in LOG. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REQUEST_MAX = 16384, WORD = 512 };

struct rule {
    char prefix[WORD], mode[WORD], argument[WORD];
};

struct request {
    int to;
    char path[WORD], query[WORD], none_match[WORD];
    bool has_range, login;
    long range;
    struct rule rule;
};

static const char *folder, *rules, *log_file;

static bool is(const struct request *r, const char *mode)
{
    return strcmp(r->rule.mode, mode) == 0;
}

static long argument(const struct request *r)
{
    return strtol(r->rule.argument, NULL, 10);
}

/* -- the request ----------------------------------------------------------- */

static void find_rule(struct request *r)
{
    FILE *f = fopen(rules, "re");
    char line[3 * WORD];
    struct rule rule;

    while (f && fgets(line, sizeof(line), f)) {
        memset(&rule, 0, sizeof(rule));
        if (sscanf(line, "%511s %511s %511s", rule.prefix, rule.mode,
                   rule.argument) >= 2 &&
            strncmp(r->path, rule.prefix, strlen(rule.prefix)) == 0) {
            r->rule = rule;
            break;
        }
    }
    if (f)
        fclose(f);
}

static void take_header(struct request *r, const char *line)
{
    if (strncasecmp(line, "If-None-Match: ", 15) == 0)
        snprintf(r->none_match, WORD, "%.500s", line + 15);
    if (strncasecmp(line, "Authorization: ", 15) == 0)
        r->login = true;
    if (strncasecmp(line, "Range: bytes=", 13) == 0) {
        r->has_range = true;
        r->range = strtol(line + 13, NULL, 10);
    }
}

static bool read_request(struct request *r)
{
    char text[REQUEST_MAX + 1], *line, *next, *query;
    size_t len = 0;
    ssize_t n;

    do {
        n = read(r->to, text + len, REQUEST_MAX - len);
        len += n > 0 ? (size_t)n : 0;
        text[len] = '\0';
    } while (n > 0 && len < REQUEST_MAX && !strstr(text, "\r\n\r\n"));
    if (sscanf(text, "GET %511s HTTP", r->path) != 1)
        return false;
    for (line = text; *line; line = next) {
        next = line + strcspn(line, "\r\n");
        if (*next)
            *next++ = '\0';
        take_header(r, line);
    }
    query = strchr(r->path, '?');
    if (query) {
        snprintf(r->query, WORD, "%s", query);
        *query = '\0';
    }
    return true;
}

static void note(const struct request *r, int status)
{
    char line[4 * WORD];
    char range[32] = "";
    int fd = open(log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int len;

    if (r->has_range)
        snprintf(range, sizeof(range), " range=%ld-", r->range);
    len = snprintf(line, sizeof(line), "%d %s%s%s%s%s\n", status, r->path,
                   r->query, r->none_match[0] ? " conditional" : "", range,
                   r->login ? " login" : "");
    if (fd >= 0 && write(fd, line, (size_t)len) != len)
        perror(log_file);
    if (fd >= 0)
        close(fd);
}

/* -- the answer ------------------------------------------------------------ */

/* The client may be gone: then so are we. */
static void put(const struct request *r, const void *bytes, size_t len)
{
    const char *at = bytes;
    ssize_t n;

    while (len > 0) {
        n = write(r->to, at, len);
        if (n <= 0)
            _exit(0);
        at += n;
        len -= (size_t)n;
    }
}

static void put_text(const struct request *r, const char *text)
{
    put(r, text, strlen(text));
}

static void head(const struct request *r, int status, const char *more)
{
    char text[4 * WORD];

    note(r, status);
    snprintf(text, sizeof(text),
             "HTTP/1.1 %d Whatever\r\nConnection: close\r\n%s", status, more);
    put_text(r, text);
}

static void fill(const struct request *r, long count, int pause)
{
    char block[4096];

    memset(block, 'x', sizeof(block));
    while (count != 0) {
        size_t n = count < 0 || count > 4096 ? sizeof(block) : (size_t)count;

        put(r, block, pause ? 1 : n);
        count -= count < 0 ? 0 : (long)n;
        if (pause)
            sleep(1);
    }
}

static void answer_status(const struct request *r, int status, const char *more,
                          const char *body)
{
    char length[64];

    head(r, status, more);
    snprintf(length, sizeof(length), "Content-Length: %zu\r\n\r\n",
             strlen(body));
    put_text(r, length);
    put_text(r, body);
}

/* What a file of the folder says, from the status line on: any answer. */
static void answer_raw(const struct request *r)
{
    char path[3 * WORD], block[4096];
    size_t n;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, r->rule.argument);
    f = fopen(path, "re");
    n = f ? fread(block, 1, sizeof(block) - 1, f) : 0;
    block[n] = '\0';
    note(r, n > 9 ? atoi(block + 9) : 0);
    put(r, block, n);
    while (f && (n = fread(block, 1, sizeof(block), f)) > 0)
        put(r, block, n);
    if (f)
        fclose(f);
}

/* What needs no file.  False: serve it. */
static bool misbehave(const struct request *r)
{
    char location[WORD + 32];

    if (is(r, "status")) {
        answer_status(r, (int)argument(r), "", "<html>sorry</html>\n");
    } else if (is(r, "html")) {
        answer_status(r, 200, "Content-Type: text/html\r\nETag: \"html\"\r\n",
                      "<!DOCTYPE html><title>Log in</title>\n");
    } else if (is(r, "empty")) {
        answer_status(r, 200, "", "");
    } else if (is(r, "redirect")) {
        snprintf(location, sizeof(location), "Location: %s\r\n",
                 r->rule.argument);
        answer_status(r, 302, location, "elsewhere\n");
    } else if (is(r, "headers")) {
        head(r, 200, "X-Long: "); /* without end if there is no argument */
        fill(r, argument(r) ? argument(r) : -1, 0);
        put_text(r, "\r\n\r\n");
    } else if (is(r, "cut-once") && r->has_range) {
        answer_status(r, 500, "", "");
    } else if (is(r, "raw")) {
        answer_raw(r);
    } else if (is(r, "silent")) {
        note(r, 0);
        pause();
    } else {
        return false;
    }
    return true;
}

/* -- a file ---------------------------------------------------------------- */

struct served {
    char *bytes;
    long len;
    char etag[64];
};

static bool load(const struct request *r, struct served *s)
{
    char path[3 * WORD];
    struct stat st;
    FILE *f;

    snprintf(path, sizeof(path), "%s%s", folder,
             is(r, "file") ? r->rule.argument : r->path);
    f = strstr(r->path, "..") ? NULL : fopen(path, "re");
    if (!f || fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    s->len = (long)st.st_size;
    s->bytes = malloc((size_t)s->len + 1);
    if (!s->bytes || fread(s->bytes, 1, (size_t)s->len, f) != (size_t)s->len)
        return false;
    fclose(f);
    snprintf(s->etag, sizeof(s->etag), "\"%llx-%lx.%lx\"",
             (unsigned long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, s->len);
    return true;
}

/* The body from `from` on, as the rule wants it. */
static void put_body(const struct request *r, const struct served *s, long from)
{
    long left = s->len - from, n = left;

    if (is(r, "slow")) {
        for (; left > 0; left--, from++) {
            put(r, s->bytes + from, 1);
            sleep(1);
        }
        return;
    }
    if ((is(r, "cut") || (is(r, "cut-once") && !r->has_range) ||
         is(r, "truncate") || is(r, "stall")) &&
        argument(r) < n)
        n = argument(r);
    put(r, s->bytes + from, (size_t)n);
    if (is(r, "stall"))
        pause();
    if (is(r, "endless"))
        fill(r, -1, 0);
    if (is(r, "append"))
        fill(r, 100, 0);
}

/* 0: no length is said, the end of the connection is the end of the body. */
static void length_line(const struct request *r, long len, char out[64])
{
    if (is(r, "truncate") && argument(r) < len)
        len = argument(r);
    out[0] = '\0';
    if (!is(r, "endless") && !is(r, "append") && !is(r, "close"))
        snprintf(out, 64, "Content-Length: %ld\r\n", len);
}

static void serve(const struct request *r)
{
    struct served s = {0};
    char more[WORD], length[64], range[96] = "";
    long from = 0;
    bool part = r->has_range && !is(r, "norange");

    if (!load(r, &s)) {
        answer_status(r, 404, "", "no such file\n");
        return;
    }
    if (r->none_match[0] && strcmp(r->none_match, s.etag) == 0) {
        answer_status(r, 304, "", "");
        return;
    }
    if (part && r->range >= s.len) {
        answer_status(r, 416, "", "");
        return;
    }
    if (part) {
        from = is(r, "wrongrange") ? 0 : r->range;
        snprintf(range, sizeof(range), "Content-Range: bytes %ld-%ld/%ld\r\n",
                 from, s.len - 1, s.len);
    }
    length_line(r, s.len - from, length);
    snprintf(more, sizeof(more), "%s%s%s%s%s%s\r\n", length, range,
             is(r, "noetag") ? "" : "ETag: ", is(r, "noetag") ? "" : s.etag,
             is(r, "noetag") ? "" : "\r\n",
             is(r, "gzip") ? "Content-Encoding: gzip\r\n" : "");
    head(r, part ? 206 : 200, more);
    put_body(r, &s, from);
    free(s.bytes);
}

/* -- connections ----------------------------------------------------------- */

static void handle(int to)
{
    struct request r = {.to = to};

    if (!read_request(&r))
        return;
    find_rule(&r);
    if (!misbehave(&r))
        serve(&r);
}

static int listen_on_loopback(const char *port_file)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char part[WORD];
    FILE *f;

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 ||
        listen(fd, 64) != 0 || getsockname(fd, (struct sockaddr *)&a, &len))
        return -1;
    snprintf(part, sizeof(part), "%.500s.part", port_file);
    f = fopen(part, "we");
    if (!f)
        return -1;
    fprintf(f, "%d\n", ntohs(a.sin_port));
    if (fclose(f) != 0 || rename(part, port_file) != 0)
        return -1;
    return fd;
}

int main(int argc, char **argv)
{
    int fd, to;

    if (argc != 5) {
        fprintf(stderr, "usage: httpd FOLDER RULES LOG PORT\n");
        return 2;
    }
    folder = argv[1];
    rules = argv[2];
    log_file = argv[3];
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    fd = listen_on_loopback(argv[4]);
    if (fd < 0) {
        perror("httpd");
        return 1;
    }
    for (;;) {
        to = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (to < 0)
            continue;
        if (fork() == 0) {
            /* nobody is left behind */
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            alarm(60);
            handle(to);
            /* what was sent is to arrive: no reset for what is unread */
            shutdown(to, SHUT_WR);
            _exit(0);
        }
        close(to);
    }
}
