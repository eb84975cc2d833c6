/* Reading the text of key files (facts: a comment line that may hold
 * anything, then one line of base64), in memory that is wiped. */
#include "keys_text.h"
#include "base/diag.h"
#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

void *keys_text_alloc(size_t len)
{
    void *p = NULL;

    if (sodium_init() >= 0)
        p = sodium_malloc(len);
    if (p == NULL)
        diag_no_memory();
    return p;
}

void keys_text_free(void *p)
{
    sodium_free(p);
}

/* At most max + 1 bytes, so that the caller sees a file that is too long. */
static int read_all(int fd, char *buf, size_t max, size_t *len)
{
    ssize_t n = file_read(fd, buf, max);
    char more;

    *len = n > 0 ? (size_t)n : 0;
    if (*len == max && (n = file_read(fd, &more, 1)) > 0) {
        errno = EFBIG;
        return -1;
    }
    return n < 0 ? -1 : 0;
}

int keys_text_read(const char *path, char *buf, size_t *len, struct stat *st)
{
    struct stat here;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int result = -1;

    if (fd >= 0 && fstat(fd, st != NULL ? st : &here) == 0)
        result = read_all(fd, buf, KEYS_TEXT_MAX, len);
    if (result != 0)
        diag_error(DIAG_KEY, "cannot read '%s': %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return result;
}

/* Without what editors and other systems put at the end of a line. */
static size_t line_length(const char *text, size_t len)
{
    const char *newline = memchr(text, '\n', len);

    if (newline != NULL)
        len = (size_t)(newline - text);
    while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
        len--;
    return len;
}

size_t keys_text_decode(const char *text, size_t len, uint8_t *out, size_t max)
{
    static const char comment[] = "untrusted comment:";
    const char *newline = memchr(text, '\n', len);
    size_t got;

    if (newline != NULL && len >= sizeof comment - 1 &&
        memcmp(text, comment, sizeof comment - 1) == 0) {
        len -= (size_t)(newline + 1 - text);
        text = newline + 1;
    }
    if (sodium_base642bin(out, max, text, line_length(text, len), NULL, &got,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return 0;
    return got;
}
