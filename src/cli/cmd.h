/* The subcommands, and what all of them are given. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CMD_CONFIG "ota-pack.yml"

/* What main prints once the options are read: of `cmd`, or of the whole. */
enum cmd_asked { CMD_WORK, CMD_HELP, CMD_EXAMPLES, CMD_VERSION };

/* Options that work everywhere, before and after the subcommand's name. */
struct cmd_global {
    const struct cmd *cmd; /* the one that runs, NULL before it is known */
    const char *config;    /* -c, default ota-pack.yml */
    bool config_named;     /* by -c: it is not looked for upwards */
    bool quiet, verbose;   /* -q, -v */
    bool json;             /* --json */
    bool dry_run;          /* -n */
    unsigned jobs;         /* -j, default: the processors */
    enum cmd_asked asked;  /* for words in place of work */
};

/* Where a command stands in the list. */
enum cmd_group { CMD_START, CMD_DAILY, CMD_REPAIR, CMD_GROUPS };

struct cmd {
    const char *name;
    const char *arguments; /* "[RELEASE|DEVICE]..." */
    const char *summary;   /* one line */
    const char *help;      /* its options, lines with newlines */
    const char *examples;  /* two, lines with newlines */
    /* It looks at cmd_stopped and cleans up; others end at once on a signal. */
    bool stops;
    enum cmd_group group;
    /* argv[0] is the subcommand.  Returns the exit status, diag_status() as a
     * rule. */
    int (*run)(struct cmd_global *g, int argc, char **argv);
};

/* SIGINT, SIGTERM, SIGHUP or SIGQUIT once it came, else 0: stop, remove what is
 * half made and return (any status: main makes it 130, 143, 129 or 131).  A
 * second one ends the program at once.  Functions outside this room get a
 * pointer to it. */
extern volatile sig_atomic_t cmd_stopped;

/* Not 0: nothing is left half made by what runs, and a signal ends it at once.
 * As cmd.stops says, unless the subcommand sets it. */
extern volatile sig_atomic_t cmd_may_end;

/* Parses the options of a subcommand together with the global ones, in any
 * order with the operands (up to `--`).  `short_opts` is as for getopt(3)
 * without leading signs ("o:x"), `long_opts` ends with a zero entry or is NULL;
 * values of options that have no letter are from 256 on.  `take` is called for
 * each of the subcommand's own and returns 0, or -1 if it reported an error.
 * Every mistake is reported with a suggestion.  Returns the index of the first
 * operand in argv (argc: none), or -1: return diag_status(), which is 0 after
 * --help. */
int cmd_options(struct cmd_global *g, int argc, char **argv,
                const char *short_opts, const struct option *long_opts,
                int (*take)(int c, const char *arg, void *ctx), void *ctx);

/* An option's value as a decimal number from min to max.  0, or -1
 * (DIAG_USAGE, naming the option). */
int cmd_number(const char *option, const char *arg, uint64_t min, uint64_t max,
               uint64_t *out);

int cmd_init(struct cmd_global *g, int argc, char **argv);
int cmd_check(struct cmd_global *g, int argc, char **argv);
int cmd_build(struct cmd_global *g, int argc, char **argv);
int cmd_plan(struct cmd_global *g, int argc, char **argv);
int cmd_publish(struct cmd_global *g, int argc, char **argv);
int cmd_prune(struct cmd_global *g, int argc, char **argv);
int cmd_doctor(struct cmd_global *g, int argc, char **argv);
int cmd_status(struct cmd_global *g, int argc, char **argv);
int cmd_show(struct cmd_global *g, int argc, char **argv);
int cmd_verify(struct cmd_global *g, int argc, char **argv);
int cmd_unpack(struct cmd_global *g, int argc, char **argv);
int cmd_rollback(struct cmd_global *g, int argc, char **argv);
int cmd_withdraw(struct cmd_global *g, int argc, char **argv);
int cmd_keygen(struct cmd_global *g, int argc, char **argv);

#endif
