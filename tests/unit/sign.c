/* Manifests for devices, .otab files, temporary files, the time. */
#include "keys_help.h"
#include "pack/sign.h"
#include "base/tempfile.h"
#include <sys/resource.h>
#include <signal.h>
#include <sys/wait.h>

static const struct device_id devices[] = {
    {{0x24, 0x6f, 0x28, 0xaa, 0xbb, 0xcc, 0, 0}, 6},
    {{0x24, 0x6f, 0x28, 0xaa, 0xbb, 0xcd, 0, 0}, 6},
    {{1, 2, 3, 4, 5, 6, 7, 8}, 8},
};
enum { DEVICES = sizeof devices / sizeof *devices };

static struct ota_alternative alternative(void)
{
    struct ota_alternative a;

    memset(&a, 0, sizeof a);
    a.size = 35;
    a.window_bits = 9;
    a.chunk_max = 128;
    a.link[0] = 35;
    a.link[1] = 0x80;
    return a;
}

static struct sign_request request_of(const struct ota_alternative *a,
                                      const struct device_id *id,
                                      uint32_t version)
{
    struct sign_request r;

    memset(&r, 0, sizeof r);
    r.manifest.alternatives = 1;
    r.manifest.version = version;
    r.manifest.created = 1790000000;
    r.manifest.hardware = 3;
    strcpy(r.manifest.label, "2026.11");
    r.alternatives = a;
    r.id = id;
    return r;
}

static int check_one(const struct sign_manifest *m, const struct device_id *id,
                     const uint8_t (*keys)[OTA_PUBLIC_KEY],
                     struct ota_manifest *out)
{
    struct ota_device device;

    memset(&device, 0, sizeof device);
    memcpy(device.id, id->bytes, 8);
    device.id_len = id->len;
    device.keys = keys;
    device.key_count = 1;
    return ota_manifest_check(out, m->bytes, m->len, &device);
}

static void test_manifests(void)
{
    struct config c = config_of("release.key");
    struct ota_alternative a[DEVICES];
    struct sign_request r[DEVICES];
    struct sign_manifest out[DEVICES];
    struct ota_manifest m;
    uint8_t keys[1][OTA_PUBLIC_KEY];
    struct signer *s;

    put_text("release.key", KEY_FILE, 0600);
    if (!check(signer_open(&c, 2, &s) == 0, "open"))
        return;
    memcpy(keys[0], signer_public(s), OTA_PUBLIC_KEY);
    for (uint32_t i = 0; i < DEVICES; i++) {
        a[i] = alternative();
        a[i].link[2] = (uint8_t)i;
        r[i] = request_of(&a[i], &devices[i], 7 + i);
    }
    check(sign_manifests(s, r, DEVICES, out) == 0, "three are signed");
    for (int i = 0; i < DEVICES; i++)
        check(check_one(&out[i], &devices[i], (const uint8_t(*)[42])keys, &m) ==
                      OTA_OK &&
                  m.version == 7 + (uint32_t)i && m.hardware == 3 &&
                  strcmp(m.label, "2026.11") == 0 && out[i].bytes[96 + 32] == i,
              "device %d accepts its own", i);
    check(check_one(&out[0], &devices[1], (const uint8_t(*)[42])keys, &m) ==
              OTA_ERR_DEVICE,
          "and not another's");
    check(sign_manifests(s, r, 0, out) == 0, "none is fine");
    signer_free(s);
}

static bool holds(const char *path, const char *text)
{
    char buf[256] = "";
    FILE *f = fopen(path, "r");
    size_t n = f != NULL ? fread(buf, 1, sizeof buf - 1, f) : 0;

    if (f != NULL)
        fclose(f);
    return f != NULL && n == strlen(text) && strcmp(buf, text) == 0;
}

static bool empty(const char *dir)
{
    char command[128];

    snprintf(command, sizeof command, "test -z \"$(ls -A '%s')\"", dir);
    return system(command) == 0;
}

static int write_otab(const char *path, const char *payload)
{
    struct sign_manifest m = {3, "man"};
    struct payload p;

    int rc;

    memset(&p, 0, sizeof p);
    p.bytes = (uint8_t *)strdup(payload);
    p.alt.size = (uint32_t)strlen(payload);
    rc = p.bytes != NULL ? sign_write_otab(path, &m, &p) : -1;
    free(p.bytes);
    return rc;
}

