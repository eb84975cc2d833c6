/* One table of options serves the command line, the configuration file and the
 * help. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "options.h"
#include "place.h"
#include "say.h"

enum kind { FLAG, TEXT, LIST, NUMBER };
enum { CONFIG_MAX = 65536, LETTERS = 64 };

struct spec {
    const char *name;
    char letter; /* or 0 */
    enum kind kind;
    size_t at;             /* in struct options */
    uint64_t max, initial; /* of a NUMBER */
    const char *argument, *help;
};

#define AT(field_of) offsetof(struct options, field_of)
#define MAX_TIME     0x7fffffffffffffff

static const struct spec specs[] = {
    {"root", 0, TEXT, AT(root), 0, 0, "DIR", "the folder that is updated"},
    {"url", 0, LIST, AT(url), 0, 0, "URL",
     "where it is published; repeated:\n"
     "tried in turn"},
    {"key", 0, LIST, AT(key), 0, 0, "PUB",
     "a trusted minisign public key: a file, or\n"
     "its base64 line; up to 4 of them"},
    {"device", 0, TEXT, AT(device), 0, 0, "ID",
     "this device; default: the first\n"
     "interface's MAC"},
    {"device-key", 0, TEXT, AT(device_key), 0, 0, "FILE",
     "this device's key in hex, for encrypted\nbundles"},
    {"hardware", 0, NUMBER, AT(hardware), UINT16_MAX, 0, "N",
     "this device's hardware number"},
    {"slot", 0, LIST, AT(slot), 0, 0, "NAME=A,B",
     "a firmware slot made of two files"},
    {"protect", 0, LIST, AT(protect), 0, 0, "PATH",
     "no bundle changes this file, nor what is\nbelow this folder"},
    {"boot-path", 0, LIST, AT(boot_path), 0, 0, "PATH",
     "a bundle that has this file, or one below\nthis folder, is refused"},
    {"now", 0, FLAG, AT(now), 0, 0, NULL,
     "go on with boot as soon as it is staged"},
    {"stop-command", 0, TEXT, AT(stop_command), 0, 0, "CMD",
     "before the swap of --now"},
    {"start-command", 0, TEXT, AT(start_command), 0, 0, "CMD", "after it"},
    {"confirm-command", 0, TEXT, AT(confirm_command), 0, 0, "CMD",
     "judges a trial: 0 confirms; after --now\n"
     "anything else undoes"},
    {"command-timeout", 0, NUMBER, AT(command_timeout), 86400, 300, "SECS",
     "for each of these (300)"},
    {"chances", 0, NUMBER, AT(chances), 255, 3, "N", "boots of a trial (3)"},
    {"wakes", 0, NUMBER, AT(wakes), UINT16_MAX, 100, "N",
     "planned wakes of a trial (100)"},
    {"lowest", 0, NUMBER, AT(lowest), INT32_MAX, 0, "N",
     "no version up to this one is ever taken"},
    {"deadline", 0, NUMBER, AT(deadline), 604800, 1800, "SECS",
     "for a whole poll (1800)"},
    {"stall", 0, NUMBER, AT(stall), 86400, 60, "SECS",
     "give up below 100 bytes a second (60)"},
    {"unconditional", 0, NUMBER, AT(unconditional), UINT32_MAX, 16, "N",
     "one poll in N asks without an ETag (16)"},
    {"cacert", 0, TEXT, AT(cacert), 0, 0, "FILE",
     "certificates that https trusts"},
    {"run-dir", 0, TEXT, AT(run_dir), 0, 0, "DIR",
     "for the back-off (/run/ota-agent)"},
    {"time", 0, NUMBER, AT(time), MAX_TIME, 0, "SECS",
     "the clock, since 1970; 0: there is none"},
    {"planned", 0, FLAG, AT(planned), 0, 0, NULL,
     "boot: this wake was asked for"},
    {"force", 'f', FLAG, AT(force), 0, 0, NULL,
     "poll: whatever the back-off says;\nreset: a state that is not damaged"},
    {"json", 0, FLAG, AT(json), 0, 0, NULL, "status: as JSON"},
    {"quiet", 'q', FLAG, AT(quiet), 0, 0, NULL, "nothing but errors"},
    {"verbose", 'v', FLAG, AT(verbose), 0, 0, NULL, "say more"},
    {"config", 'c', TEXT, AT(config), 0, 0, "FILE",
     "options, a line each (/etc/ota-agent.conf)"},
    {"help", 'h', FLAG, AT(help), 0, 0, NULL, "this list"},
    {"version", 0, FLAG, AT(version), 0, 0, NULL, "which version this is"},
};

