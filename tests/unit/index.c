/* The index: round trip, canonical bytes, how little a change rewrites, and
 * what is refused.  The store is memory here, to count and to damage. */
#include <malloc.h>

#include "keys_help.h"
#include "base/deflate.h"
#include "index/index_private.h"

enum { OBJECTS = 4096, NOW = 1790000000 };

/* A server in memory. */
static struct object {
    char name[80];
    uint8_t *bytes;
    size_t len;
} objects[OBJECTS];
static size_t object_count, shard_puts, removes, fail_after = SIZE_MAX;

static struct object *find(const char *name)
{
    for (size_t i = 0; i < object_count; i++)
        if (strcmp(objects[i].name, name) == 0)
            return &objects[i];
    return NULL;
}

static int mem_get(struct store *s, const char *name, size_t max,
                   uint8_t **bytes, size_t *len)
{
    const struct object *o = find(name);

    (void)s;
    *bytes = NULL;
    if (!o)
        return STORE_MISSING;
    if (o->len > max)
        return diag_error(DIAG_SERVER, "too large");
    *bytes = malloc(o->len + 1);
    memcpy(*bytes, o->bytes, o->len);
    *len = o->len;
    return 0;
}

static int mem_put(struct store *s, const char *name, const uint8_t *bytes,
                   size_t len, enum store_class class)
{
    struct object *o = find(name);

    (void)s;
    if (!fail_after--)
        return diag_error(DIAG_SERVER, "the server is full");
    shard_puts += class == STORE_SHARD;
    if (!o) {
        o = &objects[object_count++];
        snprintf(o->name, sizeof o->name, "%s", name);
    }
    free(o->bytes);
    o->bytes = malloc(len + 1);
    memcpy(o->bytes, bytes, len);
    o->len = len;
    return 0;
}

static int mem_remove(struct store *s, const char *name)
{
    struct object *o = find(name);

    (void)s;
    removes++;
    if (o) {
        free(o->bytes);
        *o = objects[--object_count];
        objects[object_count].bytes = NULL;
    }
    return 0;
}

static int mem_flush(struct store *s)
{
    (void)s;
    return 0;
}

static const struct store_ops mem_ops = {
    .get = mem_get, .put = mem_put, .flush = mem_flush, .remove = mem_remove};
static struct store mem = {.ops = &mem_ops, .where = "public"};
static struct signer *signer;

static void forget_all(void)
{
    while (object_count)
        free(objects[--object_count].bytes);
    memset(objects, 0, sizeof objects);
    shard_puts = removes = 0;
}

/* The index as the server has it. */
static struct index *load(void)
{
    struct index *x;

    if (index_read_head(&mem, signer_public(signer), &x) < 0)
        return NULL;
    if (index_read_shards(x, &mem) < 0) {
        index_free(x);
        return NULL;
    }
    return x;
}

/* The same, where anything else would be the end of the test. */
static struct index *must_load(void)
{
    struct index *x = load();

    if (!x) {
        check(false, "cannot be read: %s", said);
        exit(1);
    }
    return x;
}

static struct ota_alternative payload(uint8_t seed)
{
    struct ota_alternative a;

    memset(&a, 0, sizeof a);
    a.size = 1000;
    a.space = 900;
    a.window_bits = 12;
    a.chunk_max = 2048;
    a.records = 3;
    a.link[0] = 200;
    a.link[1] = 0x80;
    memset(a.link + 2, seed, OTA_HASH);
    return a;
}

static const struct index_file slot = {"app", OTA_SLOT, 0, 5000, {9}};
static const struct index_file boot = {"boot.py", OTA_FILE, 0644, 7, {1}};
static const struct index_file main1 = {"lib/Main.py", OTA_FILE, 0644, 70, {2}};
static const struct index_file main2 = {"lib/Main.py", OTA_FILE, 0755, 71, {3}};
static const struct index_file *files1[] = {&slot, &boot, &main1};
static const struct index_file *files2[] = {&main2, &slot}; /* out of order */
static const char *dropped2[] = {"old/b.py", "boot.py", "old/a.py", "boot.py"};

