/* A prompt on /dev/tty that puts the echo back whatever happens. */
#include "keys_tty.h"
#include "base/diag.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int guarded[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                              SIGTSTP, SIGTTIN, SIGTTOU};
enum { GUARDED = sizeof guarded / sizeof guarded[0] };

static volatile sig_atomic_t caught;

static void remember(int sig)
{
    caught = sig;
}

/* Without SA_RESTART, so that read() returns; what is ignored stays so. */
static void guard_terminal(struct sigaction old[GUARDED])
{
    struct sigaction ours;

    memset(&ours, 0, sizeof ours);
    ours.sa_handler = remember;
    sigemptyset(&ours.sa_mask);
    caught = 0;
    for (size_t i = 0; i < GUARDED; i++) {
        sigaction(guarded[i], &ours, &old[i]);
        if (old[i].sa_handler == SIG_IGN)
            sigaction(guarded[i], &old[i], NULL);
    }
}

static void unguard_terminal(const struct sigaction old[GUARDED])
{
    for (size_t i = 0; i < GUARDED; i++)
        sigaction(guarded[i], &old[i], NULL);
}

/* Returns the length, or -1: nothing was typed, it was too long, or a signal
 * came. */
static ssize_t read_line(int fd, char *buf, size_t max)
{
    size_t len = 0;
    char c = '\0';
    ssize_t n = 0;

    while (caught == 0) {
        n = read(fd, &c, 1);
        if (n != 1 || c == '\n')
            break;
        if (len < max)
            buf[len] = c;
        len++;
    }
    sodium_memzero(&c, n == 1 ? 1 : 0);
    return n == 1 && caught == 0 && len < max ? (ssize_t)len : -1;
}

static void put(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        caught = caught != 0 ? caught : SIGHUP;
}

static ssize_t ask(int fd, const char *prompt, char *buf, size_t max)
{
    struct termios before, quiet;
    ssize_t len = -1;

    if (tcgetattr(fd, &before) != 0)
        return -1;
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    if (tcsetattr(fd, TCSAFLUSH, &quiet) == 0) {
        put(fd, prompt);
        put(fd, ": ");
        len = read_line(fd, buf, max);
        put(fd, "\n");
    }
    while (tcsetattr(fd, TCSAFLUSH, &before) != 0 && errno == EINTR &&
           caught != SIGTTOU)
        ;
    return len;
}

static bool stops(int sig)
{
    return sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

int keys_tty_ask(const char *prompt, char *buf, size_t max)
{
    struct sigaction old[GUARDED];
    ssize_t len;
    int sig, fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return KEYS_TTY_NONE;
    do {
        guard_terminal(old);
        len = ask(fd, prompt, buf, max);
        sig = caught;
        unguard_terminal(old);
        if (sig != 0)
            raise(sig);
    } while (stops(sig));
    close(fd);
    if (len < 0)
        return diag_error(DIAG_KEY, "no password was given");
    buf[len] = '\0';
    return 0;
}
