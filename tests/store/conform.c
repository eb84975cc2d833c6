/* What store.h promises, of whichever store: what is put is got, what is asked
 * for ahead, the order in which others see it, durability, the lock.
 *     conform [CONFIGURATION]
 * takes the first server of an ota-pack.yml, which has nothing yet; without
 * one, a folder of its own, of which it sees too what is synced when. */
#include <fcntl.h>
#include <sys/wait.h>

#include "conform.h"
#include "synced.h"

enum { MANY = 100, ROUNDS = 12 };

static bool is_folder;
/* An S3 store that takes no notice of If-None-Match cannot tell whether a lock
 * was anybody's, and takes each for one that was. */
static bool tells = true;

static void test_nothing(void)
{
    check(*s->where, "it says where it is: %s", s->where);
    check(is_missing(s, HEAD) && is_missing(s, "payloads/ab/abcd"),
          "nothing is there");
    check(s->ops->remove(s, HEAD) == 0 && s->ops->flush(s) == 0,
          "nothing is removed");
    check(s->ops->lock(s, 0, false) == 0, "locked");
    if (config->servers->kind == SERVER_S3)
        tells = !s->forced;
    check(!s->forced || !tells, "which nobody had");
}

/* One of each class, and of each size that is not like the others. */
static const struct object {
    const char *name;
    size_t len;
    enum store_class class;
} objects[] = {
    {"payloads/ab/abcd", LARGE, STORE_PAYLOAD},
    {"payloads/ab/abce", 1, STORE_PAYLOAD},
    {"payloads/00/0011", 65536, STORE_PAYLOAD},
    {"index/0123456789abcdef", 4096, STORE_SHARD},
    {"index/0123456789abcde0", 0, STORE_SHARD},
    {"devices/246f28000001/manifest", 417, STORE_FIRST},
    {"devices/246f28000002/manifest", 16384, STORE_FIRST},
    {"devices/246f28000003/manifest", 20, STORE_MANIFEST},
    {HEAD, 333, STORE_HEAD},
};

static void test_objects(void)
{
    struct store_meter meter = {0};
    bool all = true, same = true, sizes = true;

    s->meter = &meter;
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
        all &= put(objects[i].name, objects[i].len, objects[i].class) == 0;
    check(all && s->ops->flush(s) == 0, "an object of each class is put");
    check(meter.objects == 0 && meter.unsent == 0, "none is on its way");
    s->meter = NULL;
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++) {
        same &= has(s, objects[i].name, objects[i].len) &&
                has(other, objects[i].name, objects[i].len);
        sizes &= has_size(s, objects[i].name, objects[i].len) &&
                 (s->age == UINT64_MAX || s->age < 3600);
    }
    check(same, "and got, by others too");
    check(sizes, "and has its size, and is new");
}

static void test_limits(void)
{
    static const char name[] = "devices/246f28000002/manifest";
    uint8_t *bytes = (uint8_t *)said;
    size_t len;

    check(s->ops->get(s, name, 16383, &bytes, &len) == STORE_LONG && !bytes,
          "one byte more than it may have");
    check(store_get(s, name, 100, &bytes, &len) == -1 && !bytes && heard() &&
              said_kind == DIAG_SERVER,
          "which is reported for those who want none such");
    check(s->ops->get(s, name, 16384, &bytes, &len) == 0 && len == 16384,
          "as many as it may have");
    free(bytes);
}

