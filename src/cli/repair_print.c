/* What a repair has put again. */
#include "json.h"
#include "msg.h"
#include "progress.h"
#include "repair_print.h"

static void print_json(const struct repair_result *r)
{
    struct json j;

    json_begin(&j, stdout, "repair");
    json_number(&j, "payloads", r->payloads);
    json_number(&j, "bytes", r->bytes);
    json_number(&j, "manifests", r->manifests);
    json_number(&j, "lost", r->lost_count);
    json_end(&j);
}

static void print_text(const struct repair_result *r)
{
    char size[MSG_SIZE];

    fputs("put again: ", stdout);
    if (r->payloads)
        printf("%zu payload%s of %s", r->payloads, r->payloads == 1 ? "" : "s",
               msg_size(r->bytes, size));
    if (r->manifests)
        printf("%s%zu manifest%s", r->payloads ? ", " : "", r->manifests,
               r->manifests == 1 ? "" : "s");
    putchar('\n');
}

void repair_print(const struct cmd_global *g, const struct repair_result *r)
{
    progress_hide();
    if (g->json)
        print_json(r);
    else if (!g->quiet && (r->payloads || r->manifests))
        print_text(r);
    progress_show();
}
