/* Secrets in what is about to be published: found by content, whatever the
 * file is called and whatever stands around them. */
#ifndef PACK_SECRET_H
#define PACK_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum secret_kind {
    SECRET_NONE,
    SECRET_MINISIGN, /* a secret key of minisign's, which are ours too */
    SECRET_PRIVATE,  /* a private key: PEM, OpenSSH, PuTTY, PGP, age */
    SECRET_NETRC     /* a netrc with a password */
};

enum {
    SECRET_KEY = 158,        /* bytes of a minisign secret key, decoded */
    SECRET_BEHIND = 64,      /* bytes that are kept of what was seen */
    SECRET_AHEAD = 4096,     /* the longest that a secret may be written */
    SECRET_PART = 64 * 1024, /* the most that secret_feed() takes */
    SECRET_PLAIN = 6144      /* of what was decoded */
};

/* A run of base64 while it is decoded; what comes out is searched too. */
struct secret_run {
    bool open;
    uint64_t at; /* where it began */
    uint32_t bits;
    unsigned bit_count;
    size_t len;
    uint8_t plain[SECRET_PLAIN];
};

/* A search through a file, in memory that is wiped. */
struct secret_scan {
    /* What may begin a secret, and which byte then follows, a bit for each;
     * what is base64. */
    uint8_t first[256], second[256], symbol[256];
    enum secret_kind kind;
    uint64_t at;             /* where it stands, bytes from the file's start */
    uint8_t key[SECRET_KEY]; /* of SECRET_MINISIGN */
    bool begun, wide;        /* UTF-16 */
    bool ours, theirs;       /* lines begin with "<<<<<<< ", ">>>>>>> " */
    uint8_t head[256];       /* the file's first bytes */
    uint64_t offset;         /* of `bytes` in the file (not where wide) */
    size_t len, done;        /* in `bytes`, and looked at */
    struct secret_run run;
    uint8_t bytes[SECRET_BEHIND + SECRET_AHEAD + SECRET_PART + 64];
};

/* Before all files, and before the first byte of each. */
void secret_init(struct secret_scan *s);
void secret_begin(struct secret_scan *s);

/* The next `len` bytes of the file, at most SECRET_PART.  `end`: the last.
 * True once a secret was found: `kind`, `at` and `key` say which. */
bool secret_feed(struct secret_scan *s, const uint8_t *bytes, size_t len,
                 bool end);

#endif