enum { SPECS = sizeof(specs) / sizeof(*specs) };

static const char default_config[] = "/etc/ota-agent.conf";

static void *field_of(struct options *o, const struct spec *s)
{
    return (char *)o + s->at;
}

static bool is_given(const struct options *o, const struct spec *s)
{
    return (o->given >> (s - specs) & 1) != 0;
}

static const struct spec *find(const char *name)
{
    size_t i;

    for (i = 0; i < SPECS; i++) {
        if (strcmp(specs[i].name, name) == 0)
            return &specs[i];
    }
    return NULL;
}

/* -- mistakes ---------------------------------------------------------------
 */

int options_wrong(const struct options *o, int status, const char *value,
                  const char *format, ...)
{
    bool file = o->text && value >= o->text && value <= o->text + o->text_len;
    char message[1024];
    va_list ap;

    va_start(ap, format);
    if (file)
        place_error(o->file, o->plain, (size_t)(value - o->text), strlen(value),
                    format, ap);
    else
        vsnprintf(message, sizeof(message), format, ap);
    va_end(ap);
    if (file)
        return status == EXIT_USAGE ? EXIT_CONFIG : status;
    return say_error(status, "%s", message);
}

int options_missing(const struct options *o, const char *question,
                    const char *name)
{
    const char *argument = find(name)->argument;

    return say_error(EXIT_USAGE, "%s give '--%s %s', or '%s = %s' in %s",
                     question, name, argument, name, argument, o->file);
}

/* " (did you mean '...'?)", or nothing. */
static const char *what_was_meant(const char *typed, const char *before)
{
    static char text[64];
    const char *name =
        place_suggest(typed, &specs[0].name, SPECS, sizeof(*specs));

    text[0] = '\0';
    if (name)
        snprintf(text, sizeof(text), " (did you mean '%s%s'?)", before, name);
    return text;
}

bool options_has_time(const struct options *o)
{
    return is_given(o, find("time"));
}

/* -- values; `why` is said with the place by who knows it ------------------
 */

static const char *set_number(uint64_t *out, const struct spec *s,
                              const char *text)
{
    static char why[96];
    uint64_t value = 0;
    const char *c;

    if (!text)
        text = "";
    for (c = text; *c >= '0' && *c <= '9'; c++) {
        unsigned digit = (unsigned)(*c - '0');

        if (value > (s->max - digit) / 10)
            break;
        value = value * 10 + digit;
    }
    if (c == text || *c) {
        snprintf(why, sizeof(why), "is not a number from 0 to %llu",
                 (unsigned long long)s->max);
        return why;
    }
    *out = value;
    return NULL;
}

static const char *set_flag(bool *out, const char *text)
{
    if (!text || strcmp(text, "yes") == 0)
        *out = true;
    else if (strcmp(text, "no") == 0)
        *out = false;
    else
        return "is neither yes nor no";
    return NULL;
}

static const char *add(struct options_list *list, const char *text)
{
    if (list->count == OPTIONS_LIST)
        return "is one too many";
    list->items[list->count++] = text;
    return NULL;
}

/* NULL, or what is wrong with `text`. */
static const char *set_value(struct options *o, const struct spec *s,
                             const char *text)
{
    switch (s->kind) {
    case FLAG:
        return set_flag(field_of(o, s), text);
    case LIST:
        return add(field_of(o, s), text);
    case NUMBER:
        return set_number(field_of(o, s), s, text);
    case TEXT:
        *(const char **)field_of(o, s) = text;
    }
    return NULL;
}

/* -- the file ---------------------------------------------------------------
 */

