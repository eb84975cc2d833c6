/* One request of a pool, as libcurl sees it. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "pool.h"

enum {
    REQUEST_S = 60, /* seconds for a request, */
    COMMAND_S = 10, /* for each of its commands, */
    SLOWEST = 100,  /* and for so many bytes one more */
    DAY_S = 24 * 60 * 60,
    LARGE = 64 << 10,   /* bytes of a body, from which on */
    BUFFER = 512 << 10, /* more of it is on its way at once */
};

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct request *r = ctx;
    size_t len = size * count;

    if (r->kind != REQUEST_READ && r->kind != REQUEST_LIST)
        return len;
    if (len > r->max - r->got) {
        r->too_long = true;
        return 0;
    }
    return request_take(r, data, len) ? len : 0;
}

static size_t on_send(char *to, size_t size, size_t count, void *ctx)
{
    struct request *r = ctx;
    size_t room = size * count, left = r->len - r->sent;
    size_t len = left < room ? left : room;

    memcpy(to, r->body + r->sent, len);
    request_note_sent(r, r->sent + len);
    return len;
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct request *r = ctx;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > r->len)
        return CURL_SEEKFUNC_CANTSEEK;
    request_note_sent(r, (size_t)offset);
    return CURL_SEEKFUNC_OK;
}

static void hold_bytes(int socket, int on)
{
#ifdef TCP_CORK
    (void)setsockopt(socket, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
#else
    (void)socket, (void)on;
#endif
}

static unsigned port_of(const struct curl_sockaddr *a)
{
    if (a->family == AF_INET)
        return ntohs(
            ((const struct sockaddr_in *)(const void *)&a->addr)->sin_port);
    if (a->family == AF_INET6)
        return ntohs(
            ((const struct sockaddr_in6 *)(const void *)&a->addr)->sin6_port);
    return 0;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose,
                                 struct curl_sockaddr *a)
{
    struct request *r = ctx;
    int s = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

    if (s < 0)
        return CURL_SOCKET_BAD;
    if (purpose == CURLSOCKTYPE_IPCXN && port_of(a) != r->hold.port) {
        hold_bytes(s, 1);
        r->hold.socket = s;
    }
    return s;
}

void pool_transfer_hold(struct request *r, CURL *easy, unsigned port)
{
    r->hold.port = port;
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, r);
    /* without SIZE before it: the command comes a round trip sooner */
    if (r->kind == REQUEST_READ)
        curl_easy_setopt(easy, CURLOPT_IGNORE_CONTENT_LENGTH, 1L);
}

static void let_go(struct request *r)
{
    if (r->hold.socket >= 0)
        hold_bytes(r->hold.socket, 0);
    r->hold.socket = -1;
}

/* FTP's replies, but for the one to QUIT; of one with several lines the last
 * one counts, which has a blank behind its number. */
static size_t on_reply(char *line, size_t size, size_t count, void *ctx)
{
    struct request *r = ctx;
    size_t len = size * count, n = 0;

    if (len < 4 || line[3] != ' ' || strspn(line, "0123456789") != 3 ||
        strncmp(line, "221", 3) == 0)
        return len;
    if (line[0] == '1')
        let_go(r);
    for (size_t i = 0; i < len && n + 1 < sizeof r->said && line[0] >= '4'; i++)
        if ((unsigned char)line[i] >= ' ')
            r->said[n++] = line[i];
    r->said[n] = '\0';
    return len;
}

/* For a server that goes silent between commands, which libcurl waits for as
 * long as it lives; a transfer's silence ends sooner.  Without any limit 7.88
 * asks without a pause whether SFTP has answered. */
static long patience(const struct request *r)
{
    uint64_t seconds = REQUEST_S + (r->len + r->max) / SLOWEST;

    for (const struct curl_slist *c = r->before; c; c = c->next)
        seconds += COMMAND_S;
    for (const struct curl_slist *c = r->after; c; c = c->next)
        seconds += COMMAND_S;
    return seconds < DAY_S ? (long)seconds : DAY_S;
}

void pool_transfer_setup(struct request *r, CURL *easy)
{
    if (r->kind == REQUEST_WRITE) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->len);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
        curl_easy_setopt(easy, CURLOPT_READDATA, r);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, r);
        if (r->len > LARGE)
            curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER);
    } else if (r->kind == REQUEST_LIST) {
        curl_easy_setopt(easy, CURLOPT_DIRLISTONLY, 1L);
    } else if (r->kind != REQUEST_READ) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    /* of a command with `before`: it is a round trip more */
    if (r->timed || (r->kind == REQUEST_COMMAND && !r->before))
        curl_easy_setopt(easy, CURLOPT_FILETIME, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, patience(r));
    curl_easy_setopt(easy, CURLOPT_QUOTE, r->before);
    curl_easy_setopt(easy, CURLOPT_POSTQUOTE, r->after);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_reply);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
}
