/* Who signs: a key file, unlocked once a run, or a command. */
#include "base/file.h"
#include "bundle/format.h"
#include "keys.h"
#include "keys_command.h"
#include "keys_secret.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A thread is worth its start only for so many signatures. */
enum { SHARE_LEAST = 256, SHARES = 64 };

struct signer {
    uint8_t public[OTA_PUBLIC_KEY];
    char *name;                  /* of the key, for messages and the prompt */
    char *pub_name;              /* the .pub that public is from, or NULL */
    struct keys_secret *secret;  /* NULL: a command signs */
    struct keys_command command; /* argv NULL: a key file signs */
    char *program, *words;       /* what argv points to */
    unsigned jobs;
    bool checked; /* the first signature of the run was */
};

/* NAME.key -> NAME.pub, any other name -> NAME.pub. */
static char *pub_beside(const char *key)
{
    size_t len = strlen(key), size = len + sizeof ".pub";
    char *pub = malloc(size);

    if (pub == NULL) {
        diag_no_memory();
        return NULL;
    }
    if (len > 4 && strcmp(key + len - 4, ".key") == 0)
        len -= 4;
    snprintf(pub, size, "%.*s.pub", (int)len, key);
    return pub;
}

static int take_public(struct signer *s)
{
    char ours[KEYS_ID_TEXT], theirs[KEYS_ID_TEXT];

    if (s->pub_name == NULL) {
        memcpy(s->public, s->secret->public, OTA_PUBLIC_KEY);
        return 0;
    }
    if (memcmp(s->public, s->secret->public, OTA_PUBLIC_KEY) == 0)
        return 0;
    keys_id_text(s->secret->public + KEY_ID, ours);
    keys_id_text(s->public + KEY_ID, theirs);
    return diag_error(DIAG_KEY,
                      "'%s' (%s) is not the public key of '%s' (%s): put the "
                      "pair in place that your devices trust",
                      s->pub_name, theirs, s->name, ours);
}

static int unlock(struct signer *s)
{
    char prompt[512], *password;
    int rc;

    if (s->secret->unlocked)
        return 0;
    snprintf(prompt, sizeof prompt, "password for '%s'", s->name);
    if (keys_password(prompt, false, &password) != 0)
        return -1;
    diag_note("unlocking key...");
    rc = keys_secret_unlock(s->secret, s->name, password);
    keys_password_free(password);
    return rc == 0 ? take_public(s) : -1;
}

bool signer_is_locked(const struct signer *s)
{
    return s->secret != NULL && !s->secret->unlocked;
}

int signer_unlock(struct signer *s)
{
    return s->secret == NULL ? 0 : unlock(s);
}

/* Where the .pub is there, the secret key is left alone until it signs. */
static int open_file(struct signer *s)
{
    if (keys_secret_read(s->name, &s->secret) != 0)
        return -1;
    if (strncmp(s->name, "env:", 4) != 0) {
        s->pub_name = pub_beside(s->name);
        if (s->pub_name == NULL)
            return -1;
    }
    if (s->pub_name != NULL && access(s->pub_name, F_OK) != 0 &&
        errno == ENOENT) {
        free(s->pub_name);
        s->pub_name = NULL;
    }
    if (s->pub_name != NULL && keys_read_public(s->pub_name, s->public) != 0)
        return -1;
    if (s->secret->unlocked)
        return take_public(s);
    return s->pub_name == NULL ? unlock(s) : 0;
}

static int open_public(struct signer *s)
{
    const char *line;

    if (strncmp(s->name, "env:", 4) != 0)
        return keys_read_public(s->name, s->public);
    line = getenv(s->name + 4);
    if (line == NULL)
        return diag_error(DIAG_KEY, "'%s': the variable is not set", s->name);
    return keys_take_public(s->name, line, strlen(line), s->public);
}

/* A program that is named by a path is found from the configuration's folder,
 * like every other file that it names. */
static char *program_of(const struct config *c)
{
    const char *text = c->sign_command[0].text;
    char *copy;

    if (strchr(text, '/') != NULL)
        return config_resolve(c, text);
    copy = strdup(text);
    if (copy == NULL)
        diag_no_memory();
    return copy;
}

static size_t words_size(const struct config *c)
{
    size_t size = 1;

    for (size_t i = 1; i < c->sign_command_count; i++)
        size += strlen(c->sign_command[i].text) + 1;
    return size;
}

static int make_arguments(struct signer *s, const struct config *c)
{
    size_t count = c->sign_command_count;
    char **argv = calloc(count + 1, sizeof *argv);
    char *at = malloc(words_size(c));

    s->command.argv = argv;
    s->words = at;
    s->program = program_of(c);
    if (s->program == NULL)
        return -1;
    if (argv == NULL || at == NULL)
        return diag_no_memory();
    argv[0] = s->program;
    for (size_t i = 1; i < count; i++) {
        size_t size = strlen(c->sign_command[i].text) + 1;
        argv[i] = memcpy(at, c->sign_command[i].text, size);
        at += size;
    }
    return 0;
}

