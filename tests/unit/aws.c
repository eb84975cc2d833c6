/* Access keys of S3: profile files as people and tools write them, and which
 * of variables, files and settings wins. */
#include "keys_help.h"
#include "store/sha256.h"
#include "store/aws.h"

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* "id secret token region", "-" for what is not there. */
static bool is(const struct store_aws *a, const char *want)
{
    char text[512];

    snprintf(text, sizeof text, "%s %s %s %s", a->id ? a->id : "-",
             a->secret ? a->secret : "-", a->token ? a->token : "-",
             a->region ? a->region : "-");
    if (!same(text, want))
        printf("# is: %s\n", text);
    return same(text, want);
}

#define KEYS(id) "aws_access_key_id = " id "\naws_secret_access_key = s" id "\n"

static const struct {
    const char *what, *text, *name;
    bool config, found;
    const char *want, *other;
} files[] = {
    {"nothing", "", "default", 0, 0, "- - - -", 0},
    {"the default", "[default]\n" KEYS("A"), "default", 0, 1, "A sA - -", 0},
    {"another", "[default]\n" KEYS("A") "[b]\n" KEYS("B") "[c]\n" KEYS("C"),
     "b", 0, 1, "B sB - -", 0},
    {"one that is not there", "[a]\n" KEYS("A"), "b", 0, 0, "- - - -", 0},
    {"a name that begins like it", "[ab]\n" KEYS("A"), "a", 0, 0, "- - - -", 0},
    {"a token and a region",
     "[a]\n" KEYS("A") "aws_session_token=T==\nregion=eu-north-1\n", "a", 0, 1,
     "A sA T== eu-north-1", 0},
    {"no blanks, many blanks, CRLF",
     "[ a ]\r\naws_access_key_id=A\r\n aws_secret_access_key\t = \tS/+= \r\n",
     "a", 0, 1, "A - - -", 0},
    {"the whole of a section further in",
     "[a]\n  aws_access_key_id = A\n  aws_secret_access_key = S\n", "a", 0, 1,
     "A S - -", 0},
    {"no newline at the end", "[a]\nregion = x", "a", 0, 1, "- - - x", 0},
    {"remarks",
     "# [a]\n; aws_access_key_id = X\n[a] # so\nregion = x ; or y\n"
     "aws_access_key_id = A#B # C\n",
     "a", 0, 1, "A#B - - x", 0},
    {"settings of settings",
     "[profile a]\nregion = x\ns3 =\n  region = y\n  max = 2\n"
     "services = z\n",
     "a", 1, 1, "- - - x", 0},
    {"the last of two counts", "[a]\nregion = x\n[b]\n[a]\nregion = y\n", "a",
     0, 1, "- - - y", 0},
    {"an empty value is none", "[a]\nregion = x\nregion =\n", "a", 0, 1,
     "- - - -", 0},
    {"config says profile", "[a]\nregion = x\n[profile a]\nregion = y\n", "a",
     1, 1, "- - - y", 0},
    {"config's default", "[default]\nregion = x\n", "default", 1, 1, "- - - x",
     0},
    {"config's profile default", "[profile default]\nregion = x\n", "default",
     1, 1, "- - - x", 0},
    {"the other file does not", "[profile a]\nregion = y\n", "a", 0, 0,
     "- - - -", 0},
    {"a name in quotes", "[profile \"my own\"]\nregion = y\n", "my own", 1, 1,
     "- - - y", 0},
    {"a section without an end", "[a\nregion = y\n", "a", 0, 0, "- - - -", 0},
    {"keys before any section", KEYS("A") "[a]\n", "a", 0, 1, "- - - -", 0},
    {"lines that are none", "[a]\nregion\n=\n= x\n[]\n[ ]\n]\n", "a", 0, 1,
     "- - - -", 0},
    {"from a program", "[a]\ncredential_process = /bin/x\n", "a", 0, 1,
     "- - - -", "credential_process"},
    {"a role comes first",
     "[profile a]\nrole_arn = arn:aws:iam::1:role/x\nsso_session = y\n", "a", 1,
     1, "- - - -", "role_arn"},
    {"another's role", "[profile b]\nrole_arn = arn\n[profile a]\n", "a", 1, 1,
     "- - - -", NULL},
};

