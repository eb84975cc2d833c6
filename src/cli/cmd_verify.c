/* ota-pack verify: the device's own reader over bundles. */
#include <stdio.h>
#include <string.h>

#include "pack/diag.h"
#include "pack/fleet.h"
#include "json.h"
#include "msg.h"
#include "reading.h"

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

static int run(struct cmd_global *g, struct reading *r, int argc, char **argv)
{
    static const struct option longs[] = {
        READING_LONG, READING_DEVICE_LONG, {0}};
    int first =
        cmd_options(g, argc, argv, READING_SHORT, longs, reading_take, r);

    if (first < 0)
        return diag_status();
    if (r->options.device.key_count == 0)
        diag_error(DIAG_USAGE, "verify needs a public key: -k PUB");
    else if (first == argc)
        diag_error(DIAG_USAGE, "verify needs a FILE");
    else if (r->options.device.id_len == 0 && g->verbose)
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
    struct reading r;
    int status;

    reading_init(&r);
    status = run(g, &r, argc, argv);
    reading_release(&r);
    return status;
}
