/* One mistake, told once: what is wrong at one place for many devices, and
 * what is wrong in the same words in many lines of a list, becomes one report
 * with a count and three examples. */
#include <stdlib.h>
#include <string.h>
#include "diag_private.h"

enum {
    EXAMPLES = DIAG_EXAMPLES,
    PLACES = 10 /* that are each told, with their own lines */
};

/* Reports that differ in what they name alone. */
struct group {
    struct group *next;
    const struct diag_source *source;
    uint32_t line, col; /* 0, 0 where the place does not matter */
    enum diag_level level;
    enum diag_kind kind;
    bool of;     /* each is about one of many at the same place */
    char *words; /* of the message, without what is quoted and counted */
    size_t count;
    struct held *first;
};

struct held {
    struct held *next;
    struct group *group; /* NULL: it stands alone */
    struct held *owner;  /* of a note: what it goes with, or NULL */
    struct diag_event event;
    char *text, *of;
    bool told;
};

static unsigned depth;
static struct held *first, *last;
static struct held *owner;  /* of notes to come */
static bool owner_left_out; /* and so are its notes */
static struct group *groups;
static unsigned repeated; /* errors that were told before, to the letter */

void diag_hold_begin(void)
{
    depth++;
}

bool diag_hold_end(void)
{
    return depth && --depth == 0;
}

/* The end of a word that is a number or an id: of what has a digit, or a ':'
 * within.  NULL: it is none. */
static const char *end_of_number(const char *s)
{
    size_t len = strcspn(s, " '");
    const char *colon = memchr(s, ':', len);

    return strcspn(s, "0123456789") < len || (colon && colon + 1 < s + len)
               ? s + len
               : NULL;
}

/* Subjects stand in quotes; a {key} is no subject, but what is asked of it. */
static char *words_of(const char *text)
{
    char *words = strdup(text), *to = words;
    const char *s = text, *end;

    while (words && *s) {
        bool begins = s == text || s[-1] == ' ';

        if (*s == '\'' && s[1] != '{' && (end = strchr(s + 1, '\'')))
            s = end + 1;
        else if (begins && (end = end_of_number(s)))
            s = end;
        else
            *to++ = *s++;
    }
    if (words)
        *to = '\0';
    return words;
}

static struct group *find_group(const struct group *like)
{
    struct group *g;

    for (g = groups; g; g = g->next)
        if (g->level == like->level && g->kind == like->kind &&
            g->source == like->source && g->line == like->line &&
            g->col == like->col && g->of == like->of &&
            strcmp(g->words, like->words) == 0)
            break;
    return g;
}

/* NULL: no memory. */
static struct group *group_of(const struct diag_event *e, const char *text,
                              bool of)
{
    struct group like = {.source = e->mark.source,
                         .level = e->level,
                         .kind = e->kind,
                         .of = of,
                         .words = words_of(text)};
    struct group *g;

    if (!like.words)
        return NULL;
    if (of) {
        like.line = e->mark.line;
        like.col = e->mark.col;
    }
    g = find_group(&like);
    if (g || !(g = malloc(sizeof *g))) {
        free(like.words);
        return g;
    }
    *g = like;
    g->next = groups;
    return groups = g;
}

static void append_event(struct held *h)
{
    if (last)
        last->next = h;
    else
        first = h;
    last = h;
}

static void free_held(struct held *h)
{
    free(h->text);
    free(h->of);
    free(h);
}

/* The very same, from another way to it. */
static bool is_repeated(const struct held *h)
{
    const struct group *g = h->group;

    for (const struct held *k = g && !g->of ? g->first : NULL; k; k = k->next)
        if (k->group == g && k->event.mark.line == h->event.mark.line &&
            k->event.mark.col == h->event.mark.col &&
            strcmp(k->text, h->text) == 0)
            return true;
    return false;
}

