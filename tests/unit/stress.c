/* Random fleets published in random steps, many of them cut: what devices see
 * is whole at each moment, a version never names two contents, and what the
 * index says is so.  stress [STEPS [SEED]]: one long run from a seed. */
#include <sodium.h>

#include "pack/unpack.h"
#include "stress_cut.h"
#include "tap.h"

enum { FILES = 4 * PATHS, SEEN = 4096 };

struct file {
    char path[OTA_PATH + 1];
    uint8_t hash[OTA_HASH];
};

/* A device: what it installed, and what it was ever offered. */
struct board {
    uint32_t highest, offered;
    struct file files[FILES];
    size_t count;
    bool stuck;
    bool withdrawn;
};

struct seen {
    int device; /* or -1 - release */
    uint32_t version;
    uint8_t digest[OTA_DIGEST];
};
static struct board boards[DEVICES];
static struct seen seen[SEEN];
static size_t seen_count;
static uint8_t public_key[OTA_PUBLIC_KEY];
static uint8_t content_hash[CONTENTS + 1][OTA_HASH];
static unsigned bad, step, warned;

static bool wrong(bool is, const char *what, int which)
{
    if (is) {
        bad++;
        printf("# step %u: %s (%d)\n", step, what, which);
    }
    return is;
}

static void put_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");

    if (!f || fputs(text, f) == EOF || fclose(f))
        exit(1);
}

static struct device_id id_of(int device)
{
    return (struct device_id){{0x24, 0x6f, 0x28, 0, 0, (uint8_t)device}, 6};
}
static void remember(int who, uint32_t version,
                     const uint8_t digest[OTA_DIGEST])
{
    for (size_t i = 0; i < seen_count; i++)
        if (seen[i].device == who && seen[i].version == version) {
            wrong(memcmp(seen[i].digest, digest, OTA_DIGEST) != 0,
                  "a version names two contents", who);
            return;
        }
    if (seen_count == SEEN)
        exit(1);
    seen[seen_count].device = who;
    seen[seen_count].version = version;
    memcpy(seen[seen_count++].digest, digest, OTA_DIGEST);
}

static struct file *find(struct board *b, const char *path)
{
    for (size_t i = 0; i < b->count; i++)
        if (ota_path_compare(b->files[i].path, strlen(b->files[i].path), path,
                             strlen(path)) == 0)
            return &b->files[i];
    return NULL;
}

/* A FILE that cannot be put where it is to go. */
static bool blocked(const struct board *b, const char *path)
{
    size_t len = strlen(path);

    for (size_t i = 0; i < b->count; i++) {
        const char *have = b->files[i].path;

        if (ota_path_below(path, len, have, strlen(have)) ||
            ota_path_below(have, strlen(have), path, len))
            return true;
    }
    return false;
}

static void install(struct board *b, const struct unpack_result *r)
{
    for (size_t i = 0; i < r->entry_count; i++) {
        const struct ota_file *e = &r->entries[i].file;
        struct file *f = e->type == OTA_SLOT ? NULL : find(b, e->path);

        if (e->type == OTA_DELETE && f)
            *f = b->files[--b->count];
    }
    for (size_t i = 0; i < r->entry_count; i++) {
        const struct ota_file *e = &r->entries[i].file;
        struct file *f = e->type == OTA_FILE ? find(b, e->path) : NULL;

        if (e->type != OTA_FILE)
            continue;
        if (!f && blocked(b, e->path))
            b->stuck = true;
        if (!f)
            f = &b->files[b->count++];
        snprintf(f->path, sizeof f->path, "%s", e->path);
        memcpy(f->hash, e->hash, OTA_HASH);
    }
    b->highest = r->manifest.version;
}

/* Reads what a device would get; false where there is nothing. */
static bool offer(int device, const char *base, struct unpack_result *r)
{
    struct device_id id = id_of(device);
    struct unpack_options o = {.device = {.id_len = 6, .key_count = 1}};
    char name[64], hex[DEVICE_HEX];

    device_id_hex(&id, hex);
    snprintf(name, sizeof name, "%s/devices/%s/manifest", base, hex);
    *r = (struct unpack_result){0};
    if (access(name, F_OK) < 0)
        return false;
    memcpy(o.device.id, id.bytes, 8);
    o.device.keys = (const uint8_t(*)[OTA_PUBLIC_KEY])public_key;
    if (unpack_run(name, &o, r) < 0)
        return !wrong(true, "a manifest cannot be read", device);
    return !wrong(r->error != OTA_OK, ota_error_name(r->error), device);
}

