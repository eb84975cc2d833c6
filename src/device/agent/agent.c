/* Root, installer and identity, from the options. */
#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>

#include "agent.h"
#include "refusal.h"

/* Room for any window and chunk that the format has. */
static uint64_t arena[(OTA_INSTALL_MEMORY(15, OTA_CHUNK_MAX) + 7) / 8];

/* .ota is a link, or not all ours: what it says may be another's word. */
static int doubtful(const struct agent *a)
{
    const char *root = a->options->root;
    const struct ota_posix *p = &a->posix;

    if (p->doubt == OTA_POSIX_NO_FOLDER)
        return say_error(EXIT_FAILED,
                         "'%s/%s' is a link or a file, where a folder of ours "
                         "belongs: find out who put it there, and remove it",
                         root, p->path);
    return say_error(EXIT_FAILED,
                     "'%s/%s' belongs to user %lu, and ota-agent runs as user "
                     "%lu: run it as the same user each time; only if you are "
                     "sure who wrote '%s/.ota', give it to this one: 'chown -R "
                     "%lu %s/.ota'",
                     root, p->path, p->owner, (unsigned long)geteuid(), root,
                     (unsigned long)geteuid(), root);
}

static int lock_root(struct agent *a, bool wait)
{
    const char *root = a->options->root;

    if (ota_posix_lock(&a->posix, wait) == 0)
        return 0;
    if (a->posix.doubt)
        return doubtful(a);
    if (errno == EWOULDBLOCK)
        return say_error(EXIT_BUSY, "another ota-agent is at work in '%s'",
                         root);
    return say_error(EXIT_FAILED, "cannot lock '%s': %s", root,
                     strerror(errno));
}

static void told(void *arg, const char *from, const char *to)
{
    const struct agent *a = arg;

    say_error(0,
              "'%s' was in the way of going back: it is kept as '%s/%s' until "
              "the next update is fetched",
              from, a->options->root, to);
}

static int open_root(struct agent *a, bool lock)
{
    const char *root = a->options->root;

    if (!root)
        return options_missing(a->options, "which folder is updated?", "root");
    if (ota_posix_open(&a->posix, root) != 0)
        return a->posix.doubt ? doubtful(a)
                              : options_wrong(a->options, EXIT_FAILED, root,
                                              "cannot open '%s': %s", root,
                                              strerror(errno));
    return lock ? lock_root(a, false) : 0;
}

/* "NAME=FILE_A,FILE_B"; the text stays, only the name is copied. */
static int add_slot(struct agent *a, const char *text)
{
    static char files[OTA_POSIX_SLOTS][2][OTA_PATH + 1];
    char(*file)[OTA_PATH + 1] = files[a->posix.slot_count % OTA_POSIX_SLOTS];
    const char *equals = strchr(text, '='), *comma = strchr(text, ',');
    char name[OTA_POSIX_SLOT_NAME + 1];
    size_t len = equals ? (size_t)(equals - text) : 0;

    if (len == 0 || len >= sizeof(name) || !comma || comma <= equals + 1 ||
        (size_t)(comma - equals) > sizeof(*file) || !comma[1] ||
        strlen(comma + 1) >= sizeof(*file))
        return options_wrong(a->options, EXIT_USAGE, text,
                             "'%s' is not NAME=FILE_A,FILE_B", text);
    snprintf(name, sizeof(name), "%.*s", (int)len, text);
    snprintf(file[0], sizeof(*file), "%.*s", (int)(comma - equals - 1),
             equals + 1);
    snprintf(file[1], sizeof(*file), "%s", comma + 1);
    if (ota_posix_add_slot(&a->posix, name, file[0], file[1]) != 0)
        return options_wrong(a->options, EXIT_USAGE, text,
                             "slot '%s' is given twice, or is one too many",
                             name);
    return 0;
}

static void configure(struct agent *a)
{
    const struct options *o = a->options;
    struct ota_install_config *c = &a->config;

    c->protect = o->protect.items;
    c->protect_count = o->protect.count;
    c->boot_paths = o->boot_path.items;
    c->boot_path_count = o->boot_path.count;
    c->chances = (uint8_t)o->chances;
    c->wakes = (uint16_t)o->wakes;
    c->lowest = (uint32_t)o->lowest;
    c->device.hardware = (uint16_t)o->hardware;
    a->posix.planned = o->planned;
    a->posix.has_clock = options_has_time(o);
    a->posix.clock = o->time;
}

/* One that knows nothing yet of what is kept. */
static void start_installer(struct agent *a)
{
    a->install = ota_install_init(arena, sizeof(arena), &a->port, &a->config);
}

int agent_open(struct agent *a, const struct options *o, bool lock)
{
    int status;
    size_t i;

    memset(a, 0, sizeof(*a));
    a->options = o;
    status = open_root(a, lock);
    for (i = 0; status == 0 && i < o->slot.count; i++)
        status = add_slot(a, o->slot.items[i]);
    if (status != 0)
        return status;
    configure(a);
    a->port = ota_posix_port(&a->posix);
    a->posix.told = told;
    a->posix.told_arg = a;
    start_installer(a);
    return 0;
}

void agent_close(struct agent *a)
{
    trust_wipe(&a->trust);
    ota_posix_close(&a->posix);
}

void agent_leave(struct agent *a)
{
    ota_posix_unlock(&a->posix);
}

int agent_return(struct agent *a)
{
    int status = lock_root(a, true);

    start_installer(a);
    return status == 0 ? agent_status(a) : status;
}

