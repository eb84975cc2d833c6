/* Options: the global ones and a subcommand's own through one parser with
 * messages of our own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "cmd.h"
#include "msg.h"

volatile sig_atomic_t cmd_stopped;
volatile sig_atomic_t cmd_may_end = 1;

#define GLOBAL_SHORT "c:nqvj:h"

/* Values of the global options that have no letter. */
enum { OPT_JSON = 10000, OPT_COLOR, OPT_VERSION };

static const struct option global_long[] = {
    {"config", required_argument, NULL, 'c'},
    {"dry-run", no_argument, NULL, 'n'},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"jobs", required_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {"json", no_argument, NULL, OPT_JSON},
    {"color", required_argument, NULL, OPT_COLOR},
    {"version", no_argument, NULL, OPT_VERSION},
};

enum {
    GLOBAL_COUNT = sizeof global_long / sizeof *global_long,
    LONG_MAX_COUNT = 48 /* of both kinds, and the end */
};

/* One parse: the options of both kinds, joined for getopt_long(3). */
struct parse {
    struct cmd_global *g;
    char letters[128];
    struct option longs[LONG_MAX_COUNT];
    size_t long_count;
};

static int parse_join(struct parse *p, const char *letters,
                      const struct option *own)
{
    size_t n = 0;

    while (own && own[n].name && n < LONG_MAX_COUNT - GLOBAL_COUNT - 1) {
        p->longs[n] = own[n];
        n++;
    }
    memcpy(p->longs + n, global_long, sizeof global_long);
    p->long_count = n + GLOBAL_COUNT;
    if ((size_t)snprintf(p->letters, sizeof p->letters, "%s%s", letters,
                         GLOBAL_SHORT) >= sizeof p->letters)
        return diag_error(DIAG_FAILED, "too many options");
    return 0;
}

int cmd_number(const char *option, const char *arg, uint64_t min, uint64_t max,
               uint64_t *out)
{
    uint64_t value = 0;
    const char *s;

    for (s = arg; *s >= '0' && *s <= '9'; s++) {
        unsigned digit = (unsigned)(*s - '0');

        if (value > (max - digit) / 10 || digit > max)
            break;
        value = value * 10 + digit;
    }
    if (s == arg || *s || value < min)
        return diag_error(
            DIAG_USAGE, "'%s' is not a number from %llu to %llu (option %s)",
            arg, (unsigned long long)min, (unsigned long long)max, option);
    *out = value;
    return 0;
}

static int take_color(const char *arg)
{
    static const char *const words[] = {"auto", "always", "never"};
    const char *near;

    for (int i = 0; i < 3; i++) {
        if (strcmp(arg, words[i]) == 0) {
            msg_set_color((enum msg_color)i);
            return 0;
        }
    }
    near = diag_suggest(arg, words, 3);
    if (near)
        return diag_error(DIAG_USAGE,
                          "unknown colour choice '%s' (did you mean '%s'?)",
                          arg, near);
    return diag_error(DIAG_USAGE,
                      "unknown colour choice '%s': auto, always or never", arg);
}

static int take_global(struct parse *p, int c, const char *arg)
{
    struct cmd_global *g = p->g;
    uint64_t jobs = 0;

    g->config_named |= c == 'c';
    if (c == 'c')
        g->config = arg;
    else if (c == 'n')
        g->dry_run = true;
    else if (c == 'q')
        g->quiet = true;
    else if (c == 'v')
        g->verbose = true;
    else if (c == OPT_JSON)
        g->json = true;
    else if (c == OPT_COLOR)
        return take_color(arg);
    else if (c == 'j' && cmd_number("-j", arg, 1, 1024, &jobs))
        return -1;
    if (jobs)
        g->jobs = (unsigned)jobs;
    if (c == 'h' || c == OPT_VERSION)
        g->asked = c == 'h' ? CMD_HELP : CMD_VERSION;
    return 0;
}