static void look(bool all)
{
    for (int d = 0; d < DEVICES; d++) {
        struct unpack_result r;

        if (offer(d, "public", &r)) {
            remember(d, r.manifest.version, r.manifest.release);
            wrong(r.manifest.version < boards[d].offered, "it went down", d);
            boards[d].withdrawn = false;
            boards[d].offered = r.manifest.version;
            if ((all || pick(2)) && r.manifest.version > boards[d].highest)
                install(&boards[d], &r);
        } else {
            wrong(boards[d].offered && !boards[d].withdrawn,
                  "its manifest is gone", d);
        }
        unpack_result_release(&r);
    }
}

static int open_index(struct store **s, struct index **x)
{
    *x = NULL;
    return store_file_open("public", false, s) ||
           index_read_head(*s, public_key, x) || index_read_shards(*x, *s);
}

static bool has_file(const struct index_content *c, const struct ota_file *f)
{
    for (uint32_t i = 0; i < c->file_count; i++)
        if (strcmp(c->files[i]->path, f->path) == 0 &&
            c->files[i]->type == f->type &&
            memcmp(c->files[i]->hash, f->hash, OTA_HASH) == 0)
            return true;
    return false;
}

/* The entry says what the manifest says. */
static void compare_entry(const struct index *x, int d)
{
    struct device_id id = id_of(d);
    const struct index_device *e = index_device(x, &id);
    const struct index_version *v =
        e ? index_version(index_release(x, e->release), e->version) : NULL;
    const struct index_content *c = e && e->own ? e->own : v ? v->shared : NULL;
    struct ota_alternative a;
    struct unpack_result r;
    size_t files = 0;

    if (offer(d, "public", &r) &&
        !wrong(want.release[d] >= 0 && (!e || !c), "no entry", d) && e && c) {
        ota_manifest_alternative(&r.manifest, r.alternative, &a);
        /* A refresh that was cut may be known by its manifest alone. */
        wrong(r.manifest.version != e->version ||
                  r.manifest.created < e->created ||
                  memcmp(r.manifest.release, e->digest, OTA_DIGEST) != 0 ||
                  memcmp(c->digest, e->digest, OTA_DIGEST) != 0,
              "the index says another version", d);
        wrong(c->payload_count != 1 ||
                  memcmp(c->payloads[0].link, a.link, OTA_LINK) != 0,
              "the index says another payload", d);
        for (size_t i = 0; i < r.entry_count; i++) {
            if (r.entries[i].file.type == OTA_DELETE)
                continue;
            files++;
            wrong(!has_file(c, &r.entries[i].file), "a file is unknown", d);
        }
        wrong(files != c->file_count, "the index says other files", d);
    }
    unpack_result_release(&r);
}

static void compare_index(bool settled)
{
    struct store *s;
    struct index *x;

    if (wrong(open_index(&s, &x), "the index cannot be read", 0))
        return;
    for (size_t i = 0; i < index_release_count(x); i++) {
        const struct index_release *r = index_release_at(x, i);

        for (uint32_t k = 0; k < r->version_count; k++)
            if (r->versions[k].shared)
                remember('0' - 1 - r->name[1], r->versions[k].version,
                         r->versions[k].shared->digest);
    }
    for (int d = 0; settled && d < DEVICES; d++)
        compare_entry(x, d);
    index_free(x);
    s->ops->close(s);
}

static bool deletes(const struct unpack_result *r, const char *path)
{
    for (size_t i = 0; i < r->entry_count; i++)
        if (r->entries[i].file.type == OTA_DELETE &&
            strcmp(r->entries[i].file.path, path) == 0)
            return true;
    return false;
}