static void test_replaced(void)
{
    static const enum store_class classes[] = {STORE_MANIFEST, STORE_HEAD};
    static const char *const names[] = {MANIFEST, HEAD};
    static const size_t sizes[] = {5000, 10, 0, 20000};
    static const char cut[] = "payloads/cd/cdef";

    for (int c = 0; c < 2; c++) {
        bool good = true;

        for (int i = 0; i < 4; i++)
            good &= put(names[c], sizes[i], classes[c]) == 0 &&
                    (classes[c] == STORE_HEAD || s->ops->flush(s) == 0) &&
                    has(other, names[c], sizes[i]) &&
                    has(s, names[c], sizes[i]);
        check(good, "%s is replaced, by fewer bytes too", names[c]);
    }
    check(put(cut, 700, STORE_PAYLOAD) == 0 && s->ops->flush(s) == 0,
          "the half of a payload");
    s->ops->unlock(s);
    reopen();
    s->ops->lock(s, 0, false);
    check(put(cut, 1400, STORE_PAYLOAD) == 0 && s->ops->flush(s) == 0 &&
              has(other, cut, 1400),
          "gives way to all of it");
    check(put(cut, 1400, STORE_PAYLOAD) == 0 && s->ops->flush(s) == 0 &&
              has(other, cut, 1400),
          "and may be put again");
}

static void test_removed(void)
{
    check(s->ops->remove(s, MANIFEST) == 0 && s->ops->flush(s) == 0 &&
              is_missing(s, MANIFEST) && is_missing(other, MANIFEST),
          "a manifest is removed");
    check(s->ops->remove(s, MANIFEST) == 0 && s->ops->flush(s) == 0,
          "and again");
    check(put(MANIFEST, 99, STORE_FIRST) == 0 && s->ops->flush(s) == 0 &&
              has(other, MANIFEST, 99),
          "and comes back");
}

/* -- ahead ------------------------------------------------------------------
 */

static const char *numbered(unsigned i)
{
    static char name[STORE_NAME];

    snprintf(name, sizeof name, "payloads/%02x/%02x%04x", i % 7, i % 7, i);
    return name;
}

static void ask_all(enum store_verb verb)
{
    for (unsigned i = 0; i < MANY; i++)
        store_ahead(s, verb, numbered(i), ROOM);
}

static void test_ahead(void)
{
    uint8_t *bytes = NULL;
    uint64_t size;
    bool good = true;
    size_t len;

    for (unsigned i = 0; i < MANY; i++)
        good &= put(numbered(i), 100 + i, STORE_PAYLOAD) == 0;
    check(good && s->ops->flush(s) == 0, "%d payloads", MANY);
    ask_all(STORE_GET);
    for (unsigned i = 0; i < MANY; i++)
        good &= has(s, numbered(i), 100 + i);
    check(good, "asked for ahead, and got");
    ask_all(STORE_SIZE);
    for (unsigned i = MANY; i--;)
        good &= has_size(s, numbered(i), 100 + i);
    check(good, "their sizes, in another order");
    store_ahead(s, STORE_GET, "payloads/00/none", ROOM);
    store_ahead(s, STORE_SIZE, "payloads/00/none", 0);
    store_ahead(s, STORE_GET, numbered(0), 99);
    check(s->ops->get(s, numbered(0), 99, &bytes, &len) == STORE_LONG &&
              !bytes && is_missing(s, "payloads/00/none"),
          "what is too long, and what is not there");
    ask_all(STORE_GET);
    for (unsigned i = 0; i < MANY; i += 3)
        good &= has(s, numbered(i), 100 + i);
    check(good && put(HEAD, 77, STORE_HEAD) == 0 && has(other, HEAD, 77),
          "a head where some were not called for");
    ask_all(STORE_SIZE);
    check(s->ops->flush(s) == 0 && has_size(s, numbered(5), 105),
          "nor before a flush");
    ask_all(STORE_REMOVE);
    for (unsigned i = 0; i < MANY; i++)
        good &= s->ops->remove(s, numbered(i)) == 0;
    check(good && s->ops->flush(s) == 0, "all are removed");
    for (unsigned i = 0; i < MANY; i++)
        good &= other->ops->size(other, numbered(i), &size) == STORE_MISSING;
    check(good, "and gone");
}

/* -- the order in which others see it ---------------------------------------
 */

/* What is put in a round. */
static const char *in_round(const char *kind, int round)
{
    static char name[STORE_NAME];

    if (strcmp(kind, "payload") == 0)
        snprintf(name, sizeof name, "payloads/%02x/%02x77%04x", 200 + round,
                 200 + round, round);
    else
        snprintf(name, sizeof name, "index/0000%04x", round);
    return name;
}