static void test_files(void)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct store_aws a;
        const char *other;
        bool found = store_aws_profile(files[i].text, files[i].config,
                                       files[i].name, &a, &other);

        check(found == files[i].found && is(&a, files[i].want) &&
                  same(other, files[i].other),
              "%s", files[i].what);
        store_aws_release(&a);
    }
}

/* Whatever the text, it is looked at within its bounds: for the sanitizers. */
static void test_cut(void)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        for (size_t len = 0; len < strlen(files[i].text); len++) {
            char *text = strndup(files[i].text, len);
            struct store_aws a;
            const char *other;

            store_aws_profile(text, files[i].config, files[i].name, &a, &other);
            store_aws_release(&a);
            free(text);
        }
    check(true, "cut anywhere");
}

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",      "AWS_SESSION_TOKEN",
    "AWS_REGION",        "AWS_DEFAULT_REGION",         "AWS_PROFILE",
    "AWS_CONFIG_FILE",   "AWS_SHARED_CREDENTIALS_FILE"};

/* With files "c" (credentials) and "f" (config) that have these profiles. */
#define CREDENTIALS                                                            \
    "[default]\n" KEYS("D") "[p]\n" KEYS(                                      \
        "P") "aws_session_token = PT\n"                                        \
             "[half]\naws_access_key_id = H\n"                                 \
             "[role]\n" KEYS("R")
#define CONFIG                                                                 \
    "[default]\nregion = d-1\n[profile p]\nregion = p-1\n" KEYS(               \
        "C") "[profile q]\n" KEYS("Q") "[profile role]\nrole_arn = x\n"        \
                                       "[profile sso]\nsso_session = y\n"      \
                                       "[profile bad]\nregion = a.b\n" KEYS(   \
                                           "B")

static const struct {
    const char *what;
    const char *set[4]; /* in the order of `variables`, up to the region */
    const char *fallback, *profile, *own_region, *own_profile;
    const char *want; /* or what the message has */
    enum diag_kind kind;
} all[] = {
    {"variables", {"V", "S"}, 0, 0, 0, 0, "V S - d-1", 0},
    {"variables with a token and a region",
     {"V", "S", "T", "v-1"},
     "w-1",
     0,
     0,
     0,
     "V S T v-1",
     0},
    {"the other region", {"V", "S"}, "w-1", 0, 0, 0, "V S - w-1", 0},
    {"the configuration's region",
     {"V", "S", 0, "v-1"},
     0,
     0,
     "o-1",
     0,
     "V S - o-1",
     0},
    {"a newline at the end of each",
     {"V\n", "S\r\n", "T\n", "v-1\n"},
     0,
     0,
     0,
     0,
     "V S T v-1",
     0},
    {"empty ones are not there",
     {"", "", "", ""},
     "",
     "",
     0,
     0,
     "D sD - d-1",
     0},
    {"a token alone is not for the file's keys",
     {0, 0, "T"},
     0,
     0,
     0,
     0,
     "D sD - d-1",
     0},
    {"AWS_PROFILE", {0}, 0, "p", 0, 0, "P sP PT p-1", 0},
    {"variables win over AWS_PROFILE, but for the region",
     {"V", "S"},
     0,
     "p",
     0,
     0,
     "V S - p-1",
     0},
    {"the configuration's profile wins over variables",
     {"V", "S"},
     0,
     "q",
     0,
     "p",
     "P sP PT p-1",
     0},
    {"keys in the config file", {0}, 0, "q", 0, 0, "Q sQ - -", 0},
    {"an id without a secret",
     {"V"},
     0,
     0,
     0,
     0,
     "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not",
     DIAG_KEY},
    {"a secret without an id",
     {0, "S"},
     0,
     0,
     0,
     0,
     "AWS_SECRET_ACCESS_KEY is set, and AWS_ACCESS_KEY_ID is not",
     DIAG_KEY},
    {"a profile that is not there",
     {0},
     0,
     "none",
     0,
     0,
     "the profile 'none' is neither in 'c' nor in 'f'",
     DIAG_KEY},
    {"half a profile",
     {0},
     0,
     "half",
     0,
     0,
     "no access key for 's3://b'",
     DIAG_KEY},
    {"a role", {0}, 0, "role", 0, 0, "gets its keys from 'role_arn'", DIAG_KEY},
    {"a login in a browser",
     {0},
     0,
     "sso",
     0,
     0,
     "aws configure export-credentials --profile 'sso' --format env",
     DIAG_KEY},
    {"a region that is none",
     {0},
     0,
     "bad",
     0,
     0,
     "the region 'a.b'",
     DIAG_CONFIG},
    {"a secret with a blank", {"V", "S T"}, 0, 0, 0, 0, "has blanks", DIAG_KEY},
    {"a header in a token",
     {"V", "S", "T\nHost: x"},
     0,
     0,
     0,
     0,
     "has blanks",
     DIAG_KEY},
};

