/* .ota/etag: a line with the URL, a line with the ETag.  install.md, Rules.  A
 * torn one matches nothing and costs one full answer. */
#include <stdio.h>
#include <string.h>

#include "etag.h"

static const char etag_path[] = ".ota/etag";

bool etag_valid(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (text[i] < 0x21 || text[i] > 0x7e)
            return false;
    }
    return len > 0 && len < ETAG_TEXT;
}

static int kind_of(const struct ota_port *port, const char *path)
{
    struct ota_stat st;
    int err = port->stat(port->ctx, path, &st);

    return err == OTA_OK ? st.kind : err;
}

void etag_load(const struct ota_port *port, struct etag *e)
{
    char text[ETAG_URL + ETAG_TEXT + 2];
    char *url_end, *end;
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
    url_end = strchr(text, '\n');
    end = url_end ? strchr(url_end + 1, '\n') : NULL;
    if (!end || url_end - text >= ETAG_URL ||
        !etag_valid(url_end + 1, (size_t)(end - url_end - 1)))
        return;
    snprintf(e->url, sizeof(e->url), "%.*s", (int)(url_end - text), text);
    snprintf(e->text, sizeof(e->text), "%.*s", (int)(end - url_end - 1),
             url_end + 1);
}

/* On a device that has nothing else of ours yet, nothing is kept: .ota without
 * a state would look like damage. */
int etag_keep(const struct ota_port *port, const struct etag *kept,
              const struct etag *e)
{
    char text[ETAG_URL + ETAG_TEXT + 2];
    int len, file, err, closed;

    if (!*e->text ||
        (strcmp(kept->url, e->url) == 0 && strcmp(kept->text, e->text) == 0) ||
        kind_of(port, ".ota") != OTA_DIRECTORY)
        return OTA_OK;
    len = snprintf(text, sizeof(text), "%s\n%s\n", e->url, e->text);
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