/* What a full disk does: a limit that a write runs into. */
static void test_full(void)
{
    static char large[100000];
    struct rlimit old, limit;

    memset(large, 'x', sizeof large - 1);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    limit = old;
    limit.rlim_cur = 5000;
    setrlimit(RLIMIT_FSIZE, &limit);
    check(write_otab("out/a/7.otab", large) != 0 &&
              heard("cannot write 'out/a/7.otab'") &&
              holds("out/a/7.otab", "manload"),
          "a full disk: what was there stays");
    check(write_otab("full/x/y/7.otab", large) != 0 &&
              access("full", F_OK) != 0,
          "and no folder stays that was made for it");
    setrlimit(RLIMIT_FSIZE, &old);
    check(unlink("out/a/7.otab") == 0 && empty("out/a"),
          "and no temporary file");
}

static void test_otab(void)
{
    check(write_otab("out/a/7.otab", "pay") == 0 &&
              holds("out/a/7.otab", "manpay"),
          "folders are made, the file is whole");
    check(write_otab("out/a/7.otab", "load") == 0 &&
              holds("out/a/7.otab", "manload"),
          "it is replaced");
    check(write_otab("7.otab", "pay") == 0 && holds("7.otab", "manpay"),
          "in this folder");
    check(write_otab("7.otab/8.otab", "pay") != 0 &&
              heard("cannot write '7.otab/8.otab': Not a directory"),
          "below a file");
    test_full();
}

static void test_tempfile(void)
{
    struct tempfile t = TEMPFILE_NONE, u = TEMPFILE_NONE;

    check(mkdir("t", 0700) == 0 && tempfile_open(&t, "t/new", 0644) == 0 &&
              tempfile_write(&t, "new", 3) == 0 && access("t/new", F_OK) != 0,
          "not there before it is whole");
    check(tempfile_open(&u, "t/new", 0644) == 0 &&
              tempfile_write(&u, "other", 5) == 0,
          "two for one name");
    check(tempfile_commit_new(&t) == 0 && holds("t/new", "new"), "then it is");
    check(tempfile_commit_new(&u) != 0 &&
              heard("cannot write 't/new': File exists") && u.fd < 0 &&
              holds("t/new", "new"),
          "not over one that is there");
    check(tempfile_open(&t, "t/new", 0644) == 0 && tempfile_commit(&t) == 0 &&
              holds("t/new", ""),
          "unless that is asked for");
    check(tempfile_open(&t, "none/new", 0644) != 0 &&
              heard("cannot write 'none/new': No such file"),
          "no such folder");
    unlink("t/new");
    check(tempfile_open(&t, "t/a", 0644) == 0, "one is open");
    tempfile_discard(&t);
    tempfile_discard(&t);
    check(empty("t"), "nothing is left of what was discarded");
}

static void on_term(int sig)
{
    tempfile_cleanup();
    _exit(sig);
}

static void test_signal(void)
{
    struct sigaction action;
    struct tempfile t, u;
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        memset(&action, 0, sizeof action);
        action.sa_handler = on_term;
        sigaction(SIGTERM, &action, NULL);
        tempfile_open(&t, "t/a", 0644);
        tempfile_open(&u, "t/b", 0644);
        tempfile_commit(&u);
        raise(SIGTERM);
        _exit(1);
    }
    check(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == SIGTERM &&
              access("t/b", F_OK) == 0 && unlink("t/b") == 0 && empty("t"),
          "a signal leaves what is whole and no temporary file");
}

static void test_time(void)
{
    static const char *const bad[] = {"x",  "12x", "-1",
                                      " 1", "1e9", "99999999999999999999"};
    uint64_t now;

    setenv("SOURCE_DATE_EPOCH", "1790000000", 1);
    check(sign_time(&now) == 0 && now == 1790000000, "SOURCE_DATE_EPOCH");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        setenv("SOURCE_DATE_EPOCH", bad[i], 1);
        check(sign_time(&now) != 0 && said_kind == DIAG_USAGE &&
                  heard("seconds since 1970"),
              "'%s' is refused", bad[i]);
    }
    unsetenv("SOURCE_DATE_EPOCH");
    check(sign_time(&now) == 0 && now > 1600000000, "else the clock");
}

int main(void)
{
    begin();
    test_manifests();
    test_otab();
    test_tempfile();
    test_signal();
    test_time();
    return end();
}