/* The number behind the word in an object; 0: there is none, or none that is
 * whole (where it is written in place). */
static int number_in(struct store *from, const char *name)
{
    uint8_t *bytes = NULL;
    char text[64] = "";
    size_t len = 0;
    int number = 0;

    if (from->ops->get(from, name, sizeof text - 1, &bytes, &len) == 0)
        memcpy(text, bytes, len);
    free(bytes);
    return sscanf(text, "number %d.", &number) == 1 && strchr(text, '.')
               ? number
               : 0;
}

struct seen {
    int manifests, heads; /* that were other ones than before */
    int wrong;            /* that were there before what they need */
};

/* One look of another process. */
static void look(struct store *from, struct seen *seen, int was[2])
{
    int manifest = number_in(from, MANIFEST), head;

    if (manifest && manifest != was[0]) {
        seen->manifests++;
        seen->wrong += !has_size(from, in_round("payload", manifest), 20000);
        was[0] = manifest;
    }
    head = number_in(from, HEAD);
    if (head && head != was[1]) {
        seen->heads++;
        seen->wrong += !has_size(from, in_round("shard", head), 20000);
        seen->wrong += !has_size(from, in_round("payload", head), 20000);
        manifest = number_in(from, MANIFEST);
        seen->wrong += manifest && manifest < head;
        was[1] = head;
    }
}

/* Looks until `stop` is at its end; what it saw goes to `tell`. */
static void look_on(int stop, int tell)
{
    struct store *from = opened();
    struct seen seen = {0};
    int was[2] = {0};
    char c;

    fcntl(stop, F_SETFL, O_NONBLOCK);
    if (write(tell, "r", 1) != 1)
        _exit(1);
    do
        look(from, &seen, was);
    while (read(stop, &c, 1) < 0);
    look(from, &seen, was);
    _exit(write(tell, &seen, sizeof seen) != sizeof seen);
}

static void put_round(int round)
{
    char text[64];
    bool good;

    snprintf(text, sizeof text, "number %d.", round);
    good = put(in_round("payload", round), 20000, STORE_PAYLOAD) == 0;
    good &= put_text(MANIFEST, text, STORE_MANIFEST) == 0;
    good &= put(in_round("shard", round), 20000, STORE_SHARD) == 0;
    good &= put_text(HEAD, text, STORE_HEAD) == 0;
    if (!good || !has_text(other, HEAD, text) ||
        !has_text(other, MANIFEST, text))
        check(false, "round %d: %s", round, said);
}

static void test_order(void)
{
    int stop[2], told[2];
    struct seen seen = {0};
    pid_t pid;
    char c;

    if (pipe(stop) < 0 || pipe(told) < 0 || (pid = fork()) < 0)
        exit(1);
    if (pid == 0) {
        close(stop[1]);
        look_on(stop[0], told[1]);
    }
    close(stop[0]);
    close(told[1]);
    if (read(told[0], &c, 1) != 1)
        exit(1);
    for (int round = 1; round <= ROUNDS; round++)
        put_round(round);
    close(stop[1]);
    if (read(told[0], &seen, sizeof seen) != sizeof seen)
        seen.wrong = -1;
    waitpid(pid, NULL, 0);
    close(told[0]);
    check(seen.wrong == 0 && seen.manifests && seen.heads,
          "%d manifests and %d heads came after what they need, but %d",
          seen.manifests, seen.heads, seen.wrong);
}

/* -- who asks before a head -------------------------------------------------
 */

struct asked {
    int times, answer;
    bool ready; /* all that it needs was there, and the old head still */
};

static int ask(void *ctx)
{
    struct asked *a = ctx;

    a->times++;
    a->ready = has(other, in_round("payload", 40), 20000) &&
               has(other, in_round("shard", 40), 20000) &&
               has_text(other, MANIFEST, "number 40.") &&
               has_text(other, HEAD, "number 39.");
    return a->answer;
}

