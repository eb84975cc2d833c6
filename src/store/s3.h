/* What the files of the S3 store share. */
#ifndef STORE_S3_H
#define STORE_S3_H

#include "web.h"

/* Whether a put with If-None-Match leaves alone what is there. */
enum s3_conditions { CONDITIONS_UNKNOWN, CONDITIONS_KEPT, CONDITIONS_IGNORED };

struct store_s3 {
    struct store_web web; /* first */
    enum s3_conditions conditions;
    char *where; /* s3://bucket/prefix, no '/' at its end */
    char *sign;  /* as CURLOPT_AWS_SIGV4 takes it */
    char *token; /* the header line of a session, or NULL */
};

/* s3_url.c: "https://bucket.host/prefix" without a '/' at its end,
 * allocated; NULL: no memory (reported). */
char *store_s3_url(const struct config_server *s, const char *region);

/* s3_error.c: what S3 says in XML, as struct http_kind has it. */
bool store_s3_explain(const struct request *r, char *text, size_t size);
bool store_s3_again(const struct request *r);
bool store_s3_missing(const struct request *r);
bool store_s3_denied(const struct request *r);

/* s3_lock.c: as store_lock_ops. */
int store_s3_lock_make(struct store *s);

#endif
