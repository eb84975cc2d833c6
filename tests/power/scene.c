/* Devices and what must be on them: see scene.h. */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA = OTA_INSTALL_MEMORY(10, OTA_CHUNK_MAX), NAMES = 4096 };

const char *scene_wrong;
long scene_resumed;

/* -- what must be there -----------------------------------------------------
 */

static const struct set *files_of(const struct scene *s, unsigned version)
{
    return &s->set[version == 0 && s->forgets ? 2 : version];
}

static const struct item *own(const struct scene *s, const char *path)
{
    for (size_t i = 0; i < s->user.count; i++) {
        if (strcmp(s->user.item[i].path, path) == 0)
            return &s->user.item[i];
    }
    return NULL;
}

static bool has_item(struct world *w, const struct item *f)
{
    size_t len;
    unsigned mode;
    const uint8_t *bytes = w->type->get(w, f->path, &len, &mode);

    return bytes && len == strlen(f->bytes) &&
           (!w->type->modes || mode == f->mode) &&
           memcmp(bytes, f->bytes, len) == 0;
}

/* Names that may be there: bit 0 a file that must be, bit 1 a folder. */
struct names {
    struct {
        const char *path;
        size_t len;
        bool folder, seen, must;
    } name[NAMES];
    size_t count;
    bool strange;
};

static void add_name(struct names *n, const char *path, size_t len, bool folder,
                     bool must)
{
    for (size_t i = 0; i < n->count; i++) {
        if (n->name[i].len == len && memcmp(n->name[i].path, path, len) == 0) {
            n->name[i].must |= must;
            n->name[i].folder &= folder;
            return;
        }
    }
    if (n->count == NAMES)
        abort();
    n->name[n->count].path = path;
    n->name[n->count].len = len;
    n->name[n->count].folder = folder;
    n->name[n->count].must = must;
    n->name[n->count++].seen = false;
}

static void add_folders(struct names *n, const char *path, bool must)
{
    for (size_t i = 0; path[i]; i++) {
        if (path[i] == '/')
            add_name(n, path, i, true, must);
    }
}

/* What the program made for itself: its folders may be there, too. */
static void each_mine(void *arg, const char *path, bool folder)
{
    static char kept[64][64];
    static size_t next;
    char *copy = kept[next++ % 64];

    if (folder || !strstr(path, "mine"))
        return;
    snprintf(copy, sizeof(kept[0]), "%s", path);
    add_name(arg, copy, strlen(copy), false, false);
    add_folders(arg, copy, false);
}

static void each_name(void *arg, const char *path, bool folder)
{
    struct names *n = arg;
    size_t len = strlen(path);

    for (size_t i = 0; i < n->count; i++) {
        if (n->name[i].len == len && n->name[i].folder == folder &&
            memcmp(n->name[i].path, path, len) == 0) {
            n->name[i].seen = true;
            return;
        }
    }
    n->strange = true;
}

static void add_set(struct names *n, const struct set *set, bool folders_only,
                    bool must)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct item *f = &set->item[i];

        if (f->type == OTA_SLOT)
            continue;
        if (!folders_only)
            add_name(n, f->path, strlen(f->path), false, must);
        add_folders(n, f->path, must);
    }
}

/* No name lacks and none is strange.  In a trial a folder that was emptied is
 * still there. */
static bool names_agree(const struct scene *s, struct world *w,
                        const struct ota_status *st)
{
    static struct names n;

    n.count = 0;
    n.strange = false;
    add_set(&n, files_of(s, st->version), false, true);
    add_set(&n, &s->user, false, true);
    if (st->phase == OTA_TRIAL)
        add_set(&n, files_of(s, st->previous), true, false);
    if (s->edited)
        w->type->walk(w, "", each_mine, &n);
    w->type->walk(w, "", each_name, &n);
    for (size_t i = 0; i < n.count; i++) {
        if (n.name[i].must && !n.name[i].seen)
            return false;
    }
    return !n.strange;
}

static bool slot_agrees(const struct scene *s, struct world *w,
                        const struct item *f)
{
    (void)s;
    return memcmp(w->slot.image[w->slot.runs], f->bytes, strlen(f->bytes)) == 0;
}