static void test_asked(void)
{
    struct asked a = {.answer = -1};
    bool good = put_text(HEAD, "number 39.", STORE_HEAD) == 0 &&
                put(in_round("payload", 40), 20000, STORE_PAYLOAD) == 0 &&
                put_text(MANIFEST, "number 40.", STORE_MANIFEST) == 0 &&
                put(in_round("shard", 40), 20000, STORE_SHARD) == 0;

    s->ask = ask;
    s->ask_ctx = &a;
    good &= put_text(HEAD, "number 40.", STORE_HEAD) == (a.times ? -1 : 0);
    if (!is_folder && good && !a.times) {
        check(has_text(other, HEAD, "number 40."),
              "nothing comes before a head");
        s->ask = NULL;
        return;
    }
    check(good && a.times == 1 && a.ready,
          "all else is there when it is asked whether a head may be put");
    check(has_text(other, HEAD, "number 39."), "no: it stays as it was");
    a.answer = 0;
    check(put_text(HEAD, "number 40.", STORE_HEAD) == 0 && a.times == 2 &&
              a.ready && has_text(other, HEAD, "number 40."),
          "yes: it is another one");
    s->ask = NULL;
    check(s->ops->flush(s) == 0, "flushed");
}

/* -- durability, of a folder ------------------------------------------------
 */

static void test_durable(void)
{
    synced_is_late = false;
    put(in_round("payload", 41), 20000, STORE_PAYLOAD);
    put_text(MANIFEST, "number 41.", STORE_MANIFEST);
    put("devices/246f280000ff/manifest", 100, STORE_FIRST);
    put(in_round("shard", 41), 20000, STORE_SHARD);
    check(put_text(HEAD, "number 41.", STORE_HEAD) == 0 && !synced_is_late,
          "all is durable before a head is put");
    check(synced_all(), "and the head when that returns");
    put_text(MANIFEST, "number 42.", STORE_MANIFEST);
    put(in_round("payload", 42), 20000, STORE_PAYLOAD);
    check(s->ops->flush(s) == 0 && synced_all(), "all is after a flush");
}

/* -- what cannot be put -----------------------------------------------------
 */

static int failures;
static char failed_name[STORE_NAME];

static void count_failed(void *ctx, const char *name)
{
    (void)ctx;
    failures++;
    snprintf(failed_name, sizeof failed_name, "%s", name);
}

/* A file is where its folder would be; S3 has no folders. */
static void test_failed(void)
{
    static const char first[] = "devices/246f28eeeeee/manifest";
    int result;

    s->failed = count_failed;
    check(put("payloads/fe", 10, STORE_PAYLOAD) == 0 && s->ops->flush(s) == 0 &&
              put("devices/246f28eeeeee", 10, STORE_MANIFEST) == 0 &&
              s->ops->flush(s) == 0,
          "what is in the way");
    heard();
    result = put(first, 10, STORE_FIRST);
    if (result == 0 && s->ops->flush(s) == 0) {
        check(has(other, first, 10), "nothing is in the way here");
        return;
    }
    check(heard() && failures == (result == 0) &&
              (result || strcmp(failed_name, first) == 0),
          "a manifest that cannot be put: it is said once which");
    check(!has(other, first, 10), "it is not there");
    s->ops->unlock(s);
    reopen();
    s->failed = count_failed;
    s->ops->lock(s, 0, false);
    result = put("payloads/fe/fe01", 10, STORE_PAYLOAD);
    if (result == 0) { /* it is found out later */
        check(put_text(MANIFEST, "number 50.", STORE_MANIFEST) == -1 &&
                  put_text(HEAD, "number 50.", STORE_HEAD) == -1,
              "no manifest and no head without the payload");
        check(s->ops->flush(s) == -1, "and a flush fails");
    }
    check(heard() && !has_text(other, MANIFEST, "number 50.") &&
              !has_text(other, HEAD, "number 50."),
          "a payload that cannot be put: it is said, and nothing came of it");
    s->ops->unlock(s);
    reopen();
    s->ops->lock(s, 0, false);
}

/* -- the lock ---------------------------------------------------------------
 */

