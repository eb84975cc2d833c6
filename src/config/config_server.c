/* `server:` and `servers:`: a folder or URL, or a map with what it takes to get
 * there.  ota-pack.yml(5), Servers */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "config_private.h"

/* Schemes, and the keys that mean nothing to the others. */
static const struct scheme {
    const char *prefix;
    enum config_server_kind kind;
} schemes[] = {{"http://", SERVER_HTTP}, {"https://", SERVER_HTTPS},
               {"sftp://", SERVER_SFTP}, {"ftp://", SERVER_FTP},
               {"ftps://", SERVER_FTPS}, {"s3://", SERVER_S3}};

enum {
    TLS = 1 << SERVER_HTTPS | 1 << SERVER_FTPS | 1 << SERVER_S3,
    NAMED = TLS | 1 << SERVER_HTTP | 1 << SERVER_FTP | 1 << SERVER_SFTP
};

static const struct rule {
    const char *key;
    unsigned kinds;
    const char *only; /* for messages */
} rules[] = {
    {"user", NAMED & ~(1 << SERVER_S3), "a server with a login"},
    {"password_command", NAMED & ~(1 << SERVER_S3), "a server with a login"},
    {"ca", TLS, "https, ftps and s3"},
    {"pin", TLS, "https, ftps and s3"},
    {"http2", 1 << SERVER_HTTPS, "https"},
    {"region", 1 << SERVER_S3, "s3"},
    {"endpoint", 1 << SERVER_S3, "s3"},
    {"style", 1 << SERVER_S3, "s3"},
    {"profile", 1 << SERVER_S3, "s3"},
    {"known_hosts", 1 << SERVER_SFTP, "sftp"},
    {"identity", 1 << SERVER_SFTP, "sftp"}};

#define HEX    "0123456789abcdefABCDEF"
#define BUCKET "abcdefghijklmnopqrstuvwxyz0123456789.-"

static bool is_url(const char *text)
{
    const char *end = strstr(text, "://");

    return end && end > text &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "abcdefghijklmnopqrstuvwxyz0123456789+.-") ==
               (size_t)(end - text);
}

/* A bucket's name goes into a host's; a key is written in the same way
 * everywhere where it has only these characters. */
static const char *s3_problem(const char *rest)
{
    size_t bucket = strcspn(rest, "/");
    const char *prefix = rest + bucket;

    if (bucket < 3 || bucket > 63 || strspn(rest, BUCKET) < bucket ||
        strchr(".-", rest[0]) || strchr(".-", rest[bucket - 1]) ||
        memmem(rest, bucket, "..", 2))
        return "a bucket's name has 3 to 63 of a-z, 0-9, '.' and '-', and "
               "begins and ends with a letter or digit";
    if (strspn(prefix, BUCKET "_/") < strlen(prefix))
        return "a prefix has only a-z, 0-9, '.', '_', '/' and '-'";
    if (strstr(prefix, "//") || strstr(prefix, "/."))
        return "a prefix has no part that is empty or begins with '.'";
    return NULL;
}

/* NULL, or what is wrong with what stands behind the scheme. */
static const char *rest_problem(const char *rest, enum config_server_kind kind)
{
    size_t host = strcspn(rest, "/");
    const char *at = memchr(rest, '@', host);

    if (strpbrk(rest, "?#"))
        return "it has a '?' or '#'";
    if (strpbrk(rest, " \"<>\\^`{|}"))
        return "it has a character that no URL has";
    if (host == 0 || (at && at + 1 == rest + host))
        return kind == SERVER_S3 ? "it names no bucket" : "it names no host";
    if (at && kind == SERVER_S3)
        return "leave the access key out of it";
    if (strstr(rest, "/../") || strstr(rest, "/./"))
        return "it has a part '.' or '..'";
    return kind == SERVER_S3 ? s3_problem(rest) : NULL;
}

/* "USER@" of the URL as text, "" where it has none.  NULL: no memory, or (*why
 * then says it) it cannot be read. */
