/* What doctor looks at as the publisher: the key, the line, the login, the
 * index, the lock, and objects put, replaced and removed. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "doctor_private.h"
#include "gone.h"
#include "index/index.h"
#include "index/object.h"
#include "pack/tree.h"
#include "store/login.h"

static bool is_stopped(const struct doctor *d)
{
    return d->o->stop && *d->o->stop;
}

/* -- the key ----------------------------------------------------------------
 */

static void say_key(const struct doctor *d, enum doctor_result result,
                    const char *found, const char *advice)
{
    struct doctor_check check = {.name = "key",
                                 .result = result,
                                 .kind = DIAG_KEY,
                                 .found = found,
                                 .advice = advice};

    doctor_tell(d, &check);
}

static void look_at_key_file(const struct doctor *d, const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        say_key(d, DOCTOR_WARNING, "others on this machine can read it",
                "chmod 600 it, and make a new one if others have been there");
    else
        say_key(d, DOCTOR_OK, path, NULL);
}

void doctor_key(const struct doctor_options *o, struct signer **out)
{
    const struct config *c = o->config;
    const struct doctor d = {.o = o};
    char *path = NULL;

    doctor_listen(&d);
    if (signer_open(c, 1, out)) {
        doctor_say_heard(&d, "key", DOCTOR_ERROR,
                         "nothing can be published, nor the index be checked");
        return;
    }
    if (c->sign_command_count || !c->key.text ||
        strncmp(c->key.text, "env:", 4) == 0)
        say_key(&d, DOCTOR_OK, "in no file here", NULL);
    else if ((path = config_resolve(c, c->key.text)))
        look_at_key_file(&d, path);
    free(path);
}

/* -- getting there ----------------------------------------------------------
 */

static const char *kind_name(enum config_server_kind kind)
{
    switch (kind) {
    case SERVER_FOLDER:
        return "a folder";
    case SERVER_HTTP:
        return "PUT over http";
    case SERVER_HTTPS:
        return "PUT over https, certificate checked";
    case SERVER_SFTP:
        return "SFTP, host key checked";
    case SERVER_FTP:
        return "FTP";
    case SERVER_FTPS:
        return "FTP over TLS, certificate checked";
    case SERVER_S3:
        return "S3";
    }
    return "";
}

static bool is_http(const struct config_server *s)
{
    return s->kind == SERVER_HTTP || s->kind == SERVER_HTTPS;
}

static int open_all(struct doctor *d)
{
    const struct config *c = d->o->config;
    const struct config_server *s = d->server;
    const char *read = s->public_url.text;

    if (!read && is_http(s))
        read = s->url.text;
    if (store_open(c, s, true, &d->store))
        return -1;
    d->store->stop = d->o->stop;
    d->store->memory = d->o->memory;
    if (is_http(s) && store_probe_open(c, s, s->url.text, true, &d->own))
        return -1;
    return read ? store_probe_open(c, s, read, false, &d->reader) : 0;
}

/* False: there is no use in going on. */
static bool look_at_reach(struct doctor *d)
{
    const struct store_request r = {.method = "GET", .name = "index/head"};
    struct store_answer a = {0};
    uint64_t size;
    bool ok;

    if (d->own && store_probe_ask(d->own, &r, &a))
        return false;
    ok = d->own ? a.status != 0
                : d->store->ops->size(d->store, r.name, &size) >= 0;
    if (ok)
        doctor_say(d, "reachable", DOCTOR_OK, NULL, "%s",
                   kind_name(d->server->kind));
    else if (d->own)
        doctor_say(
            d, "reachable", DOCTOR_ERROR,
            "is the server up, the URL right, and its certificate current? "
            "'ca' names the file of a private certificate authority",
            "%s", a.error);
    else
        doctor_say_heard(d, "reachable", DOCTOR_ERROR,
                         "is the server up, the URL right, and the login?");
    store_answer_release(&a);
    return ok;
}

