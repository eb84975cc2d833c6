/* Preloaded into a publisher, which then ends in the middle of what it says to
 * a server, whatever the protocol: at the Nth send() of its process, of
 * whichever thread.  The environment's CUT is "N ACTION":
 *
 *   before   killed (SIGKILL) before that is sent
 *   half     when half of it is sent
 *   after    once it is sent
 *   stop     stopped (SIGSTOP) before it is sent: kill -CONT goes on
 *
 * CUT_STOPS: a file that has the process's number then. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef ssize_t send_function(int fd, const void *bytes, size_t len, int flags);

static atomic_long count;

static void end(const char *action)
{
    const char *name = getenv("CUT_STOPS");
    int fd = name ? open(name, O_WRONLY | O_CREAT, 0600) : -1;

    if (fd < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0)
        abort();
    close(fd);
    kill(getpid(), strcmp(action, "stop") == 0 ? SIGSTOP : SIGKILL);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    send_function *next = (send_function *)dlsym(RTLD_NEXT, "send");
    const char *rule = getenv("CUT"), *action = "";
    long now = atomic_fetch_add(&count, 1) + 1;
    char *rest;
    ssize_t sent;

    if (rule && strtol(rule, &rest, 10) == now)
        action = rest + (*rest == ' ');
    if (strcmp(action, "before") == 0 || strcmp(action, "stop") == 0)
        end(action);
    sent = next(fd, bytes, strcmp(action, "half") == 0 ? len / 2 : len, flags);
    if (*action && strcmp(action, "stop") != 0)
        end(action);
    return sent;
}
