/* .ota/etag: a line with the URL, one with the ETag, one that tells the trusted
 * keys apart.  ota-install(7), ETag.  A torn one matches nothing and costs one
 * full answer. */
#include <stdio.h>
#include <string.h>

#include "etag.h"

enum {
    ETAG_FILE = ETAG_URL + ETAG_TEXT + ETAG_TRUST + 1
}; /* line ends for NULs */

static const char etag_path[] = ".ota/etag";

/* RFC 9110, 8.8.3: nothing but one tag in its quotes, weak or not.  `*`, a list
 * and a bare word would match more than what was answered; an empty tag tells
 * nothing apart. */
bool etag_valid(const char *text, size_t len)
{
    size_t i = len > 2 && memcmp(text, "W/", 2) == 0 ? 2 : 0, last = len - 1;

    if (len >= ETAG_TEXT || len < i + 3 || text[i] != '"' || text[last] != '"')
        return false;
    for (i++; i < last; i++) {
        if (text[i] < 0x21 || text[i] > 0x7e || text[i] == '"')
            return false;
    }
    return true;
}

static int kind_of(const struct ota_port *port, const char *path)
{
    struct ota_stat st;
    int err = port->stat(port->ctx, path, &st);

    return err == OTA_OK ? st.kind : err;
}

/* Takes the first line of *text, without its end; false where it has none, or
 * one of `size` bytes or more. */
static bool take_line(const char **text, char *line, size_t size)
{
    const char *end = strchr(*text, '\n');
    size_t len = end ? (size_t)(end - *text) : size;

    if (len >= size)
        return false;
    memcpy(line, *text, len);
    line[len] = '\0';
    *text = end + 1;
    return true;
}

void etag_load(const struct ota_port *port, struct etag *e)
{
    char text[ETAG_FILE];
    const char *at = text;
    int file, n;

    memset(e, 0, sizeof(*e));
    if (kind_of(port, etag_path) != OTA_REGULAR)
        return;
    file = port->open(port->ctx, etag_path, OTA_OPEN_READ);
    if (file < 0)
        return;
    n = port->read_at(port->ctx, file, 0, (uint8_t *)text, sizeof(text) - 1);
    port->close(port->ctx, file);
    text[n > 0 ? n : 0] = '\0';
    if (!take_line(&at, e->url, sizeof(e->url)) ||
        !take_line(&at, e->text, sizeof(e->text)) ||
        !take_line(&at, e->trust, sizeof(e->trust)) ||
        !etag_valid(e->text, strlen(e->text)))
        memset(e, 0, sizeof(*e));
}

/* On a device that has nothing else of ours yet, nothing is kept: .ota without
 * a state would look like damage. */
int etag_keep(const struct ota_port *port, const struct etag *kept,
              const struct etag *e)
{
    char text[ETAG_FILE];
    int len, file, err, closed;

    if (!*e->text ||
        (strcmp(kept->url, e->url) == 0 && strcmp(kept->text, e->text) == 0) ||
        kind_of(port, ".ota") != OTA_DIRECTORY)
        return OTA_OK;
    len =
        snprintf(text, sizeof(text), "%s\n%s\n%s\n", e->url, e->text, e->trust);
    file = port->open(port->ctx, etag_path, OTA_OPEN_NEW);
    if (file < 0)
        return file;
    err =
        port->write_at(port->ctx, file, 0, (const uint8_t *)text, (size_t)len);
    if (err == OTA_OK)
        err = port->sync(port->ctx, file);
    closed = port->close(port->ctx, file);
    return err == OTA_OK ? closed : err;
}

int etag_forget(const struct ota_port *port)
{
    return kind_of(port, etag_path) == OTA_REGULAR
               ? port->remove(port->ctx, etag_path)
               : OTA_OK;
}
