/* Key files: read, refused, unlocked, made. */
#include "keys_help.h"

static const char message[] = "to be signed";

/* Opens, signs, verifies; -1 where that fails. */
static int sign_with(const char *key, uint8_t public[OTA_PUBLIC_KEY])
{
    struct config c = config_of(key);
    uint8_t signature[64];
    struct signer_job job = {(const uint8_t *)message, sizeof message, NULL,
                             signature};
    struct signer *s;
    int rc = -1;

    if (signer_open(&c, 1, &s) != 0)
        return -1;
    memcpy(public, signer_public(s), OTA_PUBLIC_KEY);
    if (signer_sign(s, &job, 1) == 0 &&
        verifies(public, signature, message, sizeof message))
        rc = 0;
    signer_free(s);
    return rc;
}

static void test_public(void)
{
    static const struct {
        const char *what, *text, *error;
    } cases[] = {
        {"a minisign file", PUB_FILE, NULL},
        {"a line alone", PUB_LINE, NULL},
        {"line ends of Windows", "untrusted comment: x\r\n" PUB_LINE "\r\n",
         NULL},
        {"a secret key", KEY_FILE, "is a secret key"},
        {"an empty file", "", "is not a minisign public key"},
        {"a comment alone", "untrusted comment: x\n",
         "is not a minisign public key"},
        {"a character too few", "RWTNPU60hf1pX6SwF8sNWvFb",
         "is not a minisign public key"},
        {"another algorithm",
         "RUTNPU60hf1pX6SwF8sNWvFbE8BrxvP7VAxjF9kPOf3XJExgw+RtWgEe",
         "is not a minisign public key"},
    };
    uint8_t key[OTA_PUBLIC_KEY];
    char id[KEYS_ID_TEXT];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_text("x.pub", cases[i].text, 0644);
        if (cases[i].error == NULL)
            check(keys_read_public("x.pub", key) == 0, "public: %s",
                  cases[i].what);
        else
            check(keys_read_public("x.pub", key) != 0 &&
                      heard(cases[i].error) && said_kind == DIAG_KEY,
                  "public: %s is refused", cases[i].what);
    }
    check(keys_read_public(PUB_LINE, key) == 0, "public: no file but the line");
    keys_id_text(key + 2, id);
    check(strcmp(id, KEY_ID) == 0, "the id as minisign prints it");
    check(keys_read_public("none.pub", key) != 0 &&
              heard("cannot read 'none.pub': No such file"),
          "public: a missing file");
    check(keys_read_public(KEY_LINE, key) != 0 && unsaid(KEY_LINE) &&
              heard("is a secret key"),
          "public: a secret key's line is refused and not shown");
}

static void test_plain(void)
{
    uint8_t public[OTA_PUBLIC_KEY], wire[KEYS_SECRET];
    char line[KEYS_SECRET_LINE];

    put_text("release.key", KEY_FILE, 0600);
    check(sign_with("release.key", public) == 0, "a key of minisign -G -W");
    check(said[0] == '\0', "nothing is said");
    put_text("release.pub", PUB_FILE, 0644);
    check(sign_with("release.key", public) == 0, "with its .pub beside it");
    put_text("release.pub", OTHER_PUB_LINE, 0644);
    check(sign_with("release.key", public) != 0 &&
              heard("'release.pub' (347f92c85dc85834) is not the public key of "
                    "'release.key' (" KEY_ID ")"),
          "with another .pub beside it");
    put_text("release.pub", "", 0644);
    check(sign_with("release.key", public) != 0 &&
              heard("'release.pub' is not a minisign public key"),
          "with an empty .pub beside it");
    unlink("release.pub");
    chmod("release.key", 0640);
    check(sign_with("release.key", public) == 0 &&
              heard("can be read by others: chmod 600 'release.key'"),
          "a warning where others can read it");
    put_text("release.key", PUB_FILE, 0600);
    check(sign_with("release.key", public) != 0 && heard("is a public key"),
          "a public key for a secret one");
    for (int at = 0; at < KEYS_SECRET; at += at < 8 ? 1 : 23) {
        keys_text_decode(KEY_LINE, strlen(KEY_LINE), wire, sizeof wire);
        wire[at] ^= 1;
        sodium_bin2base64(line, sizeof line, wire, sizeof wire,
                          sodium_base64_VARIANT_ORIGINAL);
        put_text("release.key", line, 0600);
        if (at < 6 || at >= 62)
            check(sign_with("release.key", public) != 0 &&
                      heard("release.key' is "),
                  "damaged at %d: refused", at);
    }
}