static bool is_lost(struct store *store)
{
    return store->ops->lost && store->ops->lost(store);
}

/* Another one that has the lock for so long. */
static pid_t hold(long ms)
{
    int ready[2];
    pid_t pid;
    char c;

    if (pipe(ready) < 0 || (pid = fork()) < 0)
        exit(1);
    if (pid == 0) {
        struct store *mine = opened();

        if (mine->ops->lock(mine, 0, false) || write(ready[1], "r", 1) != 1)
            _exit(1);
        nap(ms);
        _exit(!mine->ops->unlock(mine));
    }
    close(ready[1]);
    check(read(ready[0], &c, 1) == 1, "somebody else has the lock");
    close(ready[0]);
    return pid;
}

static void test_lock(void)
{
    const volatile sig_atomic_t stop = 1;
    uint64_t begin;
    int status = 1;
    pid_t pid;

    check(!is_lost(s) && s->ops->lock(s, 0, false) == 0, "the lock is ours");
    check(other->ops->lock(other, 0, false) == -1 && heard() &&
              said_kind == DIAG_LOCK,
          "and nobody else's");
    begin = now_ms();
    check(other->ops->lock(other, 1500, false) == -1 && heard() &&
              now_ms() - begin >= 1400,
          "after a while neither");
    other->stop = &stop;
    begin = now_ms();
    check(other->ops->lock(other, 60000, false) == -1 &&
              now_ms() - begin < 30000,
          "who is told to stop waits no longer");
    other->stop = NULL;
    check(!is_lost(s) && s->ops->unlock(s), "given back");
    check(!is_lost(s), "what is not held is not lost");
    pid = hold(1000);
    check(s->ops->lock(s, 60000, false) == 0 && !(s->forced && tells),
          "waited for, and taken when it is free");
    waitpid(pid, &status, 0);
    check(status == 0, "by who had it");
}

static void test_broken(void)
{
    check(other->ops->lock(other, 0, true) == 0, "taken from who has it");
    check(other->forced && !(s->forced && tells), "who may be at work still");
    check(is_lost(s) == (s->ops->lost != NULL) && !is_lost(other),
          "and has lost it");
    check(!s->ops->unlock(s), "which unlocking says, too");
    check(s->ops->lock(s, 0, false) == -1 && heard() && said_kind == DIAG_LOCK,
          "it is the new one's still");
    check(other->ops->unlock(other), "until that gives it back");
    check(s->ops->lock(s, 0, true) == 0 && s->ops->unlock(s),
          "there may be nothing to break");
}

/* -- */

static void open_folder(void)
{
    static const char text[] =
        "key: release.key\nserver: public\nreleases:\n"
        "  - {name: r, files: [main.py], devices: [\"24:6f:28:00:00:01\"]}\n";
    FILE *f = fopen("ota-pack.yml", "w");

    if (!f || fputs(text, f) < 0 || fclose(f))
        exit(1);
}

int main(int argc, char **argv)
{
    char scratch[] = "/tmp/ota-conform-XXXXXX", line[64];

    diag_set_handler(hear, NULL);
    is_folder = argc < 2;
    if (sodium_init() < 0 ||
        (is_folder && (!mkdtemp(scratch) || chdir(scratch))))
        return 1;
    if (is_folder)
        open_folder();
    if (config_load(is_folder ? "ota-pack.yml" : argv[1], &config) ||
        !config->server_count) {
        printf("Bail out! no server: %s\n", said);
        return 1;
    }
    s = opened();
    other = opened();
    test_nothing();
    test_objects();
    test_limits();
    test_replaced();
    test_removed();
    test_ahead();
    test_order();
    test_asked();
    if (is_folder)
        test_durable();
    if (config->servers->kind != SERVER_S3)
        test_failed();
    test_lock();
    test_broken();
    s->ops->close(s);
    other->ops->close(other);
    config_free(config);
    snprintf(line, sizeof line, "rm -rf %s", scratch);
    if (is_folder && (chdir("/") || system(line)))
        return 1;
    return tap_done();
}