static const char *user_of_rest(struct loader *l, const char *rest,
                                const char **why)
{
    const char *at = memchr(rest, '@', strcspn(rest, "/"));
    char *user = arena_text(l->arena, rest, at ? (size_t)(at - rest) : 0);
    char *out = user;

    for (const char *in = user; in && *in; in++) {
        *out = *in;
        if (*in == '%') {
            const char hex[3] = {in[1], in[1] ? in[2] : '\0', '\0'};

            if (strspn(hex, HEX) != 2) {
                *why = "in its user name, write '%' as '%25'";
                return NULL;
            }
            *out = (char)strtoul(hex, NULL, 16);
            in += 2;
        }
        if ((unsigned char)*out < 0x20 || *out == 0x7f) {
            *why = "its user has a control character";
            return NULL;
        }
        out++;
    }
    if (out)
        *out = '\0';
    return user;
}

static bool has_password(const char *rest)
{
    const char *at = memchr(rest, '@', strcspn(rest, "/"));

    return at && (at == rest || memchr(rest, ':', (size_t)(at - rest)));
}

/* The source with stars where the password stands: it is shown. */
static struct diag_source *hide(struct loader *l, const struct diag_mark *m)
{
    struct diag_source *hidden = arena_alloc(l->arena, sizeof *hidden);
    char *text = arena_text(l->arena, l->source->text, l->source->len);
    char *p = text, *end = p ? p + l->source->len : p;
    uint32_t line = 1;

    if (!hidden || !text)
        return NULL;
    for (; p < end && line < m->line; p++)
        line += *p == '\n';
    for (size_t col = 1; p < end && *p != '\n' && *p != '\r'; p++, col++)
        if (col >= m->col + m->width && *p != '@')
            *p = '*';
        else if (*p == '@')
            break;
    *hidden = (struct diag_source){l->source->name, text, l->source->len};
    return hidden;
}

/* Never with the text: it has the password in it. */
static int password_in_url(struct loader *l, struct node *value)
{
    struct node *n = config_node(value);
    const char *user = n->exact ? strstr(n->text, "//") : NULL;
    struct diag_mark m = config_mark(l, n);
    struct diag_source *hidden;

    /* Underlined up to the password. */
    m.width = 1;
    user = user ? user + 2 : n->exact ? n->text : NULL;
    if (user)
        m.width = (uint32_t)(user - n->text + (long)strcspn(user, ":@") +
                             (n->plain ? 1 : 2));
    hidden = hide(l, &m);
    m.source = hidden;
    if (!hidden)
        m = (struct diag_mark){NULL, 0, 0, 0};
    return diag_error_at(DIAG_CONFIG, m,
                         "leave the password out of the URL; set "
                         "OTA_PACK_SERVER_PASSWORD (ota-pack.yml(5), Servers)");
}

/* The rest of a URL behind its scheme.  A user of its own goes before this. */
static int take_rest(struct loader *l, struct node *value, const char *rest,
                     struct config_server *s)
{
    const char *why, *user;

    if (has_password(rest))
        return password_in_url(l, value);
    why = rest_problem(rest, s->kind);
    user = why ? NULL : user_of_rest(l, rest, &why);
    if (why)
        return config_wrong(l, value, "server '%s': %s", s->url.text, why);
    if (!user) {
        l->no_memory = true;
        return -1;
    }
    if (*user && !s->user.text)
        s->user = (struct config_text){.text = user, .mark = s->url.mark};
    return 0;
}

/* Neither a folder nor a URL: what to write, in words that follow. */
static int take_folder(struct loader *l, struct node *value, const char *text)
{
    const char *at = strchr(text, '@');
    char cure[2 * CONFIG_TEXT];

    if (at && memchr(text, ':', (size_t)(at - text)))
        return password_in_url(l, value);
    if (!config_server_cure(text, cure, sizeof cure))
        return 0;
    return config_wrong(l, value,
                        "server '%s' is neither a folder nor a URL: "
                        "%s",
                        text, cure);
}