static struct index_content content1(struct ota_alternative *a)
{
    struct index_content c = {.digest = {1},
                              .files = files1,
                              .file_count = 3,
                              .payloads = a,
                              .payload_count = 1};

    *a = payload(1);
    return c;
}

static struct index_content content2(struct ota_alternative a[2])
{
    struct index_content c = {.digest = {2},
                              .files = files2,
                              .file_count = 2,
                              .dropped = dropped2,
                              .dropped_count = 4,
                              .payloads = a,
                              .payload_count = 2};

    a[0] = payload(2);
    a[0].base[0] = 1;
    a[1] = payload(3);
    return c;
}

static struct index_device device(unsigned n, const char *release,
                                  uint32_t version)
{
    struct index_device d = {.id = {.bytes = {0x24, 0x6f, 0x28}, .len = 6},
                             .version = version,
                             .release = release,
                             .created = NOW + version};

    for (unsigned i = 3; i < 6; i++)
        d.id.bytes[i] = (uint8_t)(n >> 8 * (5 - i));
    d.digest[0] = (uint8_t)version;
    return d;
}

static void add_versions(struct index *x)
{
    struct ota_alternative a[2];
    struct index_content c = content1(a);
    struct index_version v = {.version = 1,
                              .label = "2026.10",
                              .created = NOW + 1,
                              .hardware = 3,
                              .ram = 24576,
                              .marks = INDEX_ROLLED_BACK,
                              .shared = &c};

    index_add_version(x, "greenhouse", &v);
    c = content2(a);
    v = (struct index_version){.version = 2,
                               .label = "2026.11-\xc3\xa4",
                               .created = NOW + 2,
                               .expires = NOW + 99,
                               .ram = 20000,
                               .shared = &c};
    index_add_version(x, "greenhouse", &v);
    v.shared = NULL;
    index_add_version(x, "office", &v);
}

static void add_devices(struct index *x, bool backwards)
{
    struct ota_alternative a[2];
    struct index_content own = content1(a);
    struct index_device list[4];

    list[0] = device(1, "greenhouse", 2);
    list[0].name = "north-bed";
    list[1] = device(2, "greenhouse", 1);
    list[2] = device(3, "office", 2);
    list[2].own = &own;
    memset(own.digest, 0, sizeof own.digest);
    memcpy(own.digest, list[2].digest, sizeof own.digest);
    list[3] = device(1, "greenhouse", 2);
    list[3].id.len = 8;
    list[3].expires = 5;
    for (int i = 0; i < 4; i++)
        index_set_device(x, &list[backwards ? 3 - i : i]);
}

static struct index *sample(bool backwards)
{
    struct index *x;

    if (index_new(&x) < 0)
        exit(1);
    memset(x->base_id, 7, sizeof x->base_id);
    memset(x->wanted, 8, sizeof x->wanted);
    x->refresh = NOW + 50;
    x->doubt = true;
    if (backwards)
        add_devices(x, true);
    add_versions(x);
    if (!backwards)
        add_devices(x, false);
    return x;
}

static void test_empty(void)
{
    struct index *x, *y;

    check(index_read_head(&mem, signer_public(signer), &x) == 0 && !x->exists,
          "no head: nothing was published");
    check(index_read_shards(x, &mem) == 0 && index_device_count(x) == 0 &&
              index_release_count(x) == 0 && !index_release(x, "a"),
          "and it is empty");
    check(index_confirm(x, &mem) == 0, "still so");
    check(index_new(&y) == 0 && memcmp(x->base_id, y->base_id, 16) != 0,
          "bases differ");
    check(index_write(x, &mem, signer, NOW) == 0 && object_count == 1 &&
              x->exists && x->generation == 1,
          "written as a head alone");
    check(index_confirm(x, &mem) == 0, "ours");
    check(index_confirm(y, &mem) == -1 && heard("somebody else"),
          "not another one's");
    index_free(x);
    x = must_load();
    check(x->exists && x->generation == 1 && x->created == NOW, "read back");
    index_free(x);
    index_free(y);
}