/* True where the group has as many as it ever names: `h` is only counted. */
static bool is_counted(struct held *h)
{
    struct group *g = h->group;

    if (!g)
        return false;
    if (!g->count++)
        g->first = h;
    return g->count > (g->of ? (size_t)EXAMPLES : (size_t)PLACES);
}

bool diag_hold(const struct diag_event *event, char *text, char *of)
{
    bool note = event->level == DIAG_NOTE;
    struct held *h = depth ? calloc(1, sizeof *h) : NULL;
    bool again;

    if (!h)
        return false;
    h->event = *event;
    if (!note && (of || (event->mark.source && event->mark.line)) &&
        !(h->group = group_of(event, text, of))) {
        free(h);
        return false;
    }
    h->text = text;
    h->of = of;
    h->owner = note ? owner : NULL;
    again = is_repeated(h);
    repeated += again && event->level == DIAG_ERROR;
    if (note ? owner_left_out : again || is_counted(h)) {
        owner_left_out = true;
        free_held(h);
        return true;
    }
    append_event(h);
    if (!note) {
        owner = h;
        owner_left_out = false;
    }
    return true;
}

/* -- telling ------------------------------------------------------------ */

/* Up to EXAMPLES of the group, as they stand in the queue. */
static size_t find_examples(const struct group *g, const char **out,
                            char lines[EXAMPLES][16])
{
    size_t n = 0;

    for (struct held *h = g->first; h && n < EXAMPLES; h = h->next) {
        if (h->group != g)
            continue;
        snprintf(lines[n], sizeof lines[n], "%u", (unsigned)h->event.mark.line);
        out[n] = g->of ? h->of : lines[n];
        n++;
    }
    return n;
}

static void put_examples(FILE *out, const struct group *g,
                         const char *const *names, size_t count)
{
    const char *quote = g->of ? "'" : "";

    if (g->count == 1) {
        fprintf(out, " (device '%s')", names[0]);
        return;
    }
    fprintf(out, g->of ? " (%zu devices: " : " (%zu times: lines ", g->count);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s%s%s%s",
                i == 0                                ? ""
                : i + 1 == count && g->count == count ? " and "
                                                      : ", ",
                quote, names[i], quote);
    if (g->count > count)
        fprintf(out, " and %zu more", g->count - count);
    fputc(')', out);
}

static void tell_group(const struct held *h)
{
    const char *names[EXAMPLES] = {0};
    char lines[EXAMPLES][16], *text = NULL;
    size_t len, count = find_examples(h->group, names, lines);
    struct diag_event e = h->event;
    FILE *out = open_memstream(&text, &len);

    e.message = h->text;
    e.count = h->group->count;
    e.examples = names;
    e.example_count = count;
    if (out) {
        fputs(h->text, out);
        put_examples(out, h->group, names, count);
        if (fclose(out) == 0)
            e.message = text;
    }
    diag_hand_on(&e);
    free(text);
}

static void tell(struct held *h)
{
    const struct group *g = h->group;
    bool each = !g || (!g->of && g->count <= PLACES);

    if (h->owner && !h->owner->told)
        return;
    if (!each && h != g->first)
        return;
    h->told = true;
    if (each) {
        h->event.message = h->text;
        diag_hand_on(&h->event);
    } else {
        tell_group(h);
    }
}

static unsigned left_out(const struct group *g)
{
    bool each = !g->of && g->count <= PLACES;

    return g->level == DIAG_ERROR && !each ? (unsigned)g->count - 1 : 0;
}

unsigned diag_hold_tell(void)
{
    unsigned count = repeated;

    for (const struct group *g = groups; g; g = g->next)
        count += left_out(g);
    for (struct held *h = first; h; h = h->next)
        tell(h);
    while (first) {
        struct held *next = first->next;

        free_held(first);
        first = next;
    }
    while (groups) {
        struct group *next = groups->next;

        free(groups->words);
        free(groups);
        groups = next;
    }
    last = owner = NULL;
    owner_left_out = false;
    repeated = 0;
    return count;
}