int agent_identify(struct agent *a)
{
    const struct options *o = a->options;
    struct ota_device *d = &a->config.device;
    int status = 0;
    size_t i;

    d->id_len = o->device
                    ? ota_device_parse(o->device, strlen(o->device), d->id)
                    : device_first_mac(d->id);
    if (!d->id_len && o->device)
        return options_wrong(o, EXIT_USAGE, o->device,
                             "'%s' is not a device id (6 or 8 hex pairs, as "
                             "in 24:6f:28:aa:bb:01)",
                             o->device);
    if (!d->id_len)
        return options_missing(o,
                               "there is no interface with a MAC:", "device");
    device_text(d->id, d->id_len, a->device);
    if (o->key.count == 0)
        return options_missing(o, "which key does this device trust?", "key");
    for (i = 0; status == 0 && i < o->key.count; i++)
        status = trust_add(&a->trust, o, o->key.items[i]);
    if (status == 0 && o->device_key)
        status = trust_device_key(&a->trust, o);
    d->keys = (const uint8_t(*)[OTA_PUBLIC_KEY])a->trust.keys;
    d->key_count = a->trust.key_count;
    d->device_key = a->trust.has_device_key ? a->trust.device_key : NULL;
    return status;
}

int agent_status(struct agent *a)
{
    int err = ota_status(a->install, &a->status);

    return err == OTA_OK ? 0 : agent_failed(a, err, NULL);
}

/* What is known besides the error: how much space, or which file. */
static void explain(const struct agent *a, int err, char *out, size_t size)
{
    const struct ota_posix *p = &a->posix;
    const char *blocked = a->install ? ota_blocked(a->install) : NULL;
    uint64_t space = a->install ? ota_stage_space(a->install) : 0;
    bool full = p->error == ENOSPC || p->error == EDQUOT;

    out[0] = '\0';
    if (err == OTA_ERR_PATH && blocked)
        snprintf(out, size,
                 ": '%s' is in the way: once it is gone, this version is taken",
                 blocked);
    else if (err == OTA_ERR_MEMORY && ota_stage_memory(a->install) == 0)
        snprintf(out, size, ": it has more than %d files and deletes",
                 OTA_ENTRIES);
    else if (err == OTA_ERR_SPACE && space > 0 && !full)
        snprintf(out, size, ": %llu bytes", (unsigned long long)space);
    else if (p->error && (err == OTA_ERR_IO || (err == OTA_ERR_SPACE && full)))
        snprintf(out, size, ": %s%s%s", strerror(p->error),
                 *p->path ? " at " : "", p->path);
}

int agent_failed(const struct agent *a, int err, const char *what)
{
    char detail[2 * OTA_PATH];

    if (err == OTA_ERR_STATE)
        return say_error(EXIT_STATE,
                         "the state in '%s/.ota' is damaged: nothing is "
                         "installed until 'ota-agent reset' (state)",
                         a->options->root);
    if (err == OTA_ERR_SLOT && !what)
        return say_error(EXIT_USAGE,
                         "a firmware slot belongs to it: say '--slot "
                         "NAME=A,B', as in the configuration that it was "
                         "staged with (slot)");
    explain(a, err, detail, sizeof(detail));
    return say_error(refusal_exit(err), "%s%s%s%s (%s)%s", what ? what : "",
                     what ? ": " : "", ota_strerror(err), detail,
                     ota_error_name(err), refusal_next(err));
}

int agent_wrong_phase(const struct agent *a, const char *what)
{
    static const char *const next[] = {
        [OTA_IDLE] = "'ota-agent poll' asks for a new version",
        [OTA_STAGING] = "a part is here, and 'ota-agent poll' fetches the rest",
        [OTA_READY] = "an update is staged, and 'ota-agent boot' installs it",
        [OTA_OUT] = "an update is half installed, and 'ota-agent boot' goes on",
        [OTA_IN] = "an update is half installed, and 'ota-agent boot' goes on",
        [OTA_TRIAL] = "'ota-agent boot' comes next",
        [OTA_UOUT] = "an update is half undone, and 'ota-agent boot' goes on",
        [OTA_UIN] = "an update is half undone, and 'ota-agent boot' goes on"};

    return say_error(EXIT_STATE, "%s: %s (state)", what, next[a->status.phase]);
}

void agent_staged(const struct agent *a, uint32_t version)
{
    unsigned skipped = ota_stage_skipped(a->install);

    if (skipped)
        say("%u file%s left alone: protected, or not ours", skipped,
            say_plural(skipped));
    say("version %lu is staged", (unsigned long)version);
}

const char *agent_version(uint32_t version, char out[AGENT_VERSION])
{
    if (version)
        snprintf(out, AGENT_VERSION, "version %lu", (unsigned long)version);
    else
        snprintf(out, AGENT_VERSION, "what was there before");
    return out;
}

const char *agent_installed(const struct agent *a, char out[AGENT_INSTALLED])
{
    if (a->status.installed_any)
        snprintf(out, AGENT_INSTALLED, "version %lu is installed",
                 (unsigned long)a->status.version);
    else
        snprintf(out, AGENT_INSTALLED, "nothing is installed yet");
    return out;
}

const char *agent_phase(const struct agent *a)
{
    static const char *const names[] = {"idle", "staging", "ready", "out",
                                        "in",   "trial",   "uout",  "uin"};

    return names[a->status.phase];
}

const char *agent_reason(uint8_t reason)
{
    switch (reason) {
    case 0:
        return "";
    case OTA_REASON_CHANCES:
        return "it was never confirmed";
    case OTA_REASON_HAND:
        return "undone by hand";
    case OTA_REASON_SLOT:
        return "the bootloader rolled the slot back";
    case OTA_REASON_COMMAND:
        return "the confirm command failed";
    default:
        return ota_strerror(-reason);
    }
}
