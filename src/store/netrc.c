/* A netrc file: words "machine HOST login USER password PASSWORD" in any
 * layout, `default` for all other hosts, `macdef` up to an empty line. */
#include <stdlib.h>
#include <string.h>

#include "login.h"

static const char space[] = " \t\r\n";

/* The next word, perhaps in quotes, allocated; NULL at the end. */
static char *next_word(const char **at)
{
    const char *p = *at + strspn(*at, space);
    char *word, *out;
    bool quoted = *p == '"';

    if (!*p)
        return NULL;
    word = out = calloc(1, strlen(p) + 1);
    if (!word)
        return NULL;
    for (p += quoted; *p && (quoted ? *p != '"' : !strchr(space, *p)); p++) {
        if (quoted && *p == '\\' && p[1])
            p++;
        *out++ = *p;
    }
    *out = '\0';
    *at = p + (quoted && *p);
    return word;
}

static void forget(char **text)
{
    if (*text)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

/* One entry behind its host: up to the next, whose word is left. */
static void take_entry(const char **at, char **user, char **password)
{
    for (;;) {
        const char *before = *at;
        char *word = next_word(at), **into = NULL;

        if (!word)
            return;
        if (strcmp(word, "login") == 0)
            into = user;
        else if (strcmp(word, "password") == 0)
            into = password;
        if (into) {
            forget(into);
            *into = next_word(at);
        } else if (strcmp(word, "account") == 0) {
            free(next_word(at));
        } else if (strcmp(word, "macdef") == 0) {
            const char *end = strstr(*at, "\n\n");

            *at = end ? end : *at + strlen(*at);
        } else {
            *at = before;
            free(word);
            return;
        }
        free(word);
    }
}

/* Comments are lines whose first sign is '#'. */
static const char *skip_comments(const char *at)
{
    for (;;) {
        at += strspn(at, space);
        if (*at != '#')
            return at;
        at += strcspn(at, "\n");
    }
}

bool store_netrc_find(const char *text, const char *host, const char *wanted,
                      char **user, char **password)
{
    const char *at = text;
    bool found = false;
    char *word;

    *user = *password = NULL;
    while (!found && (word = next_word(&at))) {
        bool any = strcmp(word, "default") == 0;
        char *name =
            !any && strcmp(word, "machine") == 0 ? next_word(&at) : NULL;

        if (any || name) {
            take_entry(&at, user, password);
            found = (any || strcasecmp(name, host) == 0) &&
                    (!wanted || !*user || strcmp(*user, wanted) == 0);
        }
        if (!found) {
            forget(user);
            forget(password);
        }
        free(word);
        free(name);
        at = skip_comments(at);
    }
    return found;
}
