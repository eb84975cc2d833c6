/* The table of subcommands, and what is said about them. */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "help.h"

#ifndef OTA_PACK_VERSION
#define OTA_PACK_VERSION "0.1.0"
#endif

#define LOCK_HELP                                                              \
    "      --lock-timeout TIME\n"                                              \
    "                        wait that long for another publish (5s, 2m)\n"    \
    "      --break-lock      take the lock whoever holds it\n"

static const char verify_help[] =
    "  -k, --key PUB         a trusted minisign public key: a file, or its\n"
    "                        base64 line; up to 4 of them\n"
    "      --device ID       the device that reads; default: whichever it is\n"
    "                        for\n"
    "      --device-key FILE the device's key in hex, for encrypted bundles\n"
    "      --base DIR        the files that are installed: a delta that "
    "applies\n"
    "                        to them is taken\n"
    "      --payloads DIR    where payloads of a manifest are; default: found\n"
    "                        from the manifest's place\n"
    "      --above N         the highest version that the device ever began\n"
    "      --hardware N      the device's own hardware number\n"
    "      --time SECONDS    the device's clock, seconds since 1970\n"
    "      --server          read back what is published: what each device "
    "(or\n"
    "                        those of RELEASE, or DEVICE) would get, with\n"
    "                        the key of the configuration\n"
    "      --sample N        of so many of them, at random\n"
    "      --repair          put again what is missing or damaged there, from\n"
    "                        the sources and other payloads\n" LOCK_HELP;

static const char unpack_help[] =
    "  -C, --directory DIR   the folder to write to: empty or new\n"
    "  -k, --key PUB         a trusted minisign public key: a file, or its\n"
    "                        base64 line; up to 4 of them\n"
    "      --device ID       the device that reads; default: whichever it is\n"
    "                        for\n"
    "      --device-key FILE the device's key in hex, for encrypted bundles\n"
    "      --base DIR        the files that are installed: a delta that "
    "applies\n"
    "                        to them is taken; the result is DIR with it "
    "applied\n"
    "      --payloads DIR    where payloads of a manifest are; default: found\n"
    "                        from the manifest's place\n"
    "      --above N         the highest version that the device ever began\n"
    "      --hardware N      the device's own hardware number\n"
    "      --time SECONDS    the device's clock, seconds since 1970\n";

static const char show_help[] =
    "  -k, --key PUB         check signature and device too, as verify does\n"
    "      --device-key FILE the device's key in hex, for encrypted bundles\n"
    "      --base DIR        the files that are installed: show the delta "
    "that\n"
    "                        applies to them\n"
    "      --payloads DIR    where payloads of a manifest are; default: found\n"
    "                        from the manifest's place\n";

static const char init_help[] =
    "  -W                    make a key without a password\n";

static const char build_help[] =
    "  -o, --output DIR      the folder: DIR/ID/VERSION.otab\n";

static const char plan_help[] =
    "      --exit-code       exit with 10 if there are changes\n";

static const char publish_help[] = LOCK_HELP
    "      --again           publish also what was rolled back\n"
    "      --repair          before that put again what is missing or damaged\n"
    "                        on the server\n"
    "      --accept-rollback go on from an older index that was put back\n"
    "      --new-base        start anew with another key: forget what was\n"
    "                        published\n";

static const char rollback_help[] =
    "      --to VERSION      the version whose content they get, as a new "
    "one\n" LOCK_HELP;

static const char keygen_help[] =
    "  -W                    without a password\n";

#define SELECTION "[RELEASE|DEVICE]..."

