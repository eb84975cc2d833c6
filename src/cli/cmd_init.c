/* ota-pack init: a configuration that says what it means, a key pair, and the
 * secret key kept out of git.  What is there already is kept. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/keys.h"
#include "base/tempfile.h"
#include "find_config.h"
#include "json.h"

/* MACs and versions are quoted: other YAML tools would take them for
 * numbers.  %s is the item of `files:` that fits the folder. */
static const char template[] =
    "# What the devices are to run.  ota-pack.yml(5) has every key.\n"
    "\n"
    "# Signs every bundle.  Devices trust only release.pub: back release.key\n"
    "# up, and keep it out of version control.\n"
    "key: release.key\n"
    "\n"
    "# Where `ota-pack publish` puts things: a folder that any web server can\n"
    "# serve.\n"
    "server: public/\n"
    "\n"
    "# The number that your boards are built with, 0 for any.\n"
    "hardware: 0\n"
    "\n"
    "# Memory that the reader on a device may use.  More packs smaller.\n"
    "ram: 24K\n"
    "\n"
    "releases:\n"
    "  - name: main\n"
    "    # A number that only goes up, or auto: one more whenever the files\n"
    "    # have changed.\n"
    "    version: auto\n"
    "    # For people; devices compare only the version.\n"
    "    label: \"1.0\"\n"
    "    # Files on this machine, seen from this file's folder.  They get the\n"
    "    # same path on the device.  More ways:\n"
    "    #   - lib/**/*.py                        every .py below lib\n"
    "    #   - {from: build/net.py, to: lib/net.py}\n"
    "    #   - {from: \"site/{id}.json\", to: site.json}  one for each device\n"
    "    #   - {from: firmware.bin, slot: app}    a firmware image\n"
    "    files:\n"
    "      - %s\n"
    "    # exclude: [\"**/test_*\"]\n"
    "    # Who gets it, by MAC address.  This one is made up: put yours in.\n"
    "    devices:\n"
    "      - \"02:00:00:00:00:01\"\n"
    "      # - {id: \"02:00:00:00:00:02\", name: north-bed}\n"
    "      # - {from: fleet.csv}                # a list: id,name\n";

static const char sample[] = "print(\"hello from ota-pack\")\n";

struct init {
    const struct cmd_global *g;
    bool without_password;
    char *password;     /* of the key that is to be made, or NULL */
    char dir[PATH_MAX]; /* of the configuration: "" or ending in '/' */
    char key[PATH_MAX], pub[PATH_MAX], ignore[PATH_MAX], main_py[PATH_MAX];
};

static int take_option(int c, const char *arg, void *ctx)
{
    struct init *i = ctx;

    (void)c;
    (void)arg;
    i->without_password = true;
    return 0;
}

static int join(char out[PATH_MAX], const char *dir, const char *name)
{
    int len = snprintf(out, PATH_MAX, "%s%s", dir, name);

    return len < PATH_MAX ? 0 : diag_error(DIAG_USAGE, "the path is too long");
}

static int find_paths(struct init *i)
{
    const char *slash = strrchr(i->g->config, '/');
    int len = slash != NULL ? (int)(slash + 1 - i->g->config) : 0;

    if (snprintf(i->dir, sizeof i->dir, "%.*s", len, i->g->config) >= PATH_MAX)
        return diag_error(DIAG_USAGE, "the path is too long");
    if (join(i->key, i->dir, "release.key") != 0 ||
        join(i->pub, i->dir, "release.pub") != 0 ||
        join(i->ignore, i->dir, ".gitignore") != 0)
        return -1;
    return join(i->main_py, i->dir, "main.py");
}

/* state: written, kept or added. */
static void say(const struct init *i, const char *state, const char *path)
{
    struct json j;

    if (i->g->json) {
        json_begin(&j, stdout, "file");
        json_string(&j, "path", path);
        json_string(&j, "state", state);
        json_end(&j);
    } else if (!i->g->quiet) {
        printf("%s%-8s%s%s\n", i->g->dry_run ? "would be " : "", state, path,
               strcmp(state, "kept") == 0 ? ": it was there already" : "");
    }
}

static bool is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static int write_new(const struct init *i, const char *path, const char *text,
                     size_t len)
{
    struct tempfile t = TEMPFILE_NONE;

    if (!i->g->dry_run) {
        if (tempfile_open(&t, path, 0666) != 0 ||
            tempfile_write(&t, text, len) != 0) {
            tempfile_discard(&t);
            return -1;
        }
        if (tempfile_commit_new(&t) != 0)
            return -1;
    }
    say(i, "written", path);
    return 0;
}

static bool is_python(const char *name)
{
    size_t len = strlen(name);

    return len > 3 && name[0] != '.' && strcmp(name + len - 3, ".py") == 0;
}

enum contents { EMPTY, PYTHON, OTHER };

/* What the folder holds besides what we write and hidden files. */
static enum contents look(const struct init *i)
{
    enum contents found = EMPTY;
    DIR *dir = opendir(i->dir[0] != '\0' ? i->dir : ".");
    const struct dirent *e;

