/* Two publishers at once: one is stopped before any step on the server, another
 * one takes its lock and goes on to its end, or to a step of its own.  Whatever
 * the two do, no number of a device stands for two contents, and after one more
 * publish each device has what is asked for, under a number above all that it
 * may have seen.  twice COUNT: every step, and so many pairs of steps. */
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "index/served.h"
#include "publish/prune.h"
#include "publish/publish.h"
#include "publish/withdraw.h"
#include "tap.h"

enum { DEVICES = 3, SEEN = 512, NOW = 1790000000, DAY = 86400 };

/* FIRST: a publish where nothing was published before. */
enum verb { FIRST, PUBLISH, NEW_BASE, ROLLBACK, WITHDRAW, PRUNE };

/* One of the two. */
struct party {
    const char *config;
    enum verb verb;
};

static const struct pair {
    const char *what;
    struct party first, second;
} pairs[] = {
    {"other content", {"a.yml", PUBLISH}, {"b.yml", PUBLISH}},
    {"the same content", {"a.yml", PUBLISH}, {"a.yml", PUBLISH}},
    {"the first of all", {"a.yml", FIRST}, {"b.yml", PUBLISH}},
    {"a new base by both", {"a.yml", NEW_BASE}, {"b.yml", NEW_BASE}},
    {"a new base by the first", {"a.yml", NEW_BASE}, {"b.yml", PUBLISH}},
    {"a new base by the second", {"a.yml", PUBLISH}, {"b.yml", NEW_BASE}},
    {"a device elsewhere", {"a.yml", PUBLISH}, {"moved.yml", PUBLISH}},
    {"moved by both", {"moved.yml", PUBLISH}, {"there.yml", PUBLISH}},
    {"gone back by the second", {"a.yml", PUBLISH}, {"base.yml", ROLLBACK}},
    {"gone back by the first", {"base.yml", ROLLBACK}, {"b.yml", PUBLISH}},
    {"withdrawn", {"a.yml", PUBLISH}, {"fewer.yml", WITHDRAW}},
    {"withdrawn by the first", {"fewer.yml", WITHDRAW}, {"b.yml", PUBLISH}},
    {"pruned", {"base.yml", PRUNE}, {"b.yml", PUBLISH}},
};

static uint8_t public_key[OTA_PUBLIC_KEY];

/* ---- one publisher, in a process of its own ---- */
struct gate {
    struct store store;
    struct store *inner;
    unsigned left; /* steps until it waits, 0: it does not */
    int say, hear;
    int seen;
};

static struct device_id id_of(int device)
{
    return (struct device_id){{0x24, 0x6f, 0x28, 0, 0, (uint8_t)device}, 6};
}

/* What a device sees that polls just now. */
static void note_seen(struct gate *g)
{
    for (int d = 0; d < DEVICES; d++) {
        struct device_id id = id_of(d);
        struct ota_manifest m;
        uint8_t *bytes = NULL;
        char line[128], digest[2 * OTA_DIGEST + 1];
        int error = -1, len;

        if (served_manifest(g->inner, public_key, &id, 0, &m, &bytes, &error))
            _exit(3);
        if (bytes && error == OTA_OK) {
            sodium_bin2hex(digest, sizeof digest, m.release, OTA_DIGEST);
            len = snprintf(line, sizeof line, "%d %lu %s\n", d,
                           (unsigned long)m.version, digest);
            if (write(g->seen, line, (size_t)len) != len)
                _exit(3);
        }
        free(bytes);
    }
}

static struct store *pass(struct store *s)
{
    struct gate *g = (struct gate *)s;
    char c = 0;

    if (g->left && !--g->left &&
        (write(g->say, "p", 1) != 1 || read(g->hear, &c, 1) != 1))
        _exit(3);
    return g->inner;
}

static int gate_get(struct store *s, const char *name, size_t max,
                    uint8_t **bytes, size_t *len)
{
    return pass(s)->ops->get(((struct gate *)s)->inner, name, max, bytes, len);
}

static int gate_size(struct store *s, const char *name, uint64_t *size)
{
    return pass(s)->ops->size(((struct gate *)s)->inner, name, size);
}

static int gate_put(struct store *s, const char *name, const uint8_t *bytes,
                    size_t len, enum store_class class)
{
    struct gate *g = (struct gate *)s;
    int result;

    /* Between that and the replacement there is always a moment. */
    if (class == STORE_HEAD && s->ask && s->ask(s->ask_ctx))
        return -1;
    result = pass(s)->ops->put(g->inner, name, bytes, len, class);
    if (class == STORE_FIRST || class == STORE_MANIFEST)
        note_seen(g);
    return result;
}

static int gate_flush(struct store *s)
{
    return pass(s)->ops->flush(((struct gate *)s)->inner);
}

static int gate_remove(struct store *s, const char *name)
{
    return pass(s)->ops->remove(((struct gate *)s)->inner, name);
}

static int gate_lock(struct store *s, unsigned wait_ms, bool break_lock)
{
    struct gate *g = (struct gate *)s;
    int result = pass(s)->ops->lock(g->inner, wait_ms, break_lock);

    s->forced = g->inner->forced;
    return result;
}

