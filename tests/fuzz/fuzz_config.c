/* ota-pack.yml and a list in CSV, for libFuzzer: no byte may do harm.  What is
 * behind the first 0xff (which is never UTF-8) is every list's text. */
#include <stdlib.h>
#include <string.h>
#include "config/config_private.h"

struct input {
    const uint8_t *csv;
    size_t csv_len;
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static FILE *nowhere;

static void print(void *ctx, const struct diag_event *event)
{
    (void)ctx;
    rewind(nowhere);
    diag_print(nowhere, event, true);
}

static int read_input(void *ctx, const char *path, char **bytes, size_t *len,
                      const char **reason)
{
    const struct input *in = ctx;

    (void)path;
    *reason = "no list in this input";
    if (!in->csv || !(*bytes = malloc(in->csv_len + 1)))
        return -1;
    memcpy(*bytes, in->csv, in->csv_len);
    *len = in->csv_len;
    return 0;
}

static void use(struct config *c)
{
    char first[] = "aabbccddeeff", second[] = "realese";
    char *const words[] = {first, second};
    char hex[DEVICE_HEX], *path = config_resolve(c, "x");

    free(path);
    config_select(c, words, 2);
    config_select(c, NULL, 0);
    for (size_t i = 0; i < c->device_count; i++)
        if (c->devices[i].release >= c->release_count ||
            !device_value(&c->devices[i], "id", 2, hex))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static char page[4096];
    const uint8_t *split = len ? memchr(bytes, 0xff, len) : NULL;
    struct input in = {0};
    size_t yaml_len = len;
    struct config *c;
    char *yaml;

    if (!nowhere && !(nowhere = fmemopen(page, sizeof page, "w")))
        return 0;
    if (split) {
        yaml_len = (size_t)(split - bytes);
        in.csv = split + 1;
        in.csv_len = len - yaml_len - 1;
    }
    if (!(yaml = malloc(yaml_len + 1)))
        return 0;
    memcpy(yaml, bytes, yaml_len);
    diag_set_handler(print, NULL);
    diag_reset();
    if (config_parse("fuzz/ota-pack.yml", yaml, yaml_len, read_input, &in,
                     &c) == 0) {
        use(c);
        config_free(c);
    }
    return 0;
}