static void test_variable(void)
{
    uint8_t public[OTA_PUBLIC_KEY];

    setenv("RELEASE_KEY", KEY_LINE, 1);
    check(sign_with("env:RELEASE_KEY", public) == 0, "env: the base64 line");
    check(getenv("RELEASE_KEY") == NULL, "the variable is gone");
    check(sign_with("env:RELEASE_KEY", public) != 0 &&
              heard("'env:RELEASE_KEY': the variable is not set"),
          "env: not set");
    setenv("RELEASE_KEY", KEY_FILE, 1);
    check(sign_with("env:RELEASE_KEY", public) == 0, "env: the whole file");
    check(sign_with(KEY_LINE, public) != 0 && unsaid(KEY_LINE) &&
              heard("contains the secret key itself"),
          "a secret key in the configuration is refused and not shown");
}

static void test_locked(void)
{
    struct config c = config_of("locked.key");
    uint8_t public[OTA_PUBLIC_KEY];
    struct signer *s;

    put_locked("locked.key", "open sesame", 1 << 15, 1 << 20);
    setenv("OTA_PACK_PASSWORD", "open sesame", 1);
    check(sign_with("locked.key", public) == 0 && heard("unlocking key..."),
          "a password, and no .pub");
    check(getenv("OTA_PACK_PASSWORD") == NULL, "the variable is gone");
    put_text("locked.pub", PUB_FILE, 0644);
    check(signer_open(&c, 1, &s) == 0 && said[0] == '\0',
          "with its .pub nothing is asked before it signs");
    signer_free(s);
    setenv("OTA_PACK_PASSWORD", "open sesam", 1);
    check(sign_with("locked.key", public) != 0 &&
              heard("wrong password for 'locked.key'") && said_kind == DIAG_KEY,
          "a wrong password");
    put_text("locked.pub", OTHER_PUB_LINE, 0644);
    setenv("OTA_PACK_PASSWORD", "open sesame", 1);
    check(sign_with("locked.key", public) != 0 &&
              heard("is not the public key of 'locked.key'"),
          "unlocked, and the .pub is another's");
    unlink("locked.pub");
}

static void test_limits(void)
{
    static const struct {
        uint64_t ops, mem;
    } cases[] = {
        {UINT64_C(1) << 28, UINT64_C(1) << 33},
        {1 << 15, UINT64_C(1) << 40},
        {UINT64_C(1) << 40, UINT64_C(1) << 30},
        {UINT64_MAX, UINT64_MAX},
        {1 << 25, 1 << 10},
    };
    uint8_t public[OTA_PUBLIC_KEY];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_locked("hostile.key", "x", cases[i].ops, cases[i].mem);
        setenv("OTA_PACK_PASSWORD", "x", 1);
        check(sign_with("hostile.key", public) != 0 &&
                  heard("asks for more work than any minisign key"),
              "limits %zu are refused", i);
    }
}

static void test_generate(void)
{
    struct stat key, pub;
    uint8_t public[OTA_PUBLIC_KEY], again[OTA_PUBLIC_KEY];

    check(keys_generate("new", NULL) == 0, "a new pair");
    check(stat("new.key", &key) == 0 && (key.st_mode & 07777) == 0600 &&
              stat("new.pub", &pub) == 0 && (pub.st_mode & 07777) == 0644,
          "its modes");
    check(keys_read_public("new.pub", again) == 0 &&
              sign_with("new.key", public) == 0 &&
              memcmp(public, again, sizeof public) == 0,
          "it signs");
    unlink("new.pub");
    check(keys_generate("new", NULL) != 0 &&
              heard("'new.key' already exists") && said_kind == DIAG_KEY &&
              access("new.pub", F_OK) != 0,
          "a key is not written over");
    rename("new.key", "moved.key");
    put_text("new.pub", "mine", 0644);
    check(keys_generate("new", NULL) != 0 &&
              heard("'new.pub' already exists") && access("new.key", F_OK) != 0,
          "nor a .pub");
    check(keys_generate("none/new", NULL) != 0 &&
              heard("cannot write 'none/new.key'"),
          "a folder that is not there");
    check(system("ls *.part* 2>/dev/null | grep -q .") != 0,
          "no temporary file is left");
}

/* More than one thread takes. */
static void test_many(void)
{
    enum { COUNT = 1000 };
    static uint8_t signatures[COUNT][64];
    static struct signer_job jobs[COUNT];
    struct config c = config_of("moved.key");
    struct signer *s;
    size_t good = 0;

    if (!check(signer_open(&c, 3, &s) == 0, "open"))
        return;
    for (uint32_t i = 0; i < COUNT; i++)
        jobs[i] = (struct signer_job){(const uint8_t *)message, i % 12, NULL,
                                      signatures[i]};
    check(signer_sign(s, jobs, COUNT) == 0, "many are signed at once");
    for (size_t i = 0; i < COUNT; i++)
        good += verifies(signer_public(s), signatures[i], message, i % 12);
    check(good == COUNT, "each is right");
    signer_free(s);
}

int main(void)
{
    begin();
    test_public();
    test_plain();
    test_variable();
    test_locked();
    test_limits();
    test_generate();
    test_many();
    return end();
}