static void check_releases(const struct index *x)
{
    const struct index_release *r = index_release(x, "greenhouse");
    const struct index_content *c;

    check(index_release_count(x) == 2 && r && r == index_release_at(x, 0) &&
              index_release(x, "office") && !index_release(x, "off"),
          "releases");
    if (!r)
        return;
    check(r->version_count == 2 && index_version(r, 2) == &r->versions[1] &&
              !index_version(r, 3) &&
              !index_release(x, "office")->versions[0].shared,
          "versions");
    check(r->versions[0].marks == INDEX_ROLLED_BACK &&
              r->versions[0].hardware == 3 && r->versions[0].ram == 24576 &&
              !strcmp(r->versions[1].label, "2026.11-\xc3\xa4") &&
              r->versions[1].expires == NOW + 99 && r->versions[1].left == 0,
          "settings");
    c = r->versions[1].shared;
    check(c->digest[0] == 2 && c->file_count == 2 &&
              c->files[0]->type == OTA_SLOT && c->files[0]->hash[0] == 9 &&
              !strcmp(c->files[1]->path, "lib/Main.py") &&
              c->files[1]->mode == 0755 && c->files[1]->size == 71,
          "files, in record order");
    check(c->files[0] == r->versions[0].shared->files[0], "each file once");
    check(c->dropped_count == 3 && !strcmp(c->dropped[0], "boot.py") &&
              !strcmp(c->dropped[1], "old/a.py"),
          "dropped paths in order, once");
    check(c->payload_count == 2 && c->payloads[0].base[0] == 1 &&
              c->payloads[1].chunk_max == 2048 &&
              c->payloads[1].link[1] == 0x80 && c->payloads[1].link[33] == 3,
          "payloads");
}

static void check_devices(const struct index *x)
{
    struct index_device want = device(1, "", 0), *d;

    d = index_device(x, &want.id);
    check(d && !strcmp(d->name, "north-bed") && d->version == 2 &&
              !strcmp(d->release, "greenhouse") && d->digest[0] == 2 &&
              d->created == NOW + 2 && !d->own,
          "a device");
    want.id.len = 8;
    check(index_device(x, &want.id) && index_device(x, &want.id) != d &&
              index_device(x, &want.id)->expires == 5,
          "an EUI-64 that begins the same");
    want = device(3, "", 0);
    d = index_device(x, &want.id);
    check(d && d->own && d->own->digest[0] == 2 && d->own->file_count == 3 &&
              d->own->payload_count == 1 && !d->name,
          "one with content of its own");
    want = device(4, "", 0);
    check(!index_device(x, &want.id), "none");
    check(index_device_count(x) == 4 && index_device_at(x, 1)->id.len == 8 &&
              index_device_at(x, 3)->id.bytes[5] == 3,
          "all of them by id");
}

static void test_round_trip(void)
{
    struct index *x = sample(false), *y;
    struct index_version v = {.version = 2};

    forget_all();
    check(index_write(x, &mem, signer, NOW) == 0 && object_count == 2,
          "written: head and shard");
    y = must_load();
    check(y->refresh == NOW + 50 && y->doubt && y->wanted[31] == 8 &&
              y->base_id[0] == 7,
          "head");
    check_releases(y);
    check_devices(y);
    shard_puts = 0;
    add_versions(y);
    add_devices(y, true);
    check(index_write(y, &mem, signer, NOW) == 0 && shard_puts == 0 &&
              y->generation == 2,
          "saying it again is no change");
    v.shared = NULL;
    v.created = NOW + 2;
    check(index_add_version(y, "office", &v) && index_release(y, "office") &&
              index_write(y, &mem, signer, NOW) == 0 && shard_puts == 1,
          "another label is");
    index_free(x);
    index_free(y);
}

static void test_canonical(void)
{
    struct index *x = sample(false), *y = sample(true);
    uint8_t *bytes = NULL;
    size_t len = 0;

    forget_all();
    index_write(x, &mem, signer, NOW);
    mem_get(&mem, "index/head", 65536, &bytes, &len);
    index_write(y, &mem, signer, NOW);
    check(bytes && object_count == 2 && find("index/head")->len == len &&
              memcmp(find("index/head")->bytes, bytes, len) == 0,
          "the same state has the same bytes, whatever the order");
    free(bytes);
    index_free(x);
    index_free(y);
}

