/* `apply`: a bundle from a memory card.  After a cut it goes on where the
 * journal says, as a poll does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "trial.h"

enum { PIECE = 4096 };

static int unreadable(const char *file)
{
    return say_error(EXIT_INPUT, "cannot read '%s': %s", file, strerror(errno));
}

/* Where the payload begins; all that was read, if that is no manifest. */
static size_t manifest_length(const uint8_t *buf, size_t len,
                              struct ota_manifest *m)
{
    return ota_manifest_decode(m, buf, len) == OTA_OK ? m->bytes_len : len;
}

/* Up to `len` bytes, fewer only at the end; -1 with errno. */
static ssize_t fill(int fd, uint8_t *buf, size_t len)
{
    size_t have = 0;
    ssize_t n = 1;

    while (have < len && n > 0) {
        n = read(fd, buf + have, len - have);
        have += n > 0 ? (size_t)n : 0;
    }
    return n < 0 ? -1 : (ssize_t)have;
}

/* Feeds the payload, of which `have` bytes at `at` in buf are read already, to
 * its end.  What is staged already is read past: it may come through a pipe.
 * 0, or an exit status; *err is the installer's. */
static int feed(struct agent *a, int fd, const char *file, uint8_t *buf,
                size_t at, size_t have, int *err)
{
    uint32_t past = ota_stage_offset(a->install);
    ssize_t n;

    for (;;) {
        size_t skip = have < past ? have : past;

        past -= (uint32_t)skip;
        *err = ota_stage_feed(a->install, buf + at + skip, have - skip);
        if (*err != OTA_OK)
            return 0;
        n = read(fd, buf, PIECE);
        if (n <= 0)
            return n < 0 ? unreadable(file) : 0;
        at = 0;
        have = (size_t)n;
    }
}

static int stage(struct agent *a, int fd, const char *file,
                 struct ota_manifest *m)
{
    uint8_t buf[PIECE];
    char what[1024];
    ssize_t n = fill(fd, buf, OTA_MANIFEST_MAX);
    size_t len;
    int err, status = 0;

    if (n < 0)
        return unreadable(file);
    len = manifest_length(buf, (size_t)n, m);
    err = ota_stage(a->install, OTA_CHOOSE_FULL);
    if (err == OTA_OK)
        err = ota_stage_feed(a->install, buf, len);
    if (err == OTA_OK)
        status = feed(a, fd, file, buf, len, (size_t)n - len, &err);
    if (status == 0 && err == OTA_OK)
        err = ota_stage_finish(a->install);
    if (status == 0 && err != OTA_OK && err != OTA_CURRENT) {
        snprintf(what, sizeof(what), "'%s'", file);
        status = agent_failed(a, err, what);
    }
    if (status == 0 && err == OTA_CURRENT)
        say("version %lu is installed already", (unsigned long)m->version);
    return status != 0 ? status : err == OTA_OK ? EXIT_RESTART : EXIT_DONE;
}

static int apply(struct agent *a, const char *file)
{
    struct ota_manifest m = {0};
    int fd = strcmp(file, "-") == 0 ? STDIN_FILENO
                                    : open(file, O_RDONLY | O_CLOEXEC);
    int status;

    if (fd < 0)
        return unreadable(file);
    status = stage(a, fd, file, &m);
    if (fd != STDIN_FILENO)
        close(fd);
    if (status == EXIT_RESTART)
        agent_staged(a, m.version);
    return status;
}

int apply_run(struct agent *a, const char *file)
{
    int status = agent_identify(a);

    if (status == 0)
        status = agent_status(a);
    if (status != 0)
        return status;
    if (a->status.phase == OTA_TRIAL)
        return say_error(EXIT_STATE,
                         "version %lu is on trial: confirm or undo it first "
                         "(state)",
                         (unsigned long)a->status.version);
    status = EXIT_RESTART;
    if (a->status.phase == OTA_IDLE || a->status.phase == OTA_STAGING)
        status = apply(a, file);
    else
        say("an update is staged already: 'ota-agent boot' installs it");
    if (status != EXIT_RESTART)
        return status;
    if (a->options->now)
        return trial_now(a);
    say("restart needed");
    return status;
}
