/* What a plan's groups become: a payload each, and manifests. */
#include <string.h>

#include "back.h"
#include "group.h"

int group_pack(const struct plan *p, const struct plan_group *g, unsigned jobs,
               struct payload_cache *cache, struct payload *out)
{
    const struct config_release *c = &p->request.config->releases[g->release];
    struct payload_shape shape;

    if (g->source)
        return back_pack(p, g, jobs, out);
    if (payload_shape(g->ram, &shape))
        return diag_error_at(DIAG_CONFIG, c->ram_mark,
                             "'ram' is too small: the least is %lu bytes",
                             (unsigned long)payload_least_ram());
    return payload_pack(g->content, g->deletes, g->delete_count, shape, jobs,
                        cache, out);
}

void group_request(const struct plan *p, const struct plan_device *d,
                   const struct ota_alternative *a, struct sign_request *out)
{
    const struct config *c = p->request.config;
    const struct plan_group *g = &p->groups[d->group];
    const struct plan_release *r = p->releases;

    while (r->release != g->release)
        r++;
    *out = (struct sign_request){.manifest = {.alternatives = 1,
                                              .hardware = g->hardware,
                                              .version = g->version,
                                              .created = r->created,
                                              .expires = r->expires},
                                 .alternatives = a,
                                 .id = &c->devices[d->device].id};
    memcpy(out->manifest.release, g->content->digest, OTA_DIGEST);
    memcpy(out->manifest.label, g->label, sizeof out->manifest.label);
}
