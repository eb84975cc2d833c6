/* Who we are to a server.  Passwords come from where processes of others do not
 * see them: never from a URL or an argument. */
#ifndef STORE_LOGIN_H
#define STORE_LOGIN_H

#include "config/config.h"

/* Each NULL where there is none; wiped by store_login_release(). */
struct store_login {
    char *user, *password;
    char *token; /* Bearer, HTTP alone */
    /* Whence, for messages: "OTA_PACK_SERVER_USER", "'user' of 'x.yml'". */
    char *user_from, *password_from;
};

/* Who was refused, for a message: "user 'pub' (OTA_PACK_SERVER_USER) with the
 * password of '/home/.netrc'".  `noun` is "user" or what the server calls it.
 * Nothing secret is in it. */
void store_login_who(const struct store_login *l, const char *noun, char *out,
                     size_t size);

/* Notes whence: copies.  0, or -1 (no memory, reported). */
int store_login_note(char **to, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* From the environment (where the configuration has a single server: which one
 * it is meant for is not in it), from the configuration, then from the netrc
 * file for this host.  0, or -1 (DIAG_KEY). */
int store_login(const struct config *c, const struct config_server *s,
                const char *host, struct store_login *out);
void store_login_release(struct store_login *l);

/* The text of a file with secrets, at most 1 MiB of it, to be wiped and freed;
 * NULL with errno where it cannot be opened. */
char *store_login_read(const char *path, size_t *len);
/* A password may be had only once.  From here on the login of a server is kept,
 * for who opens the same one again; false: wiped. */
void store_login_keep(bool keep);

/* netrc.c: looks up `host` in the text of a netrc file; `user` NULL: any.
 * The last entry, `default`, is for every host.  True with the allocated user
 * and password (each may be NULL). */
bool store_netrc_find(const char *text, const char *host, const char *wanted,
                      char **user, char **password);

#endif
