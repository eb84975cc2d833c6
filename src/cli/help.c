/* The table of subcommands, and what is said about them. */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "help.h"

#ifndef OTA_PACK_VERSION
#define OTA_PACK_VERSION "0.1.0"
#endif

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
    "      --sample N        of so many of them, at random\n";

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

#define LOCK_HELP                                                              \
    "      --lock-timeout TIME\n"                                              \
    "                        wait that long for another publish (5s, 2m)\n"    \
    "      --break-lock      take the lock whoever holds it\n"

static const char publish_help[] = LOCK_HELP
    "      --again           publish also what was rolled back\n"
    "      --accept-rollback go on from an older index that was put back\n"
    "      --new-base        start anew with another key: forget what was\n"
    "                        published\n";

static const char rollback_help[] =
    "      --to VERSION      the version whose content they get, as a new "
    "one\n" LOCK_HELP;

static const char keygen_help[] =
    "  -W                    without a password\n";

#define SELECTION "[RELEASE|DEVICE]..."

const struct cmd help_commands[] = {
    {"init", "[-W]", "write an ota-pack.yml to start from, and a key pair",
     init_help, false, cmd_init},
    {"check", SELECTION,
     "find every mistake of the configuration, write nothing", "", false,
     cmd_check},
    {"build", "[-o DIR] " SELECTION, "write one self-contained bundle a device",
     build_help, true, cmd_build},
    {"plan", "[--exit-code] " SELECTION, "say what publish would change",
     plan_help, false, cmd_plan},
    {"publish", "[OPTION]... " SELECTION,
     "put what has changed onto the server", publish_help, true, cmd_publish},
    {"rollback", "RELEASE --to VERSION [OPTION]...",
     "give devices what an earlier version had", rollback_help, true,
     cmd_rollback},
    {"withdraw", "[OPTION]... DEVICE...",
     "give devices nothing any more: their manifests go", LOCK_HELP, true,
     cmd_withdraw},
    {"prune", "[OPTION]...",
     "remove payloads and versions that no device needs", LOCK_HELP, true,
     cmd_prune},
    {"status", SELECTION, "list every device and what was published for it", "",
     false, cmd_status},
    {"doctor", "", "check that the server does what publishing relies on", "",
     true, cmd_doctor},
    {"show", "[-k PUB] [OPTION]... FILE|FOLDER",
     "say what a bundle or manifest holds", show_help, false, cmd_show},
    {"verify", "[-k PUB] [OPTION]... FILE..., or --server [RELEASE|DEVICE]...",
     "read bundles as a device does: ok, or what is wrong", verify_help, false,
     cmd_verify},
    {"unpack", "[-k PUB] -C DIR [--device ID] [OPTION]... FILE",
     "read a bundle as a device does, and write its files", unpack_help, true,
     cmd_unpack},
    {"keygen", "[-W] NAME", "make a key pair: NAME.key and NAME.pub",
     keygen_help, false, cmd_keygen},
};

const size_t help_command_count = sizeof help_commands / sizeof *help_commands;

static const char global_help[] =
    "  -c, --config FILE     the configuration, default ota-pack.yml\n"
    "  -n, --dry-run         write nothing\n"
    "  -q, --quiet           errors alone\n"
    "  -v, --verbose         say more\n"
    "      --json            one JSON object a line, the last one \"summary\"\n"
    "      --color=WHEN      auto, always or never\n"
    "  -j, --jobs N          how much at once, default: all processors\n"
    "  -h, --help            this\n"
    "      --version         the program's version\n";

static bool shown;

const struct cmd *help_find(const char *name)
{
    for (size_t i = 0; i < help_command_count; i++)
        if (strcmp(help_commands[i].name, name) == 0)
            return &help_commands[i];
    return NULL;
}

int help_unknown(const char *name)
{
    const char *names[sizeof help_commands / sizeof *help_commands + 1];
    const char *near;
    size_t i;

    for (i = 0; i < help_command_count; i++)
        names[i] = help_commands[i].name;
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
    puts("Commands:");
    for (size_t i = 0; i < help_command_count; i++)
        printf("  %-9s %s\n", help_commands[i].name, help_commands[i].summary);
    puts("  help      say more about a command");
}

void help_examples(void)
{
    shown = true;
    puts("ota-pack packs files into signed updates for devices.\n"
         "\n"
         "  ota-pack init          write ota-pack.yml and a key pair\n"
         "  ota-pack check         find the mistakes in ota-pack.yml\n"
         "  ota-pack plan          see what would be published\n"
         "  ota-pack publish       publish it\n"
         "  ota-pack verify -k release.pub FILE\n"
         "                         read a bundle as a device does\n");
    list_commands();
    puts("\nMore: ota-pack help COMMAND, ota-pack -h, man ota-pack");
}

void help_command(const struct cmd *cmd)
{
    shown = true;
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
}

void help_version(void)
{
    shown = true;
    puts("ota-pack " OTA_PACK_VERSION);
}

bool help_shown(void)
{
    return shown;
}
