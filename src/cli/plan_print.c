/* A plan as sentences: what would change, with + ~ - lines. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "msg.h"
#include "plan_json.h"
#include "plan_lines.h"
#include "plan_print.h"

enum {
    PATH_WIDTH = 40, /* columns; longer paths stand out */
    EACH = 10,       /* devices of a release that are each listed */
    EXAMPLES = 3     /* of more that are told in the same words */
};

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

static void put_range(uint64_t least, uint64_t most)
{
    char size[MSG_SIZE];

    fputs(msg_size(least, size), stdout);
    if (most != least)
        printf(" to %s", msg_size(most, size));
}

static void put_sizes(const struct plan_line *l)
{
    const struct plan_file *f = &l->file;

    if (f->sign == '+') {
        put_range(f->after, l->after_most);
    } else if (f->before == UINT64_MAX) {
        fputs("where an earlier version left it", stdout);
    } else {
        put_range(f->before, l->before_most);
        if (f->sign == '~' &&
            (f->before != f->after || l->before_most != l->after_most)) {
            fputs(" -> ", stdout);
            put_range(f->after, l->after_most);
        } else if (f->sign == '~') {
            fputs(", changed", stdout);
        }
    }
    if (f->sign == '~' && f->mode_before != f->mode_after)
        printf(", mode %03o -> %03o", f->mode_before, f->mode_after);
}

/* What is said of one release. */
struct say {
    const struct plan *plan;
    const struct plan_release *release;
    struct plan_lines lines;
    size_t next;         /* line of the next file, as a guess */
    size_t width;        /* columns of paths */
    struct arena memory; /* of `alike` */
};

static void measure_lines(struct say *s)
{
    for (size_t i = 0; i < s->lines.count; i++) {
        const char *path = s->lines.list[i].file.path;
        size_t width = utf8_columns(path, strlen(path));

        if (width <= PATH_WIDTH && width > s->width)
            s->width = width;
    }
}

static void print_line(const struct say *s, const struct plan_line *l)
{
    const char *path = l->file.path;
    size_t width = utf8_columns(path, strlen(path));

    put_sign(l->file.sign);
    put_text(path);
    printf("%*s", width < s->width ? (int)(s->width - width) + 2 : 2, "");
    if (l->file.type == OTA_SLOT)
        fputs("slot, ", stdout);
    put_sizes(l);
    if (l->device_count && l->device_count != s->release->device_count) {
        fputs(", for ", stdout);
        put_count(l->device_count, "device");
    }
    putchar('\n');
}

/* What only some devices have is said with them. */
static void print_own_file(void *ctx, const struct plan_file *f)
{
    struct say *s = ctx;
    const struct plan_line *l = plan_lines_find(&s->lines, f, s->next);
    struct plan_line own = {
        .file = *f, .before_most = f->before, .after_most = f->after};

    s->next = (size_t)(l - s->lines.list) + 1;
    if (!plan_line_shared(l, s->release))
        print_line(s, &own);
}

static void put_device(const struct plan *p, const struct plan_device *d)
{
    const struct device *device = &p->request.config->devices[d->device];
    char id[DEVICE_TEXT];

    device_id_text(&device->id, id);
    fputs(id, stdout);
    if (device->name) {
        putchar(' ');
        put_text(device->name);
    }
}

static const struct index_device *entry_of(const struct plan *p,
                                           const struct plan_device *d)
{
    return index_device(p->request.index,
                        &p->request.config->devices[d->device].id);
}

static void put_change(const struct plan *p, const struct plan_device *d)
{
    const struct plan_group *g = &p->groups[d->group];
    const struct index_device *e = entry_of(p, d);

    if (d->why == PLAN_NEW) {
        printf("new, gets version %lu", (unsigned long)g->version);
    } else if (d->why == PLAN_MOVED) {
        fputs("moves from '", stdout);
        put_text(e ? e->release : "?");
        printf("', version %lu -> %lu", (unsigned long)d->before,
               (unsigned long)g->version);
    } else if (d->why == PLAN_REFRESH) {
        printf("refresh: version %lu signed anew before it expires",
               (unsigned long)g->version);
    } else {
        printf("%sversion %lu -> %lu",
               e && index_withdrawn(e) ? "was withdrawn, " : "",
               (unsigned long)d->before, (unsigned long)g->version);
    }
}

static void put_device_sign(const struct plan_device *d)
{
    put_sign(d->why == PLAN_NEW ? '+' : '~');
}

static void print_device(const struct plan *p, const struct plan_device *d)
{
    put_device_sign(d);
    put_device(p, d);
    fputs("  ", stdout);
    put_change(p, d);
    putchar('\n');
}

static void print_group(struct say *s, const struct plan_group *g)
{
    const struct plan *p = s->plan;

    s->next = 0;
    plan_each_file(g, print_own_file, s);
    for (uint32_t i = g->first; i != PLAN_NONE; i = p->devices[i].next)
        print_device(p, &p->devices[i]);
}

/* -- many devices -------------------------------------------------------- */