/* The status of an object put at the base and removed. */
static long try_put(struct store_probe *p)
{
    static const uint8_t byte = '\n';
    const struct store_request put = {
        .method = "PUT", .name = "doctor", .body = &byte, .len = 1};
    const struct store_request remove = {.method = "DELETE", .name = "doctor"};
    struct store_answer a;
    long status;

    if (store_probe_ask(p, &put, &a))
        return 0;
    status = a.status;
    store_answer_release(&a);
    if (status >= 200 && status < 300 && !store_probe_ask(p, &remove, &a))
        store_answer_release(&a);
    return status;
}

static bool is_open_to_all(const struct doctor *d)
{
    struct store_probe *anybody = NULL;
    long status = 0;

    if (!store_probe_open(d->o->config, d->server, d->server->url.text, false,
                          &anybody))
        status = try_put(anybody);
    store_probe_close(anybody);
    return status >= 200 && status < 300;
}

/* False: we may not write. */
static bool look_at_login(struct doctor *d)
{
    long status = d->own ? try_put(d->own) : 0;

    if (!d->own)
        return true;
    if (status == 401) {
        doctor_say(d, "login", DOCTOR_ERROR,
                   "user and password, or the token, are wrong or missing: "
                   "OTA_PACK_SERVER_USER, OTA_PACK_SERVER_PASSWORD, "
                   "OTA_PACK_SERVER_TOKEN",
                   "HTTP 401");
        return false;
    }
    if (status < 200 || status >= 300) /* writable says more */
        doctor_say(d, "login", DOCTOR_OK, NULL, "not asked for, or taken");
    else if (is_open_to_all(d))
        doctor_say(d, "login", DOCTOR_WARNING,
                   "require a login for writing: devices take nothing that is "
                   "not signed, but all could be deleted",
                   "anybody can write there");
    else
        doctor_say(d, "login", DOCTOR_OK, NULL, "taken");
    return true;
}

/* -- what is there ----------------------------------------------------------
 */

/* Whether any device of the configuration has one: of many, some are asked. */
static bool has_manifests(struct doctor *d)
{
    const struct config *c = d->o->config;
    size_t step = c->device_count / STORE_AHEAD + 1;
    bool any = false;

    for (size_t i = 0; i < c->device_count && !any && !is_stopped(d);
         i += step) {
        char name[OBJECT_NAME];
        uint64_t size;

        object_manifest(&c->devices[i].id, name);
        any = d->store->ops->size(d->store, name, &size) == 0;
    }
    return any;
}

/* Devices go by a real clock, whatever SOURCE_DATE_EPOCH says. */
static void look_at_expiry(struct doctor *d, struct index *x)
{
    uint64_t now = (uint64_t)time(NULL);
    size_t count = 0, expired = 0;
    struct gone gone;

    if (!x->refresh || gone_init(&gone, d->o->config, now))
        return;
    for (size_t i = 0; i < index_device_count(x); i++) {
        const struct index_device *e = index_device_at(x, i);

        if (gone_has(&gone, e))
            continue;
        count++;
        expired += e->expires && e->expires <= now;
    }
    gone_release(&gone);
    if (expired)
        doctor_say(d, "expires", DOCTOR_ERROR,
                   "run 'ota-pack publish' by a right clock, and often enough "
                   "(cron)",
                   "manifests of %zu of %zu devices have expired: they take "
                   "nothing",
                   expired, count);
    else if (x->refresh <= now)
        doctor_say(d, "expires", DOCTOR_WARNING, "run 'ota-pack publish'",
                   "manifests are to be signed anew before they expire");
    else
        doctor_say(d, "expires", DOCTOR_OK, NULL, "signed anew in time");
}

/* One manifest that devices have: the newest, whose file was put last. */
static void find_manifest(struct doctor *d, struct index *x)
{
    if (!d->reader)
        return;
    for (size_t i = 0; i < index_device_count(x); i++) {
        const struct index_device *device = index_device_at(x, i);

        if (index_withdrawn(device) || device->created < d->created)
            continue;
        object_manifest(&device->id, d->published);
        d->created = device->created;
    }
}