static bool gate_lost(struct store *s)
{
    return pass(s)->ops->lost(((struct gate *)s)->inner);
}

static bool gate_unlock(struct store *s)
{
    return pass(s)->ops->unlock(((struct gate *)s)->inner);
}

static const struct store_ops gate_ops = {.get = gate_get,
                                          .size = gate_size,
                                          .put = gate_put,
                                          .flush = gate_flush,
                                          .remove = gate_remove,
                                          .lock = gate_lock,
                                          .lost = gate_lost,
                                          .unlock = gate_unlock};

static void prune(struct session *s)
{
    const struct prune_options o = {.keep = 1};
    struct prune_result result;

    s->now += 60 * DAY;
    prune_run(s, &o, &result);
}

static void withdraw(struct session *s, const struct config *c)
{
    char word[] = "24:6f:28:00:00:02", *words[1] = {word};
    const struct withdraw_options o = {
        .config = c, .words = words, .word_count = 1};
    struct withdraw_result result;

    withdraw_run(s, &o, &result);
}

static void carry_out(const struct party *who, struct gate *g, bool force)
{
    struct session s = {
        .now = NOW + DAY, .break_lock = force, .store = &g->store};
    struct publish_options o = {.jobs = 1};
    struct publish_result result;
    struct config *c;
    struct tree *t;

    g->store.ops = &gate_ops;
    g->store.where = "public";
    if (!freopen("log", "a", stderr) || config_load(who->config, &c) ||
        config_select(c, NULL, 0) || tree_load(c, &t) || diag_errors() ||
        store_file_open("public", true, &g->inner) ||
        signer_open(c, 1, &s.signer))
        _exit(2);
    o.config = c;
    o.tree = t;
    switch (who->verb) {
    case FIRST:
    case PUBLISH:
    case NEW_BASE:
        s.new_base = who->verb == NEW_BASE;
        publish_run(&s, &o, &result);
        break;
    case ROLLBACK:
        publish_rollback(&s, &o, "r", 1, 0, &result);
        break;
    case WITHDRAW:
        withdraw(&s, c);
        break;
    case PRUNE:
        prune(&s);
        break;
    }
    note_seen(g);
    fflush(stderr);
    _exit(diag_status());
}

/* ---- the two of them ---- */
struct running {
    pid_t pid;
    int say, hear;
};

static bool pipes(int a[2], int b[2])
{
    return pipe(a) == 0 && pipe(b) == 0;
}

static struct running begin(const struct party *who, unsigned left, bool force)
{
    struct running r;
    int from[2], to[2];

    fflush(stdout);
    if (!pipes(from, to) || (r.pid = fork()) < 0)
        exit(1);
    if (!r.pid) {
        struct gate g = {.left = left, .say = from[1], .hear = to[0]};

        close(from[0]);
        close(to[1]);
        if (!(g.seen = open("seen", O_WRONLY | O_APPEND | O_CREAT, 0600)))
            _exit(2);
        carry_out(who, &g, force);
    }
    close(from[1]);
    close(to[0]);
    r.hear = from[0];
    r.say = to[1];
    return r;
}

/* True: it waits; false: it has ended. */
static bool waits(const struct running *r)
{
    char c;

    return read(r->hear, &c, 1) == 1;
}

