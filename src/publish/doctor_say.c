/* What doctor found, and what was reported where it looked. */
#include <stdio.h>

#include "doctor_private.h"

/* What was reported last, in place of being printed. */
static struct {
    char text[512];
    enum diag_level level;
    enum diag_kind kind;
} heard;

static void hear(const struct diag_event *e)
{
    if (*heard.text && heard.level <= e->level)
        return;
    snprintf(heard.text, sizeof heard.text, "%s", e->message);
    heard.level = e->level;
    heard.kind = e->kind;
}

void doctor_forget(void)
{
    heard.text[0] = '\0';
}

void doctor_listen(void)
{
    diag_set_handler(hear);
    doctor_forget();
}

bool doctor_heard(enum diag_kind kind)
{
    return *heard.text && (!kind || heard.kind == kind);
}

void doctor_tell(const struct doctor *d, struct doctor_check *check)
{
    check->server = d->server ? d->server->url.text : NULL;
    d->o->tell(d->o->ctx, check);
    doctor_forget();
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
    struct doctor_check check = {.name = name,
                                 .result = result,
                                 .kind = heard.kind == DIAG_KEY ? DIAG_KEY
                                                                : DIAG_SERVER,
                                 .found = heard.text,
                                 .advice = advice};

    doctor_tell(d, &check);
}