static int unknown_scheme(struct loader *l, struct node *value,
                          const char *text)
{
    size_t len = strcspn(text, ":");
    const char *at = strchr(text, '@');

    if (at && has_password(text + len + 3))
        return password_in_url(l, value);
    if (strncasecmp(text, "file://", 7) == 0)
        return config_wrong(l, value, "server '%s' is a folder: write '/%s'",
                            text, text + 7 + strspn(text + 7, "/"));
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncasecmp(text, schemes[i].prefix, len + 3) == 0)
            return config_wrong(l, value, "server '%s': write '%s%s'", text,
                                schemes[i].prefix, text + len + 3);
    return config_wrong(l, value,
                        "server '%s' is of an unknown kind: give a folder, or "
                        "http, https, sftp, ftp, ftps, s3",
                        text);
}

static int take_url(struct loader *l, struct node *key, struct node *value,
                    void *into)
{
    struct config_server *s = into;

    if (config_take_word(l, key->text, value, &s->url) < 0)
        return -1;
    if (!is_url(s->url.text))
        return take_folder(l, value, s->url.text);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t len = strlen(schemes[i].prefix);

        if (strncmp(s->url.text, schemes[i].prefix, len) != 0)
            continue;
        s->kind = schemes[i].kind;
        return take_rest(l, value, s->url.text + len, s);
    }
    return unknown_scheme(l, value, s->url.text);
}

static int take_public(struct loader *l, struct node *key, struct node *value,
                       void *into)
{
    struct config_text *t = &((struct config_server *)into)->public_url;

    if (config_take_word(l, key->text, value, t) < 0)
        return -1;
    if (strncmp(t->text, "http://", 7) != 0 &&
        strncmp(t->text, "https://", 8) != 0)
        return config_wrong(l, value,
                            "public_url '%s' is not the http or https URL "
                            "that devices use",
                            t->text);
    return 0;
}

/* A text that is a member of struct config_server, by its key. */
static int take_word(struct loader *l, struct node *key, struct node *value,
                     void *into)
{
    struct config_server *s = ((struct config_server *)into);
    const struct {
        const char *key;
        struct config_text *text;
    } members[] = {{"user", &s->user},
                   {"password_command", &s->password_command},
                   {"ca", &s->ca},
                   {"pin", &s->pin},
                   {"profile", &s->profile},
                   {"known_hosts", &s->known_hosts},
                   {"identity", &s->identity}};
    size_t i = 0;

    while (strcmp(members[i].key, key->text) != 0)
        i++;
    return config_take_word(l, key->text, value, members[i].text);
}

/* One of two words. */
static int take_choice(struct loader *l, const char *key, struct node *value,
                       const char *no, const char *yes, bool *out)
{
    struct config_text t;

    if (config_take_word(l, key, value, &t) < 0)
        return -1;
    *out = strcmp(t.text, yes) == 0;
    if (*out || strcmp(t.text, no) == 0)
        return 0;
    return config_wrong(l, value, "%s '%s' is neither '%s' nor '%s'", key,
                        t.text, yes, no);
}

static int take_http2(struct loader *l, struct node *key, struct node *value,
                      void *into)
{
    return take_choice(l, key->text, value, "false", "true",
                       &((struct config_server *)into)->http2);
}

static int take_style(struct loader *l, struct node *key, struct node *value,
                      void *into)
{
    bool host = false;
    int result = take_choice(l, key->text, value, "path", "host", &host);

    ((struct config_server *)into)->style = host ? STYLE_HOST : STYLE_PATH;
    return result;
}

static int take_region(struct loader *l, struct node *key, struct node *value,
                       void *into)
{
    struct config_text *t = &((struct config_server *)into)->region;

    if (config_take_word(l, key->text, value, t) < 0)
        return -1;
    return config_is_region(t->text)
               ? 0
               : config_wrong(l, value,
                              "region '%s' is not valid: up to 63 letters, "
                              "digits, '-' and '_'",
                              t->text);
}

