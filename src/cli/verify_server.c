/* verify --server: what devices would get. */
#include <string.h>
#include <time.h>

#include "json.h"
#include "msg.h"
#include "progress.h"
#include "project.h"
#include "publish/readback.h"
#include "verify_server.h"

static void print_json(const struct readback_item *i)
{
    char hex[DEVICE_HEX];
    struct json j;

    device_id_hex(&i->device->id, hex);
    json_begin(&j, stdout, "verify");
    json_string(&j, "device", hex);
    json_string(&j, "name", i->device->name);
    json_bool(&j, "ok", !i->error);
    if (i->error) {
        json_string(&j, "error", i->error);
        json_string(&j, "message", i->message);
    }
    json_end(&j);
}

static void print_text(const struct readback_item *i)
{
    const struct index_device *d = i->device;
    char id[DEVICE_TEXT];

    device_id_text(&d->id, id);
    fputs(id, stdout);
    if (d->name) {
        putchar(' ');
        msg_text(stdout, d->name, strlen(d->name));
    }
    if (i->error) {
        printf(": %s: ", i->error);
        msg_text(stdout, i->message, strlen(i->message));
    } else {
        fputs(": ok (", stdout);
        msg_text(stdout, d->release, strlen(d->release));
        printf(", version %lu)", (unsigned long)d->version);
    }
    putchar('\n');
}

static void print(void *ctx, const struct readback_item *i)
{
    const struct cmd_global *g = ctx;

    progress_hide();
    if (g->json)
        print_json(i);
    else if (i->error || g->verbose)
        print_text(i);
    progress_show();
    if (i->error)
        msg_count(DIAG_VERIFY);
}

static void print_total(const struct cmd_global *g,
                        const struct readback_result *r)
{
    char size[MSG_SIZE];

    if (g->json || g->quiet)
        return;
    progress_hide();
    printf("%zu of %zu device%s ok, %zu payload%s of %s read\n",
           r->devices - r->bad, r->devices, r->devices == 1 ? "" : "s",
           r->payloads, r->payloads == 1 ? "" : "s", msg_size(r->bytes, size));
    progress_show();
}

/* Devices go by a real clock, whatever SOURCE_DATE_EPOCH says. */
static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void read_back(struct project *p, struct readback_options *o,
                      struct cmd_global *g, struct readback_result *all)
{
    const struct config_server *s = &p->config->servers[p->server];
    struct readback_result result = {0};
    struct store *seen = NULL;

    if (s->public_url.text && store_public_open(p->config, s, &seen))
        return;
    o->store = p->store;
    o->served = seen ? seen : p->store;
    o->key = signer_public(p->signer);
    o->now = later(p->now, (uint64_t)time(NULL));
    progress_hide();
    project_head(p, g);
    progress_show();
    if (seen)
        seen->stop = &cmd_stopped;
    if (readback_run(o, &result) == 0 || result.devices)
        print_total(g, &result);
    if (seen)
        seen->ops->close(seen);
    all->devices += result.devices;
    all->bad += result.bad;
    all->payloads += result.payloads;
    all->bytes += result.bytes;
}

static void verify(struct project *p, struct readback_options *o,
                   struct cmd_global *g)
{
    struct readback_result all = {0};

    do {
        if (!project_store(p, true) && !project_signer(p, g))
            read_back(p, o, g, &all);
    } while (!cmd_stopped && project_next(p));
    msg_summary_number("devices", all.devices);
    msg_summary_number("bad", all.bad);
    msg_summary_number("payloads", all.payloads);
    msg_summary_number("bytes", all.bytes);
}

int verify_server(struct cmd_global *g, size_t sample, char *const *words,
                  size_t count)
{
    struct meter meter = {0};
    struct project p = {0};
    struct readback_options o = {.sample = sample,
                                 .words = words,
                                 .word_count = count,
                                 .stop = &cmd_stopped,
                                 .each = print,
                                 .ctx = g,
                                 .meter = &meter};

    progress_begin(g, &meter, "device");
    if (!project_open_published(&p, g, NULL, 0)) {
        p.memory.older = MEMORY_WARN;
        verify(&p, &o, g);
    }
    progress_end();
    project_release(&p);
    return diag_status();
}
