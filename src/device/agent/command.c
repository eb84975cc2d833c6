/* Commands with a limit of time, each in a process group of its own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "say.h"

enum { GRACE = 2 }; /* seconds between SIGTERM and SIGKILL */

/* What a command starts may live on: it gets none of our mask. */
static void become_command(const char *command)
{
    int null = open("/dev/null", O_RDONLY);
    sigset_t none;

    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (null >= 0)
        dup2(null, 0);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* SIGCHLD is blocked, and never ignored, so that none is missed.  True once it
 * ended. */
static bool wait_for(pid_t pid, time_t seconds, int *how)
{
    struct timespec now, end, left;
    sigset_t child;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    for (;;) {
        if (waitpid(pid, how, WNOHANG) != 0)
            return true;
        clock_gettime(CLOCK_MONOTONIC, &now);
        left.tv_sec = end.tv_sec - now.tv_sec - (end.tv_nsec < now.tv_nsec);
        left.tv_nsec = end.tv_nsec - now.tv_nsec +
                       (end.tv_nsec < now.tv_nsec ? 1000000000L : 0);
        if (left.tv_sec < 0)
            return false;
        sigtimedwait(&child, NULL, &left);
    }
}

static int judge(const char *what, int how)
{
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return 0;
    if (WIFEXITED(how))
        return say_error(-1, "the %s command failed: exit %d", what,
                         WEXITSTATUS(how));
    return say_error(-1, "the %s command was ended by signal %d", what,
                     WTERMSIG(how));
}

static int finish(const char *what, pid_t pid, unsigned seconds)
{
    int how = 0;

    if (wait_for(pid, (time_t)seconds, &how))
        return judge(what, how);
    kill(-pid, SIGTERM);
    if (!wait_for(pid, GRACE, &how)) {
        kill(-pid, SIGKILL);
        waitpid(pid, &how, 0);
    }
    return say_error(-1, "the %s command took more than %u second%s", what,
                     seconds, say_plural(seconds));
}

int command_run(const char *what, const char *command, unsigned seconds)
{
    sigset_t child, before;
    pid_t pid;
    int status;

    if (!command)
        return 0;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &before);
    signal(SIGCHLD, SIG_DFL);
    pid = fork();
    if (pid == 0)
        become_command(command);
    if (pid < 0)
        status = say_error(-1, "cannot run the %s command: %s", what,
                           strerror(errno));
    else
        status = finish(what, pid, seconds);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}
