/* A proxy on loopback that spoils one request: proxy BACKEND_PORT PORT_FILE
 * LOG RULE.  Each request is a line of LOG.  RULE is "none" or "N ACTION":
 * what happens to the Nth request:
 *
 *   reset             the connection is reset, the server sees nothing
 *   lost              the server sees it, the connection is reset
 *   half              half of its body is sent on, then both ends are reset
 *   status S [LINE]   the answer is S, with a header line
 *   slow MS           it is sent on so much later
 *   date [DATE]       the answer has this Date, or none
 *
 * With "N+ ACTION" it happens to all from the Nth on.  A process a connection;
 * requests with a body have a Content-Length. */
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD = 16384, WORD = 512 };

static struct {
    long at;
    bool on;
    char action[16], word[WORD];
} rule;

static long *count; /* of requests, shared by all processes */
static const char *log_file;
static int backend_port;

/* A message: its head, and of its body what came with it. */
struct message {
    char head[HEAD + 1];
    size_t head_len, have; /* head_len with the empty line */
    long long length;      /* of the body, -1: until the end */
};

static bool write_all(int fd, const char *buf, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, buf, len);

        if (n <= 0)
            return false;
        buf += n;
        len -= (size_t)n;
    }
    return true;
}

static long long length_of(const char *head)
{
    const char *line = head;
    long long length = -1;

    while ((line = strchr(line, '\n'))) {
        line++;
        if (strncasecmp(line, "content-length:", 15) == 0)
            length = strtoll(line + 15, NULL, 10);
    }
    return length;
}

static bool read_head(int fd, struct message *m)
{
    char *end = NULL;

    m->have = 0;
    while (!end && m->have < HEAD) {
        ssize_t n = read(fd, m->head + m->have, HEAD - m->have);

        if (n <= 0)
            return false;
        m->have += (size_t)n;
        m->head[m->have] = '\0';
        end = strstr(m->head, "\r\n\r\n");
    }
    if (!end)
        return false;
    m->head_len = (size_t)(end + 4 - m->head);
    m->length = length_of(m->head);
    return true;
}

/* Sends the head and `part` bytes of the body on. */
static bool pass(int from, int to, const struct message *m, long long part)
{
    long long sent = (long long)(m->have - m->head_len);
    char buf[65536];

    if (sent > part)
        sent = part;
    if (!write_all(to, m->head, m->head_len + (size_t)sent))
        return false;
    while (sent < part) {
        ssize_t n =
            read(from, buf,
                 part - sent < (long long)sizeof(buf) ? (size_t)(part - sent)
                                                      : sizeof(buf));

        if (n <= 0 || !write_all(to, buf, (size_t)n))
            return false;
        sent += n;
    }
    return true;
}

/* Reads the body that is left, for nobody. */
static void swallow(int from, const struct message *m)
{
    long long left = m->length - (long long)(m->have - m->head_len);
    char buf[65536];

    while (left > 0) {
        ssize_t n =
            read(from, buf,
                 left < (long long)sizeof(buf) ? (size_t)left : sizeof(buf));

        if (n <= 0)
            return;
        left -= n;
    }
}

static void reset(int fd)
{
    struct linger l = {1, 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
    close(fd);
}

static bool is(const char *action)
{
    return strcmp(rule.action, action) == 0;
}

static bool answer(int client, const struct message *m)
{
    char text[WORD + 128], *line = strchr(rule.word, ' ');

    swallow(client, m);
    snprintf(text, sizeof(text),
             "HTTP/1.1 %.3s Spoilt\r\n%s%sContent-Length: "
             "0\r\n\r\n",
             rule.word, line ? line + 1 : "", line ? "\r\n" : "");
    return write_all(client, text, strlen(text));
}

static int connect_backend(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)backend_port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool has_body(const char *request, const struct message *m)
{
    return strncmp(request, "HEAD ", 5) != 0 && m->length > 0 &&
           strncmp(m->head + 9, "204", 3) != 0 &&
           strncmp(m->head + 9, "304", 3) != 0;
}

/* All such dates have one length. */
static void set_date(struct message *m)
{
    char *line = strcasestr(m->head, "\ndate: ");

    if (line && strlen(rule.word) == strcspn(line + 7, "\r"))
        memcpy(line + 7, rule.word, strlen(rule.word));
    else if (line)
        line[1] = 'X';
}

/* One request on.  False: the connection is at its end. */
static bool forward(int client, int *server, struct message *m, bool spoil)
{
    char request[8];
    long long part = m->length > 0 ? m->length : 0;

    snprintf(request, sizeof(request), "%.7s", m->head);
    if (spoil && is("slow")) {
        usleep((useconds_t)atol(rule.word) * 1000);
        spoil = false;
    }
    if (spoil && is("status"))
        return answer(client, m);
    if (spoil && is("reset")) {
        reset(client);
        return false;
    }
    if (*server < 0)
        *server = connect_backend();
    if (spoil && is("half")) {
        pass(client, *server, m, part / 2);
        reset(client);
        return false;
    }
    if (!pass(client, *server, m, part) || !read_head(*server, m))
        return false;
    if (spoil && is("date")) {
        set_date(m);
        spoil = false;
    }
    if (spoil) {
        reset(client);
        return false;
    }
    return pass(*server, client, m, has_body(request, m) ? m->length : 0) &&
           !strcasestr(m->head, "\nconnection: close");
}

static void note(const struct message *m)
{
    FILE *f = fopen(log_file, "ae");

    if (f) {
        fprintf(f, "%.*s\n", (int)strcspn(m->head, "\r\n"), m->head);
        fclose(f);
    }
}

static void serve(int client)
{
    static struct message m;
    int server = -1;

    while (read_head(client, &m)) {
        long n = __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
        bool spoil = rule.at && (rule.on ? n >= rule.at : n == rule.at);

        note(&m);
        if (!forward(client, &server, &m, spoil))
            return;
    }
}

static void parse_rule(const char *text)
{
    char *end;

    rule.at = strtol(text, &end, 10);
    rule.on = *end == '+';
    if (sscanf(end + rule.on, " %15s %511[^\n]", rule.action, rule.word) < 1)
        rule.at = 0;
}

static int listen_on_loopback(const char *port_file)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FILE *f;

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 ||
        listen(fd, 256) != 0 || getsockname(fd, (struct sockaddr *)&a, &len))
        return -1;
    f = fopen(port_file, "we");
    if (!f)
        return -1;
    fprintf(f, "%d\n", ntohs(a.sin_port));
    fclose(f);
    return fd;
}

int main(int argc, char **argv)
{
    int fd, client;

    if (argc != 5) {
        fprintf(stderr, "usage: proxy BACKEND_PORT PORT_FILE LOG RULE\n");
        return 2;
    }
    backend_port = atoi(argv[1]);
    log_file = argv[3];
    parse_rule(argv[4]);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fd = listen_on_loopback(argv[2]);
    if (fd < 0 || count == MAP_FAILED) {
        perror("proxy");
        return 1;
    }
    for (;;) {
        client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            continue;
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve(client);
            _exit(0);
        }
        close(client);
    }
}
