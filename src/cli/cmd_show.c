/* ota-pack show: what a bundle or manifest says. */

#include "base/diag.h"
#include "reading.h"
#include "show.h"

/* The payload could not be read, but for a reason that leaves nothing wrong
 * with what is there. */
static bool is_incomplete(const struct reading *r,
                          const struct unpack_result *result)
{
    return result->payload_missing ||
           (result->error == OTA_ERR_DEVICE_KEY && result->has_manifest &&
            !r->options.device.device_key);
}

/* Whether what the manifest says can be shown. */
static bool is_trusted(const struct reading *r,
                       const struct unpack_result *result)
{
    return result->has_manifest &&
           (r->options.trust_any || (result->error != OTA_ERR_UNKNOWN_KEY &&
                                     result->error != OTA_ERR_SIGNATURE));
}

static void show(const struct cmd_global *g, const struct reading *r,
                 const char *file)
{
    struct unpack_result result;
    struct show s = {.file = file,
                     .result = &result,
                     .signature_checked = !r->options.trust_any};
    bool refused;

    if (!reading_is_file(g, file))
        return;
    if (unpack_run(file, &r->options, &result) == 0) {
        s.complete = result.error == OTA_OK;
        refused = !s.complete && !is_incomplete(r, &result);
        if (is_trusted(r, &result) && g->json)
            show_json(&s);
        else if (is_trusted(r, &result))
            show_text(&s);
        if (refused)
            reading_refused(g, "show", file, &result);
    }
    unpack_result_release(&result);
}

static int run(struct cmd_global *g, struct reading *r, int argc, char **argv)
{
    static const struct option longs[] = {READING_LONG, {0}};
    int first =
        cmd_options(g, argc, argv, READING_SHORT, longs, reading_take, r);

    if (first < 0)
        return diag_status();
    if (argc - first != 1) {
        diag_error(DIAG_USAGE, "show takes one FILE, or the folder of a device "
                               "(public/devices/ID)");
        return diag_status();
    }
    r->options.trust_any = r->options.device.key_count == 0;
    r->options.device.now = 0;
    show(g, r, argv[first]);
    return diag_status();
}

int cmd_show(struct cmd_global *g, int argc, char **argv)
{
    struct reading r;
    int status;

    reading_init(&r);
    status = run(g, &r, argc, argv);
    reading_release(&r);
    return status;
}