static void set(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static void test_all(void)
{
    put_text("c", CREDENTIALS, 0600);
    put_text("f", CONFIG, 0600);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct config_server s = {.kind = SERVER_S3, .url.text = "s3://b"};
        struct store_aws a;
        int result;

        for (size_t k = 0; k < 4; k++)
            set(variables[k], all[i].set[k]);
        set("AWS_DEFAULT_REGION", all[i].fallback);
        set("AWS_PROFILE", all[i].profile);
        set("AWS_SHARED_CREDENTIALS_FILE", "c");
        set("AWS_CONFIG_FILE", "f");
        s.region.text = all[i].own_region;
        s.profile.text = all[i].own_profile;
        said[0] = '\0';
        result = store_aws(&s, &a);
        if (all[i].kind)
            check(result == -1 && said_kind == all[i].kind &&
                      heard(all[i].want) && is(&a, "- - - -"),
                  "%s", all[i].what);
        else
            check(result == 0 && is(&a, all[i].want) && !said[0], "%s",
                  all[i].what);
        store_aws_release(&a);
    }
}

static void test_places(void)
{
    struct config_server s = {.kind = SERVER_S3, .url.text = "s3://b"};
    struct store_aws a;

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    setenv("HOME", scratch, 1);
    check(store_aws(&s, &a) == -1 && heard("/.aws/credentials'"),
          "the message names the file");
    mkdir(".aws", 0700);
    put_text(".aws/credentials", "[default]\n" KEYS("A"), 0600);
    check(store_aws(&s, &a) == 0 && is(&a, "A sA - -"), "~/.aws/credentials");
    store_aws_release(&a);
    put_text(".aws/config", "[default]\nregion=x\n" KEYS("B"), 0600);
    check(store_aws(&s, &a) == 0 && is(&a, "A sA - x"), "~/.aws/config");
    store_aws_release(&a);
    put_text("other", "[default]\n" KEYS("O"), 0600);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "~/other", 1);
    check(store_aws(&s, &a) == 0 && is(&a, "O sO - x"), "a file in ~");
    store_aws_release(&a);
    unsetenv("HOME");
    unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    check(store_aws(&s, &a) == -1 && heard("no access key for"), "no home");
}

int main(void)
{
    char hex[SHA256_TEXT];

    begin();
    sha256_hex("abc", 3, hex);
    check(same(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f"
                    "20015ad"),
          "SHA-256 of FIPS 180-4's example");
    test_files();
    test_cut();
    test_all();
    test_places();
    return end();
}
