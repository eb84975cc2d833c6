/* A first publish to a new place, where this machine has published elsewhere
 * with the same key: devices that move there have what they were given. */
#include <string.h>

#include "bundle/format.h"
#include "index/memory.h"
#include "publish_private.h"

struct mover {
    const struct publish *p;
    struct memory_site from; /* of the highest version; known: there is one */
};

static bool has_site(const struct store *s, const uint8_t site[STORE_SITE])
{
    for (unsigned i = 0; i < s->site_count; i++)
        if (memcmp(s->sites[i], site, STORE_SITE) == 0)
            return true;
    return false;
}

/* One that is published to still is no place that devices move from. */
static bool is_configured(const struct config *c,
                          const uint8_t site[STORE_SITE])
{
    for (size_t i = 0; i < c->server_count; i++) {
        struct store s = {0};

        if (store_site_find(c, &c->servers[i], &s) || has_site(&s, site))
            return true;
    }
    return false;
}

static void look(void *ctx, const struct memory_site *site)
{
    struct mover *m = ctx;
    const uint8_t *key = signer_public(m->p->s->signer);

    if (memcmp(site->key_id, key + KEY_ID, OTA_KEY_ID) == 0 &&
        site->version > m->from.version &&
        !is_configured(m->p->o->config, site->site))
        m->from = *site;
}

void publish_warn_move(const struct publish *p)
{
    struct store *s = p->s->store;
    struct mover m = {.p = p};

    if (p->s->index->exists || p->s->new_base || !s->memory)
        return;
    memory_each_site(s->memory, look, &m);
    for (size_t i = 0; i < p->plan.release_count; i++) {
        unsigned long version = p->plan.releases[i].version;

        if (!version || version > m.from.version)
            continue;
        diag_warning("'%s' is a new place, with version %lu, and this machine "
                     "has published up to %lu with this key, to '%s': devices "
                     "that move take nothing until that is passed; if they do, "
                     "copy the files from there first, or set 'version' above "
                     "it",
                     s->where, version, (unsigned long)m.from.version,
                     m.from.where);
        return;
    }
}
