/* The handler behind diag.h: text with colour for people, objects for
 * scripts. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/utf8.h"
#include "json.h"
#include "msg.h"

enum { NUMBERS = 32 };

static enum msg_color color_choice;
static bool as_json, quiet_run, muted;
static struct {
    const char *key;
    uint64_t value;
} numbers[NUMBERS];
static size_t number_count;

void msg_set_color(enum msg_color choice)
{
    color_choice = choice;
}

/* CLICOLOR_FORCE and FORCE_COLOR say no with 0. */
static bool is_set(const char *name, const char *no)
{
    const char *value = getenv(name);

    return value && *value && strcmp(value, no) != 0;
}

bool msg_color(FILE *out)
{
    const char *term = getenv("TERM");

    if (color_choice != MSG_COLOR_AUTO)
        return color_choice == MSG_COLOR_ALWAYS;
    if (is_set("NO_COLOR", ""))
        return false;
    if (is_set("CLICOLOR_FORCE", "0") || is_set("FORCE_COLOR", "0"))
        return true;
    return isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
}

static const char *kind_name(enum diag_kind kind)
{
    switch (kind) {
    case DIAG_FAILED:
        return "failed";
    case DIAG_USAGE:
        return "usage";
    case DIAG_CONFIG:
        return "config";
    case DIAG_INPUT:
        return "input";
    case DIAG_SERVER:
        return "server";
    case DIAG_KEY:
        return "key";
    case DIAG_PARTIAL:
        return "partial";
    case DIAG_LOCK:
        return "lock";
    case DIAG_VERIFY:
        return "verify";
    }
    return "failed";
}

static void print_object(const struct diag_event *event)
{
    static const char *const types[] = {"error", "warning", "note"};
    const struct diag_mark *mark = &event->mark;
    struct json j;

    flockfile(stdout);
    json_begin(&j, stdout, types[event->level]);
    if (event->level == DIAG_ERROR)
        json_string(&j, "kind", kind_name(event->kind));
    if (mark->line && mark->source) {
        json_string(&j, "file", mark->source->name);
        json_number(&j, "line", mark->line);
        json_number(&j, "col", mark->col);
    }
    json_string(&j, "message", event->message);
    if (event->count > 1) {
        json_number(&j, "count", event->count);
        json_array(&j, "examples");
        for (size_t i = 0; i < event->example_count; i++)
            json_string(&j, NULL, event->examples[i]);
        json_array_end(&j);
    }
    json_end(&j);
    funlockfile(stdout);
}

static void (*print_before)(void), (*print_after)(void);

void msg_around(void (*before)(void), void (*after)(void))
{
    print_before = before;
    print_after = after;
}

/* Notes that belong to an error are shown in a quiet run, too. */
static void handle(void *ctx, const struct diag_event *event)
{
    (void)ctx;
    if (muted || (quiet_run && event->level != DIAG_ERROR && !diag_errors()))
        return;
    if (print_before)
        print_before();
    if (as_json)
        print_object(event);
    else
        diag_print(stderr, event, msg_color(stderr));
    if (print_after)
        print_after();
}

void msg_init(bool json, bool quiet)
{
    as_json = json;
    quiet_run = quiet;
    diag_set_handler(handle, NULL);
}

bool msg_idle(void)
{
    return !quiet_run && !as_json && isatty(STDOUT_FILENO);
}

void msg_count(int kind)
{
    muted = true;
    diag_error((enum diag_kind)kind, "counted");
    muted = false;
}

void msg_summary_number(const char *key, uint64_t value)
{
    size_t i;

    for (i = 0; i < number_count; i++)
        if (strcmp(numbers[i].key, key) == 0)
            break;
    if (i == NUMBERS)
        return;
    numbers[i].key = key;
    numbers[i].value = value;
    if (i == number_count)
        number_count++;
}

void msg_summary(int status)
{
    struct json j;

    if (!as_json)
        return;
    json_begin(&j, stdout, "summary");
    json_number(&j, "status", (uint64_t)status);
    json_number(&j, "errors", diag_errors());
    for (size_t i = 0; i < number_count; i++)
        json_number(&j, numbers[i].key, numbers[i].value);
    json_end(&j);
}

void msg_text(FILE *out, const char *text, size_t len)
{
    uint32_t point;
    size_t n;

    for (; len; text += n, len -= n) {
        n = utf8_next(text, len, &point);
        if (n && !utf8_control(point)) {
            fwrite(text, 1, n, out);
            continue;
        }
        if (n && point > 0xff)
            fprintf(out, "\\u%04x", (unsigned)point);
        else
            fprintf(out, "\\x%02x",
                    n ? (unsigned)point : (unsigned)(unsigned char)*text);
        n = n ? n : 1;
    }
}

const char *msg_size(uint64_t bytes, char out[MSG_SIZE])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024) {
        snprintf(out, MSG_SIZE, "%u B", (unsigned)bytes);
        return out;
    }
    while (value >= 1023.95 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    snprintf(out, MSG_SIZE, "%.1f %s", value, units[unit]);
    return out;
}

/* A time beyond what the calendar of this machine can say is left a number. */
const char *msg_time(uint64_t seconds, char out[MSG_TIME])
{
    time_t t = (time_t)seconds;
    struct tm tm;

    if (seconds > 253402300799 || !gmtime_r(&t, &tm) ||
        !strftime(out, MSG_TIME, "%Y-%m-%d %H:%M:%SZ", &tm))
        snprintf(out, MSG_TIME, "%llu", (unsigned long long)seconds);
    return out;
}
