/* ota-pack keygen: a new key pair. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bundle/format.h"
#include "keys/keys.h"
#include "cmd.h"
#include "json.h"
#include "msg.h"

static int take_option(int c, const char *arg, void *ctx)
{
    (void)c;
    (void)arg;
    *(bool *)ctx = true;
    return 0;
}

/* `release`, `release.key` and `release.pub` mean the same pair. */
static int key_name(const char *arg, char name[PATH_MAX])
{
    size_t len = strlen(arg);

    if (len >= 4 && (strcmp(arg + len - 4, ".key") == 0 ||
                     strcmp(arg + len - 4, ".pub") == 0))
        len -= 4;
    if (len == 0 || arg[len - 1] == '/')
        return diag_error(DIAG_USAGE, "'%s' cannot name a key: try 'release'",
                          arg);
    if (len >= PATH_MAX - sizeof ".key")
        return diag_error(DIAG_USAGE, "the name is too long");
    memcpy(name, arg, len);
    name[len] = '\0';
    return 0;
}

static int make_pair(const char *name, bool without_password)
{
    char prompt[PATH_MAX + 32], *password = NULL;
    int result;

    snprintf(prompt, sizeof prompt, "new password for '%s.key'", name);
    if (!without_password && keys_password(prompt, true, &password) != 0) {
        diag_note("-W makes a key without a password");
        return -1;
    }
    result = keys_generate(name, password);
    keys_password_free(password);
    return result;
}

static void say_json(const char *name, const char *pub, const char *id)
{
    char path[PATH_MAX + 8];
    struct json j;

    snprintf(path, sizeof path, "%s.key", name);
    json_begin(&j, stdout, "key");
    json_string(&j, "id", id);
    json_string(&j, "public", pub);
    json_string(&j, "secret", path);
    json_end(&j);
}

static void say_planned(const struct cmd_global *g, const char *name)
{
    if (g->json || g->quiet)
        return;
    fputs("would be written ", stdout);
    msg_text(stdout, name, strlen(name));
    fputs(".key\nwould be written ", stdout);
    msg_text(stdout, name, strlen(name));
    puts(".pub");
}

static void say(const struct cmd_global *g, const char *name)
{
    char path[PATH_MAX + 8], id[KEYS_ID_TEXT];
    uint8_t key[OTA_PUBLIC_KEY];

    snprintf(path, sizeof path, "%s.pub", name);
    if (keys_read_public(path, key) != 0)
        return;
    keys_id_text(key + KEY_ID, id);
    if (g->json)
        say_json(name, path, id);
    else if (!g->quiet)
        printf("secret key  %s.key\n"
               "public key  %s\n"
               "key id      %s\n"
               "back up %s.key now: devices trust only this key, and nobody "
               "can make it again\n",
               name, path, id, name);
}

int cmd_keygen(struct cmd_global *g, int argc, char **argv)
{
    bool without_password = false;
    char name[PATH_MAX];
    int first =
        cmd_options(g, argc, argv, "W", NULL, take_option, &without_password);

    if (first < 0)
        return diag_status();
    if (argc - first != 1)
        diag_error(DIAG_USAGE,
                   "keygen takes one name, as in 'ota-pack keygen release'");
    else if (key_name(argv[first], name) == 0 &&
             keys_generate_check(name) == 0) {
        if (g->dry_run)
            say_planned(g, name);
        else if (make_pair(name, without_password) == 0)
            say(g, name);
    }
    return diag_status();
}
