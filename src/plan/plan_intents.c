/* What was begun for a release: the intent that is gone on with, and numbers
 * that are used up. */
#include <string.h>

#include "plan_private.h"

static void find_used(const struct plan_maker *m, struct plan_work *w)
{
    const struct index *x = m->plan->request.index;

    w->named = false;
    w->used = w->used_any = 0;
    for (size_t i = 0; i < x->intent_count; i++) {
        const struct index_intent *t = &x->intents[i];
        bool own = strcmp(t->release, w->config->name.text) == 0;

        w->named |= own;
        if (t == w->match)
            continue;
        if (t->version > w->used_any)
            w->used_any = t->version;
        if (own && t->version > w->used)
            w->used = t->version;
    }
}

/* Those of the intent, unless its manifests would be due to be signed anew or
 * another life is asked for by now. */
static void set_times(const struct plan_request *r, struct plan_work *w)
{
    const struct index_intent *t = w->match;
    uint64_t life = w->config->expires;

    w->out->resumed = t != NULL;
    w->out->created = r->now;
    w->out->expires = life ? r->now + life : 0;
    if (t && t->expires == (life ? t->created + life : 0) &&
        !(t->expires && r->now >= plan_refresh_time(t->created, t->expires))) {
        w->out->created = t->created;
        w->out->expires = t->expires;
    }
}

/* A number that was begun is not the one that is asked for where that is fixed
 * and another. */
static bool matches(const struct plan_work *w, const struct index_intent *t)
{
    uint32_t fixed = w->config->version;

    return memcmp(t->content, w->out->content, OTA_HASH) == 0 &&
           (!fixed || fixed == t->version ||
            (w->latest && t->version == w->latest->version));
}

void plan_find_intents(struct plan_maker *m, struct plan_work *w)
{
    const struct index *x = m->plan->request.index;
    uint32_t latest = w->latest ? w->latest->version : 0;

    w->match = NULL;
    w->begun = 0;
    for (size_t i = 0; i < x->intent_count; i++) {
        const struct index_intent *t = &x->intents[i];

        if (strcmp(t->release, w->config->name.text) != 0)
            continue;
        if (t->version > w->highest)
            w->highest = t->version;
        if (matches(w, t))
            w->match = t;
        else if (t->version > latest) {
            w->begun = t->version;
            w->begun_shut = !plan_intent_open(t);
        }
    }
    find_used(m, w);
    set_times(&m->plan->request, w);
}