/* Each manifest says what else is asked for. */
static void compare_settings(void)
{
    for (int d = 0; d < DEVICES; d++) {
        const struct want_release *w;
        struct unpack_result r;
        char label[16];
        uint64_t life;

        if (want.release[d] < 0)
            continue;
        w = &want.releases[want.release[d]];
        if (!wrong(!offer(d, "public", &r), "it is offered nothing", d)) {
            snprintf(label, sizeof label, "l%u", w->label);
            life = r.manifest.expires ? r.manifest.expires - r.manifest.created
                                      : 0;
            wrong(strcmp(r.manifest.label, label) != 0, "another label", d);
            wrong(r.manifest.hardware != w->hardware, "other hardware", d);
            wrong(life != (w->expires ? 90 * 86400u : 0), "another life", d);
            wrong(w->version && r.manifest.version != w->version,
                  "not the number that was asked for", d);
            wrong(w->deleted >= 0 && !deletes(&r, paths[w->deleted]),
                  "nothing deletes what is to be deleted", d);
        }
        unpack_result_release(&r);
    }
}

/* Each device, once it has taken the newest, has just what is asked for. */
static void compare_boards(void)
{
    for (int d = 0; d < DEVICES; d++) {
        int r = want.release[d];
        const struct want_release *w = &want.releases[r < 0 ? 0 : r];
        struct board *b = &boards[d];
        size_t count = 0;
        const struct file *f;

        if (r < 0)
            continue;
        if (b->stuck) {
            wrong(!warned, "it cannot install this, and nobody warned", d);
            b->count = 0; /* as if made anew by hand */
            b->highest = 0;
            b->stuck = false;
            look(true);
        }
        for (int i = 0; i < PATHS; i++) {
            if (!w->content[i])
                continue;
            f = find(b, paths[i]);
            count++;
            wrong(!f || strcmp(f->path, paths[i]) != 0 ||
                      memcmp(f->hash, content_hash[w->content[i]], OTA_HASH) !=
                          0,
                  "a file is not what it should be", d);
        }
        if (w->site) {
            f = find(b, "site");
            count++;
            wrong(!f || memcmp(f->hash, content_hash[want.site[d]], OTA_HASH) !=
                            0,
                  "its own file is not what it should be", d);
        }
        if (wrong(b->count != count, "files are left over", d))
            for (size_t i = 0; i < b->count; i++)
                printf("#   %s\n", b->files[i].path);
    }
}

/* Nothing is to be done, and the head alone says so. */
static void compare_nothing(void)
{
    struct store *s;
    struct index *x;
    struct config *c;
    struct tree *t;

    diag_reset();
    if (wrong(open_index(&s, &x) || load(NULL, 0, &c, &t), "no index", 0))
        return;
    wrong(!plan_nothing(c, t, x, now), "it is not done", 0);
    tree_free(t);
    config_free(c);
    index_free(x);
    s->ops->close(s);
}

/* ---- steps ---- */
static void say_log(void)
{
    FILE *f = fopen("log", "r");
    char line[1024];

    while (f && fgets(line, sizeof line, f))
        printf("#   %s", line);
    if (f)
        fclose(f);
}

static void count_warnings(void)
{
    FILE *f = fopen("log", "r");
    char line[1024];

    while (f && fgets(line, sizeof line, f))
        if (strstr(line, "an earlier version installed"))
            warned++;
    if (f)
        fclose(f);
}

static uint64_t generation(void);