static int read_file(struct options *o)
{
    int fd = open(o->file, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n = -1;

    o->text = fd < 0 ? NULL : malloc(CONFIG_MAX + 1);
    while (o->text && (n = read(fd, o->text + len, CONFIG_MAX + 1 - len)) > 0)
        len += (size_t)n;
    if (n < 0)
        say_error(0, "cannot read '%s': %s", o->file, strerror(errno));
    else if (len > CONFIG_MAX || memchr(o->text, '\0', len))
        n = say_error(-1, "'%s' is not a configuration file", o->file);
    else
        o->text[len] = '\0';
    if (fd >= 0)
        close(fd);
    o->text_len = len;
    o->plain = n < 0 ? NULL : strdup(o->text);
    return o->plain ? 0 : EXIT_CONFIG;
}

static char *trim_blanks(char *s)
{
    char *end;

    s += strspn(s, " \t\r");
    end = s + strlen(s);
    while (end > s && strchr(" \t\r", end[-1]))
        *--end = '\0';
    return s;
}

/* A line that has no known name before its '='.  `name` is all before that. */
static int not_a_setting(const struct options *o, const char *name,
                         const char *value)
{
    const char *known, *rest = name + strcspn(name, ": \t");
    char word[64];

    snprintf(word, sizeof(word), "%.*s", (int)(rest - name), name);
    if (*rest && find(word))
        return options_wrong(o, EXIT_USAGE, name,
                             "a line is 'name = value': '%s = ...'", word);
    known = what_was_meant(name, "");
    if (!value && !*known)
        return options_wrong(o, EXIT_USAGE, name,
                             "unknown setting '%s': a line is 'name = value'",
                             name);
    return options_wrong(o, EXIT_USAGE, name, "unknown setting '%s'%s%s", name,
                         known, *known ? "" : ": see 'ota-agent -h'");
}

static bool is_command(const struct spec *s)
{
    static const char end[] = "-command";
    size_t n = sizeof(end) - 1, len = strlen(s->name);

    return s->kind == TEXT && len > n && strcmp(s->name + len - n, end) == 0;
}

/* What a shell or YAML would take away, and we do not.  A command is for the
 * shell, but not where all of it is one word. */
static const char *decorated(const struct spec *s, const char *value)
{
    size_t len = strlen(value);
    char first = len ? value[0] : 0, last = len ? value[len - 1] : 0;
    bool opens = first && strchr("'\"", first),
         closes = last && strchr("'\"", last);

    if (opens && first == last && len > 1 &&
        strchr(value + 1, first) == value + len - 1)
        return "values take no quotes";
    if (is_command(s))
        return NULL;
    if (opens || closes)
        return "values take no quotes";
    return strstr(value, " #") || strstr(value, "\t#")
               ? "a comment has a line of its own"
               : NULL;
}

static int take_value(struct options *o, const struct spec *s, const char *name,
                      const char *value, uint64_t on_command_line)
{
    uint64_t bit = 1ULL << (s - specs);
    const char *why = value ? decorated(s, value) : NULL;

    if (s->kind != FLAG && (!value || !*value))
        return options_wrong(o, EXIT_USAGE, name,
                             "'%s' needs a value: '%s = %s'", name, name,
                             s->argument);
    if (why)
        return options_wrong(o, EXIT_USAGE, value, "%s", why);
    if (on_command_line & bit)
        return 0;
    if (s->kind != LIST && o->given & bit)
        return options_wrong(o, EXIT_USAGE, name, "'%s' is set above already",
                             name);
    why = set_value(o, s, value);
    if (why)
        return options_wrong(o, EXIT_USAGE, value, "'%s' %s (%s)", value, why,
                             name);
    o->given |= bit;
    return 0;
}

/* "name = value", "name" for a flag; '#' begins a comment line. */
static int take_line(struct options *o, char *line, uint64_t on_command_line)
{
    char *name = trim_blanks(line), *value = strchr(name, '=');
    const struct spec *s;

    if (!*name || *name == '#')
        return 0;
    if (value) {
        *value++ = '\0';
        name = trim_blanks(name);
        value = trim_blanks(value);
    }
    s = find(name);
    if (!s)
        return not_a_setting(o, name, value);
    if (s->at == AT(config) || s->at == AT(help) || s->at == AT(version))
        return options_wrong(o, EXIT_USAGE, name,
                             "'%s' is for the command line only", name);
    return take_value(o, s, name, value, on_command_line);
}

static int take_file(struct options *o)
{
    static const char bom[] = "\xef\xbb\xbf";
    uint64_t on_command_line = o->given;
    char *line, *next;
    int status = 0, got;

    if (!o->config && access(o->file, F_OK) != 0)
        return 0;
    if (read_file(o) != 0)
        return EXIT_CONFIG;
    line = o->text + (strncmp(o->text, bom, 3) == 0 ? 3 : 0);
    for (; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        got = take_line(o, line, on_command_line);
        status = status ? status : got;
    }
    return status;
}

/* -- the command line -------------------------------------------------------
 */

static void describe_options(char *letters, struct option *longs)
{
    size_t i;

    *letters++ = ':';
    for (i = 0; i < SPECS; i++) {
        bool has = specs[i].kind != FLAG;

        longs[i] = (struct option){specs[i].name,
                                   has ? required_argument : no_argument, NULL,
                                   (int)(256 + i)};
        if (specs[i].letter) {
            *letters++ = specs[i].letter;
            if (has)
                *letters++ = ':';
        }
    }
    *letters = '\0';
}

static const struct spec *by_value(int c)
{
    size_t i;

    if (c >= 256)
        return &specs[c - 256];
    for (i = 0; i < SPECS; i++) {
        if (c != 0 && specs[i].letter == c)
            return &specs[i];
    }
    return NULL;
}

/* "--now=yes", where it takes none, looks like one that nobody knows. */
static int unknown_option(const char *word)
{
    char name[64];

    snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
    if (strncmp(name, "--", 2) == 0 && find(name + 2))
        return say_error(EXIT_USAGE, "option '%s' takes no value", name);
    return say_error(EXIT_USAGE, "unknown option '%s'%s: see 'ota-agent -h'",
                     name, what_was_meant(name, "--"));
}

static int take_option(struct options *o, int c, const char *word)
{
    const struct spec *s = by_value(c);
    const char *why;

    if (c == ':')
        return say_error(EXIT_USAGE, "option '%s' needs an argument", word);
    if (!s)
        return unknown_option(word);
    why = set_value(o, s, optarg);
    if (why)
        return say_error(EXIT_USAGE, "'%s' %s (option --%s)", optarg, why,
                         s->name);
    o->given |= 1ULL << (s - specs);
    return 0;
}

int options_parse(struct options *o, int argc, char **argv, int *operand)
{
    struct option longs[SPECS + 1] = {{0}};
    char letters[LETTERS];
    int c, got, status = 0;
    size_t i;

    memset(o, 0, sizeof(*o));
    for (i = 0; i < SPECS; i++) {
        if (specs[i].kind == NUMBER)
            *(uint64_t *)field_of(o, &specs[i]) = specs[i].initial;
    }
    describe_options(letters, longs);
    opterr = 0;
    while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        got = take_option(o, c, argv[optind - 1]);
        status = status ? status : got;
    }
    *operand = optind;
    o->file = o->config ? o->config : default_config;
    if (status == 0 && !o->help && !o->version)
        status = take_file(o);
    say_init(o->quiet, o->verbose);
    return status;
}

void options_release(struct options *o)
{
    free(o->text);
    free(o->plain);
    o->text = o->plain = NULL;
}

/* Further lines of a help text stand below its first. */
static void print_help(const char *head, const char *help)
{
    int n = (int)strcspn(help, "\n");

    printf("  %-26s %.*s\n", head, n, help);
    if (help[n])
        print_help("", help + n + 1);
}

void options_help(void)
{
    char head[64];
    size_t i;

    for (i = 0; i < SPECS; i++) {
        const struct spec *s = &specs[i];

        snprintf(head, sizeof(head), "%c%c%c --%s %s", s->letter ? '-' : ' ',
                 s->letter ? s->letter : ' ', s->letter ? ',' : ' ', s->name,
                 s->argument ? s->argument : "");
        print_help(head, s->help);
    }
}
