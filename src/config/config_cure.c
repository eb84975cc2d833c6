/* What a `server:` was meant to be that is no URL and would make a folder of
 * that name.  ota-pack.yml(5), Servers */
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include "config_private.h"

static const char *const names[] = {"https", "http", "sftp",
                                    "ftps",  "ftp",  "s3"};

static bool is_quote_or_blank(char c)
{
    return strchr(" \t'\"`", c) != NULL; /* NUL too: never asked */
}

/* "https:/host", "http//host", "s3:bucket": the scheme, and *rest. */
static const char *broken_scheme(const char *text, const char **rest)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t len = strlen(names[i]), gap;

        if (strncasecmp(text, names[i], len) != 0)
            continue;
        gap = strspn(text + len, ":/;\\");
        if (gap && (gap > 1 || text[len] != '/') && text[len + gap]) {
            *rest = text + len + gap;
            return names[i];
        }
    }
    return NULL;
}

/* "host:path" and "user@host:path", as scp and rsync take them; a number
 * behind the colon is a port. */
static bool cure_remote(const char *text, char *cure, size_t max)
{
    size_t len = strcspn(text, "/"), host = strcspn(text, ":"), digits;
    const char *path = text + host + 1;

    if (host >= len) {
        if (!memchr(text, '@', len))
            return false;
        snprintf(cure, max, "write 'sftp://%s'", text);
        return true;
    }
    digits = strspn(path, "0123456789");
    if (digits && (!path[digits] || path[digits] == '/'))
        snprintf(cure, max, "write 'https://%s' or 'sftp://%s'", text, text);
    else
        snprintf(cure, max, "write 'sftp://%.*s/%s%s'", (int)host, text,
                 *path == '/' ? path + 1 : "~/",
                 *path == '/' ? "" : path + (strncmp(path, "~/", 2) ? 0 : 2));
    return true;
}

static bool is_drive(const char *text)
{
    return isalpha((unsigned char)text[0]) && text[1] == ':' &&
           (text[2] == '\\' || text[2] == '/' || !text[2]);
}

/* Where the text begins with "/", "./" or "../", or is "." or "..", it is
 * meant for a folder whatever else it has. */
static bool is_path(const char *text)
{
    size_t dots = strspn(text, ".");

    return (*text == '/' && text[1] != '/') ||
           ((dots == 1 || dots == 2) && (!text[dots] || text[dots] == '/'));
}

/* What is neither meant for a folder nor a URL, by what it looks like. */
static bool cure_form(const char *text, char *cure, size_t max)
{
    size_t first = strcspn(text, "/");
    const char *scheme, *rest;

    if (*text == '~' || *text == '$')
        snprintf(cure, max, "write ${HOME}%s",
                 strchr(text, '/') ? strchr(text, '/') : "");
    else if ((scheme = broken_scheme(text, &rest)))
        snprintf(cure, max, "write '%s://%s'", scheme, rest);
    else if (!strncmp(text, "//", 2))
        snprintf(cure, max, "write 'https:%s', or '%s' for a folder", text,
                 text + 1);
    else if (cure_remote(text, cure, max))
        return true;
    else if (memchr(text, '.', first))
        snprintf(cure, max,
                 "write 'https://%s' or 'sftp://%s' for a server, './%s' for "
                 "a folder",
                 text, text, text);
    else if (strpbrk(text, "~$*?<>|\"'`;&%#{}[]()!=,"))
        snprintf(cure, max, "write './%s' for a folder", text);
    else
        return false;
    return true;
}

bool config_server_cure(const char *text, char *cure, size_t max)
{
    size_t len = strlen(text);

    if (is_quote_or_blank(text[0]) || is_quote_or_blank(text[len - 1]))
        snprintf(cure, max,
                 "remove the blank or quote at its end, or at the end of the "
                 "variable that it comes from");
    else if (strchr(text, '\\') || is_drive(text))
        snprintf(cure, max,
                 "write '/' between folders, and where the drive is mounted, "
                 "like '/mnt/c/ota/'");
    else
        return !is_path(text) && cure_form(text, cure, max);
    return true;
}