static int open_command(struct signer *s, const struct config *c)
{
    struct keys_command *command = &s->command;

    if (make_arguments(s, c) != 0)
        return -1;
    command->public = s->public;
    command->processes =
        s->jobs < KEYS_COMMAND_JOBS ? s->jobs : KEYS_COMMAND_JOBS;
    command->timeout_ms = KEYS_COMMAND_TIMEOUT_MS;
    return open_public(s);
}

/* A file is looked for from the configuration's folder.  A secret key itself
 * would be shown as a file that is not there. */
static char *key_name(const struct config *c)
{
    uint8_t key[KEYS_SECRET];
    const char *text = c->key.text;
    size_t len = keys_text_decode(text, strlen(text), key, sizeof key);
    char *copy;

    sodium_memzero(key, sizeof key);
    if (len == KEYS_SECRET) {
        diag_error(DIAG_KEY,
                   "'%s' contains the secret key itself: put that into a file "
                   "of its own and name it, and do not share '%s'",
                   c->path, c->path);
        return NULL;
    }
    if (strncmp(text, "env:", 4) != 0 && len != OTA_PUBLIC_KEY)
        return config_resolve(c, text);
    copy = strdup(text);
    if (copy == NULL)
        diag_no_memory();
    return copy;
}

static bool is_missing(const char *name)
{
    return strncmp(name, "env:", 4) != 0 && access(name, F_OK) != 0 &&
           errno == ENOENT;
}

static int __attribute__((format(printf, 3, 4)))
report_key(enum diag_level level, const struct config *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_report(level, DIAG_KEY, c->key.mark, fmt, ap);
    va_end(ap);
    return -1;
}

static int say_missing(enum diag_level level, const struct config *c,
                       const char *name)
{
    size_t len = strlen(name);

    if (len > 4 && strcmp(name + len - 4, ".key") == 0)
        len -= 4;
    return report_key(level, c,
                      "there is no key file '%s': copy the one that your "
                      "devices trust, or make a first one with 'ota-pack "
                      "keygen %.*s'",
                      name, (int)len, name);
}

static int open_any(struct signer *s, const struct config *c)
{
    if (c->key.text == NULL)
        return diag_error(DIAG_KEY,
                          "'%s' names no key: add 'key: release.key' "
                          "('ota-pack keygen release' makes one)",
                          c->path);
    s->name = key_name(c);
    if (s->name == NULL)
        return -1;
    if (c->sign_command_count > 0)
        return open_command(s, c);
    if (is_missing(s->name))
        return say_missing(DIAG_ERROR, c, s->name);
    return open_file(s);
}

static bool is_unset(const char *name)
{
    const char *value =
        strncmp(name, "env:", 4) == 0 ? getenv(name + 4) : "set";

    return !value || !*value;
}

int signer_try(struct signer *s)
{
    return s->secret && !s->secret->unlocked && keys_password_ready()
               ? unlock(s)
               : 0;
}

/* A signer for a look: the variable stays, a password is not asked for. */
static int try_secret(char *name)
{
    struct signer s = {.name = name};
    int result = keys_secret_look(name, &s.secret);
    char *pub = NULL;

    if (result == 0 && strncmp(name, "env:", 4) != 0) {
        pub = pub_beside(name);
        if (pub && access(pub, F_OK) == 0) {
            s.pub_name = pub;
            result = keys_read_public(pub, s.public);
        }
    }
    if (result == 0)
        result = s.secret->unlocked ? take_public(&s) : signer_try(&s);
    keys_secret_free(s.secret);
    free(pub);
    return result;
}

static int try_public(char *name)
{
    struct signer s = {.name = name};

    return open_public(&s);
}

int signer_look(const struct config *c)
{
    char *name = c->key.text ? key_name(c) : NULL;
    bool command = c->sign_command_count > 0;
    int result = 0;

    if (name == NULL)
        return c->key.text ? -1 : 0;
    if (is_unset(name))
        report_key(DIAG_WARNING, c,
                   "the variable '%s' is not set: 'publish' needs it",
                   name + strlen("env:"));
    else if (is_missing(name))
        say_missing(DIAG_WARNING, c, name);
    else
        result = command ? try_public(name) : try_secret(name);
    free(name);
    return result;
}

/* The text of a variable or a file, silently; `buf` has KEYS_TEXT_MAX bytes.
 * Returns its length, 0 if there is none. */
