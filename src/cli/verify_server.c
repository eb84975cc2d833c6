/* verify --server: what devices would get. */
#include <string.h>
#include <time.h>

#include "json.h"
#include "msg.h"
#include "progress.h"
#include "publish/readback.h"
#include "publish/repair.h"
#include "repair_print.h"
#include "servers.h"
#include "verify_server.h"

/* One run. */
struct run {
    struct project *p;
    struct cmd_global *g;
    struct readback_options o;
    const struct locking *repair; /* or NULL */
    bool curable;                 /* something is bad that --repair mends */
    bool expired;
    struct readback_result all;
};

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

static void print_item(void *ctx, const struct readback_item *i)
{
    struct run *run = ctx;
    const struct cmd_global *g = run->g;

    progress_hide();
    if (g->json)
        print_json(i);
    else if (i->error || g->verbose)
        print_text(i);
    progress_show();
    if (!i->error)
        return;
    msg_count(DIAG_VERIFY);
    if (strcmp(i->error, ota_error_name(OTA_ERR_EXPIRED)) == 0)
        run->expired = true;
    else
        run->curable = true;
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

static void read_back(struct run *run)
{
    struct readback_result *all = &run->all;
    struct project *p = run->p;
    const struct config_server *s = &p->config->servers[p->server];
    struct readback_result result = {0};
    struct store *seen = NULL;

    if (s->public_url.text && store_public_open(p->config, s, &seen))
        return;
    run->o.store = p->store;
    run->o.served = seen ? seen : p->store;
    run->o.key = signer_public(p->signer);
    run->o.now = later(p->now, (uint64_t)time(NULL));
    if (seen)
        seen->stop = &cmd_stopped;
    if (readback_run(&run->o, &result) == 0 || result.devices)
        print_total(run->g, &result);
    if (seen)
        seen->ops->close(seen);
    all->devices += result.devices;
    all->bad += result.bad;
    all->payloads += result.payloads;
    all->bytes += result.bytes;
}

/* Looked up only where payloads are to be packed. */
static const struct tree *sources_of(void *ctx)
{
    struct project *p = ctx;

    if (!p->tree && tree_load(p->config, &p->tree))
        diag_note("without the sources only what other payloads have can be "
                  "put again");
    return p->tree;
}

/* 0, or -1: it is not known what is there. */
static int repair(struct run *run)
{
    struct project *p = run->p;
    struct repair_result result;
    struct repair_options o = {.config = p->config,
                               .sources = sources_of,
                               .ctx = p,
                               .jobs = run->g->jobs};
    struct session s;
    int failed;

    if (!run->repair)
        return 0;
    s = project_session(p, run->g, run->repair, run->o.meter);
    failed = repair_run(&s, &o, &result);
    repair_print(run->g, &result);
    repair_release(&result);
    return failed;
}

static void verify_one(struct run *run)
{
    progress_hide();
    project_head(run->p, run->g);
    progress_show();
    if (repair(run) == 0)
        read_back(run);
}

static void advise(const struct run *run)
{
    if (run->curable && !run->repair)
        diag_note("'ota-pack verify --server --repair' puts again what is "
                  "missing or damaged");
    if (run->expired)
        diag_note("'ota-pack publish' signs anew what has expired");
}

static void verify(struct run *run)
{
    while (servers_next(run->p, run->g))
        verify_one(run);
    advise(run);
    msg_summary_number("devices", run->all.devices);
    msg_summary_number("bad", run->all.bad);
    msg_summary_number("payloads", run->all.payloads);
    msg_summary_number("bytes", run->all.bytes);
}

int verify_server(struct cmd_global *g, size_t sample, char *const *words,
                  size_t count, const struct locking *repair)
{
    struct meter meter = {0};
    struct project p = {0};
    struct gone gone = {0};
    struct run run = {.p = &p,
                      .g = g,
                      .repair = repair,
                      .o = {.sample = sample,
                            .words = words,
                            .word_count = count,
                            .stop = &cmd_stopped,
                            .gone = &gone,
                            .each = print_item,
                            .ctx = &run,
                            .meter = &meter}};

    if (repair)
        cmd_may_end = 0;
    progress_begin(g, &meter, "device");
    if (!project_open_published(&p, g, NULL, 0) &&
        !gone_init(&gone, p.config, p.now)) {
        run.o.now = p.now;
        p.memory.older = repair ? MEMORY_REFUSE : MEMORY_WARN;
        verify(&run);
    }
    progress_end();
    gone_release(&gone);
    project_release(&p);
    return diag_status();
}