/* What a device gives up is known for pruning. */
static void test_retired(void)
{
    struct index *x = sample(false), *y;
    struct index_device d = device(3, "office", 2);
    struct ota_alternative a[2];
    struct index_content c = content1(a);
    struct index_version v = {.version = 2, .shared = &c};

    forget_all();
    index_write(x, &mem, signer, NOW);
    a[0] = payload(77);
    d.own = &c;
    index_set_device(x, &d);
    d = device(1, "greenhouse", 1);
    index_set_device(x, &d);
    v.version = 1;
    index_add_version(x, "greenhouse", &v);
    index_write(x, &mem, signer, NOW + 7);
    y = must_load();
    check(index_retired_count(y) == 2 &&
              index_retired_at(y, 0)->until == NOW + 7 &&
              index_retired_at(y, 0)->name[0] == 1 &&
              index_retired_at(y, 1)->name[0] == 1,
          "payloads that are named no more");
    check(index_version(index_release(y, "greenhouse"), 2)->left == NOW + 7,
          "a version that a device left");
    a[0] = payload(1);
    d = device(3, "office", 2);
    d.own = &c;
    index_set_device(y, &d);
    index_write(y, &mem, signer, NOW + 9);
    check(index_retired_count(y) == 2 &&
              (index_retired_at(y, 0)->name[0] == 77 ||
               index_retired_at(y, 1)->name[0] == 77),
          "named again, and the other one is not");
    index_free(x);
    index_free(y);
}

/* What was pruned is noted until its object is gone. */
static void test_pruned(void)
{
    struct index *x = sample(false), *y;
    struct index_retired gone = {.until = 0};
    const struct index_version *v;

    forget_all();
    index_write(x, &mem, signer, NOW);
    v = index_version(index_release(x, "greenhouse"), 1);
    check(v && v->shared && v->shared->payload_count, "it has a payload");
    memcpy(gone.name, v->shared->payloads[0].link + 2, OTA_HASH);
    check(index_prune_version(x, "greenhouse", 1, false) == 0 &&
              index_prune_version(x, "greenhouse", 9, true) == 0 &&
              index_write(x, &mem, signer, NOW + 1) == 0,
          "without its payload");
    y = must_load();
    v = index_version(index_release(y, "greenhouse"), 1);
    check(v && v->shared && v->shared->file_count &&
              v->shared->payload_count == 0 && index_retired_count(y) > 0,
          "its files are known, its payload is retired");
    check(index_prune_version(y, "greenhouse", 1, true) == 0 &&
              index_write(y, &mem, signer, NOW + 2) == 0,
          "all of it");
    index_free(x);
    x = must_load();
    check(!index_version(index_release(x, "greenhouse"), 1) &&
              index_version(index_release(x, "greenhouse"), 2),
          "the other version stays");
    index_forget(x, &gone, 1);
    check(index_write(x, &mem, signer, NOW + 3) == 0, "its object is gone");
    index_free(y);
    y = must_load();
    check(index_retired_count(y) == index_retired_count(x), "and its note");
    for (size_t i = 0; i < index_retired_count(y); i++)
        check(memcmp(index_retired_at(y, i)->name, gone.name, OTA_HASH) != 0,
              "not that payload");
    index_free(x);
    index_free(y);
}