static bool is_global(int c)
{
    return (c < 256 && c != ':' && strchr(GLOBAL_SHORT, c)) || c >= OPT_JSON;
}

static const struct option *find_long(const struct parse *p, int value)
{
    for (size_t i = 0; i < p->long_count; i++)
        if (p->longs[i].val == value)
            return &p->longs[i];
    return NULL;
}

/* What to read, for an option that is like no other. */
static const char *where_to_look(const struct parse *p, char *buf, size_t size)
{
    if (p->g->cmd)
        snprintf(buf, size, "ota-pack %s -h", p->g->cmd->name);
    else
        snprintf(buf, size, "ota-pack -h");
    return buf;
}

static int unknown_long(const struct parse *p, const char *word)
{
    const char *names[LONG_MAX_COUNT], *near;
    char typed[64], look[64];
    size_t len = strcspn(word, "="), begins = 0;

    for (size_t i = 0; i < p->long_count; i++) {
        names[i] = p->longs[i].name;
        begins += len > 2 && strncmp(names[i], word + 2, len - 2) == 0;
    }
    if (begins > 1)
        return diag_error(DIAG_USAGE, "option '%.*s' is ambiguous: see '%s'",
                          (int)len, word, where_to_look(p, look, sizeof look));
    snprintf(typed, sizeof typed, "%.*s", (int)(len - 2), word + 2);
    near = diag_suggest(typed, names, p->long_count);
    if (near)
        return diag_error(DIAG_USAGE,
                          "unknown option '%.*s' (did you mean '--%s'?)",
                          (int)len, word, near);
    return diag_error(DIAG_USAGE, "unknown option '%.*s': see '%s'", (int)len,
                      word, where_to_look(p, look, sizeof look));
}

/* getopt_long(3) leaves optopt 0 for a long option that it does not know, and
 * the option's value for one that was given an argument it does not take. */
static int refuse(const struct parse *p, int c, const char *word)
{
    const struct option *known = optopt ? find_long(p, optopt) : NULL;
    char look[64];

    if (c == '?' && !optopt)
        return unknown_long(p, word);
    if (known && strncmp(word, "--", 2) == 0)
        return diag_error(DIAG_USAGE, "option '--%s' %s an argument",
                          known->name, c == ':' ? "needs" : "does not take");
    if (c == ':')
        return diag_error(DIAG_USAGE, "option '-%c' needs an argument", optopt);
    return diag_error(DIAG_USAGE, "unknown option '-%c': see '%s'", optopt,
                      where_to_look(p, look, sizeof look));
}

/* Takes all of them, so that every mistake is reported. */
static int parse_run(struct parse *p, int argc, char **argv,
                     const char *optstring,
                     int (*take)(int c, const char *arg, void *ctx), void *ctx)
{
    int c, failed = 0;

    opterr = 0;
    optind = 0;
    while (p->g->asked == CMD_WORK &&
           (c = getopt_long(argc, argv, optstring, p->longs, NULL)) != -1) {
        if (c == '?' || c == ':')
            failed |= refuse(p, c, argv[optind - 1]);
        else if (is_global(c))
            failed |= take_global(p, c, optarg);
        else
            failed |= take(c, optarg, ctx);
    }
    msg_init(p->g->json, p->g->quiet);
    return failed || p->g->asked ? -1 : optind;
}

int cmd_options(struct cmd_global *g, int argc, char **argv,
                const char *short_opts, const struct option *long_opts,
                int (*take)(int c, const char *arg, void *ctx), void *ctx)
{
    struct parse p = {.g = g};
    char optstring[sizeof p.letters + 2];

    if (parse_join(&p, short_opts, long_opts))
        return -1;
    /* Before the subcommand's name nothing is permuted. */
    snprintf(optstring, sizeof optstring, "%s:%s", g->cmd ? "" : "+",
             p.letters);
    return parse_run(&p, argc, argv, optstring, take, ctx);
}
