/* Where a password comes from: the environment, a file, a command, systemd, a
 * terminal; never an argument, which every user of the machine can read. */
#include "keys.h"
#include "keys_text.h"
#include "keys_tty.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sodium.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PASSWORD_MAX = 1023, /* minisign's, in bytes */
    WAIT_MS = 20         /* between looks at a command that is silent */
};

/* Variables that hold it, or say where it is. */
struct names {
    const char *variable, *file, *command;
};

static const struct names key_names = {"OTA_PACK_PASSWORD",
                                       "OTA_PACK_PASSWORD_FILE",
                                       "OTA_PACK_PASSWORD_COMMAND"},
                          server_names = {"OTA_PACK_SERVER_PASSWORD",
                                          "OTA_PACK_SERVER_PASSWORD_FILE",
                                          "OTA_PACK_SERVER_PASSWORD_COMMAND"};

struct answer {
    const struct names *names;
    const char *prompt;
    bool confirm;
    const char *from; /* for messages */
    size_t len;
    char text[KEYS_TEXT_MAX];
};

enum { NOT_HERE, FOUND }; /* or -1: reported */

/* A variable that is set to nothing is what CI makes of a secret that is not
 * there. */
static char *variable(const char *name)
{
    char *value = getenv(name);

    return value != NULL && *value != '\0' ? value : NULL;
}

static int from_variable(struct answer *a)
{
    char *value = variable(a->names->variable);

    if (value == NULL)
        return NOT_HERE;
    a->from = a->names->variable;
    a->len = strlen(value);
    if (a->len < sizeof a->text)
        memcpy(a->text, value, a->len);
    sodium_memzero(value, a->len);
    unsetenv(a->names->variable);
    return FOUND;
}

static int from_file(struct answer *a)
{
    const char *path = variable(a->names->file);

    if (path == NULL)
        return NOT_HERE;
    a->from = a->names->file;
    return keys_text_read(path, a->text, &a->len, NULL) == 0 ? FOUND : -1;
}

/* /bin/sh -c, as people write `pass show ota | head -n 1`: who sets the
 * variable runs ota-pack anyway.  It keeps the terminal, and may take its
 * time: it may have to ask. */