static void test_intents(void)
{
    struct index_intent list[] = {{"office", 4, NOW, 0, {1}},
                                  {"green", 3, NOW, NOW + 5, {2}}};
    static const uint8_t none[16];
    struct index *x = sample(false), *y;

    forget_all();
    check(index_set_intents(x, list, 2) == 0 &&
              index_write(x, &mem, signer, NOW) == 0,
          "intents");
    y = must_load();
    check(y->intent_count == 2 && !strcmp(y->intents[0].release, "green") &&
              y->intents[0].expires == NOW + 5 && y->intents[1].version == 4 &&
              y->intents[1].content[0] == 1 &&
              memcmp(y->run_id, x->run_id, 16) == 0 &&
              memcmp(y->run_id, none, 16) != 0,
          "by name, with a run id");
    check(index_set_intents(y, y->intents + 1, 1) == 0 &&
              memcmp(y->run_id, x->run_id, 16) != 0,
          "carried over in another run");
    check(index_write(y, &mem, signer, NOW) == 0 &&
              index_confirm(y, &mem) == 0 && index_confirm(x, &mem) == -1 &&
              heard("run the same command again"),
          "whose head is the one on the server");
    check(index_set_intents(y, NULL, 0) == 0 &&
              memcmp(y->run_id, none, 16) == 0,
          "none");
    index_free(x);
    index_free(y);
}

static void test_limits(void)
{
    static struct index_intent many[2000];
    static char names[2000][24], big[300];
    struct index *x = sample(false);
    struct index_device d = device(9, "greenhouse", 1);
    uint64_t generation;

    forget_all();
    index_write(x, &mem, signer, NOW);
    generation = x->generation;
    for (int i = 0; i < 2000; i++) {
        snprintf(names[i], sizeof names[i], "release-%d", i);
        many[i] = (struct index_intent){.release = names[i], .version = 1};
    }
    check(index_set_intents(x, many, 2000) == 0 &&
              index_write(x, &mem, signer, NOW) == -1 &&
              heard("too many releases"),
          "too many intents for a head");
    check(x->generation == generation && index_confirm(x, &mem) == 0,
          "the index is what it was");
    check(index_set_intents(x, many, 600) == 0 &&
              index_write(x, &mem, signer, NOW) == 0,
          "600 of them fit");
    many[1].release = many[0].release;
    check(index_set_intents(x, many, 2) == -1 && heard("two intents"),
          "two for one release");
    memset(big, 'n', sizeof big - 1);
    d.name = big;
    check(!index_set_device(x, &d) && heard("1 to 255 bytes"), "a long name");
    d.name = "a\x1b[m";
    check(!index_set_device(x, &d) && heard("control"), "a name with controls");
    d.name = NULL;
    d.release = "";
    check(!index_set_device(x, &d) && heard("of a release"), "no release");
    d = device(9, "greenhouse", 0);
    check(!index_set_device(x, &d) && heard("not a version number"),
          "version 0");
    index_free(x);
}

/* A write that fails leaves the server's index whole, and can be repeated. */
static void test_failure(void)
{
    struct index *x = sample(false), *y;
    struct index_device d = device(9, "greenhouse", 1);

    forget_all();
    index_write(x, &mem, signer, NOW);
    index_set_device(x, &d);
    for (size_t n = 0; n < 2; n++) {
        fail_after = n;
        check(index_write(x, &mem, signer, NOW) == -1 && heard("full"),
              "put %zu fails", n);
        fail_after = SIZE_MAX;
        y = must_load();
        check(index_device_count(y) == 4 && index_confirm(x, &mem) == 0,
              "the old index is there");
        index_free(y);
    }
    check(index_write(x, &mem, signer, NOW) == 0, "once more");
    y = must_load();
    check(index_device_count(y) == 5, "the new one");
    index_free(x);
    index_free(y);
}

static void test_keys(void)
{
    struct index *x = sample(false);
    uint8_t other[OTA_PUBLIC_KEY];

    forget_all();
    index_write(x, &mem, signer, NOW);
    index_free(x);
    keys_read_public(OTHER_PUB_LINE, other);
    check(index_read_head(&mem, other, &x) == -1 && !x &&
              said_kind == DIAG_KEY && strstr(said, KEY_ID) &&
              heard("--new-base"),
          "another key is told apart");
    memcpy(other + 2, signer_public(signer) + 2, OTA_KEY_ID);
    check(index_read_head(&mem, other, &x) == -1 && said_kind == DIAG_SERVER &&
              heard("its signature is wrong"),
          "and one that only has the id is no use");
}

