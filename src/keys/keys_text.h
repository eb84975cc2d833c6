/* What minisign's key files have in common: a comment line, a base64 line;
 * and memory for secrets. */
#ifndef KEYS_KEYS_TEXT_H
#define KEYS_KEYS_TEXT_H

#include <ota/bundle.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum {
    KEYS_TEXT_MAX = 8192,   /* bytes of a key or password file that are read */
    KEYS_SECRET = 158,      /* a minisign secret key, decoded */
    KEYS_SECRET_LINE = 213, /* in base64, with NUL */
    KEYS_PUBLIC_LINE = 57   /* a public key in base64, with NUL */
};

/* `len` bytes, locked where that works, wiped by keys_text_free(); NULL: out
 * of memory, reported.  keys_text_free() takes NULL. */
void *keys_text_alloc(size_t len);
void keys_text_free(void *p);

/* Reads all of a file of at most KEYS_TEXT_MAX bytes into `buf`, which has
 * room for them.  st: filled in, or NULL.  0, or -1 (DIAG_KEY). */
int keys_text_read(const char *path, char *buf, size_t *len, struct stat *st);

/* Decodes the base64 line of a key file's text, or the text that is only that
 * line, into at most `max` bytes.  Returns their number, 0 if it is none. */
size_t keys_text_decode(const char *text, size_t len, uint8_t *out, size_t max);

/* The key, secret or public, that the text holds: a key file, its line, or what
 * is left of either in a variable of CI (ota-pack(1), Keys).  Returns its
 * bytes, KEYS_SECRET or OTA_PUBLIC_KEY, or 0: there is none, and *chars says
 * how much of one there is, in characters of base64. */
size_t keys_token_find(const char *text, size_t len, uint8_t out[KEYS_SECRET],
                       size_t *chars);

/* The public key that the text is, decoded the same way; `name` is what
 * messages call it, and the text, which may be a secret by mistake, is in none.
 * 0, or -1 (DIAG_KEY). */
int keys_take_public(const char *name, const char *text, size_t len,
                     uint8_t key[OTA_PUBLIC_KEY]);

#endif
