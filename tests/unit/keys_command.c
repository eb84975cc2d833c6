/* sign_command: this program is the command, and the one that runs it. */
#include "keys_help.h"
#include "keys/keys_command.h"
#include <signal.h>
#include <time.h>

static const char message[] = "a manifest";
static char self[4096];

/* What the command does, by its argument; the secret key is the known one. */
static int command(const char *how)
{
    static uint8_t in[4096], wire[KEYS_SECRET], signature[64];
    char text[128];
    ssize_t len = read(STDIN_FILENO, in, sizeof in);

    keys_text_decode(KEY_LINE, strlen(KEY_LINE), wire, sizeof wire);
    if (len < 0 || sodium_init() < 0)
        return 1;
    crypto_sign_detached(signature, NULL, in, (size_t)len, wire + 62);
    sodium_bin2base64(text, sizeof text, signature, 64,
                      sodium_base64_VARIANT_ORIGINAL);
    if (strcmp(how, "raw") == 0)
        return fwrite(signature, 1, 64, stdout) != 64;
    if (strcmp(how, "base64") == 0)
        return puts(text) < 0;
    if (strcmp(how, "environment") == 0) {
        const char *id = getenv("OTA_PACK_KEY_ID");
        const char *device = getenv("OTA_PACK_DEVICE");
        const char *want = getenv("WANT_DEVICE");
        if (id == NULL || strcmp(id, KEY_ID) != 0 ||
            (want == NULL) != (device == NULL) ||
            (want != NULL && strcmp(want, device) != 0) ||
            getenv("OTA_PACK_PASSWORD") != NULL)
            return 7;
        return puts(text) < 0;
    }
    if (strcmp(how, "forged") == 0) {
        signature[40] ^= 1;
        return fwrite(signature, 1, 64, stdout) != 64;
    }
    if (strcmp(how, "short") == 0)
        return fwrite(signature, 1, 63, stdout) != 63;
    if (strcmp(how, "long") == 0)
        return printf("%*s", 5000, "x") < 0;
    if (strcmp(how, "hangs") == 0)
        return (int)sleep(20);
    if (strcmp(how, "hangs-silently") == 0) {
        fclose(stdout);
        return (int)sleep(20);
    }
    if (strcmp(how, "killed") == 0)
        return raise(SIGTERM);
    return 3;
}

static int sign(const char *program, const char *how, size_t count,
                unsigned processes)
{
    static uint8_t signatures[64][64];
    static struct signer_job jobs[64];
    uint8_t public[OTA_PUBLIC_KEY];
    char name[sizeof self], word[32];
    char *argv[] = {name, word, NULL};
    struct keys_command c = {argv, public, processes,
                             strncmp(how, "hangs", 5) == 0 ? 300 : 30000};

    snprintf(name, sizeof name, "%s", program);
    snprintf(word, sizeof word, "%s", how);
    keys_read_public(PUB_LINE, public);
    for (size_t i = 0; i < count; i++)
        jobs[i] = (struct signer_job){(const uint8_t *)message,
                                      sizeof message - i % 8,
                                      getenv("WANT_DEVICE"), signatures[i]};
    if (keys_command_sign(&c, jobs, count) != 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (!verifies(public, signatures[i], message, sizeof message - i % 8))
            return -1;
    return 0;
}

static void test_good(void)
{
    check(sign(self, "raw", 1, 1) == 0, "64 raw bytes");
    check(sign(self, "base64", 1, 1) == 0, "base64 with a newline");
    check(sign(self, "raw", 30, 4) == 0, "30 messages, 4 at once");
    check(sign(self, "raw", 2, 8) == 0, "fewer than at once");
    check(sign(self, "environment", 1, 1) == 0, "no device for an index");
    setenv("WANT_DEVICE", "246f28aabbcc", 1);
    setenv("OTA_PACK_DEVICE", "somebody else", 1);
    setenv("OTA_PACK_KEY_ID", "somebody else", 1);
    setenv("OTA_PACK_PASSWORD", "ours", 1);
    check(sign(self, "environment", 3, 2) == 0,
          "key id and device, and no password");
    unsetenv("OTA_PACK_PASSWORD");
}

static void test_bad(void)
{
    static const struct {
        const char *how, *error;
    } cases[] = {
        {"forged", "does not fit key " KEY_ID},
        {"short", "printed 63 bytes that are not a signature"},
        {"long", "printed more than a signature"},
        {"hangs", "took longer than"},
        {"hangs-silently", "took longer than"},
        {"killed", "was ended by signal 15"},
        {"fails", "failed with exit status 3"},
    };
    struct timespec from, to;

    clock_gettime(CLOCK_MONOTONIC, &from);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(sign(self, cases[i].how, 3, 2) != 0 && heard(cases[i].error) &&
                  said_kind == DIAG_KEY,
              "%s: refused", cases[i].how);
    clock_gettime(CLOCK_MONOTONIC, &to);
    check(to.tv_sec - from.tv_sec < 15, "what hangs is killed");
    check(sign("no-such-program", "x", 1, 1) != 0 &&
              heard("sign_command 'no-such-program' for device 246f28aabbcc "
                    "cannot be run: No such file"),
          "a program that is not there");
    check(sign("true", "x", 1, 1) != 0 && heard("printed 0 bytes"),
          "a program that is found by PATH and says nothing");
}

/* From a configuration: the key is the public one. */
static void test_signer(void)
{
    struct config_text words[] = {{.text = self}, {.text = "raw"}};
    struct config c = config_of("release.pub");
    uint8_t signature[64];
    struct signer_job job = {(const uint8_t *)message, sizeof message, NULL,
                             signature};
    struct signer *s;

    c.sign_command = words;
    c.sign_command_count = 2;
    put_text("release.pub", PUB_FILE, 0644);
    check(signer_open(&c, 2, &s) == 0, "a signer with a command");
    check(signer_sign(s, &job, 1) == 0 &&
              verifies(signer_public(s), signature, message, sizeof message),
          "it signs");
    signer_free(s);
    put_text("release.pub", OTHER_PUB_LINE, 0644);
    check(signer_open(&c, 2, &s) == 0 && signer_sign(s, &job, 1) != 0 &&
              heard("does not fit key 347f92c85dc85834"),
          "the key of another");
    signer_free(s);
    put_text("release.pub", KEY_FILE, 0600);
    check(signer_open(&c, 2, &s) != 0 && s == NULL && heard("is a secret key"),
          "a secret key beside a command");
    c = config_of("env:PUBLIC");
    c.sign_command = words;
    c.sign_command_count = 2;
    setenv("PUBLIC", KEY_LINE, 1);
    check(signer_open(&c, 2, &s) != 0 && unsaid(KEY_LINE) &&
              heard("'env:PUBLIC' is a secret key"),
          "a secret key in the variable is not shown");
    setenv("PUBLIC", PUB_FILE, 1);
    check(signer_open(&c, 2, &s) == 0, "the public one in the variable");
    signer_free(s);
}

int main(int argc, char **argv)
{
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (argc == 2)
        return command(argv[1]);
    if (len <= 0)
        return 1;
    begin();
    test_good();
    test_bad();
    test_signer();
    return end();
}
