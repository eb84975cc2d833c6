/* What this machine remembers of a place. */
#include "index_private.h"
#include "memory.h"

void index_find_site(struct store *s, struct memory_site *out)
{
    struct memory_site site;

    *out = (struct memory_site){0};
    for (unsigned i = 0; i < s->site_count; i++) {
        uint32_t version = out->version;

        memory_get_site(s->memory, s->sites[i], &site);
        if (!out->known && site.known)
            *out = site;
        out->version = site.version > version ? site.version : version;
    }
}

uint32_t index_remembered(struct store *s)
{
    struct memory_site site;

    index_find_site(s, &site);
    return site.version;
}