bool config_is_region(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len < 64 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static int take_endpoint(struct loader *l, struct node *key, struct node *value,
                         void *into)
{
    struct config_text *t = &((struct config_server *)into)->endpoint;
    const char *rest, *why = "it is not an http or https URL";

    if (config_take_word(l, key->text, value, t) < 0)
        return -1;
    if (strncmp(t->text, "https://", 8) == 0 ||
        strncmp(t->text, "http://", 7) == 0) {
        rest = strstr(t->text, "://") + 3;
        if (memchr(rest, '@', strcspn(rest, "/")))
            return password_in_url(l, value);
        why = rest_problem(rest, SERVER_HTTPS);
    }
    return why ? config_wrong(l, value, "endpoint '%s': %s", t->text, why) : 0;
}

static const struct config_field fields[] = {
    {"url", take_url},           {"public_url", take_public},
    {"user", take_word},         {"password_command", take_word},
    {"ca", take_word},           {"pin", take_word},
    {"http2", take_http2},       {"region", take_region},
    {"endpoint", take_endpoint}, {"style", take_style},
    {"profile", take_word},      {"known_hosts", take_word},
    {"identity", take_word},
};

/* A setting that this kind of server has no use for is a mistake. */
static void check_kinds(struct loader *l, struct node *map,
                        const struct config_server *s)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct node *value = config_get(map, rules[i].key);

        if (value && !(rules[i].kinds & 1u << s->kind))
            config_wrong(l, value, "'%s' is for %s only", rules[i].key,
                         rules[i].only);
    }
}

static void take_one(struct loader *l, struct node *key, struct node *value,
                     struct config_server *s)
{
    static const struct config_schema schema = {
        fields, sizeof fields / sizeof *fields, " in a server", NULL};
    s->mark = config_mark(l, value);
    if (config_node(value)->kind != NODE_MAP) {
        take_url(l, key, value, s);
        return;
    }
    if (!(config_walk(l, config_node(value), &schema, s) & 1))
        config_wrong(l, value, "a server has no 'url'");
    else if (s->url.text)
        check_kinds(l, config_node(value), s);
}

static struct config_server *make_room(struct loader *l, struct node *key,
                                       size_t count)
{
    struct config *c = l->config;

    if (c->servers) {
        config_wrong(l, key, "'server' and 'servers' cannot be combined");
        return NULL;
    }
    c->servers = arena_array(l->arena, count, sizeof *c->servers);
    if (!c->servers) {
        l->no_memory = true;
        return NULL;
    }
    memset(c->servers, 0, count * sizeof *c->servers);
    return c->servers;
}

int config_take_server(struct loader *l, struct node *key, struct node *value,
                       void *into)
{
    struct config_server *s = make_room(l, key, 1);

    (void)into;
    if (!s)
        return -1;
    take_one(l, key, value, s);
    l->config->server_count = s->url.text ? 1 : 0;
    return 0;
}

/* The same place twice would be published to twice. */
static bool is_there(const struct config *c, const struct config_server *s)
{
    for (size_t i = 0; i < c->server_count; i++)
        if (strcmp(c->servers[i].url.text, s->url.text) == 0)
            return true;
    return false;
}

int config_take_servers(struct loader *l, struct node *key, struct node *value,
                        void *into)
{
    struct config *c = l->config;
    size_t room;
    struct node *list = config_list(l, key, value, &room);
    struct config_server *s = list ? make_room(l, key, room) : NULL;

    (void)into;
    if (!s)
        return -1;
    for (struct node *i = list->first; i; i = i->next) {
        struct config_server *one = &s[c->server_count];

        l->in_list = config_node(i)->kind != NODE_MAP;
        memset(one, 0, sizeof *one);
        take_one(l, key, i, one);
        l->in_list = false;
        if (one->url.text && is_there(c, one))
            config_wrong(l, i, "server '%s' is listed twice", one->url.text);
        else if (one->url.text)
            c->server_count++;
    }
    return 0;
}