static size_t peek_text(const char *name, char *buf)
{
    const char *value;
    size_t len = 0;
    struct stat st;
    ssize_t n = 0;
    int fd;

    if (strncmp(name, "env:", 4) == 0) {
        value = getenv(name + 4);
        len = value ? strlen(value) : 0;
        if (len >= KEYS_TEXT_MAX)
            return 0;
        if (len)
            memcpy(buf, value, len);
        return len;
    }
    if (stat(name, &st) != 0 || !S_ISREG(st.st_mode)) /* no pipe */
        return 0;
    if ((fd = open(name, O_RDONLY | O_CLOEXEC)) >= 0) {
        n = file_read(fd, buf, KEYS_TEXT_MAX);
        close(fd);
    }
    return n > 0 ? (size_t)n : 0;
}

/* Whether the file or variable has a key whose public half is in the open. */
static bool peek(const char *name, char *buf, uint8_t key[OTA_PUBLIC_KEY])
{
    uint8_t wire[KEYS_SECRET];
    size_t chars, len = peek_text(name, buf);
    size_t got = len ? keys_token_find(buf, len, wire, &chars) : 0;
    bool found = got == OTA_PUBLIC_KEY;

    if (found)
        memcpy(key, wire, OTA_PUBLIC_KEY);
    else if (got == KEYS_SECRET)
        found = keys_secret_public(wire, key);
    sodium_memzero(wire, sizeof wire);
    return found;
}

bool signer_peek(const struct config *c, uint8_t key[OTA_PUBLIC_KEY])
{
    const char *text = c->key.text;
    bool env = text && strncmp(text, "env:", 4) == 0, found = false;
    char *name = !text ? NULL : env ? strdup(text) : config_resolve(c, text);
    char *buf = name ? keys_text_alloc(KEYS_TEXT_MAX) : NULL;
    char *pub = buf && !env ? pub_beside(name) : NULL;

    if (buf)
        found = peek(name, buf, key) || (pub && peek(pub, buf, key));
    keys_text_free(buf);
    free(pub);
    free(name);
    return found;
}

int signer_open(const struct config *c, unsigned jobs, struct signer **out)
{
    struct signer *s = calloc(1, sizeof *s);

    *out = NULL;
    if (s == NULL || sodium_init() < 0) {
        free(s);
        return diag_no_memory();
    }
    s->jobs = jobs > 0 ? jobs : 1;
    if (open_any(s, c) != 0) {
        signer_free(s);
        return -1;
    }
    *out = s;
    return 0;
}

void signer_free(struct signer *s)
{
    if (s == NULL)
        return;
    keys_secret_free(s->secret);
    free(s->command.argv);
    free(s->program);
    free(s->words);
    free(s->pub_name);
    free(s->name);
    free(s);
}

const uint8_t *signer_public(const struct signer *s)
{
    return s->public;
}

/* What one thread signs. */
struct share {
    const uint8_t *key;
    const struct signer_job *jobs;
    size_t count;
};

static void *sign_share(void *arg)
{
    const struct share *share = arg;

    for (size_t i = 0; i < share->count; i++) {
        const struct signer_job *job = &share->jobs[i];
        crypto_sign_detached(job->signature, NULL, job->message, job->len,
                             share->key);
    }
    return NULL;
}

static size_t share_count(const struct signer *s, size_t count)
{
    size_t n = count / SHARE_LEAST;

    if (n > s->jobs)
        n = s->jobs;
    if (n > SHARES)
        n = SHARES;
    return n > 0 ? n : 1;
}

static void sign_all(const struct signer *s, const struct signer_job *jobs,
                     size_t count)
{
    struct share shares[SHARES];
    pthread_t threads[SHARES];
    bool running[SHARES] = {false};
    size_t n = share_count(s, count), begin = 0;

    for (size_t i = 0; i < n; i++) {
        size_t end = count / n * (i + 1) + (i + 1 == n ? count % n : 0);
        shares[i] = (struct share){keys_secret_key(s->secret), jobs + begin,
                                   end - begin};
        begin = end;
        if (i + 1 < n)
            running[i] =
                pthread_create(&threads[i], NULL, sign_share, &shares[i]) == 0;
        if (!running[i])
            sign_share(&shares[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (running[i])
            pthread_join(threads[i], NULL);
}

static int check_first(struct signer *s, const struct signer_job *job)
{
    if (!s->checked &&
        crypto_sign_verify_detached(job->signature, job->message, job->len,
                                    s->public + KEY_KEY) != 0)
        return diag_error(DIAG_KEY,
                          "a signature of '%s' did not verify: this machine "
                          "makes mistakes in arithmetic",
                          s->name);
    s->checked = true;
    return 0;
}

int signer_sign(struct signer *s, const struct signer_job *jobs, size_t count)
{
    if (count == 0)
        return 0;
    if (s->secret == NULL)
        return keys_command_sign(&s->command, jobs, count);
    if (unlock(s) != 0)
        return -1;
    sign_all(s, jobs, count);
    return check_first(s, &jobs[0]);
}