/* Every bit flipped and every length: refused, with the object named. */
static void damage(const char *name)
{
    struct object *o = find(name);
    size_t flips = 0, cuts = 0, len = o->len;

    for (size_t i = 0; i < 8 * len; i++) {
        struct index *x;

        o->bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        x = load();
        flips += x != NULL;
        index_free(x);
        o->bytes[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (o->len = 0; o->len < len; o->len++) {
        struct index *x = load();

        cuts += x != NULL;
        index_free(x);
    }
    check(flips == 0 && cuts == 0, "%.16s: %zu flips, %zu cuts got through",
          name, flips, cuts);
}

static const char *shard_name(void)
{
    for (size_t i = 0; i < object_count; i++)
        if (strcmp(objects[i].name, "index/head") != 0)
            return objects[i].name;
    return "";
}

static void test_damage(void)
{
    struct index_intent intent = {"greenhouse", 3, NOW, 0, {1}};
    struct index *x = sample(false);
    char name[80];

    forget_all();
    index_write(x, &mem, signer, NOW);
    index_set_intents(x, &intent, 1);
    index_write(x, &mem, signer, NOW);
    index_free(x);
    snprintf(name, sizeof name, "%s", shard_name());
    damage("index/head");
    check(heard("the index in 'public' is damaged (head: "), "what to do");
    damage(name);
    check(heard("its content does not fit its name"), "and where");
    mem_remove(&mem, name);
    check(!load() && said_kind == DIAG_SERVER && heard("is missing"),
          "a shard is missing");
}

/* The copy of a head that was being written over: taken where that was cut, and
 * only there. */
static void test_copy(void)
{
    struct index *x = sample(false), *y;
    struct object *head;
    uint8_t *bytes;
    size_t len, good = 0;

    forget_all();
    index_write(x, &mem, signer, NOW);
    head = find("index/head");
    len = head->len;
    bytes = malloc(len);
    memcpy(bytes, head->bytes, len);
    mem_put(&mem, "index/head.new", bytes, len, STORE_HEAD);
    head = find("index/head");
    for (head->len = 0; head->len < len; head->len++) {
        y = load();
        good += y && y->generation == 1 && index_confirm(y, &mem) == 0;
        index_free(y);
    }
    check(good == len, "%zu of %zu cuts are made good", good, len);
    index_write(x, &mem, signer, NOW);
    y = must_load();
    check(y->generation == 2, "a good head goes before its copy");
    index_free(y);
    find("index/head")->len = 70;
    find("index/head.new")->bytes[40] ^= 1;
    check(!load() && heard("is damaged (head: "), "a damaged copy is no use");
    mem_put(&mem, "index/head.new", bytes, len, STORE_HEAD);
    mem_remove(&mem, "index/head");
    y = load();
    check(y && !y->exists, "without a head the copy is not looked at");
    index_free(y);
    index_free(x);
    free(bytes);
}

/* Inflated bytes as a whole index under a good signature.  NULL: refused. */
static struct index *signed_index(const uint8_t *bytes, size_t len)
{
    struct index_ref ref = {.size = (uint32_t)len};
    struct index_out head = {.max = INDEX_HEAD_MAX};
    struct index *x = NULL;
    uint8_t *stored;
    size_t stored_len;
    char name[INDEX_OBJECT];

    if (index_new(&x) < 0 ||
        deflate_buffer(bytes, len, &stored, &stored_len) < 0)
        exit(1);
    index_hash(stored, stored_len, ref.name);
    ref.stored = (uint32_t)stored_len;
    x->generation = 1;
    memcpy(x->key_id, signer_public(signer) + 2, OTA_KEY_ID);
    if (index_encode_head(x, &ref, 1, NULL, 0, signer, &head) < 0)
        exit(1);
    forget_all();
    index_object(ref.name, name);
    mem_put(&mem, name, stored, stored_len, STORE_SHARD);
    mem_put(&mem, "index/head", head.bytes, head.len, STORE_HEAD);
    free(stored);
    index_out_release(&head);
    index_free(x);
    return load();
}

static void encode(struct index *x, struct index_out *out)
{
    struct index_places places;

    out->max = INDEX_SHARD_MAX;
    if (index_place_all(x, 1, &places) < 0 ||
        index_encode_shard(x, &places, 1, 0, out) < 0)
        exit(1);
    index_places_release(&places);
}

/* Refused, or just these bytes again: there is one way to say a thing. */
static bool canonical(const uint8_t *bytes, size_t len, size_t *taken)
{
    struct index *x = signed_index(bytes, len);
    struct index_out again = {0};
    bool same = true;

    if (x) {
        encode(x, &again);
        same = again.len == len && memcmp(again.bytes, bytes, len) == 0;
        ++*taken;
    }
    index_out_release(&again);
    index_free(x);
    return same;
}

static void test_signed_damage(void)
{
    struct index *x = sample(false);
    struct index_out out = {0};
    size_t taken = 0, bad = 0, cut = 0;
    uint8_t saved;

    forget_all();
    index_write(x, &mem, signer, NOW);
    index_retire(x, index_device_at(x, 3), true, slot.hash, NOW);
    index_retire(x, index_release_at(x, 0), false, slot.hash, NOW);
    index_settle(x, NOW);
    encode(x, &out);
    check(canonical(out.bytes, out.len, &taken) && taken == 1, "as it is");
    for (size_t i = 0; i < 2 * out.len; i++) {
        saved = out.bytes[i / 2];
        if (i & 1)
            out.bytes[i / 2] ^= (uint8_t)(1 << i / 2 % 8);
        else
            out.bytes[i / 2]++;
        bad += !canonical(out.bytes, out.len, &taken);
        out.bytes[i / 2] = saved;
    }
    check(bad == 0, "%zu changes were read as something else", bad);
    check(taken > 100, "of %zu changes %zu mean another state", 2 * out.len,
          taken);
    taken = 0;
    for (size_t len = 1; len < out.len; len++)
        cut += !canonical(out.bytes, len, &taken);
    check(taken == 0 && cut == 0, "no cut is taken");
    index_out_u8(&out, 0);
    check(!signed_index(out.bytes, out.len) && heard("something follows"),
          "nothing may follow");
    index_out_release(&out);
    index_free(x);
}

static void test_signed_heads(void)
{
    static const struct {
        size_t at;
        uint8_t value;
        const char *said;
    } cases[] = {
        {4, 2, "of a format"},        {5, 1, "a flag"},
        {6, 1, "reserved"},           {8, 1, "cut off"},
        {12, 0, "number of shards"},  {12, 3, "number of shards"},
        {13, 8, "number of shards"},  {15, 9, "number of shards"},
        {32, 0, "generation is 0"},   {96, 1, "run id"},
        {112, 1, "run id"},           {114, 1, "reserved"},
        {14, 1, "ends too early"},    {116 + 36, 0, "size is out of range"},
        {116 + 39, 5, "size is out"},
    };
    struct index_out head = {.max = INDEX_HEAD_MAX};
    struct index_ref ref = {{1}, 5, 9};
    struct signer_job job = {0};
    struct index *x, *y;

    index_new(&x);
    x->generation = 1;
    memcpy(x->key_id, signer_public(signer) + 2, OTA_KEY_ID);
    index_encode_head(x, &ref, 1, NULL, 0, signer, &head);
    job.message = head.bytes;
    job.len = head.len - 64;
    job.signature = head.bytes + job.len;
    forget_all();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t saved = head.bytes[cases[i].at];

        head.bytes[cases[i].at] = cases[i].value;
        signer_sign(signer, &job, 1);
        mem_put(&mem, "index/head", head.bytes, head.len, STORE_HEAD);
        check(index_read_head(&mem, signer_public(signer), &y) == -1 &&
                  heard(cases[i].said),
              "head, byte %zu is %u: %s", cases[i].at, cases[i].value,
              cases[i].said);
        head.bytes[cases[i].at] = saved;
    }
    index_out_release(&head);
    index_free(x);
}

enum { MANY = 100000 };

static void set_many(struct index *x, unsigned first, unsigned count,
                     unsigned step, uint32_t version)
{
    char name[24];

    for (unsigned i = 0; i < count; i++) {
        struct index_device d = device(first + i * step, "fleet", version);

        snprintf(name, sizeof name, "unit-%05u", first + i * step);
        d.name = name;
        index_set_device(x, &d);
    }
}

static void add_version(struct index *x, uint32_t version)
{
    struct ota_alternative a[1];
    struct index_content c = content1(a);
    struct index_version v = {.version = version, .shared = &c};

    index_add_version(x, "fleet", &v);
}

static void check_sizes(const struct index *x)
{
    const struct index_private *p = x->priv;
    size_t largest = 0;

    for (size_t i = 0; i < p->shard_count; i++)
        if (p->shards[i].size > largest)
            largest = p->shards[i].size;
    check(p->shard_count == 128 && largest < 65536,
          "%zu shards of at most %zu bytes", p->shard_count, largest);
    check(find("index/head")->len < 16384, "a head of %zu bytes",
          find("index/head")->len);
}

static void test_many(void)
{
    struct index *x;
    size_t before, used, count;

    forget_all();
    index_new(&x);
    add_version(x, 1);
    set_many(x, 0, MANY, 1, 1);
    check(index_write(x, &mem, signer, NOW) == 0, "100,000 devices");
    check_sizes(x);
    index_free(x);
    before = mallinfo2().uordblks + mallinfo2().hblkhd;
    x = must_load();
    used = mallinfo2().uordblks + mallinfo2().hblkhd - before;
    check(index_device_count(x) == MANY && used < 13 << 20, "%zu KiB in memory",
          used >> 10);
    count = object_count;
    shard_puts = removes = 0;
    add_version(x, 2);
    set_many(x, 777, 10, 9973, 2);
    index_write(x, &mem, signer, NOW);
    check(shard_puts >= 2 && shard_puts <= 11,
          "10 devices and a version rewrite %zu shards", shard_puts);
    check(removes == 0 && object_count == count + shard_puts,
          "the old ones stay for whoever reads them");
    count = shard_puts;
    index_free(x);
    x = must_load();
    check(index_write(x, &mem, signer, NOW) == 0 && removes == count &&
              object_count == x->priv->shard_count + 1,
          "and go with the next head");
    index_sweep(x, &mem);
    check(removes == count, "that is all");
    index_free(x);
}

/* Shards double as devices come, and never shrink. */
static void test_growth(void)
{
    struct index *x, *y;
    size_t count;

    forget_all();
    index_new(&x);
    add_version(x, 1);
    for (unsigned i = 0; i < 8; i++) {
        set_many(x, i * 500, 500, 1, 1);
        index_write(x, &mem, signer, NOW);
    }
    index_write(x, &mem, signer, NOW);
    count = x->priv->shard_count;
    check(count == 8 && object_count == count + 1, "%zu shards, %zu objects",
          count, object_count);
    index_new(&y);
    memcpy(y->base_id, x->base_id, 16);
    y->generation = x->generation - 1;
    add_version(y, 1);
    set_many(y, 0, 4000, 1, 1);
    count = object_count;
    check(index_write(y, &mem, signer, NOW) == -1 && heard("somebody else"),
          "the first head does not replace one that came meanwhile");
    mem_remove(&mem, "index/head");
    check(index_write(y, &mem, signer, NOW) == 0 && object_count == count &&
              memcmp(x->priv->head, y->priv->head, OTA_HASH) == 0,
          "the same bytes in one go");
    index_free(x);
    index_free(y);
}

int main(void)
{
    struct config c;

    begin();
    put_text("release.key", KEY_FILE, 0600);
    put_text("release.pub", PUB_FILE, 0644);
    c = config_of("release.key");
    if (signer_open(&c, 1, &signer) < 0)
        return 1;
    test_empty();
    test_round_trip();
    test_canonical();
    test_retired();
    test_pruned();
    test_intents();
    test_limits();
    test_failure();
    test_keys();
    test_damage();
    test_copy();
    test_signed_damage();
    test_signed_heads();
    test_many();
    test_growth();
    forget_all();
    signer_free(signer);
    return end();
}
