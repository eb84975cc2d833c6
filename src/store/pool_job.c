/* One request of a pool, as libcurl sees it. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/diag.h"
#include "pool.h"

enum {
    REQUEST_S = 60, /* seconds for a request, */
    COMMAND_S = 10, /* for each of its commands, */
    SLOWEST = 100,  /* and for so many bytes one more */
    DAY_S = 24 * 60 * 60,
    LARGE = 64 << 10,   /* bytes of a body, from which on */
    BUFFER = 512 << 10, /* more of it is on its way at once */
};

struct pool_job *pool_job_new(struct pool *p, enum pool_kind kind,
                              const char *url)
{
    struct pool_job *j = calloc(1, sizeof *j);

    if (!j || !(j->url = strdup(url))) {
        free(j);
        diag_no_memory();
        return NULL;
    }
    j->pool = p;
    j->kind = kind;
    return j;
}

void pool_job_free(struct pool_job *j)
{
    if (!j)
        return;
    curl_slist_free_all(j->before);
    curl_slist_free_all(j->after);
    free(j->url);
    free(j->bytes);
    free(j);
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct pool_job *j = ctx;
    size_t len = size * count;
    uint8_t *bigger;

    if (j->kind != POOL_READ && j->kind != POOL_LIST)
        return len;
    if (len > j->max - j->got) {
        j->too_long = true;
        return 0;
    }
    bigger = realloc(j->bytes, j->got + len + 1);
    if (!bigger)
        return 0;
    memcpy(bigger + j->got, data, len);
    j->bytes = bigger;
    j->got += len;
    return len;
}

static void note_sent(struct pool_job *j, size_t sent)
{
    if (j->meter) {
        j->meter->unsent += j->sent;
        j->meter->unsent -= sent;
    }
    j->sent = sent;
}

static size_t on_send(char *to, size_t size, size_t count, void *ctx)
{
    struct pool_job *j = ctx;
    size_t room = size * count, left = j->len - j->sent;
    size_t len = left < room ? left : room;

    memcpy(to, j->body + j->sent, len);
    note_sent(j, j->sent + len);
    return len;
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct pool_job *j = ctx;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > j->len)
        return CURL_SEEKFUNC_CANTSEEK;
    note_sent(j, (size_t)offset);
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
    struct pool_job *j = ctx;
    int s = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

    if (s < 0)
        return CURL_SOCKET_BAD;
    if (purpose == CURLSOCKTYPE_IPCXN && port_of(a) != j->hold.port) {
        hold_bytes(s, 1);
        j->hold.socket = s;
    }
    return s;
}

void pool_job_hold(struct pool_job *j, CURL *easy, unsigned port)
{
    j->hold.port = port;
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, j);
    /* without SIZE before it: the command comes a round trip sooner */
    if (j->kind == POOL_READ)
        curl_easy_setopt(easy, CURLOPT_IGNORE_CONTENT_LENGTH, 1L);
}

static void let_go(struct pool_job *j)
{
    if (j->hold.socket >= 0)
        hold_bytes(j->hold.socket, 0);
    j->hold.socket = -1;
}

/* FTP's replies, but for the one to QUIT; of one with several lines the last
 * one counts, which has a blank behind its number. */
static size_t on_reply(char *line, size_t size, size_t count, void *ctx)
{
    struct pool_job *j = ctx;
    size_t len = size * count, n = 0;

    if (len < 4 || line[3] != ' ' || strspn(line, "0123456789") != 3 ||
        strncmp(line, "221", 3) == 0)
        return len;
    if (line[0] == '1')
        let_go(j);
    for (size_t i = 0; i < len && n + 1 < sizeof j->said && line[0] >= '4'; i++)
        if ((unsigned char)line[i] >= ' ')
            j->said[n++] = line[i];
    j->said[n] = '\0';
    return len;
}

/* For a server that goes silent between commands, which libcurl waits for as
 * long as it lives; a transfer's silence ends sooner.  Without any limit 7.88
 * asks without a pause whether SFTP has answered. */
static long patience(const struct pool_job *j)
{
    uint64_t seconds = REQUEST_S + (j->len + j->max) / SLOWEST;

    for (const struct curl_slist *c = j->before; c; c = c->next)
        seconds += COMMAND_S;
    for (const struct curl_slist *c = j->after; c; c = c->next)
        seconds += COMMAND_S;
    return seconds < DAY_S ? (long)seconds : DAY_S;
}

void pool_job_setup(struct pool_job *j, CURL *easy)
{
    if (j->kind == POOL_WRITE) {
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)j->len);
        curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_send);
        curl_easy_setopt(easy, CURLOPT_READDATA, j);
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(easy, CURLOPT_SEEKDATA, j);
        if (j->len > LARGE)
            curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER);
    } else if (j->kind == POOL_LIST) {
        curl_easy_setopt(easy, CURLOPT_DIRLISTONLY, 1L);
    } else if (j->kind != POOL_READ) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    /* of a command with `before`: it is a round trip more */
    if (j->timed || (j->kind == POOL_COMMAND && !j->before))
        curl_easy_setopt(easy, CURLOPT_FILETIME, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, patience(j));
    curl_easy_setopt(easy, CURLOPT_QUOTE, j->before);
    curl_easy_setopt(easy, CURLOPT_POSTQUOTE, j->after);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, j);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_reply);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, j);
}

void pool_job_reset(struct pool_job *j)
{
    free(j->bytes);
    j->bytes = NULL;
    j->got = 0;
    note_sent(j, 0);
    j->too_long = false;
    j->status = 0;
    j->size = UINT64_MAX;
    j->modified = -1;
    j->hold.port = 0;
    j->hold.socket = -1;
    j->error[0] = j->said[0] = '\0';
}
