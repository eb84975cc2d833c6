/* The lock on a server, with a text in memory: whose is dead, and what is not a
 * lock at all. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "store/lock.h"
#include "tap.h"

enum { NOW = 1790000000 };

static char text[STORE_LOCK_TEXT];
static bool there;
static char said[512];

static int make(void *ctx)
{
    (void)ctx;
    if (there)
        return 1;
    there = true;
    return 0;
}

static int look(void *ctx, char out[STORE_LOCK_TEXT])
{
    (void)ctx;
    if (!there || !*text)
        return STORE_MISSING;
    memcpy(out, text, sizeof text);
    return 0;
}

static int put(void *ctx, const char *bytes)
{
    (void)ctx;
    snprintf(text, sizeof text, "%s", bytes);
    return 0;
}

static int gone(void *ctx)
{
    (void)ctx;
    there = false;
    *text = '\0';
    return 0;
}

static uint64_t now(void *ctx)
{
    (void)ctx;
    return NOW;
}

static const struct store_lock_ops ops = {
    .make = make, .read = look, .write = put, .remove = gone, .now = now};

static void hear(void *ctx, const struct diag_event *e)
{
    (void)ctx;
    if (e->level == DIAG_ERROR)
        snprintf(said, sizeof said, "%s", e->message);
}

static struct store_lock fresh(void)
{
    *said = '\0';
    return (struct store_lock){.ops = &ops, .where = "there"};
}

static int take(struct store_lock *l, bool force)
{
    *l = fresh();
    return store_lock_take(l, 0, force, NULL);
}

/* What a process that has ended left; its fourth line in *process. */
static void leave(char process[256])
{
    pid_t pid = fork();
    FILE *f;

    if (!pid) {
        struct store_lock l = fresh();

        if (store_lock_take(&l, 0, false, NULL) || !(f = fopen("left", "w")) ||
            fputs(text, f) < 0 || fclose(f))
            _exit(1);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    there = true;
    f = fopen("left", "r");
    if (!f || !fread(text, 1, sizeof text - 1, f))
        exit(1);
    fclose(f);
    remove("left");
    *process = '\0';
    sscanf(text, "%*[^\n]\n%*[^\n]\n%*[^\n]\n%255[^\n]", process);
}

/* The text with another fourth line. */
static void set_process(const char *process)
{
    char *at = text;

    for (int i = 0; i < 3; i++)
        at = strchr(at, '\n') + 1;
    snprintf(at, (size_t)(text + sizeof text - at), "%s%s", process,
             *process ? "\n" : "");
}

/* A number of it, `which` from 0, is another. */
static void change(char process[256], int which)
{
    char *at = process;

    while (which--)
        at = strchr(at, ' ') + 1;
    *at = *at == '1' ? '2' : '1';
}

static void test_dead(void)
{
    static const char *const what[] = {"another boot", "another name space"};
    char process[256], other[256], number[32];
    struct store_lock l;

    leave(process);
    check(*process, "it says which process it is: %s", process);
    check(take(&l, false) == 0 && !l.forced,
          "one that has ended holds nothing");
    check(store_lock_release(&l), "and it was ours");
    for (int i = 0; i < 2; i++) {
        leave(process);
        memcpy(other, process, sizeof other);
        change(other, i);
        set_process(other);
        check(take(&l, false) < 0 && strstr(said, "being published to by"),
              "%s may live", what[i]);
        gone(NULL);
    }
    leave(process);
    set_process("");
    check(take(&l, false) < 0 && strstr(said, "being published to by"),
          "one of an earlier ota-pack may live");
    check(take(&l, true) == 0 && l.forced, "and is broken by force");
    gone(NULL);
    /* Its number is taken by one that began later: us. */
    leave(process);
    check(take(&l, false) == 0, "ours");
    sscanf(text, "%*[^\n]\n%*[^\n]\n%*[^\n]\n%255[^\n]", process);
    check(strtol(strchr(strchr(process, ' ') + 1, ' '), NULL, 10) ==
              (long)getpid(),
          "with our number");
    check(take(&l, false) < 0, "who is there holds it");
    snprintf(number, sizeof number, "%s", strrchr(process, ' ') + 1);
    snprintf(strrchr(process, ' '), 32, " %ld", atol(number) - 1);
    set_process(process);
    check(take(&l, false) == 0, "who had its number before holds nothing");
    gone(NULL);
}

static void test_foreign(void)
{
    struct store_lock l;

    there = true;
    strcpy(text, "what I am not to forget\n");
    check(take(&l, false) < 0 && strstr(said, "did not write"), "not a lock");
    check(take(&l, true) < 0 && strstr(said, "did not write"),
          "not by force either");
    check(strcmp(text, "what I am not to forget\n") == 0, "it is left alone");
    gone(NULL);
}

static void test_lost(void)
{
    struct store_lock l, other;

    check(take(&l, false) == 0 && !l.forced && !store_lock_lost(&l), "ours");
    check(take(&other, true) == 0 && other.forced, "taken by force");
    check(store_lock_lost(&l) && !store_lock_lost(&other), "and lost");
    check(!store_lock_release(&l) && store_lock_release(&other),
          "which unlocking says, too");
    check(!store_lock_lost(&other), "what is not held is not lost");
    gone(NULL);
    check(take(&l, false) == 0, "taken");
    snprintf(text, sizeof text, "joe on far, process 7\n00\n%d\n", NOW - 1);
    check(take(&l, false) == 0 && l.forced, "one that ran out may live");
}

int main(void)
{
    diag_set_handler(hear, NULL);
    test_dead();
    test_foreign();
    test_lost();
    return tap_done();
}