bool scene_whole(const struct scene *s, struct world *w,
                 const struct ota_status *st)
{
    const struct set *set;

    if (s->edited && (st->version == 2 || s->edited_early))
        return true;
    if (st->version > SCENE_VERSIONS ||
        (st->phase != OTA_IDLE && st->phase != OTA_STAGING &&
         st->phase != OTA_READY && st->phase != OTA_TRIAL))
        return false;
    if (st->version > 0 &&
        memcmp(st->release, s->bundle[st->version]->release, OTA_DIGEST) != 0)
        return false;
    set = files_of(s, st->version);
    for (size_t i = 0; i < set->count; i++) {
        const struct item *f = &set->item[i], *mine = own(s, f->path);

        if (!(f->type == OTA_SLOT ? slot_agrees(s, w, f)
                                  : has_item(w, mine ? mine : f)))
            return false;
    }
    for (size_t i = 0; i < s->user.count; i++) {
        if (!has_item(w, &s->user.item[i]))
            return false;
    }
    return names_agree(s, w, st);
}

/* -- what a device does -----------------------------------------------------
 */

struct ota_install *scene_start(const struct scene *s, struct world *w)
{
    struct ota_install *i = malloc(ARENA);

    if (!i)
        abort();
    memset(i, 0xa5, OTA_INSTALL_STATE);
    return ota_install_init(i, ARENA, &w->port, &s->config);
}

void scene_end(struct ota_install *i)
{
    free(i);
}

struct ota_status scene_status(const struct scene *s, struct world *w)
{
    struct ota_install *i = scene_start(s, w);
    struct ota_status st;

    ota_status(i, &st);
    scene_end(i);
    return st;
}

/* A restart loses what is not durable, as a cut does. */
void scene_restart(struct world *w)
{
    void (*at_op)(struct world *, void *) = w->at_op;
    long ops = w->ops;

    w->type->crash(w, 0);
    w->at_op = at_op;
    w->ops = ops;
    w->restarts++;
}

int scene_boot(const struct scene *s, struct world *w, struct ota_status *st)
{
    struct ota_install *i;
    struct ota_status mine;
    int err, n = 0;

    do {
        i = scene_start(s, w);
        err = ota_boot(i);
        if (err == OTA_RESTART)
            scene_restart(w);
        if (err == OTA_OK)
            err = ota_status(i, st ? st : &mine);
        scene_end(i);
    } while (err == OTA_RESTART && n++ < 5);
    if (err == OTA_OK && !scene_whole(s, w, st ? st : &mine) && !scene_wrong)
        scene_wrong = "not whole after a boot";
    return err;
}

int scene_feed(struct ota_install *i, const struct bundle *b, int choose)
{
    int err = ota_stage(i, choose);
    unsigned which;
    uint32_t from;

    if (err == OTA_OK)
        err = ota_stage_feed(i, b->manifest, b->manifest_len);
    if (err != OTA_OK)
        return err;
    which = ota_stage_size(i) == b->payload_len[0] ? 0 : 1;
    from = ota_stage_offset(i);
    scene_resumed += from > 0;
    err = ota_stage_feed(i, b->payload[which] + from,
                         b->payload_len[which] - from);
    return err == OTA_OK ? ota_stage_finish(i) : err;
}

int scene_stage(const struct scene *s, struct world *w, unsigned version)
{
    struct ota_install *i = scene_start(s, w);
    int err = scene_feed(i, s->bundle[version], OTA_CHOOSE_INSTALLED);

    if (err == OTA_ERR_BASE)
        err = scene_feed(i, s->bundle[version], OTA_CHOOSE_FULL);
    scene_end(i);
    return err;
}

int scene_install(const struct scene *s, struct world *w, unsigned version)
{
    struct ota_status st;
    int err = scene_boot(s, w, &st);

    if (err != OTA_OK || st.version == version)
        return err;
    err = scene_stage(s, w, version);
    if (err != OTA_OK)
        return err;
    err = scene_boot(s, w, &st);
    return err == OTA_OK && st.version != version ? OTA_ERR_STATE : err;
}

int scene_call(const struct scene *s, struct world *w,
               int (*what)(struct ota_install *i))
{
    struct ota_install *i = scene_start(s, w);
    int err = what(i);

    scene_end(i);
    return err;
}

static int undo_by_hand(struct ota_install *i)
{
    return ota_undo(i, OTA_REASON_HAND);
}

int scene_undo(const struct scene *s, struct world *w, struct ota_status *st)
{
    int err = scene_call(s, w, undo_by_hand);

    if (err == OTA_RESTART)
        scene_restart(w);
    return err == OTA_OK || err == OTA_RESTART ? scene_boot(s, w, st) : err;
}

static int want(bool good, const char *what)
{
    if (!good && !scene_wrong)
        scene_wrong = what;
    return OTA_OK;
}