    while (dir != NULL && found != PYTHON && (e = readdir(dir)) != NULL) {
        if (is_python(e->d_name))
            found = PYTHON;
        else if (e->d_name[0] != '.' && strncmp(e->d_name, "release.", 8) != 0)
            found = OTHER;
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

/* What a new configuration takes the place of for who works in its folder. */
static void warn_above(const struct init *i)
{
    char path[PATH_MAX];
    bool boundary;

    if (!i->g->config_named && !is_there(i->g->config) &&
        find_config_above(path, &boundary))
        diag_warning("commands in this folder used '%s'; from now on they use "
                     "the '%s' in it",
                     path, i->g->config);
}

/* In an empty folder a small main.py makes it all run at once. */
static int write_config(const struct init *i)
{
    char text[sizeof template + 128];
    enum contents found = look(i);
    int len;

    if (is_there(i->g->config)) {
        say(i, "kept", i->g->config);
        return 0;
    }
    len = snprintf(text, sizeof text, template,
                   found == PYTHON  ? "\"*.py\""
                   : found == EMPTY ? "main.py"
                                    : "main.py   # put your files here");
    if (found == EMPTY &&
        write_new(i, i->main_py, sample, sizeof sample - 1) != 0)
        return -1;
    return write_new(i, i->g->config, text, (size_t)len);
}

/* Asked for first: without it nothing is written. */
static int get_password(struct init *i)
{
    if (is_there(i->key) || i->without_password || i->g->dry_run)
        return 0;
    if (keys_password("new password for 'release.key'", true, &i->password) ==
        0)
        return 0;
    diag_note("-W makes a key without a password");
    return -1;
}

static int write_keys(const struct init *i)
{
    char name[PATH_MAX];

    if (is_there(i->key)) {
        say(i, "kept", i->key);
        return 0;
    }
    if (join(name, i->dir, "release") != 0 || keys_generate_check(name) != 0)
        return -1;
    if (!i->g->dry_run && keys_generate(name, i->password) != 0)
        return -1;
    say(i, "written", i->key);
    say(i, "written", i->pub);
    if (!i->g->json && !i->g->quiet && !i->g->dry_run)
        printf("back up %s now: devices trust only this key, and nobody can "
               "make it again\n",
               i->key);
    return 0;
}

/* Whether a line of `text` keeps release.key out already. */
static bool is_ignored(const char *text)
{
    static const char *const lines[] = {"release.key", "/release.key", "*.key"};

    for (; *text != '\0'; text += strcspn(text, "\n"), text += *text == '\n') {
        size_t len = strcspn(text, "\r\n");
        for (int k = 0; k < 3; k++)
            if (len == strlen(lines[k]) && memcmp(text, lines[k], len) == 0)
                return true;
    }
    return false;
}

static char *read_text(FILE *f)
{
    char *text = NULL;
    size_t size = 0;

    if (getdelim(&text, &size, '\0', f) < 0 && ferror(f)) {
        free(text);
        return NULL;
    }
    return text != NULL ? text : strdup("");
}

/* One write() behind what is there, taken back if it was cut short. */
static int append(const char *path, int fd, const char *before)
{
    size_t len = strlen(before);
    char line[64];
    int n = snprintf(line, sizeof line, "%s/release.key\n",
                     len > 0 && before[len - 1] != '\n' ? "\n" : "");
    off_t end = lseek(fd, 0, SEEK_END);

    if (end >= 0 && write(fd, line, (size_t)n) == n && fsync(fd) == 0)
        return 0;
    diag_error(DIAG_FAILED, "cannot write '%s': %s", path, strerror(errno));
    if (end >= 0 && ftruncate(fd, end) != 0)
        diag_note("'%s' may end in a part of a line", path);
    return -1;
}

static int extend_ignore(const struct init *i)
{
    FILE *f = fopen(i->ignore, i->g->dry_run ? "re" : "r+e");
    char *text = f != NULL ? read_text(f) : NULL;
    int result = -1;

    if (text == NULL)
        diag_error(DIAG_FAILED, "cannot read '%s': %s", i->ignore,
                   strerror(errno));
    else if (is_ignored(text))
        result = 0;
    else
        result = i->g->dry_run ? 0 : append(i->ignore, fileno(f), text);
    if (result == 0)
        say(i, is_ignored(text) ? "kept" : "added", i->ignore);
    free(text);
    if (f != NULL)
        fclose(f);
    return result;
}

/* Before the key, so that no moment is left at which git would take it. */
static int write_ignore(const struct init *i)
{
    static const char lines[] =
        "# the key that signs for all devices\n/release.key\n";

    if (is_there(i->ignore))
        return extend_ignore(i);
    return write_new(i, i->ignore, lines, sizeof lines - 1);
}

static void next_commands(const struct init *i)
{
    char with[PATH_MAX + 8];
    bool other;

    if (i->g->json || i->g->quiet || i->g->dry_run)
        return;
    other = strcmp(i->g->config, CMD_CONFIG) != 0;
    snprintf(with, sizeof with, "%s%s", other ? " -c " : "",
             other ? i->g->config : "");
    printf("next, with your files and devices in %s:\n"
           "  ota-pack%s check     finds every mistake in it\n"
           "  ota-pack%s plan      says what publish would change\n"
           "  ota-pack%s publish   signs, and fills the folder %spublic/\n",
           i->g->config, with, with, with, i->dir);
}

int cmd_init(struct cmd_global *g, int argc, char **argv)
{
    struct init i = {.g = g};
    int first = cmd_options(g, argc, argv, "W", NULL, take_option, &i);

    if (first < 0)
        return diag_status();
    if (first < argc)
        diag_error(DIAG_USAGE, "init takes no '%s': it works in this folder",
                   argv[first]);
    else if (find_paths(&i) == 0 && get_password(&i) == 0) {
        warn_above(&i);
        if (write_ignore(&i) == 0 && write_keys(&i) == 0 &&
            write_config(&i) == 0)
            next_commands(&i);
    }
    keys_password_free(i.password);
    return diag_status();
}
