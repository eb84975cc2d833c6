/* From the configuration to a store. */
#include <stdlib.h>

#include "base/diag.h"
#include "store.h"

static int open_folder(const struct config *c, const struct config_server *s,
                       bool create, struct store **out)
{
    char *folder = config_resolve(c, s->url.text);
    int result;

    if (!folder)
        return -1;
    result = store_file_open(folder, create, out);
    free(folder);
    return result;
}

static int open_kind(const struct config *c, const struct config_server *s,
                     bool create, struct store **out)
{
    switch (s->kind) {
    case SERVER_FOLDER:
        return open_folder(c, s, create, out);
    case SERVER_HTTP:
    case SERVER_HTTPS:
        return store_dav_open(c, s, out);
    case SERVER_SFTP:
        return store_sftp_open(c, s, out);
    case SERVER_FTP:
    case SERVER_FTPS:
        return store_ftp_open(c, s, out);
    case SERVER_S3:
        return store_s3_open(c, s, out);
    }
    return diag_error_at(DIAG_CONFIG, s->url.mark,
                         "servers of this kind are not supported yet");
}

int store_open(const struct config *c, const struct config_server *s,
               bool create, struct store **out)
{
    if (open_kind(c, s, create, out))
        return -1;
    if (store_site_find(c, s, *out) == 0)
        return 0;
    (*out)->ops->close(*out);
    *out = NULL;
    return -1;
}