static void look_at_index(struct doctor *d)
{
    struct index *x = NULL;
    bool whole;

    if (!d->signer)
        return;
    whole = index_read_head(d->store, signer_public(d->signer), &x) == 0 &&
            (!x->exists || index_read_shards(x, d->store) == 0);
    if (!whole)
        doctor_say_heard(
            d, "index", DOCTOR_ERROR,
            doctor_heard(d, DIAG_KEY)
                ? "nothing is published until the key that signed it is back"
                : "publish refuses it, too");
    else if (doctor_heard(d, 0))
        doctor_say_heard(d, "index", DOCTOR_ERROR, "publish refuses it, too");
    else if (!x->exists && has_manifests(d))
        doctor_say(d, "index", DOCTOR_ERROR,
                   "publish refuses that, too: put the folder 'index' back "
                   "from a copy, or see 'publish --new-base' in ota-pack(1)",
                   "there is none, and devices have manifests");
    else if (!x->exists)
        doctor_say(d, "index", DOCTOR_OK, NULL, "nothing is published yet");
    else if (x->intent_count)
        doctor_say(d, "index", DOCTOR_WARNING,
                   "run 'ota-pack publish' again to complete it",
                   "signed by our key; a publish was cut short");
    else
        doctor_say(d, "index", DOCTOR_OK, NULL, "signed by our key");
    if (whole && x->exists) {
        look_at_expiry(d, x);
        find_manifest(d, x);
    }
    index_free(x);
}

static bool look_at_lock(struct doctor *d)
{
    int failed = d->store->ops->lock(d->store, 0, false);

    if (!failed && doctor_heard(d, 0))
        doctor_say_heard(d, "line", DOCTOR_WARNING, "use https, SFTP or FTPS");
    if (!failed)
        doctor_say(d, "lock", DOCTOR_OK, NULL, "nobody publishes");
    else if (doctor_heard(d, DIAG_LOCK))
        doctor_say_heard(d, "lock", DOCTOR_WARNING,
                         "what is written to find out more is left out");
    else
        doctor_say_heard(d, "writable", DOCTOR_ERROR,
                         "nothing can be published");
    return !failed;
}

/* -- objects of ours --------------------------------------------------------
 */

static uint8_t *make_bytes(void)
{
    uint8_t *bytes = malloc(DOCTOR_BYTES);
    unsigned dice[2] = {0};

    if (!bytes) {
        diag_no_memory();
        return NULL;
    }
    (void)!getrandom(dice, sizeof dice, 0);
    for (size_t at = 0; at < DOCTOR_BYTES; at += 32) {
        char line[40];

        snprintf(line, sizeof line, "doctor %08x%08x %06zu\n", dice[0], dice[1],
                 at);
        memset(bytes + at, ' ', 32);
        memcpy(bytes + at, line, strlen(line));
    }
    return bytes;
}

static int put(struct store *s, const char *name, const uint8_t *bytes,
               enum store_class class)
{
    return s->ops->put(s, name, bytes, DOCTOR_BYTES, class) || s->ops->flush(s)
               ? -1
               : 0;
}

/* 0, -1 (reported) */
static int compare(struct store *s, const uint8_t *bytes)
{
    uint8_t *got;
    size_t len;
    int result = store_get(s, DOCTOR_MANIFEST, DOCTOR_MAX, &got, &len);

    if (result < 0)
        return -1;
    if (result || len != DOCTOR_BYTES || memcmp(got, bytes, len) != 0)
        result = diag_error(DIAG_SERVER, "'%s' is not what was put there",
                            DOCTOR_MANIFEST);
    free(got);
    return result;
}