/* What `plan --exit-code` says, in a process of its own. */
static int verdict(char *const *words, size_t count)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (!pid) {
        struct plan_request r = {.now = now, .again = task.again};
        struct signer *signer;
        struct config *c;
        struct tree *t;
        struct index *x;
        struct plan p;

        if (!freopen("/dev/null", "w", stderr) || load(words, count, &c, &t) ||
            signer_open(c, 1, &signer) ||
            store_file_open("public", true, &r.store) ||
            index_read_head(r.store, public_key, &x) ||
            index_read_shards(x, r.store))
            _exit(diag_status());
        r.config = c;
        r.tree = t;
        r.index = x;
        r.key = public_key;
        _exit(plan_make(&r, &p) ? diag_status() : plan_writes(&p) ? CUT : 0);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A publish does what a plan said just before: writes, or nothing. */
static int run_planned(char *const *words, size_t count)
{
    uint64_t before = generation();
    int said = verdict(words, count), status = run(0, words, count);

    wrong(said == CUT && status == 0 && generation() == before,
          "the plan said that there is something to do", said);
    wrong(said == 0 && generation() != before,
          "the plan said that there is nothing to do", status);
    wrong((said == 0 || said == CUT) != (status == 0),
          "the plan said another status", said);
    return status;
}

/* To the end, with what the messages advise. */
static int run_through(char *const *words, size_t count)
{
    int status = run_planned(words, count);

    for (int tries = 0; status == DIAG_CONFIG && tries < 3; tries++) {
        if (wrong(!follow_advice(), "refused without advice", 0))
            break;
        write_config();
        status = run_planned(words, count);
    }
    if (wrong(status != 0, "the publish failed", status))
        say_log();
    count_warnings();
    return status;
}

static void narrowed(void)
{
    char word[64], *words[1] = {word};
    int d = (int)pick(DEVICES);

    if (want.release[d] < 0)
        return;
    if (pick(2))
        snprintf(word, sizeof word, "24:6f:28:00:00:%02x", d);
    else
        snprintf(word, sizeof word, "r%d", want.release[d]);
    if (pick(2))
        run(1 + pick(12), words, 1);
    else
        run_through(words, 1);
}

static void settle(void)
{
    if (run_through(NULL, 0))
        return;
    look(true);
    compare_index(true);
    compare_settings();
    compare_boards();
    compare_nothing();
}

static uint64_t generation(void)
{
    struct store *s;
    struct index *x = NULL;
    uint64_t g = 0;

    if (store_file_open("public", true, &s) == 0) {
        if (index_read_head(s, public_key, &x) == 0)
            g = x->exists ? x->generation : 0;
        index_free(x);
        s->ops->close(s);
    }
    return g;
}

/* Cut anywhere and completed later, it gives the bytes of one that was not. */
static void cut_and_compare(void)
{
    uint64_t before = generation(), began = now;

    if (system("rm -rf copy && cp -a public copy 2>/dev/null || mkdir copy"))
        exit(1);
    if (run(0, NULL, 0)) /* refused: nothing to compare */
        return;
    if (system("rm -rf whole && mv public whole && mv copy public"))
        exit(1);
    run(1 + pick(14), NULL, 0);
    look(false);
    if (generation() != before)
        now += 1000;
    if (wrong(run(0, NULL, 0) != 0, "it is not completed", 0))
        say_log();
    wrong(system("diff -r whole/devices public/devices && "
                 "diff -r whole/payloads public/payloads") != 0,
          "cut and completed, it has other bytes", (int)(now - began));
}

/* The lock is broken, and another one publishes the same meanwhile. */
static void overtaken(void)
{
    if (run(0, NULL, 0) == DIAG_CONFIG) /* refused: nothing to be overtaken */
        return;
    change();
    write_config();
    run_as(1 + pick(14), OVERTAKEN, NULL, 0);
    look(false);
}

/* A version of the release's history, its content in *c; 0: there is none. */
static uint32_t pick_version(const char *name, struct index *x,
                             const struct index_content **c)
{
    const struct index_release *r = index_release(x, name);
    const struct index_version *v;

    if (!r || !r->version_count)
        return 0;
    v = &r->versions[pick(r->version_count)];
    *c = v->shared;
    return v->version;
}

/* A board that took the newest has the files of that content, and no more. */
static void compare_files(int d, const struct index_content *c)
{
    size_t files = 0;

    for (uint32_t i = 0; i < c->file_count; i++) {
        const struct file *f = find(&boards[d], c->files[i]->path);

        if (c->files[i]->type != OTA_FILE)
            continue;
        files++;
        wrong(!f || memcmp(f->hash, c->files[i]->hash, OTA_HASH) != 0,
              "a file did not go back", d);
    }
    wrong(files != boards[d].count, "files are left from later", d);
}

static void compare_back(const char *name, const struct index_content *c)
{
    struct store *s;
    struct index *x;

    look(true);
    if (wrong(open_index(&s, &x), "the index cannot be read", 0))
        return;
    for (int d = 0; d < DEVICES; d++) {
        struct device_id id = id_of(d);
        const struct index_device *e = index_device(x, &id);

        if (!e || index_withdrawn(e) || strcmp(e->release, name) != 0)
            continue;
        wrong(memcmp(e->digest, c->digest, OTA_DIGEST) != 0,
              "it did not go back", d);
        compare_entry(x, d);
        if (!boards[d].stuck)
            compare_files(d, c);
    }
    index_free(x);
    s->ops->close(s);
}

static bool is_bad(int status)
{
    return status && status != CUT && status != DIAG_FAILED &&
           status != DIAG_CONFIG && status != DIAG_USAGE;
}

static void rolled_back(void)
{
    char word[8], *words[1] = {word};
    const struct index_content *c = NULL;
    struct store *s;
    struct index *x;
    int status;

    snprintf(word, sizeof word, "r%u", pick(RELEASES));
    if (!generation() || open_index(&s, &x))
        return;
    task.back_to = pick_version(word, x, &c);
    if (task.back_to) {
        status = run(pick(2) ? 1 + pick(14) : 0, words, 1);
        if (wrong(is_bad(status), "no rollback", status))
            say_log();
        count_warnings();
        look(false);
        if (status == CUT && pick(2))
            status = run(0, words, 1);
        count_warnings();
        if (status == 0)
            compare_back(word, c);
    }
    task.back_to = 0;
    index_free(x);
    s->ops->close(s);
}

static void pruned(void)
{
    int status;

    if (pick(2))
        now += 40 * 86400;
    task.prune = true;
    status = run(pick(2) ? 1 + pick(8) : 0, NULL, 0);
    if (wrong(is_bad(status), "it cannot be pruned", status))
        say_log();
    task.prune = false;
}

static void withdrawn(void)
{
    char word[32], *words[1] = {word};
    int d = (int)pick(DEVICES), status;
    struct device_id id = id_of(d);

    if (want.release[d] >= 0 || !generation())
        return;
    device_id_text(&id, word);
    task.withdraw = true;
    status = run(pick(2) ? 1 + pick(6) : 0, words, 1);
    if (wrong(is_bad(status), "it cannot be withdrawn", status))
        say_log();
    boards[d].withdrawn |= status == 0 || status == CUT;
    task.withdraw = false;
}

static void one_step(void)
{
    unsigned kind = pick(13);

    task.again = kind >= 7 || pick(3);

    for (unsigned n = 1 + pick(3); n; n--)
        change();
    write_config();
    now += pick(6) == 0 ? 70 * 86400 : pick(5000);
    if (pick(16) == 0)
        now -= 100000;
    if (kind < 3)
        run(1 + pick(14), NULL, 0);
    else if (kind < 5)
        narrowed();
    else if (kind < 6)
        cut_and_compare();
    else if (kind < 7)
        overtaken();
    else if (kind < 9)
        settle();
    else if (kind < 11)
        rolled_back();
    else if (kind < 12)
        pruned();
    else
        withdrawn();
    look(false);
    if (generation())
        compare_index(false);
}

static void start(void)
{
    want = (struct want){0};
    memset(boards, 0, sizeof boards);
    seen_count = 0;
    for (int r = 0; r < RELEASES; r++) {
        want.releases[r].content[0] = 1 + r;
        want.releases[r].ram = 24;
        want.releases[r].deleted = -1;
    }
    for (int d = 0; d < DEVICES; d++) {
        want.release[d] = d % RELEASES;
        want.site[d] = 1 + d % CONTENTS;
    }
    if (system("rm -rf public copy whole"))
        exit(1);
}

static void long_run(unsigned steps, unsigned seed)
{
    unsigned before = bad;

    rng = seed;
    start();
    for (step = 1; step <= steps && bad < before + 5; step++)
        one_step();
    write_config();
    task.again = true;
    settle();
    check(bad == before, "%u steps from seed %u", steps, seed);
}

static char *scratch(void)
{
    static char name[64];

    snprintf(name, sizeof name, "%s/stress.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(name) || chdir(name) || sodium_init() < 0 ||
        keys_generate("release", NULL) ||
        keys_read_public("release.pub", public_key))
        exit(1);
    for (int i = 1; i <= CONTENTS; i++) {
        uint8_t hash[64];
        char from[16], text[64];

        snprintf(from, sizeof from, "c%d", i);
        snprintf(text, sizeof text, "content %d\n", i);
        put_file(from, text);
        crypto_hash_sha512(hash, (const uint8_t *)text, strlen(text));
        memcpy(content_hash[i], hash, OTA_HASH);
    }
    return name;
}

int main(int argc, char **argv)
{
    char remove[128];
    const char *name = scratch();

    if (argc > 1)
        long_run((unsigned)atoi(argv[1]),
                 argc > 2 ? (unsigned)atoi(argv[2]) : 1);
    for (unsigned seed = 1; argc < 2 && seed <= 4; seed++)
        long_run(40, seed);
    snprintf(remove, sizeof remove, "rm -rf '%s'", name);
    if (!getenv("STRESS_KEEP") && (chdir("/") || system(remove)))
        return 1;
    return tap_done();
}
