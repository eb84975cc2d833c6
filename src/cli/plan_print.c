/* A plan as sentences: what would change, with + ~ - lines. */
#include <stdio.h>
#include <string.h>

#include "msg.h"
#include "plan_json.h"
#include "plan_print.h"

static void put_text(const char *text)
{
    msg_text(stdout, text, strlen(text));
}

/* "  + ", the sign coloured. */
static void put_sign(char sign)
{
    const char *colour = sign == '+' ? "32" : sign == '-' ? "31" : "33";

    if (msg_color(stdout))
        printf("  \033[%sm%c\033[m ", colour, sign);
    else
        printf("  %c ", sign);
}

static void put_count(size_t count, const char *noun)
{
    printf("%zu %s%s", count, noun, count == 1 ? "" : "s");
}

static void put_sizes(const struct plan_file *f)
{
    char before[MSG_SIZE], after[MSG_SIZE];

    if (f->sign == '+')
        fputs(msg_size(f->after, after), stdout);
    else if (f->before == UINT64_MAX)
        fputs("where an earlier version left it", stdout);
    else if (f->sign == '-')
        fputs(msg_size(f->before, before), stdout);
    else if (f->before == f->after)
        printf("%s, changed", msg_size(f->before, before));
    else
        printf("%s -> %s", msg_size(f->before, before),
               msg_size(f->after, after));
    if (f->sign == '~' && f->mode_before != f->mode_after)
        printf(", mode %03o -> %03o", f->mode_before, f->mode_after);
}

struct file_lines {
    int width;
    size_t count;
};

static void measure_file(void *ctx, const struct plan_file *f)
{
    struct file_lines *lines = ctx;
    int len = (int)strlen(f->path);

    if (len <= 40 && len > lines->width)
        lines->width = len;
    lines->count++;
}

static void print_file(void *ctx, const struct plan_file *f)
{
    const struct file_lines *lines = ctx;
    int len = (int)strlen(f->path);

    put_sign(f->sign);
    put_text(f->path);
    printf("%*s", len < lines->width ? lines->width - len + 2 : 2, "");
    if (f->type == OTA_SLOT)
        fputs("slot, ", stdout);
    put_sizes(f);
    putchar('\n');
}

static void print_device(const struct plan *p, const struct plan_device *d)
{
    const struct plan_group *g = &p->groups[d->group];
    const struct device *device = &p->request.config->devices[d->device];
    const struct index_device *e = index_device(p->request.index, &device->id);
    char id[DEVICE_TEXT];

    device_id_text(&device->id, id);
    put_sign(d->why == PLAN_NEW ? '+' : '~');
    fputs(id, stdout);
    if (device->name) {
        putchar(' ');
        put_text(device->name);
    }
    if (d->why == PLAN_NEW) {
        printf("  new, gets version %lu", (unsigned long)g->version);
    } else if (d->why == PLAN_MOVED) {
        fputs("  moves from '", stdout);
        put_text(e ? e->release : "?");
        printf("', version %lu -> %lu", (unsigned long)d->before,
               (unsigned long)g->version);
    } else if (d->why == PLAN_REFRESH) {
        printf("  refresh: version %lu signed anew before it expires",
               (unsigned long)g->version);
    } else {
        printf("  %sversion %lu -> %lu",
               e && index_withdrawn(e) ? "was withdrawn, " : "",
               (unsigned long)d->before, (unsigned long)g->version);
    }
    putchar('\n');
}

static void print_group(const struct plan *p, const struct plan_group *g)
{
    struct file_lines lines = {0};

    plan_each_file(g, measure_file, &lines);
    plan_each_file(g, print_file, &lines);
    for (uint32_t i = g->first; i != PLAN_NONE; i = p->devices[i].next)
        print_device(p, &p->devices[i]);
}

