/* What doctor found, and what was reported where it looked. */
#include <stdio.h>

#include "doctor_private.h"

static void hear_event(void *ctx, const struct diag_event *e)
{
    struct doctor_heard *heard = ctx;

    if (*heard->text && heard->level <= e->level)
        return;
    snprintf(heard->text, sizeof heard->text, "%s", e->message);
    heard->level = e->level;
    heard->kind = e->kind;
}

void doctor_forget(const struct doctor *d)
{
    d->o->heard->text[0] = '\0';
}

void doctor_listen(const struct doctor *d)
{
    diag_set_handler(hear_event, d->o->heard);
    doctor_forget(d);
}

bool doctor_heard(const struct doctor *d, enum diag_kind kind)
{
    return *d->o->heard->text && (!kind || d->o->heard->kind == kind);
}

void doctor_tell(const struct doctor *d, struct doctor_check *check)
{
    check->server = d->server ? d->server->url.text : NULL;
    d->o->tell(d->o->ctx, check);
    doctor_forget(d);
}

void doctor_say(const struct doctor *d, const char *name,
                enum doctor_result result, const char *advice,
                const char *found, ...)
{
    char text[512];
    struct doctor_check check = {.name = name,
                                 .result = result,
                                 .kind = DIAG_SERVER,
                                 .found = text,
                                 .advice = advice};
    va_list ap;

    va_start(ap, found);
    vsnprintf(text, sizeof text, found, ap);
    va_end(ap);
    doctor_tell(d, &check);
}

void doctor_say_heard(const struct doctor *d, const char *name,
                      enum doctor_result result, const char *advice)
{
    const struct doctor_heard *heard = d->o->heard;
    struct doctor_check check = {.name = name,
                                 .result = result,
                                 .kind = heard->kind == DIAG_KEY ? DIAG_KEY
                                                                 : DIAG_SERVER,
                                 .found = heard->text,
                                 .advice = advice};

    doctor_tell(d, &check);
}