/* By group, and within it in the order in which they are needed. */
static const struct cmd commands[] = {
    {"init", "[-W]", "write an ota-pack.yml to start from, and a key pair",
     init_help,
     "  ota-pack init                 in the folder of your files\n"
     "  ota-pack init -W              with a key that has no password\n",
     false, CMD_START, cmd_init},
    {"keygen", "[-W] NAME", "make a key pair: NAME.key and NAME.pub",
     keygen_help,
     "  ota-pack keygen release       release.key and release.pub\n"
     "  ota-pack keygen -W test       for tests: without a password\n",
     false, CMD_START, cmd_keygen},
    {"check", SELECTION,
     "find every mistake of the configuration, write nothing", "",
     "  ota-pack check                all of it\n"
     "  ota-pack check greenhouse     one release, and its files\n",
     false, CMD_START, cmd_check},
    {"doctor", "", "check that the server does what publishing relies on", "",
     "  ota-pack doctor               all servers of ota-pack.yml\n"
     "  ota-pack doctor -c new.yml    those of another configuration\n",
     true, CMD_START, cmd_doctor},
    {"plan", "[--exit-code] " SELECTION, "say what publish would change",
     plan_help,
     "  ota-pack plan                 for all releases\n"
     "  ota-pack plan -v greenhouse   for each device of one\n",
     false, CMD_DAILY, cmd_plan},
    {"publish", "[OPTION]... " SELECTION,
     "put what has changed onto the server", publish_help,
     "  ota-pack publish              all that has changed\n"
     "  ota-pack publish north        one device first, to try it\n",
     true, CMD_DAILY, cmd_publish},
    {"status", SELECTION, "list every device and what was published for it", "",
     "  ota-pack status               all devices\n"
     "  ota-pack status greenhouse    those of one release\n",
     false, CMD_DAILY, cmd_status},
    {"build", "[-o DIR] " SELECTION, "write one self-contained bundle a device",
     build_help,
     "  ota-pack build                out/ID/VERSION.otab for each device\n"
     "  ota-pack build -o usb north   one device's, into usb/\n",
     true, CMD_DAILY, cmd_build},
    {"show", "[-k PUB] [OPTION]... FILE|FOLDER",
     "say what a bundle or manifest holds", show_help,
     "  ota-pack show public/devices/246f28aabbcc\n"
     "  ota-pack show out/246f28aabbcc/7.otab\n",
     false, CMD_DAILY, cmd_show},
    {"prune", "[OPTION]...",
     "remove payloads and versions that no device needs", LOCK_HELP,
     "  ota-pack prune -n             what would go\n"
     "  ota-pack prune                it goes\n",
     true, CMD_DAILY, cmd_prune},
    {"rollback", "RELEASE --to VERSION [OPTION]...",
     "give devices what an earlier version had", rollback_help,
     "  ota-pack rollback greenhouse --to 7 -n     what would change\n"
     "  ota-pack rollback greenhouse --to 7        as a new version\n",
     true, CMD_REPAIR, cmd_rollback},
    {"withdraw", "[OPTION]... DEVICE...",
     "give devices nothing any more: their manifests go", LOCK_HELP,
     "  ota-pack withdraw north                    by its name\n"
     "  ota-pack withdraw -n 24:6f:28:aa:bb:cc     what would go\n",
     true, CMD_REPAIR, cmd_withdraw},
    {"verify", "[OPTION]... FILE..., or --server [RELEASE|DEVICE]...",
     "read bundles as a device does: ok, or what is wrong", verify_help,
     "  ota-pack verify --server                   all that is published\n"
     "  ota-pack verify -k release.pub out/246f28aabbcc/7.otab\n",
     false, CMD_REPAIR, cmd_verify},
    {"unpack", "[-k PUB] -C DIR [--device ID] [OPTION]... FILE",
     "read a bundle as a device does, and write its files", unpack_help,
     "  ota-pack unpack -C files public/devices/246f28aabbcc\n"
     "  ota-pack unpack -k release.pub -C files out/246f28aabbcc/7.otab\n",
     true, CMD_REPAIR, cmd_unpack},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const char global_help[] =
    "  -c, --config FILE     the configuration; default: ota-pack.yml, here "
    "or\n"
    "                        in the nearest folder above\n"
    "  -n, --dry-run         write nothing\n"
    "  -q, --quiet           only errors\n"
    "  -v, --verbose         say more\n"
    "      --json            one JSON object a line, the last one \"summary\"\n"
    "      --color=WHEN      auto, always or never\n"
    "  -j, --jobs N          how many at once; default: all processors\n"
    "  -h, --help            this\n"
    "      --version         the program's version\n";

const struct cmd *help_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int help_unknown(const char *name)
{
    const char *names[COMMANDS + 1];
    const char *near;
    size_t i;

    for (i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    names[i++] = "help";
    near = diag_suggest(name, names, i);
    if (near)
        return diag_error(DIAG_USAGE,
                          "unknown command '%s' (did you mean '%s'?)", name,
                          near);
    return diag_error(DIAG_USAGE, "unknown command '%s': see 'ota-pack -h'",
                      name);
}

static void list_commands(void)
{
    static const char *const groups[CMD_GROUPS] = {
        "To start:", "Day by day:", "To repair and look closer:"};

    for (size_t i = 0; i < COMMANDS; i++) {
        const struct cmd *cmd = &commands[i];

        if (i == 0 || cmd->group != cmd[-1].group)
            printf("%s%s\n", i ? "\n" : "", groups[cmd->group]);
        printf("  %-9s %s\n", cmd->name, cmd->summary);
    }
    puts("\n'ota-pack help COMMAND' says more about one.");
}

static void print_examples(void)
{
    puts("ota-pack packs files into signed updates for devices.\n"
         "\n"
         "  ota-pack init          write ota-pack.yml and a key pair\n"
         "  ota-pack check         find the mistakes in ota-pack.yml\n"
         "  ota-pack plan          see what would be published\n"
         "  ota-pack publish       publish it\n"
         "  ota-pack verify -k release.pub FILE\n"
         "                         read a bundle as a device does\n");
    list_commands();
    puts("More: ota-pack -h, man ota-pack");
}

static void print_command(const struct cmd *cmd)
{
    if (cmd) {
        printf("usage: ota-pack %s%s%s\n\n%c%s.\n\n", cmd->name,
               *cmd->arguments ? " " : "", cmd->arguments,
               cmd->summary[0] - 'a' + 'A', cmd->summary + 1);
        if (*cmd->help)
            printf("%s\n", cmd->help);
        puts("Everywhere:");
    } else {
        puts("usage: ota-pack [OPTION]... COMMAND [ARGUMENT]...\n");
        list_commands();
        puts("\nOptions, before or after the command:");
    }
    fputs(global_help, stdout);
    if (cmd)
        printf("\nExamples:\n%s", cmd->examples);
}

void help_print(const struct cmd_global *g)
{
    if (g->asked == CMD_EXAMPLES)
        print_examples();
    else if (g->asked == CMD_VERSION)
        puts("ota-pack " OTA_PACK_VERSION);
    else
        print_command(g->cmd);
}
