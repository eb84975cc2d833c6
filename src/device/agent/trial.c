/* Boot, trial, confirm and undo, with the owner's commands around them. */
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "command.h"
#include "trial.h"

static int owners(const struct agent *a, const char *what, const char *command)
{
    return command_run(what, command, (unsigned)a->options->command_timeout);
}

/* The version that is on trial, or 0. */
static uint32_t on_trial(const struct agent *a)
{
    return a->status.phase == OTA_TRIAL ? a->status.version : 0;
}

/* The same while others may work on the root: what is started may confirm, and
 * a command that waits for that must not wait for us.  Their word on a version
 * on trial counts more than the command's.  EXIT_UNDONE: it failed. */
static int owners_open(struct agent *a, const char *what, const char *command)
{
    uint32_t trial = on_trial(a);
    int failed, status;

    if (!command)
        return EXIT_DONE;
    agent_leave(a);
    failed = owners(a, what, command);
    status = agent_return(a);
    if (status != 0)
        return status;
    if (trial && on_trial(a) != trial)
        failed = a->status.failed == trial;
    return failed ? EXIT_UNDONE : EXIT_DONE;
}

/* What became of it, for people. */
static void report_boot(const struct agent *a, const struct ota_status *before)
{
    const struct ota_status *s = &a->status;
    char back[AGENT_VERSION], installed[AGENT_INSTALLED];

    if (s->failed && s->failed != before->failed)
        say_error(0, "version %lu was undone: %s; %s is back",
                  (unsigned long)s->failed, agent_reason(s->reason),
                  agent_version(s->version, back));
    else if (s->phase == OTA_TRIAL && s->version != before->version)
        say("version %lu is installed, on trial", (unsigned long)s->version);
    else if (s->phase == OTA_TRIAL && s->chances == 0)
        say("version %lu is on trial: the next boot undoes it, if nothing "
            "confirms it",
            (unsigned long)s->version);
    else if (s->phase == OTA_TRIAL)
        say("version %lu is on trial: %u more boot%s to confirm it",
            (unsigned long)s->version, s->chances, say_plural(s->chances));
    else
        say_idle("nothing to do: %s", agent_installed(a, installed));
}

static bool in_vain(const struct agent *a, const struct ota_status *before)
{
    return before->phase >= OTA_READY && before->phase != OTA_TRIAL &&
           a->status.phase == OTA_IDLE &&
           a->status.version == before->version &&
           a->status.failed == before->failed;
}

/* What was staged is gone, and nothing of it is installed: the device's own
 * trouble, which rules no version out. */
static void report_in_vain(const struct agent *a)
{
    const char *blocked = ota_blocked(a->install);
    const struct ota_posix *p = &a->posix;

    if (blocked)
        say_error(0,
                  "what was staged is not installed: '%s' is in the way; once "
                  "it is gone, a poll takes the version again",
                  blocked);
    else if (p->error)
        say_error(0,
                  "what was staged is not installed: %s at '%s'; once that is "
                  "mended, a poll takes the version again",
                  strerror(p->error), p->path);
    else
        say_error(0, "what was staged is no longer accepted, and is dropped");
}

/* Exit status of what the installer returned, after saying what happened. */
static int outcome(struct agent *a, int err)
{
    struct ota_status before = a->status;
    int status;

    if (err != OTA_OK && err != OTA_RESTART)
        return agent_failed(a, err, NULL);
    status = agent_status(a);
    if (status != 0)
        return status;
    report_boot(a, &before);
    if (in_vain(a, &before))
        report_in_vain(a);
    if (err == OTA_OK)
        return EXIT_DONE;
    say("another firmware slot is active: restart needed");
    return EXIT_RESTART;
}

/* What fails is tried again once: the state says where to go on. */
int trial_boot(struct agent *a)
{
    int status = agent_status(a), err;

    if (status != 0)
        return status;
    err = ota_boot(a->install);
    if (err == OTA_ERR_IO || err == OTA_ERR_SPACE)
        err = ota_boot(a->install);
    return outcome(a, err);
}

static int undo_trial(struct agent *a, enum ota_reason reason)
{
    int err = ota_undo(a->install, reason);

    if (err == OTA_ERR_IO || err == OTA_ERR_SPACE)
        err = ota_boot(a->install);
    return outcome(a, err);
}

int trial_confirm(struct agent *a)
{
    unsigned long version;
    int status = agent_status(a), err;

    if (status != 0)
        return status;
    version = a->status.version;
    if (a->status.phase != OTA_TRIAL)
        return agent_wrong_phase(a, "nothing is on trial");
    err = ota_confirm(a->install);
    if (err == OTA_ERR_STATE)
        return say_error(EXIT_STATE,
                         "version %lu cannot be confirmed: its firmware slot "
                         "does not run, or the journal is damaged: 'ota-agent "
                         "boot' comes next (state)",
                         version);
    if (err != OTA_OK)
        return agent_failed(a, err, NULL);
    say("version %lu is confirmed", version);
    return agent_status(a);
}

/* -- on a machine that runs ---------------------------------------------------
 */

/* Between stop and start nobody ends us who could as well wait. */
static void hold_signals(sigset_t *before)
{
    sigset_t all;

    sigemptyset(&all);
    sigaddset(&all, SIGINT);
    sigaddset(&all, SIGTERM);
    sigaddset(&all, SIGHUP);
    sigprocmask(SIG_BLOCK, &all, before);
}

/* Stop, `step`, start.  Where the files are not whole nothing is started.
 * *trial, if not NULL: the version that `step` put on trial, or 0. */
static int between(struct agent *a, int (*step)(struct agent *a),
                   bool must_stop, uint32_t *trial)
{
    sigset_t before;
    int status = EXIT_FAILED;

    hold_signals(&before);
    if (owners(a, "stop", a->options->stop_command) == 0 || !must_stop)
        status = step(a);
    if (trial)
        *trial = on_trial(a);
    if (status == EXIT_DONE)
        status = owners_open(a, "start", a->options->start_command);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

static int undo_failed(struct agent *a)
{
    return undo_trial(a, OTA_REASON_COMMAND);
}

static int undo_by_hand(struct agent *a)
{
    return undo_trial(a, OTA_REASON_HAND);
}

/* A version that does not even start did not prove good either. */
static int go_back(struct agent *a)
{
    int status = between(a, undo_failed, false, NULL);

    return status == EXIT_DONE ? EXIT_UNDONE : status;
}

int trial_prove(struct agent *a)
{
    uint32_t trial = on_trial(a);
    int status;

    if (!a->options->confirm_command)
        return EXIT_DONE;
    say_more("version %lu has to prove itself now", (unsigned long)trial);
    status = owners_open(a, "confirm", a->options->confirm_command);
    return status == EXIT_DONE && on_trial(a) == trial ? trial_confirm(a)
                                                       : status;
}

int trial_now(struct agent *a)
{
    uint32_t trial = 0;
    int status = agent_status(a);

    if (status == 0)
        status = between(a, trial_boot, true, &trial);
    if (trial == 0)
        return status == EXIT_DONE ? EXIT_UNDONE : status;
    if (status == EXIT_DONE && on_trial(a) == trial)
        status = trial_prove(a);
    return status == EXIT_UNDONE && on_trial(a) == trial ? go_back(a) : status;
}

int trial_undo(struct agent *a)
{
    int status = agent_status(a);

    if (status != 0)
        return status;
    if (!a->status.can_undo)
        return agent_wrong_phase(a, "there is nothing to go back to");
    status = between(a, undo_by_hand, true, NULL);
    return status == EXIT_UNDONE ? EXIT_FAILED : status;
}
