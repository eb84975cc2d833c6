/* What no device is to be given by mistake, found in a file's content: secrets
 * are errors, what a tool has left there is a warning. */
#include "tree_internal.h"
#include "keys/keys.h"
#include "keys/keys_secret.h"
#include "secret.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int tree_secret_begin(struct tree_sources *s, const struct config *c)
{
    if (!s->scan) {
        s->scan = keys_text_alloc(sizeof *s->scan);
        if (!s->scan)
            return -1;
        secret_init(s->scan);
        s->has_public = signer_peek(c, s->public);
    }
    secret_begin(s->scan);
    return 0;
}

/* Whether the key is not the one that signs: one with a password could be
 * any. */
static bool is_another(const struct tree_sources *s)
{
    uint8_t public[OTA_PUBLIC_KEY];

    return s->has_public && keys_secret_public(s->scan->key, public) &&
           memcmp(public, s->public, OTA_PUBLIC_KEY) != 0;
}

static bool matches(const struct config_text *list, size_t count,
                    const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (tree_match(list[i].text, path))
            return true;
    return false;
}

/* By the top: for all releases; by one's own, and not for others. */
static bool is_allowed(const struct tree_job *job, const char *from)
{
    const struct config_allow *top = &job->config->allow,
                              *own = &job->release->allow;

    return (job->sources->scan->kind != SECRET_MINISIGN ||
            is_another(job->sources)) &&
           (matches(top->secrets, top->secret_count, from) ||
            matches(own->secrets, own->secret_count, from));
}

/* The line that offset `at` of the file is on, 0 if that is of no use. */
static uint64_t line_of(const char *path, uint64_t at)
{
    FILE *f = fopen(path, "rbe");
    uint64_t line = 1;
    int c = 0;

    if (!f)
        return 0;
    while (at-- && (c = getc(f)) > 0)
        line += c == '\n';
    fclose(f);
    return c == 0 && line == 1 ? 1 : c <= 0 ? 0 : line;
}

static const char *const what[] = {[SECRET_MINISIGN] = "a secret signing key",
                                   [SECRET_PRIVATE] = "a private key",
                                   [SECRET_NETRC] =
                                       "a password (as in a netrc)"};

int tree_secret_check(struct tree_job *job, const struct tree_origin *o)
{
    const struct secret_scan *s = job->sources->scan;
    uint64_t line;
    char place[32] = "";

    if (s->kind == SECRET_NONE)
        return 0;
    job->sources->excused = true;
    if (is_allowed(job, o->from))
        return 0;
    line = s->wide ? 0 : line_of(o->path, s->at);
    if (line)
        snprintf(place, sizeof place, ":%llu", (unsigned long long)line);
    if (s->kind == SECRET_MINISIGN && !is_another(job->sources))
        return tree_fail(job, DIAG_CONFIG, o->mark,
                         "'%s%s' holds %s, with which anybody could sign for "
                         "all devices: leave it out, or put it into 'exclude'",
                         o->path, place, what[s->kind]);
    return tree_fail(job, DIAG_CONFIG, o->mark,
                     "'%s%s' holds %s, which anybody could then read: put '%s' "
                     "into 'exclude', or into 'allow-secrets' if the devices "
                     "need it",
                     o->path, place, what[s->kind], o->from);
}

/* ---- warnings */

static bool starts(const char *text, size_t len, const char *with)
{
    return len >= strlen(with) && !memcmp(text, with, strlen(with));
}

/* A tiny file that is the name of one that is there: what git writes for a
 * link on a file system without any. */
static bool is_link_text(const struct tree_origin *o, const char *text,
                         size_t len)
{
    const char *slash = strrchr(o->path, '/');
    int folder = slash ? (int)(slash + 1 - o->path) : 0;
    char path[TREE_TEXT];
    struct stat st;

    if (!len || len > 255 || memchr(text, '\0', len) ||
        memchr(text, '\n', len) || memchr(text, ' ', len) || *text == '/')
        return false;
    return snprintf(path, sizeof path, "%.*s%.*s", folder, o->path, (int)len,
                    text) < (int)sizeof path &&
           strcmp(path, o->path) != 0 && lstat(path, &st) == 0;
}

void tree_secret_warn(struct tree_job *job, const struct tree_origin *o,
                      uint32_t size)
{
    const struct secret_scan *s = job->sources->scan;
    const char *text = (const char *)s->head;
    size_t len = size < sizeof s->head ? size : sizeof s->head;

    if (starts(text, len, "version https://git-lfs.github.com/spec/v1"))
        diag_warning_at(o->mark,
                        "'%s' is what Git LFS has in place of the file: 'git "
                        "lfs pull' gets it",
                        o->path);
    else if (s->theirs)
        diag_warning_at(o->mark,
                        "'%s' has the marks of a conflict in it "
                        "('<<<<<<<'): finish the merge first",
                        o->path);
    else if (size <= sizeof s->head && is_link_text(o, text, len))
        diag_warning_at(o->mark,
                        "'%s' holds nothing but the name '%.*s': is it a link "
                        "that was checked out as a text?",
                        o->path, (int)len, text);
}
