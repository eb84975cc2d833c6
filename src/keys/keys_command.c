/* Runs the sign command, a process a message, several at once. */
#include "base/clock.h"
#include "base/file.h"
#include "bundle/format.h"
#include "keys_command.h"
#include "keys_text.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long to wait for the end of a process that has closed its output, and of
 * one that has not. */
enum { REAP_MS = 2, LOOK_MS = 20 };

struct process {
    pid_t pid; /* 0: a free place */
    int out;   /* -1: it has said all */
    const struct signer_job *job;
    uint64_t deadline; /* of clock_ms() */
    size_t len;
    bool ended; /* and its status is: */
    int status;
    uint8_t text[KEYS_COMMAND_OUTPUT + 1];
};

struct run {
    const struct keys_command *command;
    char **env; /* ours are the last two */
    size_t env_count;
    char key_id[sizeof "OTA_PACK_KEY_ID=" + KEYS_ID_TEXT];
    struct process *processes;
    struct pollfd *polls;
    size_t running;
};

__attribute__((format(printf, 3, 4))) static int
fail(const struct run *r, const struct signer_job *job, const char *fmt, ...)
{
    char why[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return diag_error(DIAG_KEY, "sign_command '%s'%s%s %s", r->command->argv[0],
                      job->device != NULL ? " for device " : "",
                      job->device != NULL ? job->device : "", why);
}

/* A file, not a pipe: nothing blocks, nothing raises SIGPIPE, and programs that
 * ask for the size (openssl pkeyutl -rawin -in /dev/stdin) get one.  What is
 * signed is no secret. */
static int message_file(const struct signer_job *job)
{
    int fd = memfd_create("message", MFD_CLOEXEC);

    if (fd >= 0 && file_write(fd, job->message, job->len) < 0) {
        close(fd);
        return -1;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

static int spawn(const struct run *r, int in, int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t defaults, none;
    char **argv = r->command->argv;
    int err;

    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &defaults);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    err = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    /* In our process group: it may ask for a PIN on the terminal, and
     * Ctrl-C reaches it. */
    if (err == 0)
        err = posix_spawnp(pid, argv[0], &actions, &attr, argv, r->env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return err;
}

static void set_device(struct run *r, const char *device, char *buf, size_t max)
{
    r->env[r->env_count + 1] = NULL;
    if (device == NULL)
        return;
    snprintf(buf, max, "OTA_PACK_DEVICE=%s", device);
    r->env[r->env_count + 1] = buf;
}

static int start_command(struct run *r, struct process *p,
                         const struct signer_job *job)
{
    char device[64];
    int in = message_file(job), out[2] = {-1, -1}, err = 0;

    set_device(r, job->device, device, sizeof device);
    if (in < 0 || pipe2(out, O_CLOEXEC) != 0)
        err = errno;
    if (err == 0)
        err = spawn(r, in, out[1], &p->pid);
    if (in >= 0)
        close(in);
    if (out[1] >= 0)
        close(out[1]);
    if (err != 0) {
        p->pid = 0;
        if (out[0] >= 0)
            close(out[0]);
        return fail(r, job, "cannot be run: %s", strerror(err));
    }
    /* What a process left behind says comes when it likes. */
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    p->out = out[0];
    p->job = job;
    p->len = 0;
    p->ended = false;
    p->deadline = clock_ms() + r->command->timeout_ms;
    r->running++;
    return 0;
}

static void close_output(struct process *p)
{
    if (p->out >= 0)
        close(p->out);
    p->out = -1;
}

/* 64 bytes as they are, or the one line of base64 that makes 64. */
static int signature_of(const struct process *p, uint8_t *signature)
{
    if (p->len == crypto_sign_BYTES) {
        memcpy(signature, p->text, crypto_sign_BYTES);
        return 0;
    }
    return keys_text_decode((const char *)p->text, p->len, signature,
                            crypto_sign_BYTES) == crypto_sign_BYTES
               ? 0
               : -1;
}

static int finished(struct run *r, struct process *p, int status)
{
    const struct signer_job *job = p->job;

    p->pid = 0;
    r->running--;
    if (WIFSIGNALED(status))
        return fail(r, job, "was ended by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return fail(r, job, "failed with exit status %d", WEXITSTATUS(status));
    if (signature_of(p, job->signature) != 0)
        return fail(r, job,
                    "printed %zu bytes that are not a signature: 64 raw bytes, "
                    "or their base64, are expected",
                    p->len);
    if (crypto_sign_verify_detached(job->signature, job->message, job->len,
                                    r->command->public + KEY_KEY) != 0)
        return fail(r, job,
                    "made a signature that does not fit key %s: it must sign "
                    "its standard input with that key, by pure Ed25519",
                    r->key_id + strlen("OTA_PACK_KEY_ID="));
    return 0;
}

static int read_output(struct run *r, struct process *p)
{
    ssize_t n = read(p->out, p->text + p->len, sizeof p->text - p->len);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN
                   ? 0
                   : fail(r, p->job, "cannot be read");
    p->len += (size_t)n;
    if (p->len > KEYS_COMMAND_OUTPUT)
        return fail(r, p->job, "printed more than a signature");
    if (n == 0)
        close_output(p);
    return 0;
}

/* A process that it left behind (an agent, a cache) may keep its output open:
 * it is done at its end with a signature there. */
static int reap(struct run *r, struct process *p)
{
    if (!p->ended && waitpid(p->pid, &p->status, WNOHANG) == p->pid) {
        p->ended = true;
        if (p->out >= 0 && read_output(r, p) != 0)
            return -1;
    }
    if (!p->ended || (p->out >= 0 && p->status == 0 &&
                      signature_of(p, p->job->signature) != 0))
        return 0;
    close_output(p);
    return finished(r, p, p->status);
}

static int serve_command(struct run *r, struct process *p, bool readable)
{
    if (readable && read_output(r, p) != 0)
        return -1;
    return p->out < 0 || !readable ? reap(r, p) : 0;
}

static bool out_of_time(const struct process *p)
{
    return p->pid != 0 && clock_ms() >= p->deadline;
}

/* How long poll() may sleep: until the next deadline, or shortly where a
 * process is only to be reaped. */
static int patience(const struct run *r)
{
    uint64_t now = clock_ms();
    int64_t least = r->command->timeout_ms;

    for (unsigned i = 0; i < r->command->processes; i++) {
        const struct process *p = &r->processes[i];
        int64_t wait = (int64_t)(p->deadline - now);

        if (p->out < 0)
            wait = REAP_MS;
        else if (wait > LOOK_MS)
            wait = LOOK_MS;
        if (p->pid != 0 && wait < least)
            least = wait;
    }
    return least > 0 ? (int)least : 0;
}

static int serve_all(struct run *r)
{
    unsigned n = r->command->processes;

    for (unsigned i = 0; i < n; i++) {
        r->polls[i].fd = r->processes[i].pid != 0 ? r->processes[i].out : -1;
        r->polls[i].events = POLLIN;
        r->polls[i].revents = 0;
    }
    if (poll(r->polls, n, patience(r)) < 0)
        /* A signal that is to end the run ends the waiting. */
        return errno != EINTR
                   ? diag_no_memory()
                   : diag_error(DIAG_FAILED,
                                "stopped while sign_command '%s' was running",
                                r->command->argv[0]);
    for (unsigned i = 0; i < n; i++) {
        struct process *p = &r->processes[i];
        if (p->pid != 0 && serve_command(r, p, r->polls[i].revents != 0) != 0)
            return -1;
        if (out_of_time(p))
            return fail(r, p->job, "took longer than %u s",
                        r->command->timeout_ms / 1000);
    }
    return 0;
}

static int start_some(struct run *r, const struct signer_job *jobs,
                      size_t count, size_t *next)
{
    for (unsigned i = 0; i < r->command->processes && *next < count; i++) {
        if (r->processes[i].pid != 0)
            continue;
        if (start_command(r, &r->processes[i], &jobs[*next]) != 0)
            return -1;
        (*next)++;
    }
    return 0;
}

/* By SIGKILL: a process that hangs may not heed anything else. */
static void end_all(struct run *r)
{
    for (unsigned i = 0; i < r->command->processes; i++) {
        struct process *p = &r->processes[i];
        close_output(p);
        if (p->pid == 0 || p->ended)
            continue;
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
}

/* What we set ourselves, and secrets that are meant for us alone. */
static bool is_ours(const char *variable)
{
    return strncmp(variable, "OTA_PACK_KEY_ID=", 16) == 0 ||
           strncmp(variable, "OTA_PACK_DEVICE=", 16) == 0 ||
           strncmp(variable, "OTA_PACK_PASSWORD=", 18) == 0 ||
           strncmp(variable, "OTA_PACK_SERVER_", 16) == 0;
}

static int make_environment(struct run *r)
{
    char id[KEYS_ID_TEXT];
    size_t count = 0;

    while (environ[count] != NULL)
        count++;
    r->env = calloc(count + 3, sizeof *r->env);
    if (r->env == NULL) {
        diag_no_memory();
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        if (!is_ours(environ[i]))
            r->env[r->env_count++] = environ[i];
    keys_id_text(r->command->public + KEY_ID, id);
    snprintf(r->key_id, sizeof r->key_id, "OTA_PACK_KEY_ID=%s", id);
    r->env[r->env_count] = r->key_id;
    return 0;
}

static int run_init(struct run *r, const struct keys_command *c)
{
    memset(r, 0, sizeof *r);
    r->command = c;
    r->processes = calloc(c->processes, sizeof *r->processes);
    r->polls = calloc(c->processes, sizeof *r->polls);
    if (r->processes == NULL || r->polls == NULL) {
        diag_no_memory();
        return -1;
    }
    for (unsigned i = 0; i < c->processes; i++)
        r->processes[i].out = -1;
    return make_environment(r);
}

int keys_command_sign(const struct keys_command *c,
                      const struct signer_job *jobs, size_t count)
{
    struct run r;
    size_t next = 0;
    int result = run_init(&r, c);

    while (result == 0 && (next < count || r.running > 0)) {
        result = start_some(&r, jobs, count, &next);
        if (result == 0)
            result = serve_all(&r);
    }
    if (r.processes != NULL)
        end_all(&r);
    free(r.processes);
    free(r.polls);
    free(r.env);
    return result;
}
