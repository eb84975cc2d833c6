/* ota-agent: from argv to a subcommand.  ota-agent(1). */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply.h"
#include "place.h"
#include "poll.h"
#include "status.h"
#include "trial.h"

#ifndef OTA_AGENT_VERSION
#define OTA_AGENT_VERSION "0.1.0"
#endif

static const struct command {
    const char *name, *argument, *summary;
    bool lock;
    int (*run)(struct agent *a);
    int (*run_with)(struct agent *a, const char *argument);
} commands[] = {
    {"poll", "", "is there news? then stage it", true, poll_run, NULL},
    {"apply", " FILE", "the same from a bundle", true, NULL, apply_run},
    {"boot", "", "first call of every boot: install, or go back", true,
     trial_boot, NULL},
    {"confirm", "", "keep what is on trial", true, trial_confirm, NULL},
    {"undo", "", "go back to what was there before", true, trial_undo, NULL},
    {"status", "", "what is installed", false, status_run, NULL},
    {"reset", "", "forget a damaged state; files stay", true, status_reset,
     NULL},
};

enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

static void print_usage(void)
{
    char head[32];
    size_t i;

    printf("usage: ota-agent COMMAND [OPTION]...\n\n");
    for (i = 0; i < COMMANDS; i++) {
        snprintf(head, sizeof(head), "%s%s", commands[i].name,
                 commands[i].argument);
        printf("  %-14s %s\n", head, commands[i].summary);
    }
    printf("\n");
    options_help();
}

static const struct command *find(const char *name)
{
    size_t i;

    for (i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int unknown(const char *name)
{
    const char *known =
        place_suggest(name, &commands[0].name, COMMANDS, sizeof(*commands));

    if (known)
        return say_error(EXIT_USAGE,
                         "unknown command '%s' (did you mean '%s'?)", name,
                         known);
    return say_error(EXIT_USAGE, "unknown command '%s': see 'ota-agent -h'",
                     name);
}

static int run(const struct options *o, int count, char **operands)
{
    const struct command *c = find(operands[0]);
    struct agent agent;
    int status;

    if (!c)
        return unknown(operands[0]);
    if (count != (c->run_with ? 2 : 1))
        return say_error(EXIT_USAGE, "usage: ota-agent %s%s [OPTION]...",
                         c->name, c->argument);
    status = agent_open(&agent, o, c->lock);
    if (status == 0 && c->run_with)
        status = c->run_with(&agent, operands[1]);
    else if (status == 0 && c->run)
        status = c->run(&agent);
    agent_close(&agent);
    return status;
}

/* No file that is opened later takes the place of one of these: it would get
 * the messages. */
static void open_standard_files(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    close(fd);
}

int main(int argc, char **argv)
{
    struct options options;
    int operand = argc, status;

    open_standard_files();
    signal(SIGPIPE, SIG_IGN);
    umask(022);
    status = options_parse(&options, argc, argv, &operand);
    if (status == 0 && options.version) {
        printf("ota-agent " OTA_AGENT_VERSION "\n");
    } else if (status == 0 && options.help) {
        print_usage();
    } else if (status == 0 && operand == argc) {
        print_usage();
        status = EXIT_USAGE;
    } else if (status == 0) {
        status = run(&options, argc - operand, argv + operand);
    }
    options_release(&options);
    return fflush(stdout) == 0 ? status : EXIT_FAILED;
}