static int end(struct running *r, bool waiting)
{
    int status = -1;

    if (waiting && write(r->say, "g", 1) != 1)
        exit(1);
    waitpid(r->pid, &status, 0);
    close(r->say);
    close(r->hear);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int whole(const struct party *who)
{
    struct running r = begin(who, 0, false);

    return end(&r, waits(&r));
}

/* ---- what devices have seen ---- */
struct sight {
    int device;
    unsigned long version;
    char digest[2 * OTA_DIGEST + 1];
};

static size_t read_seen(struct sight list[SEEN])
{
    FILE *f = fopen("seen", "r");
    size_t count = 0;

    while (f && count < SEEN &&
           fscanf(f, "%d %lu %32s", &list[count].device, &list[count].version,
                  list[count].digest) == 3)
        count++;
    if (f)
        fclose(f);
    return count;
}

static bool same_number(const struct sight *a, const struct sight *b)
{
    return a->device == b->device && a->version == b->version;
}

/* A device that saw `s` gets what was seen last, the newest. */
static bool gets(const struct sight *s, const struct sight *last, bool above)
{
    return s->device != last->device || s->version < last->version ||
           (!above && s->version == last->version &&
            strcmp(s->digest, last->digest) == 0);
}

/* From `before` on it is one more publish, which was to go above. */
static const char *judge(size_t before, bool above)
{
    static struct sight list[SEEN];
    size_t count = read_seen(list);

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (same_number(&list[i], &list[k]) &&
                strcmp(list[i].digest, list[k].digest) != 0)
                return "a number stands for two contents";
    /* What is there at the end was noted last, by device. */
    for (size_t i = count; i-- > before;) {
        for (size_t k = 0; k < before; k++)
            if (!gets(&list[k], &list[i], above))
                return "a device is left behind";
        if (i && list[i - 1].device >= list[i].device)
            break;
    }
    return NULL;
}

static size_t count_seen(void)
{
    static struct sight list[SEEN];

    return read_seen(list);
}

/* Somebody found that he was not alone, and which releases it was about. */
static bool is_marked(void)
{
    struct store *s;
    struct index *x;
    bool marked;

    if (store_file_open("public", false, &s) ||
        index_read_head(s, public_key, &x))
        return false;
    marked = x->doubt && x->intent_count == 2;
    index_free(x);
    s->ops->close(s);
    return marked;
}

static void fresh(bool empty)
{
    if (system("rm -rf public seen && : >log") ||
        (!empty && system("cp -a base public && cp base.seen seen")))
        exit(1);
}

/* The first is stopped before its step `n`, the second before `m` (0: not at
 * all).  False: the first has fewer steps. */
static bool step(const struct pair *p, unsigned n, unsigned m)
{
    struct party last = {p->first.verb <= NEW_BASE ? p->first.config
                                                   : p->second.config,
                         PUBLISH};
    struct running a, b;
    bool stopped, waiting, above;
    size_t before;
    const char *bad;
    int status;

    fresh(p->first.verb == FIRST);
    a = begin(&p->first, n, false);
    stopped = waits(&a);
    b = begin(&p->second, m, true);
    waiting = waits(&b);
    end(&a, stopped);
    end(&b, waiting);
    before = count_seen();
    bad = judge(before, false);
    above = is_marked();
    status = whole(&last);
    if (!bad && status)
        bad = "the next publish fails";
    if (!bad)
        bad = judge(before, above);
    if (bad) {
        check(false, "%s: %u, %u: %s (%d)", p->what, n, m, bad, status);
        if (system("sed 's/^/# /' log"))
            exit(1);
    }
    return stopped;
}

static unsigned rng = 1;

static unsigned pick(unsigned n)
{
    rng = rng * 1103515245u + 12345u;
    return (rng >> 16) % n;
}

/* `many` 0: some of the steps, and of the pairs of steps. */
static void try_pair(const struct pair *p, unsigned many)
{
    int failed = tap_failed;
    unsigned by = many || p < pairs + 2 ? 1 : 5, n = many ? 1 : 1 + pick(by),
             tried = 0;

    for (; step(p, n, 0); n += by)
        tried++;
    for (unsigned i = 0; i < (many ? many : 4); i++, tried++)
        step(p, 1 + pick(n), 1 + pick(n));
    check(tap_failed == failed && n > 3, "%s: %u times", p->what, tried);
}

/* ---- the fleet ---- */
static void put_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");

    if (!f || fputs(text, f) == EOF || fclose(f))
        exit(1);
}

/* Which content each release has, and which devices are in it ("": it is not
 * there). */
static void put_config(const char *name, const char *r, const char *q,
                       const char *in_r, const char *in_q)
{
    const char *releases[][3] = {{"r", r, in_r}, {"q", q, in_q}};
    FILE *f = fopen(name, "w");

    if (!f)
        exit(1);
    fputs("key: release.key\nserver: public\nreleases:\n", f);
    for (int i = 0; i < 2; i++) {
        if (!*releases[i][2])
            continue;
        fprintf(f,
                "  - name: %s\n    version: auto\n"
                "    files: [{from: %s, to: main.py}]\n    devices:\n",
                releases[i][0], releases[i][1]);
        for (const char *d = releases[i][2]; *d; d++)
            fprintf(f, "      - \"24:6f:28:00:00:0%c\"\n", *d);
    }
    fclose(f);
}

static void make_fleet(void)
{
    put_config("old.yml", "c1", "c1", "02", "1");
    put_config("base.yml", "c2", "c2", "02", "1");
    put_config("a.yml", "c3", "c3", "02", "1");
    put_config("b.yml", "c4", "c4", "02", "1");
    put_config("moved.yml", "c5", "c5", "0", "12");
    put_config("there.yml", "c4", "c4", "01", "2");
    put_config("fewer.yml", "c2", "c2", "0", "1");
    if (whole(&(struct party){"old.yml", PUBLISH}) ||
        whole(&(struct party){"base.yml", PUBLISH}) ||
        system("mv public base && mv seen base.seen"))
        exit(1);
}

static char *scratch(void)
{
    static char name[64];

    snprintf(name, sizeof name, "%s/twice.XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(name) || chdir(name) || sodium_init() < 0 ||
        keys_generate("release", NULL) ||
        keys_read_public("release.pub", public_key))
        exit(1);
    for (int i = 1; i <= 5; i++) {
        char file[16], text[32];

        snprintf(file, sizeof file, "c%d", i);
        snprintf(text, sizeof text, "content %d\n", i);
        put_file(file, text);
    }
    return name;
}

int main(int argc, char **argv)
{
    const char *name = scratch();
    char remove[128];

    make_fleet();
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        try_pair(&pairs[i], argc > 1 ? (unsigned)atoi(argv[1]) : 0);
    snprintf(remove, sizeof remove, "rm -rf '%s'", name);
    if (chdir("/") || system(remove))
        return 1;
    return tap_done();
}
