/* ota-pack unpack: as verify, writing the files. */
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "config/fleet.h"
#include "json.h"
#include "msg.h"
#include "reading.h"

struct unpack_args {
    struct reading reading;
    const char *folder;
};

static int take_option(int c, const char *arg, void *ctx)
{
    struct unpack_args *args = ctx;

    if (c != 'C')
        return reading_take(c, arg, &args->reading);
    args->folder = arg;
    return 0;
}

struct totals {
    uint64_t files, bytes, deletes;
};

static struct totals count(const struct unpack_result *result)
{
    struct totals t = {0};

    for (size_t i = 0; i < result->entry_count; i++) {
        const struct ota_file *file = &result->entries[i].file;

        t.deletes += file->type == OTA_DELETE;
        t.files += file->type != OTA_DELETE;
        t.bytes += file->size;
    }
    return t;
}

static void say_json(const struct unpack_args *args, const char *file,
                     const struct unpack_result *result)
{
    struct totals t = count(result);
    char device[DEVICE_HEX];
    struct json j;

    reading_device_hex(&result->manifest, device);
    json_begin(&j, stdout, "unpack");
    json_string(&j, "file", file);
    json_bool(&j, "ok", true);
    json_string(&j, "directory", args->folder);
    json_string(&j, "device", device);
    json_number(&j, "version", result->manifest.version);
    json_number(&j, "alternative", result->alternative);
    json_number(&j, "files", t.files);
    json_number(&j, "bytes", t.bytes);
    json_number(&j, "deletes", t.deletes);
    json_end(&j);
}

static void say(const struct cmd_global *g, const struct unpack_args *args,
                const char *file, const struct unpack_result *result)
{
    const struct ota_manifest *m = &result->manifest;
    struct totals t = count(result);
    char size[MSG_SIZE], device[DEVICE_TEXT];

    msg_text(stdout, file, strlen(file));
    printf(": %llu file%s (%s) %s '", (unsigned long long)t.files,
           t.files == 1 ? "" : "s", msg_size(t.bytes, size),
           g->dry_run ? "would be written into" : "written into");
    msg_text(stdout, args->folder, strlen(args->folder));
    printf("': %s, version %lu, ", reading_device(m, device, sizeof device),
           (unsigned long)m->version);
    if (result->alternative + 1U < m->alternatives)
        printf("delta %u of %u\n", result->alternative + 1U,
               m->alternatives - 1U);
    else
        puts("full payload");
}

static void unpack(const struct cmd_global *g, struct unpack_args *args,
                   const char *file)
{
    struct unpack_result result;

    if (!reading_is_file(g, file))
        return;
    args->reading.options.into = g->dry_run ? NULL : args->folder;
    if (unpack_run(file, &args->reading.options, &result) == 0) {
        if (result.error != OTA_OK)
            reading_refused(g, "unpack", file, &result);
        else if (g->json)
            say_json(args, file, &result);
        else if (!g->quiet)
            say(g, args, file, &result);
    }
    unpack_result_release(&result);
}

static int run(struct cmd_global *g, struct unpack_args *args, int argc,
               char **argv)
{
    static const struct option longs[] = {
        READING_LONG,
        READING_DEVICE_LONG,
        {"directory", required_argument, NULL, 'C'},
        {0}};
    int first = cmd_options(g, argc, argv, READING_SHORT "C:", longs,
                            take_option, args);

    if (first < 0)
        return diag_status();
    reading_need_key(&args->reading, g);
    if (!args->folder)
        diag_error(DIAG_USAGE, "unpack needs a folder to write to: -C DIR");
    if (argc - first != 1)
        diag_error(DIAG_USAGE, "unpack takes one FILE");
    if (args->reading.options.device.id_len == 0 && g->verbose)
        diag_note("no --device: the bundle is read as the device that it is "
                  "for");
    if (args->folder && !diag_errors())
        unpack(g, args, argv[first]);
    return diag_status();
}

int cmd_unpack(struct cmd_global *g, int argc, char **argv)
{
    struct unpack_args args = {.folder = NULL};
    int status;

    reading_init(&args.reading);
    status = run(g, &args, argc, argv);
    reading_release(&args.reading);
    return status;
}
