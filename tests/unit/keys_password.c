/* Where passwords come from, and the terminal that asks for them. */
#include "keys_help.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>

static const char prompt[] = "password for 'x.key'";

static bool gives(const char *expected)
{
    char *password;
    bool same;

    if (keys_password(prompt, false, &password) != 0)
        return false;
    same = strcmp(password, expected) == 0;
    keys_password_free(password);
    return same;
}

static bool fails(const char *error)
{
    char *password;

    return keys_password(prompt, false, &password) != 0 && password == NULL &&
           heard(error) && said_kind == DIAG_KEY;
}

static void test_order(void)
{
    setenv("OTA_PACK_PASSWORD", "variable", 1);
    setenv("OTA_PACK_PASSWORD_FILE", "pw", 1);
    setenv("OTA_PACK_PASSWORD_COMMAND", "echo command; echo more", 1);
    setenv("CREDENTIALS_DIRECTORY", ".", 1);
    put_text("pw", "file\n", 0600);
    put_text("ota-pack.password", "credential\nand a note", 0600);
    check(gives("variable"), "the variable comes first");
    check(getenv("OTA_PACK_PASSWORD") == NULL, "and is gone");
    check(gives("file"), "then the file");
    setenv("OTA_PACK_PASSWORD_FILE", "", 1);
    check(gives("command"), "then the command, its first line");
    unsetenv("OTA_PACK_PASSWORD_COMMAND");
    check(gives("credential"), "then systemd's credential");
    unsetenv("CREDENTIALS_DIRECTORY");
}

static void test_lines(void)
{
    char longest[1100];

    memset(longest, 'x', sizeof longest);
    longest[1023] = '\0';
    setenv("OTA_PACK_PASSWORD_FILE", "pw", 1);
    put_text("pw", " with spaces \r\n", 0600);
    check(gives(" with spaces "), "the newline alone is taken off");
    put_text("pw", longest, 0600);
    check(gives(longest), "1023 bytes");
    longest[1023] = 'x';
    longest[1024] = '\0';
    put_text("pw", longest, 0600);
    check(fails("longer than 1023 bytes"), "1024 bytes");
    put_text("pw", "\nx", 0600);
    check(fails("is empty"), "an empty line");
    put_file("pw", "a\0b", 3, 0600);
    check(fails("is not text"), "a zero byte");
    unlink("pw");
    check(fails("cannot read 'pw'"), "a missing file");
    unsetenv("OTA_PACK_PASSWORD_FILE");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    setenv("OTA_PACK_PASSWORD", longest, 1);
    check(fails("longer than 1023 bytes"), "a long variable");
}

static void test_command(void)
{
    setenv("OTA_PACK_PASSWORD_COMMAND", "echo x; exit 3", 1);
    check(fails("OTA_PACK_PASSWORD_COMMAND failed with exit status 3"),
          "a command that fails");
    setenv("OTA_PACK_PASSWORD_COMMAND", "echo 'open sesame'; exit 3", 1);
    check(!fails("sesame"), "which is not shown");
    setenv("OTA_PACK_PASSWORD_COMMAND", "exec yes", 1);
    check(fails("OTA_PACK_PASSWORD_COMMAND was ended by signal 13"),
          "one that does not end");
    setenv("OTA_PACK_PASSWORD_COMMAND", "true", 1);
    check(fails("is empty"), "one that says nothing");
    unsetenv("OTA_PACK_PASSWORD_COMMAND");
}

static int status_of(pid_t pid)
{
    int status = -1;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void test_no_terminal(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        setsid();
        _exit(!fails("no terminal to ask for the password for 'x.key': set "
                     "OTA_PACK_PASSWORD_FILE to a file that holds it"));
    }
    check(status_of(pid) == 0, "no terminal: at once, with what to do");
}

/* A child whose terminal is the other end of *master; `confirm` as its exit
 * status if it got "typed". */
static pid_t ask_on_terminal(int *master, bool confirm)
{
    pid_t pid;

    *master = posix_openpt(O_RDWR | O_NOCTTY);
    if (*master < 0 || grantpt(*master) != 0 || unlockpt(*master) != 0)
        exit(1);
    pid = fork();
    if (pid == 0) {
        char *password;
        setsid();
        if (open(ptsname(*master), O_RDWR) < 0)
            _exit(9);
        close(*master);
        signal(SIGHUP, SIG_DFL);
        if (keys_password(prompt, confirm, &password) != 0)
            _exit(strstr(said, "not the same") != NULL ? 2 : 3);
        _exit(strcmp(password, "typed") != 0);
    }
    return pid;
}

/* Reads what the terminal shows until it ends in `text`. */
static bool shows(int master, const char *text)
{
    char seen[256] = "";
    size_t len = 0, want = strlen(text);

    while (len + 1 < sizeof seen && read(master, seen + len, 1) == 1) {
        seen[++len] = '\0';
        if (len >= want && strcmp(seen + len - want, text) == 0)
            return true;
    }
    printf("# seen: %s\n", seen);
    return false;
}

static bool echoes(int master)
{
    struct termios t;

    return tcgetattr(master, &t) == 0 && (t.c_lflag & ECHO) != 0;
}

static void type(int master, const char *text)
{
    if (write(master, text, strlen(text)) < 0)
        exit(1);
}

static void test_terminal(void)
{
    int master, holder;
    pid_t pid = ask_on_terminal(&master, true);

    /* The other end stays open here, so that its state can be looked at. */
    holder = open(ptsname(master), O_RDWR | O_NOCTTY);
    check(shows(master, "password for 'x.key': "), "the terminal asks");
    check(!echoes(master), "it does not echo");
    type(master, "typed\n");
    check(shows(master, "\r\nonce more: "), "a new one twice, unseen");
    type(master, "typed\n");
    check(status_of(pid) == 0, "what was typed");
    check(echoes(master), "it echoes again");
    close(holder);
    close(master);

    pid = ask_on_terminal(&master, true);
    shows(master, ": ");
    type(master, "typed\n");
    shows(master, ": ");
    type(master, "typos\n");
    check(WEXITSTATUS(status_of(pid)) == 2, "two that are not the same");
    close(master);
}

static void test_interrupt(void)
{
    int master, holder, status;
    pid_t pid = ask_on_terminal(&master, false);

    holder = open(ptsname(master), O_RDWR | O_NOCTTY);
    shows(master, ": ");
    type(master, "typ\003");
    status = status_of(pid);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT,
          "Ctrl-C ends it by the signal");
    check(echoes(master), "and the terminal echoes again");
    close(holder);
    close(master);

    pid = ask_on_terminal(&master, false);
    shows(master, ": ");
    type(master, "\004");
    check(WEXITSTATUS(status_of(pid)) == 3, "Ctrl-D gives none");
    close(master);
}

/* A bare chroot has none. */
static bool has_terminals(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave = -1;

    if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0)
        slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (slave >= 0)
        close(slave);
    if (master >= 0)
        close(master);
    return slave >= 0;
}

int main(void)
{
    begin();
    test_order();
    test_lines();
    test_command();
    fflush(stdout);
    test_no_terminal();
    fflush(stdout);
    if (!has_terminals()) {
        check(true, "asking on one # SKIP no pseudo-terminals here");
        return end();
    }
    test_terminal();
    fflush(stdout);
    test_interrupt();
    return end();
}
