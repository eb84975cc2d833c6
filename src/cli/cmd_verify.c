/* ota-pack verify: the device's own reader over bundles. */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "config/fleet.h"
#include "json.h"
#include "locking.h"
#include "msg.h"
#include "reading.h"
#include "verify_server.h"

static void say_ok(const char *file, const struct unpack_result *result)
{
    const struct ota_manifest *m = &result->manifest;
    char device[DEVICE_TEXT];

    msg_text(stdout, file, strlen(file));
    printf(": ok (%s, version %lu", reading_device(m, device, sizeof device),
           (unsigned long)m->version);
    if (*m->label) {
        fputs(", label '", stdout);
        msg_text(stdout, m->label, strlen(m->label));
        putchar('\'');
    }
    if (result->alternative + 1U < m->alternatives)
        printf(", delta %u of %u)\n", result->alternative + 1U,
               m->alternatives - 1U);
    else
        puts(", full payload)");
}

static void say_ok_json(const char *file)
{
    struct json j;

    json_begin(&j, stdout, "verify");
    json_string(&j, "file", file);
    json_bool(&j, "ok", true);
    json_end(&j);
}

static void verify(const struct cmd_global *g, const struct reading *r,
                   const char *file)
{
    struct unpack_result result;

    if (!reading_is_file(g, file))
        return;
    if (unpack_run(file, &r->options, &result) == 0) {
        if (result.error != OTA_OK)
            reading_refused(g, "verify", file, &result);
        else if (g->json)
            say_ok_json(file);
        else if (!g->quiet)
            say_ok(file, &result);
    }
    unpack_result_release(&result);
}

struct args {
    struct reading reading;
    bool server;
    uint64_t sample;
    bool repair;
    struct locking locking;
};

enum { OPT_SERVER = 256, OPT_SAMPLE, OPT_REPAIR };

static int take_option(int c, const char *arg, void *ctx)
{
    struct args *a = ctx;

    if (c == OPT_SAMPLE)
        return cmd_number("--sample", arg, 1, UINT32_MAX, &a->sample);
    if (c == LOCKING_TIMEOUT || c == LOCKING_BREAK)
        return locking_take(c, arg, &a->locking);
    if (c == OPT_SERVER)
        a->server = true;
    else if (c == OPT_REPAIR)
        a->repair = true;
    else
        return reading_take(c, arg, &a->reading);
    return 0;
}

static int run_server(struct cmd_global *g, const struct args *a, int argc,
                      char **argv)
{
    const struct unpack_options *o = &a->reading.options;

    if (o->device.key_count || o->device.id_len || o->device.device_key ||
        o->device.highest || o->device.hardware || o->base || o->payloads)
        return diag_error(DIAG_USAGE,
                          "'--server' takes key and devices from the "
                          "configuration and the index: of the other options "
                          "only '--sample' goes with it");
    if (a->repair && (argc || a->sample || g->dry_run))
        return diag_error(DIAG_USAGE,
                          "'--repair' looks at all that is published: leave "
                          "out names, '--sample' and '-n'");
    return verify_server(g, (size_t)a->sample, argv, (size_t)argc,
                         a->repair ? &a->locking : NULL);
}

static int run(struct cmd_global *g, struct args *a, int argc, char **argv)
{
    static const struct option longs[] = {
        READING_LONG,
        READING_DEVICE_LONG,
        {"server", no_argument, NULL, OPT_SERVER},
        {"sample", required_argument, NULL, OPT_SAMPLE},
        {"repair", no_argument, NULL, OPT_REPAIR},
        LOCKING_LONG,
        {0}};
    struct reading *r = &a->reading;
    int first =
        cmd_options(g, argc, argv, READING_SHORT, longs, take_option, a);

    if (first < 0)
        return diag_status();
    if (a->server) {
        run_server(g, a, argc - first, argv + first);
        return diag_status();
    }
    if (a->sample || a->repair)
        diag_error(DIAG_USAGE, "'%s' goes with '--server'",
                   a->repair ? "--repair" : "--sample");
    else if (first == argc)
        diag_error(DIAG_USAGE, "verify needs a FILE");
    else if (!reading_need_key(r, g) && r->options.device.id_len == 0 &&
             g->verbose)
        diag_note("no --device: each bundle is read as the device that it is "
                  "for");
    if (diag_errors())
        return diag_status();
    for (int i = first; i < argc; i++)
        verify(g, r, argv[i]);
    return diag_status();
}

int cmd_verify(struct cmd_global *g, int argc, char **argv)
{
    struct args a = {0};
    int status;

    reading_init(&a.reading);
    status = run(g, &a, argc, argv);
    reading_release(&a.reading);
    return status;
}
