/* Errors, warnings and notes: counted, cleaned, handed to whoever prints. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "diag_private.h"
#include "utf8.h"

/* Messages name files and values of any length: what is above this is cut out
 * of the middle, since the end says what to do. */
enum { HEAD = 600, TAIL = 300 };

static pthread_mutex_t printing = PTHREAD_MUTEX_INITIALIZER;
static diag_handler *handler;
static void *handler_ctx;
static atomic_int status;
static atomic_uint errors;

static void print_default(void *ctx, const struct diag_event *event)
{
    (void)ctx;
    diag_print(stderr, event, false);
}

static void count_error(enum diag_kind kind)
{
    int none = 0;

    atomic_fetch_add(&errors, 1);
    atomic_compare_exchange_strong(&status, &none, (int)kind);
}

void diag_hand_on(const struct diag_event *event)
{
    (handler ? handler : print_default)(handler_ctx, event);
}

/* Takes both texts; NULL: there is no memory for the message. */
static void deliver_message(enum diag_level level, enum diag_kind kind,
                            struct diag_mark mark, char *text, char *of)
{
    struct diag_event event = {.level = level, .kind = kind, .mark = mark};

    if (level == DIAG_ERROR)
        count_error(kind);
    pthread_mutex_lock(&printing);
    if (!text || !diag_hold(&event, text, of)) {
        event.message = text ? text : "out of memory";
        diag_hand_on(&event);
        free(text);
        free(of);
    }
    pthread_mutex_unlock(&printing);
}

/* Writes the character at `text` as it may be printed; returns its length. */
static size_t clean_one(FILE *out, const char *text, size_t len)
{
    uint32_t point;
    size_t n = utf8_next(text, len, &point);

    if (!n) {
        fprintf(out, "\\x%02x", (unsigned char)text[0]);
        return 1;
    }
    if (utf8_hidden(point))
        fprintf(out, "<U+%04X>", (unsigned)point);
    else if (!utf8_control(point))
        fwrite(text, 1, n, out);
    else if (point < 0x100)
        fprintf(out, "\\x%02x", (unsigned)point);
    else
        fprintf(out, "\\u%04x", (unsigned)point);
    return n;
}

static void shorten(char *text, size_t len)
{
    static const char gap[] = {' ', '.', '.', '.', ' '};
    size_t head = HEAD, tail = len - TAIL;

    while (((unsigned char)text[head] & 0xc0) == 0x80)
        head--;
    while (((unsigned char)text[tail] & 0xc0) == 0x80)
        tail++;
    memcpy(text + head, gap, sizeof gap);
    memmove(text + head + sizeof gap, text + tail, len - tail + 1);
}

/* The message as handlers may print it; to be freed, NULL without memory. */
static char *__attribute__((format(printf, 1, 0)))
format(const char *fmt, va_list ap)
{
    char *raw = NULL, *text = NULL;
    size_t len = 0;
    FILE *out;
    int raw_len = vasprintf(&raw, fmt, ap);

    if (raw_len < 0)
        return NULL;
    out = open_memstream(&text, &len);
    if (out) {
        for (size_t i = 0; i < (size_t)raw_len;)
            i += clean_one(out, raw + i, (size_t)raw_len - i);
        if (fclose(out) != 0) {
            free(text);
            text = NULL;
        }
    }
    free(raw);
    if (text && len > HEAD + TAIL + 5)
        shorten(text, len);
    return text;
}

static char *__attribute__((format(printf, 1, 2)))
format_words(const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = format(fmt, ap);
    va_end(ap);
    return text;
}

int diag_report(enum diag_level level, enum diag_kind kind,
                struct diag_mark mark, const char *fmt, va_list ap)
{
    deliver_message(level, kind, mark, format(fmt, ap), NULL);
    return -1;
}

/* Told at once it names what it is of; held back that is done later. */
int diag_report_of(enum diag_level level, enum diag_kind kind,
                   struct diag_mark mark, const char *of, const char *fmt,
                   va_list ap)
{
    char *name = format_words("%s", of);

    diag_gather();
    deliver_message(level, kind, mark, name ? format(fmt, ap) : NULL, name);
    diag_gathered();
    return -1;
}

static void tell_held(void)
{
    atomic_fetch_sub(&errors, diag_hold_tell());
}

void diag_gather(void)
{
    pthread_mutex_lock(&printing);
    diag_hold_begin();
    pthread_mutex_unlock(&printing);
}

void diag_gathered(void)
{
    pthread_mutex_lock(&printing);
    if (diag_hold_end())
        tell_held();
    pthread_mutex_unlock(&printing);
}

void diag_forget(void)
{
    pthread_mutex_lock(&printing);
    tell_held();
    diag_print_forget();
    pthread_mutex_unlock(&printing);
}

int diag_error(enum diag_kind kind, const char *fmt, ...)
{
    struct diag_mark none = {0};
    va_list ap;

    va_start(ap, fmt);
    diag_report(DIAG_ERROR, kind, none, fmt, ap);
    va_end(ap);
    return -1;
}

int diag_error_at(enum diag_kind kind, struct diag_mark mark, const char *fmt,
                  ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_report(DIAG_ERROR, kind, mark, fmt, ap);
    va_end(ap);
    return -1;
}

void diag_warning(const char *fmt, ...)
{
    struct diag_mark none = {0};
    va_list ap;

    va_start(ap, fmt);
    diag_report(DIAG_WARNING, DIAG_FAILED, none, fmt, ap);
    va_end(ap);
}

void diag_warning_of(const char *of, const char *fmt, ...)
{
    struct diag_mark none = {0};
    va_list ap;

    va_start(ap, fmt);
    diag_report_of(DIAG_WARNING, DIAG_FAILED, none, of, fmt, ap);
    va_end(ap);
}

void diag_warning_at(struct diag_mark mark, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_report(DIAG_WARNING, DIAG_FAILED, mark, fmt, ap);
    va_end(ap);
}

void diag_note(const char *fmt, ...)
{
    struct diag_mark none = {0};
    va_list ap;

    va_start(ap, fmt);
    diag_report(DIAG_NOTE, DIAG_FAILED, none, fmt, ap);
    va_end(ap);
}

void diag_note_at(struct diag_mark mark, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    diag_report(DIAG_NOTE, DIAG_FAILED, mark, fmt, ap);
    va_end(ap);
}

int diag_no_memory(void)
{
    struct diag_mark none = {0};

    deliver_message(DIAG_ERROR, DIAG_FAILED, none, NULL, NULL);
    return -1;
}

int diag_status(void)
{
    return atomic_load(&status);
}

unsigned diag_errors(void)
{
    return atomic_load(&errors);
}

void diag_reset(void)
{
    atomic_store(&status, 0);
    atomic_store(&errors, 0);
    diag_forget();
}

void diag_set_handler(diag_handler *h, void *ctx)
{
    pthread_mutex_lock(&printing);
    handler = h;
    handler_ctx = ctx;
    pthread_mutex_unlock(&printing);
}
