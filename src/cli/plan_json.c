/* A plan, and what was done, as one JSON object a line. */
#include "json.h"
#include "msg.h"
#include "plan_json.h"

static const char *release_name(const struct plan *p, uint32_t release)
{
    return p->request.config->releases[release].name.text;
}

static void number_or_null(struct json *j, const char *key, uint64_t value,
                           bool there)
{
    if (there)
        json_number(j, key, value);
    else
        json_string(j, key, NULL);
}

struct file_context {
    const struct plan *plan;
    uint32_t group;
};

static void print_file(void *ctx, const struct plan_file *f)
{
    const struct file_context *c = ctx;
    const struct plan_group *g = &c->plan->groups[c->group];
    const char sign[2] = {f->sign, 0};
    struct json j;

    json_begin(&j, stdout, "file");
    json_string(&j, "release", release_name(c->plan, g->release));
    json_number(&j, "group", c->group);
    json_string(&j, "change", sign);
    json_string(&j, "path", f->path);
    json_string(&j, "kind", f->type == OTA_SLOT ? "slot" : "file");
    number_or_null(&j, "before", f->before, f->before != UINT64_MAX);
    number_or_null(&j, "after", f->after, f->after != UINT64_MAX);
    json_end(&j);
}

static void print_release(const struct plan *p, const struct plan_release *r)
{
    struct json j;

    json_begin(&j, stdout, "release");
    json_string(&j, "name", release_name(p, r->release));
    number_or_null(&j, "before", r->before, r->before);
    json_number(&j, "version", r->version ? r->version : r->before);
    json_number(&j, "devices", r->device_count);
    json_number(&j, "unchanged", r->same_count);
    json_bool(&j, "resumed", r->resumed);
    if (p->request.back)
        json_number(&j, "content_of", p->request.back->version);
    if (r->rolled_back)
        json_number(&j, "rolled_back", r->rolled_back);
    if (r->back_begun)
        json_number(&j, "rollback_begun", r->back_begun);
    json_end(&j);
}

static void print_device(const struct plan *p, const struct plan_device *d)
{
    static const char *const whys[PLAN_WHYS] = {"same", "new", "changed",
                                                "moved", "refresh"};
    const struct plan_group *g = &p->groups[d->group];
    const struct device *device = &p->request.config->devices[d->device];
    char hex[DEVICE_HEX];
    struct json j;

    device_id_hex(&device->id, hex);
    json_begin(&j, stdout, "device");
    json_string(&j, "id", hex);
    json_string(&j, "name", device->name);
    json_string(&j, "release", release_name(p, g->release));
    json_number(&j, "group", d->group);
    json_string(&j, "why", whys[d->why]);
    number_or_null(&j, "before", d->before, d->before);
    json_number(&j, "version", g->version);
    json_end(&j);
}

static void print_not_listed(const struct index_device *e)
{
    char hex[DEVICE_HEX];
    struct json j;

    device_id_hex(&e->id, hex);
    json_begin(&j, stdout, "not-listed");
    json_string(&j, "id", hex);
    json_string(&j, "name", e->name);
    json_string(&j, "release", e->release);
    json_number(&j, "version", e->version);
    json_end(&j);
}

static void sum_up(const struct plan *p)
{
    size_t same = 0;

    for (size_t i = 0; i < p->release_count; i++)
        same += p->releases[i].same_count;
    msg_summary_number("devices", plan_changes(p));
    msg_summary_number("unchanged", same);
    msg_summary_number("not_listed", p->not_listed_count);
}

void plan_json(const struct plan *p)
{
    for (size_t i = 0; i < p->release_count; i++)
        print_release(p, &p->releases[i]);
    for (uint32_t i = 0; i < p->group_count; i++) {
        struct file_context ctx = {p, i};

        plan_each_file(&p->groups[i], print_file, &ctx);
    }
    for (size_t i = 0; i < p->device_count; i++)
        print_device(p, &p->devices[i]);
    for (size_t i = 0; i < p->not_listed_count; i++)
        print_not_listed(p->not_listed[i]);
    sum_up(p);
}

void plan_json_totals(const struct publish_result *done)
{
    msg_summary_number("written", done->written);
    msg_summary_number("failed", done->failed);
    msg_summary_number("payloads", done->payloads);
    msg_summary_number("payload_bytes", done->payload_bytes);
}

void plan_json_done(const struct plan *p)
{
    for (size_t i = 0; i < p->release_count; i++)
        if (p->releases[i].device_count)
            print_release(p, &p->releases[i]);
    sum_up(p);
}
