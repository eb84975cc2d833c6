/* From argv to a subcommand, and from what it says to an exit status. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sodium.h>

#include "base/diag.h"
#include "base/stop.h"
#include "base/tempfile.h"
#include "cmd.h"
#include "help.h"
#include "msg.h"
#include "progress.h"

static volatile sig_atomic_t pipe_closed;

/* What runs, whose options may still be read; or NULL. */
static const struct cmd_global *running;

/* At once, since it may take a moment. */
static void say_stopping(void)
{
    static const char text[] = "ota-pack: stopping\n";
    int before = errno;

    if (running && !running->json && !running->quiet) {
        progress_interrupt();
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
    }
    errno = before;
}

static void on_stop(int number)
{
    if (cmd_may_end || cmd_stopped) {
        tempfile_cleanup();
        _exit(128 + number);
    }
    cmd_stopped = number;
    say_stopping();
}

/* Of SIGPIPE and SIGXFSZ: the write that they are about fails. */
static void on_write(int number)
{
    if (number == SIGPIPE)
        pipe_closed = 1;
}

/* Handlers, not SIG_IGN: that would be passed on to the programs that sign.
 * What was ignored when we began (nohup) stays so. */
static void catch_signals(void)
{
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction sa = {.sa_handler = on_stop}, old;

    sigemptyset(&sa.sa_mask);
    for (int i = 0; i < 4; i++)
        if (sigaction(stops[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(stops[i], &sa, NULL);
    sa.sa_handler = on_write;
    sa.sa_flags = SA_RESTART;
    sigaction(SIGPIPE, &sa, NULL);
    sigaction(SIGXFSZ, &sa, NULL);
}

/* A descriptor from 0 to 2 that is closed would be given to the next file that
 * is opened: messages would go into it.  Filled so that its use still fails. */
static int fill_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
            return -1;
    return 0;
}

/* Whether a word asks for JSON: the first mistake may come before it. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static unsigned count_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > 1024 ? 1024 : (unsigned)n;
}

static int run_help(struct cmd_global *g, int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "help") != 0) {
        g->cmd = help_find(argv[1]);
        if (!g->cmd) {
            help_unknown(argv[1]);
            return diag_status();
        }
    }
    g->asked = CMD_HELP;
    return 0;
}

static int run_command(struct cmd_global *g, int argc, char **argv)
{
    int status;

    if (strcmp(argv[0], "help") == 0)
        return run_help(g, argc, argv);
    g->cmd = help_find(argv[0]);
    if (!g->cmd) {
        help_unknown(argv[0]);
        return diag_status();
    }
    running = g;
    cmd_may_end = !g->cmd->stops;
    status = g->cmd->run(g, argc, argv);
    cmd_may_end = 1;
    running = NULL;
    return cmd_stopped ? 128 + cmd_stopped : status;
}

static int run(struct cmd_global *g, int argc, char **argv)
{
    int first;

    g->json = wants_json(argc, argv);
    msg_init(g->json, false);
    if (sodium_init() < 0) {
        diag_error(DIAG_FAILED, "cannot initialise libsodium");
        return diag_status();
    }
    first = cmd_options(g, argc, argv, "", NULL, NULL, NULL);
    if (first < 0)
        return diag_status();
    if (first < argc)
        return run_command(g, argc - first, argv + first);
    if (argc > 1) {
        diag_error(DIAG_USAGE, "no command was given: see 'ota-pack -h'");
        return diag_status();
    }
    g->asked = CMD_EXAMPLES;
    return DIAG_USAGE;
}

/* What could not be written is a failure; but a reader that has seen enough
 * (a pipe that closed) is none. */
static int close_output(int status)
{
    int failed = ferror(stdout), reason;

    errno = 0;
    failed |= fflush(stdout);
    reason = errno;
    if (!failed || pipe_closed)
        return status;
    if (reason)
        fprintf(stderr, "ota-pack: cannot write the output: %s\n",
                strerror(reason));
    else
        fputs("ota-pack: cannot write the output\n", stderr);
    return status ? status : DIAG_FAILED;
}

int main(int argc, char **argv)
{
    struct cmd_global g = {.config = CMD_CONFIG, .jobs = count_processors()};
    int status;

    if (fill_descriptors())
        return DIAG_FAILED;
    stop_watch(&cmd_stopped);
    catch_signals();
    status = run(&g, argc, argv);
    if (g.asked)
        help_print(&g);
    else
        msg_summary(status);
    return close_output(status);
}