int life_install(const struct scene *s, struct world *w)
{
    return scene_install(s, w, 2);
}

int life_first(const struct scene *s, struct world *w)
{
    return scene_install(s, w, 1);
}

int life_confirm(const struct scene *s, struct world *w)
{
    struct ota_status st;
    int err = scene_boot(s, w, &st);

    if (err == OTA_OK && st.phase == OTA_TRIAL)
        err = scene_call(s, w, ota_confirm);
    if (err == OTA_OK)
        err = scene_boot(s, w, &st);
    if (err != OTA_OK)
        return err;
    return want(st.phase == OTA_IDLE && st.version == 2 && st.can_undo,
                "not confirmed");
}

static bool undone(const struct ota_status *st)
{
    return st->phase == OTA_IDLE && st->version == 1 && st->failed == 2 &&
           st->highest == 2 && !st->can_undo;
}

int life_undo(const struct scene *s, struct world *w)
{
    struct ota_status st;
    int err = scene_boot(s, w, &st);

    if (err == OTA_OK && st.version == 2)
        err = scene_undo(s, w, &st);
    if (err != OTA_OK)
        return err;
    return want(undone(&st) && st.reason == OTA_REASON_HAND, "not undone");
}

int life_chances(const struct scene *s, struct world *w)
{
    struct ota_status st;
    int err, n = 0;

    do {
        err = scene_boot(s, w, &st);
    } while (err == OTA_OK && st.version == 2 && n++ < 100);
    if (err != OTA_OK)
        return err;
    return want(undone(&st) && st.reason == OTA_REASON_CHANCES, "not undone");
}

/* The first life gives the backup up; a later one takes it up if it can. */
int life_forget(const struct scene *s, struct world *w)
{
    struct ota_status st;
    int err = scene_boot(s, w, &st);

    if (err == OTA_OK && st.version == 2 && st.can_undo)
        err = w->lives++ == 0 ? scene_call(s, w, ota_forget_backup)
                              : scene_undo(s, w, &st);
    if (err == OTA_OK)
        err = scene_boot(s, w, &st);
    return err == OTA_OK ? want(!st.can_undo, "a backup is offered") : err;
}

int life_reset(const struct scene *s, struct world *w)
{
    struct ota_status st;
    int err = scene_boot(s, w, &st);

    if (err == OTA_OK && st.version == 2) {
        err = scene_call(s, w, ota_reset);
        if (err == OTA_OK)
            err = scene_boot(s, w, &st);
    }
    if (err == OTA_OK)
        want(st.highest >= 2, "highest went back");
    return err == OTA_OK ? scene_install(s, w, 3) : err;
}

/* Version 2 comes, or was undone since its image had its one chance. */
int life_strict(const struct scene *s, struct world *w)
{
    struct ota_status st;
    int err = scene_boot(s, w, &st);

    if (err == OTA_OK && st.version == 1 && st.failed == 0)
        err = scene_install(s, w, 2);
    if (err == OTA_OK)
        err = scene_boot(s, w, &st);
    if (err == OTA_OK && st.phase == OTA_TRIAL)
        err = scene_call(s, w, ota_confirm);
    if (err == OTA_OK)
        err = scene_boot(s, w, &st);
    if (err != OTA_OK)
        return err;
    return want(st.phase == OTA_IDLE && (st.version == 2 || undone(&st)),
                "neither confirmed nor undone");
}

static void put_own(struct world *w, const struct item *f)
{
    char folder[64];

    for (size_t i = 0; f->path[i]; i++) {
        if (f->path[i] != '/')
            continue;
        snprintf(folder, sizeof(folder), "%.*s", (int)i, f->path);
        w->type->mkdir(w, folder);
    }
    w->type->put(w, f->path, f->bytes, strlen(f->bytes), f->mode);
}

void scene_prepare(const struct scene *s, struct world *w, unsigned version)
{
    int err = OTA_OK;

    w->slot.loader = s->loader;
    for (size_t i = 0; i < s->user.count; i++)
        put_own(w, &s->user.item[i]);
    if (version >= 1)
        err = scene_install(s, w, 1);
    if (err == OTA_OK && version >= 1)
        err = scene_call(s, w, ota_confirm);
    if (err == OTA_OK && version >= 2)
        err = scene_install(s, w, 2);
    if (err != OTA_OK || scene_wrong)
        printf("# not prepared: %s %s\n", ota_error_name(err),
               scene_wrong ? scene_wrong : "");
    w->ops = w->writes = 0;
}