/* Devices of a release that are told in the same words. */
struct alike {
    struct alike *next;
    const struct plan_device *first[EXAMPLES];
    size_t count;
};

static bool is_alike(const struct plan *p, const struct plan_device *a,
                     const struct plan_device *b)
{
    const struct index_device *x = entry_of(p, a), *y = entry_of(p, b);

    return a->why == b->why && a->before == b->before &&
           p->groups[a->group].version == p->groups[b->group].version &&
           (a->why != PLAN_MOVED ||
            strcmp(x ? x->release : "?", y ? y->release : "?") == 0) &&
           (x && index_withdrawn(x)) == (y && index_withdrawn(y));
}

static int add_alike(struct say *s, struct alike **list,
                     const struct plan_device *d)
{
    while (*list && !is_alike(s->plan, (*list)->first[0], d))
        list = &(*list)->next;
    if (!*list)
        *list = arena_alloc(&s->memory, sizeof **list);
    if (!*list)
        return -1;
    if ((*list)->count < EXAMPLES)
        (*list)->first[(*list)->count] = d;
    (*list)->count++;
    return 0;
}

static void print_alike(const struct plan *p, const struct alike *a)
{
    put_device_sign(a->first[0]);
    put_count(a->count, "device");
    fputs("  ", stdout);
    put_change(p, a->first[0]);
    for (size_t i = 0; i < EXAMPLES; i++) {
        fputs(i ? ", " : ": ", stdout);
        put_device(p, a->first[i]);
    }
    printf(" and %zu more (-v lists them)\n", a->count - EXAMPLES);
}

static void print_many(struct say *s)
{
    const struct plan_release *r = s->release;
    struct alike *list = NULL;

    for (size_t i = 0; i < s->lines.count; i++)
        print_line(s, &s->lines.list[i]);
    for (uint32_t i = 0; i < r->device_count; i++)
        if (add_alike(s, &list, &s->plan->devices[r->device_first + i]))
            return;
    for (const struct alike *a = list; a; a = a->next) {
        if (a->count > EXAMPLES) {
            print_alike(s->plan, a);
            continue;
        }
        for (size_t i = 0; i < a->count; i++)
            print_device(s->plan, a->first[i]);
    }
}

static void print_each(struct say *s)
{
    const struct plan_release *r = s->release;

    for (size_t i = 0; i < s->lines.count; i++)
        if (plan_line_shared(&s->lines.list[i], r))
            print_line(s, &s->lines.list[i]);
    for (uint32_t k = 0; k < r->group_count; k++)
        print_group(s, &s->plan->groups[r->group_first + k]);
}

static void print_lines(const struct plan *p, const struct plan_release *r,
                        bool verbose)
{
    struct say s = {.plan = p, .release = r};

    if (!plan_lines_make(p, r, &s.lines)) {
        measure_lines(&s);
        if (verbose || r->device_count <= EACH)
            print_each(&s);
        else
            print_many(&s);
    }
    plan_lines_release(&s.lines);
    arena_release(&s.memory);
}

/* -- the whole ------------------------------------------------------------ */

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
           "back: change its files (a label, delete or version alone is not "
           "enough), or run 'ota-pack publish --again'\n",
           (unsigned long)r->rolled_back);
}

static void print_release(const struct plan *p, const struct plan_release *r,
                          bool lines, bool verbose)
{
    if (r->rolled_back && lines)
        print_left_alone(p, r);
    if (!r->device_count)
        return;
    print_head(p, r);
    putchar('\n');
    if (lines)
        print_lines(p, r, verbose);
}

static void print_not_listed(const struct plan *p, bool verbose)
{
    size_t count = p->not_listed_count;
    size_t named = verbose || count <= EACH ? count : EXAMPLES;

    for (size_t i = 0; i < named; i++) {
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
    if (named < count)
        printf("    and %zu more that are not listed (-v lists them)\n",
               count - named);
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
        fputs(plan_writes(p) ? "only the index is to be written: "
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

void plan_print(const struct plan *p, const struct cmd_global *g)
{
    if (g->json) {
        plan_json(p);
        return;
    }
    for (size_t i = 0; i < p->release_count; i++)
        print_release(p, &p->releases[i], true, g->verbose);
    print_not_listed(p, g->verbose);
    print_total(p);
}

void plan_print_done(const struct plan *p, const struct publish_result *done,
                     const char *where, const struct cmd_global *g)
{
    char size[MSG_SIZE];

    if (g->json) {
        plan_json_done(p);
        return;
    }
    for (size_t i = 0; i < p->release_count; i++)
        print_release(p, &p->releases[i], g->verbose, true);
    fputs("published: ", stdout);
    put_count(done->written, "manifest");
    fputs(", ", stdout);
    put_count(done->payloads, "new payload");
    if (done->payloads)
        printf(" of %s", msg_size(done->payload_bytes, size));
    if (done->failed)
        printf(", %zu failed", done->failed);
    fputs(", to '", stdout);
    msg_text(stdout, where, strlen(where));
    puts("'");
}
