/* What all stores behind libcurl share: who we are, how the line is secured,
 * what is worth another try, and how a failure is told. */
#ifndef STORE_CURL_H
#define STORE_CURL_H

#include <curl/curl.h>

#include "store.h"
#include "login.h"

/* Stands behind a message where SFTP or FTP refused something. */
#define STORE_MAY_NOT                                                          \
    " (does the server let this user write, rename and remove files, and "     \
    "make folders there?)"

struct store_curl {
    const char
        *where; /* borrowed: the URL without secrets, no '/' at its end */
    const char *protocols; /* as CURLOPT_PROTOCOLS_STR takes it */
    char *ca;              /* file, or NULL: the system's */
    const char *pin;       /* borrowed, or NULL */
    struct store_login login;
    const char *noun; /* what the server calls a user, or NULL: that */
    bool anonymous;   /* nobody is to log in there */
    volatile const sig_atomic_t *const *stop; /* a store's */
    bool away_told; /* that the server cannot be reached, which is told once */
};

/* Reads the server's settings.  `host` is the URL's, by which a login is looked
 * up; NULL: none is.  0, or -1 (reported). */
int store_curl_init(struct store_curl *c, const struct config *config,
                    const struct config_server *s, const char *host);
void store_curl_release(struct store_curl *c);

/* The host of a URL, without port or user, allocated; NULL: no memory. */
char *store_curl_host(const char *url);

/* Whether nothing for this host leaves the machine. */
bool store_curl_is_loopback(const char *host);

/* True once the user asked to stop. */
bool store_curl_stopped(const struct store_curl *c);

/* Sets what every transfer of the handle has: protocols, TLS, login, patience.
 * `error` has CURL_ERROR_SIZE bytes. */
void store_curl_setup(const struct store_curl *c, CURL *easy, char *error);

/* Whether that means that the server cannot be reached. */
bool store_curl_is_away(CURLcode code);

uint64_t store_curl_ms(void); /* of a clock that only goes forward */

/* "cannot VERB 'WHERE/NAME': HTTP STATUS" and `more` behind it; denied: with
 * who we are, as a mistake of the login's (DIAG_KEY).  Returns -1. */
int store_curl_refused(const struct store_curl *c, const char *verb,
                       const char *name, long status, const char *more,
                       bool denied);

/* "cannot VERB 'WHERE/NAME': the server does not let WHO in" (DIAG_KEY), and
 * what it said.  Returns -1. */
int store_curl_denied(const struct store_curl *c, const char *verb,
                      const char *name, const char *said, const char *who);

/* Whether that status says that the login is wrong, or may not do that. */
bool store_curl_is_denied(const struct store_curl *c, long status);

/* "cannot VERB 'WHERE/NAME': ..." with advice.  That the server cannot be
 * reached is told of the first object alone.  Returns -1. */
int store_curl_fail(struct store_curl *c, const char *verb, const char *name,
                    CURLcode code, long status, const char *error);

#endif