static int spawn_shell(char *command, int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int err = posix_spawn_file_actions_init(&actions);

    if (err != 0)
        return err;
    err = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (err == 0) {
        char name[] = "sh", option[] = "-c";
        char *argv[] = {name, option, command, NULL};
        err = posix_spawn(pid, "/bin/sh", &actions, NULL, argv, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    return err;
}

/* What is there.  False: there is no more to come. */
static bool read_some(int fd, struct answer *a)
{
    ssize_t n = read(fd, a->text + a->len, sizeof a->text - a->len);

    if (n > 0)
        a->len += (size_t)n;
    return n > 0 || (n < 0 && errno == EINTR);
}

/* Until the pipe's end; or, where the command has left a process behind that
 * keeps it open (an agent, a cache), until the command's.  *pid 0: its status
 * is known. */
static void read_output(int fd, struct answer *a, pid_t *pid, int *status)
{
    struct pollfd p = {fd, POLLIN, 0};
    int ready;

    while ((ready = poll(&p, 1, *pid ? WAIT_MS : 0)) != 0 || *pid) {
        if (ready < 0 && errno != EINTR)
            return;
        if (ready > 0 && !read_some(fd, a))
            return;
        if (ready == 0 && waitpid(*pid, status, WNOHANG) == *pid)
            *pid = 0;
    }
}

/* Without the command, in which the password itself may stand. */
static int command_failed(const struct answer *a, int err, int status)
{
    if (err != 0)
        return diag_error(DIAG_KEY, "%s cannot be run: %s", a->from,
                          strerror(err));
    if (WIFSIGNALED(status))
        return diag_error(DIAG_KEY, "%s was ended by signal %d", a->from,
                          WTERMSIG(status));
    return diag_error(DIAG_KEY, "%s failed with exit status %d", a->from,
                      WEXITSTATUS(status));
}

static int run_command(struct answer *a, char *command, const char *from)
{
    int out[2], status = -1, err;
    pid_t pid = 0;

    a->from = from;
    if (pipe2(out, O_CLOEXEC) != 0)
        return diag_error(DIAG_KEY, "cannot run %s: %s", a->from,
                          strerror(errno));
    err = spawn_shell(command, out[1], &pid);
    close(out[1]);
    if (err == 0)
        read_output(out[0], a, &pid, &status);
    /* Before waiting: one that goes on writing is ended by SIGPIPE. */
    close(out[0]);
    while (err == 0 && pid && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (err != 0 || status != 0)
        return command_failed(a, err, status);
    return FOUND;
}

static int from_command(struct answer *a)
{
    char *command = variable(a->names->command);

    return command ? run_command(a, command, a->names->command) : NOT_HERE;
}

static int from_credential(struct answer *a)
{
    const char *dir = variable("CREDENTIALS_DIRECTORY");
    char path[PATH_MAX];

    if (dir == NULL)
        return NOT_HERE;
    if (snprintf(path, sizeof path, "%s/ota-pack.password", dir) >=
            (int)sizeof path ||
        access(path, F_OK) != 0)
        return NOT_HERE;
    a->from = "the credential ota-pack.password";
    return keys_text_read(path, a->text, &a->len, NULL) == 0 ? FOUND : -1;
}

static int ask_again(const struct answer *a)
{
    char *again = keys_text_alloc(sizeof a->text);
    int result = -1;

    if (again == NULL)
        return -1;
    if (keys_tty_ask("once more", again, sizeof a->text) == 0) {
        result = 0;
        if (strcmp(again, a->text) != 0)
            result = diag_error(DIAG_KEY, "the two passwords are not the same");
    }
    keys_text_free(again);
    return result;
}

static int from_terminal(struct answer *a)
{
    int result = keys_tty_ask(a->prompt, a->text, sizeof a->text);

    if (result == KEYS_TTY_NONE)
        return diag_error(DIAG_KEY,
                          "no terminal to ask for the %s: set "
                          "OTA_PACK_PASSWORD_FILE to a file that holds it",
                          a->prompt);
    if (result == 0 && a->confirm)
        result = ask_again(a);
    a->from = "the terminal";
    a->len = result == 0 ? strlen(a->text) : 0;
    return result == 0 ? FOUND : -1;
}

static int find_source(struct answer *a)
{
    static int (*const sources[])(struct answer *) = {
        from_variable, from_file, from_command, from_credential, from_terminal};
    int result = NOT_HERE;

    for (size_t i = 0; result == NOT_HERE; i++)
        result = sources[i](a);
    return result == FOUND ? 0 : -1;
}

/* The first line; `pass` and others put notes below it. */
static int first_line(struct answer *a)
{
    const char *newline =
        a->len <= sizeof a->text ? memchr(a->text, '\n', a->len) : NULL;

    if (newline != NULL)
        a->len = (size_t)(newline - a->text);
    if (a->len > 0 && a->len <= PASSWORD_MAX && a->text[a->len - 1] == '\r')
        a->len--;
    if (a->len == 0)
        return diag_error(DIAG_KEY, "the %s from %s is empty", a->prompt,
                          a->from);
    if (a->len > PASSWORD_MAX)
        return diag_error(DIAG_KEY, "the %s from %s is longer than %d bytes",
                          a->prompt, a->from, PASSWORD_MAX);
    if (memchr(a->text, '\0', a->len) != NULL)
        return diag_error(DIAG_KEY, "the %s from %s is not text", a->prompt,
                          a->from);
    return 0;
}

static struct answer *new_answer(const struct names *names, const char *prompt)
{
    struct answer *a = keys_text_alloc(sizeof *a);

    if (a != NULL) {
        a->names = names;
        a->prompt = prompt;
        a->confirm = false;
        a->len = 0;
    }
    return a;
}

static char *take_answer(struct answer *a)
{
    char *password = first_line(a) == 0 ? keys_text_alloc(a->len + 1) : NULL;

    if (password != NULL) {
        memcpy(password, a->text, a->len);
        password[a->len] = '\0';
    }
    return password;
}

int keys_password(const char *prompt, bool confirm, char **password)
{
    struct answer *a = new_answer(&key_names, prompt);

    *password = NULL;
    if (a == NULL)
        return -1;
    a->confirm = confirm;
    if (find_source(a) == 0)
        *password = take_answer(a);
    keys_text_free(a);
    return *password != NULL ? 0 : -1;
}

bool keys_password_ready(void)
{
    return variable(key_names.variable) || variable(key_names.file);
}

int keys_server_password(bool environment, const char *command, char **password)
{
    struct answer *a = new_answer(&server_names, "server's password");
    int result = NOT_HERE;

    *password = NULL;
    if (a == NULL)
        return -1;
    if (environment)
        result = from_variable(a);
    if (result == NOT_HERE && environment)
        result = from_file(a);
    if (result == NOT_HERE && environment)
        result = from_command(a);
    if (result == NOT_HERE && command != NULL) {
        char *copy = strdup(command);

        result = copy ? run_command(a, copy, "'password_command'")
                      : diag_no_memory();
        free(copy);
    }
    if (result == FOUND)
        *password = take_answer(a);
    keys_text_free(a);
    return result == FOUND && *password == NULL ? -1 : result < 0 ? -1 : 0;
}

void keys_password_free(char *password)
{
    keys_text_free(password);
}