/* "greenhouse: version 7 -> 8 for 3 devices, 13 files of 36.1 KiB" */
static void print_head(const struct plan *p, const struct plan_release *r)
{
    const struct plan_group *g = &p->groups[r->group_first];
    const struct tree_set *set = g->content;
    char size[MSG_SIZE];

    put_text(p->request.config->releases[r->release].name.text);
    fputs(": version ", stdout);
    if (r->version && r->before)
        printf("%lu -> %lu", (unsigned long)r->before,
               (unsigned long)r->version);
    else
        printf("%lu", (unsigned long)(r->version ? r->version : r->before));
    fputs(" for ", stdout);
    put_count(r->device_count, "device");
    if (r->group_count == 1 || !g->own) {
        fputs(", ", stdout);
        put_count(set->count, "file");
        printf(" of %s", msg_size(set->bytes, size));
    }
    if (p->request.back)
        printf(", with the content of version %lu",
               (unsigned long)p->request.back->version);
    if (r->rolled_back)
        fputs(", with what the rollback put in force", stdout);
    if (r->resumed)
        fputs(", going on with a publish that was cut short", stdout);
}

static void print_left_alone(const struct plan *p, const struct plan_release *r)
{
    put_text(p->request.config->releases[r->release].name.text);
    if (r->back_begun) {
        printf(": the rollback to version %lu was cut short, and is completed "
               "first\n",
               (unsigned long)r->back_begun);
        return;
    }
    printf(": left alone, its content is that of version %lu, which was rolled "
           "back: change it, or run 'ota-pack publish --again'\n",
           (unsigned long)r->rolled_back);
}

static void print_release(const struct plan *p, const struct plan_release *r,
                          bool lines)
{
    if (r->rolled_back && lines)
        print_left_alone(p, r);
    if (!r->device_count)
        return;
    print_head(p, r);
    putchar('\n');
    for (uint32_t k = 0; lines && k < r->group_count; k++)
        print_group(p, &p->groups[r->group_first + k]);
}

static void print_not_listed(const struct plan *p)
{
    for (size_t i = 0; i < p->not_listed_count; i++) {
        const struct index_device *e = p->not_listed[i];
        char id[DEVICE_TEXT];

        device_id_text(&e->id, id);
        printf("    %s", id);
        if (e->name) {
            putchar(' ');
            put_text(e->name);
        }
        fputs("  not listed, keeps '", stdout);
        put_text(e->release);
        printf("' version %lu\n", (unsigned long)e->version);
    }
}

static void print_total(const struct plan *p)
{
    static const char *const words[PLAN_WHYS] = {NULL, "new", "changed",
                                                 "moved", "to be refreshed"};
    size_t counts[PLAN_WHYS] = {0}, same = 0, left = 0;
    const char *separator = ": ";

    for (size_t i = 0; i < p->release_count; i++) {
        same += p->releases[i].same_count;
        left += p->releases[i].left_count;
        for (size_t k = 0; k < PLAN_WHYS; k++)
            counts[k] += p->releases[i].counts[k];
    }
    if (!plan_changes(p)) {
        fputs(plan_writes(p) ? "the index alone is to be written: "
                             : "nothing to do: ",
              stdout);
        put_count(same, "device");
        fputs(same == 1 ? " is up to date" : " are up to date", stdout);
        if (left)
            printf("; %zu left alone", left);
        putchar('\n');
        return;
    }
    put_count(plan_changes(p), "device");
    fputs(" to be written", stdout);
    for (size_t k = 0; k < PLAN_WHYS; k++) {
        if (!words[k] || !counts[k])
            continue;
        printf("%s%zu %s", separator, counts[k], words[k]);
        separator = ", ";
    }
    printf("; %zu up to date", same);
    if (left)
        printf("; %zu left alone", left);
    if (p->not_listed_count)
        printf("; %zu not listed", p->not_listed_count);
    putchar('\n');
}

void plan_print(const struct plan *p, bool json)
{
    if (json) {
        plan_json(p);
        return;
    }
    for (size_t i = 0; i < p->release_count; i++)
        print_release(p, &p->releases[i], true);
    print_not_listed(p);
    print_total(p);
}

void plan_print_done(const struct plan *p, const struct publish_result *done,
                     const struct cmd_global *g)
{
    char size[MSG_SIZE];

    if (g->json) {
        plan_json_done(p);
        return;
    }
    for (size_t i = 0; i < p->release_count; i++)
        print_release(p, &p->releases[i], g->verbose);
    fputs("published: ", stdout);
    put_count(done->written, "manifest");
    fputs(", ", stdout);
    put_count(done->payloads, "new payload");
    if (done->payloads)
        printf(" of %s", msg_size(done->payload_bytes, size));
    if (done->failed)
        printf(", %zu failed", done->failed);
    putchar('\n');
}