/* False: nothing of ours is there to look at. */
static bool look_at_writing(struct doctor *d)
{
    uint8_t *bytes = make_bytes();

    d->tried = true;
    if (!bytes || put(d->store, DOCTOR_PAYLOAD, bytes, STORE_PAYLOAD) ||
        put(d->store, DOCTOR_MANIFEST, bytes, STORE_FIRST) ||
        compare(d->store, bytes)) {
        doctor_say_heard(d, "writable", DOCTOR_ERROR,
                         "nothing can be published");
        free(bytes);
        return false;
    }
    doctor_say(d, "writable", DOCTOR_OK, NULL, "read back byte for byte");
    d->bytes = bytes;
    d->len = DOCTOR_BYTES;
    d->name = DOCTOR_MANIFEST;
    d->written = true;
    return true;
}

/* Without one of our own, the index is something to read. */
static void borrow_object(struct doctor *d)
{
    if (store_get(d->store, "index/head", DOCTOR_MAX, &d->bytes, &d->len) == 0)
        d->name = "index/head";
    doctor_forget(d);
}

/* As the next publish does it, which is another run. */
static void look_at_replacing(struct doctor *d)
{
    struct store *next = NULL;
    uint8_t *bytes = make_bytes();
    bool replaced = false;

    if (!bytes || store_open(d->o->config, d->server, true, &next)) {
        free(bytes);
        return;
    }
    next->stop = d->o->stop;
    if (compare(next, d->bytes) ||
        put(next, DOCTOR_MANIFEST, bytes, STORE_MANIFEST) ||
        compare(next, bytes))
        doctor_say_heard(d, "replace", DOCTOR_ERROR,
                         "nothing can be published a second time");
    else
        replaced = true;
    next->ops->close(next);
    if (replaced) {
        doctor_replaced(d, bytes);
        doctor_atomic(d, bytes);
    }
    free(bytes);
}

/* The device's folder, too, where that takes a request of its own. */
static void clean_up(struct doctor *d)
{
    const struct store_request folder = {.method = "DELETE",
                                         .name = "devices/doctor/"};
    struct store *s = d->store;
    struct store_answer a;
    int failed;

    s->stop = NULL;
    failed = s->ops->remove(s, DOCTOR_MANIFEST);
    failed |= s->ops->remove(s, DOCTOR_PAYLOAD);
    if (failed && d->written)
        doctor_say_heard(d, "removable", DOCTOR_ERROR,
                         "old payloads can never be removed from there");
    if (d->own && !store_probe_ask(d->own, &folder, &a))
        store_answer_release(&a);
}

static void look_at_all(struct doctor *d)
{
    bool may_write;

    if (tree_served_keys(d->o->config, d->server))
        doctor_say_heard(d, "private", DOCTOR_ERROR,
                         "nothing is published there until then");
    if (!look_at_reach(d) || is_stopped(d))
        return;
    may_write = !d->o->write_nothing && look_at_login(d);
    look_at_index(d);
    if (d->server->kind == SERVER_FOLDER)
        doctor_modes(d);
    if (is_stopped(d))
        return;
    if (!may_write || !look_at_lock(d) || !look_at_writing(d))
        borrow_object(d);
    if (!is_stopped(d))
        doctor_read(d);
    if (d->written && !is_stopped(d))
        look_at_replacing(d);
}

void doctor_server(const struct doctor_options *o,
                   const struct config_server *server, struct signer *signer)
{
    struct doctor d = {.o = o, .server = server, .signer = signer};

    doctor_listen(&d);
    store_login_keep(true);
    if (open_all(&d)) {
        doctor_say_heard(&d, "reachable", DOCTOR_ERROR, "see ota-pack.yml(5)");
    } else {
        look_at_all(&d);
        if (d.tried)
            clean_up(&d);
    }
    if (d.store)
        d.store->ops->close(d.store);
    store_probe_close(d.own);
    store_probe_close(d.reader);
    store_login_keep(false);
    free(d.bytes);
}
