/* What a file is that is no bundle: by its first bytes, and where these say
 * nothing by its end and its name.  For people who took the wrong one of the
 * files that lie about. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/utf8.h"
#include "unpack_kind.h"

/* Characters of a line of base64 as minisign writes them, and of a name. */
enum {
    PUBLIC_LINE = 56,
    SIGNATURE_LINE = 100,
    SECRET_LINE = 212,
    NAME_HEX = 2 * OTA_HASH
};

struct kind {
    const char *begins;
    size_t len;
    const char *is; /* NULL: another test says it */
};

#define BEGINS(text) (text), sizeof(text) - 1
#define NOT_BUNDLE   ", not a bundle: "

static const struct kind kinds[] = {
    {BEGINS("\x1f\x8b"), "compressed with gzip: unpack it first"},
    {BEGINS("BZh"), "compressed with bzip2: unpack it first"},
    {BEGINS("\xfd"
            "7zXZ"),
     "compressed with xz: unpack it first"},
    {BEGINS("\x28\xb5\x2f\xfd"), "compressed with zstd: unpack it first"},
    {BEGINS("PK\x03\x04"), "a zip archive" NOT_BUNDLE "unpack it first"},
    {BEGINS("7z\xbc\xaf"), "a 7z archive" NOT_BUNDLE "unpack it first"},
    {BEGINS("\x7f"
            "ELF"),
     "a program" NOT_BUNDLE "bundles are made by 'ota-pack build'"},
    {BEGINS("HTTP/"),
     "a server's whole answer" NOT_BUNDLE "fetch it without the header"},
    {BEGINS("version https://git-lfs"),
     "a pointer of Git LFS" NOT_BUNDLE "'git lfs pull' fetches the file"},
};

static const char *minisign_kind(const char *line, size_t len)
{
    size_t end = 0;

    while (end < len && line[end] != '\n' && line[end] != '\r')
        end++;
    if (end < PUBLIC_LINE || line[0] != 'R' ||
        (line[1] != 'W' && line[1] != 'U'))
        return NULL;
    return end == PUBLIC_LINE ? "a public key" NOT_BUNDLE "it is given with -k"
           : end == SIGNATURE_LINE ? "a signature of minisign" NOT_BUNDLE
                                     "a bundle has its own"
           : end == SECRET_LINE ? "a secret key" NOT_BUNDLE
                                  "never show it to anybody"
                                : NULL;
}

/* With its comment, or the base64 line alone. */
static const char *key_kind(const char *text, size_t len)
{
    static const char comment[] = "untrusted comment:";
    const char *line = text;

    if (len > sizeof comment && !memcmp(text, comment, sizeof comment - 1)) {
        line = memchr(text, '\n', len);
        if (!line)
            return "a key of minisign" NOT_BUNDLE "it is cut short";
        line++;
    }
    return len - (size_t)(line - text) > 8
               ? minisign_kind(line, len - (size_t)(line - text))
               : NULL;
}

static bool has_word(const char *text, size_t len, const char *word)
{
    return memmem(text, len, word, strlen(word)) != NULL;
}

/* Behind white space and a byte order mark. */
static const char *text_kind(const char *text, size_t len)
{
    if (len > 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        text += 3;
        len -= 3;
    }
    while (len && strchr(" \t\r\n", *text)) {
        text++;
        len--;
    }
    if (!len)
        return "blank" NOT_BUNDLE "fetch it again";
    if (*text == '<')
        return "a web page" NOT_BUNDLE "the server gave it in its place";
    if (*text == '{' || *text == '[')
        return "JSON" NOT_BUNDLE "read what it says";
    if (has_word(text, len, "\nreleases:") || !strncmp(text, "releases:", 9))
        return "a configuration" NOT_BUNDLE "it is named with -c";
    return "a text" NOT_BUNDLE "bundles are made by 'ota-pack build'";
}

/* A manifest's worth of bytes may end within a character. */
static bool is_text(const char *text, size_t len)
{
    size_t good = utf8_valid(text, len);

    if (len - good > 3)
        return false;
    for (size_t i = 0; i < good; i++)
        if ((unsigned char)text[i] < ' ' && !strchr("\t\r\n\f", text[i]))
            return false;
    return true;
}

/* Its last link is all zeros: ota-bundle(5), Payload.  So it is in a damaged
 * bundle, which is told by its name. */
static bool ends_as_payload(const char *name, int fd, const uint8_t *head,
                            size_t len)
{
    static const uint8_t none[OTA_LINK];
    uint8_t end[OTA_LINK];
    size_t name_len = strlen(name);
    struct stat st;

    if (name_len > 5 && strcmp(name + name_len - 5, ".otab") == 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_size > (off_t)sizeof end)
        return file_read_at(fd, (uint64_t)st.st_size - sizeof end, end,
                            sizeof end) == (ssize_t)sizeof end &&
               memcmp(end, none, sizeof none) == 0;
    return len > sizeof none &&
           memcmp(head + len - sizeof none, none, sizeof none) == 0;
}

/* The folder that is served, as far as the path tells it: its length. */
static int base_of(const char *file, const char *folder)
{
    const char *at = NULL;

    for (const char *s = file; (s = strstr(s, folder)); s++)
        if (s == file || s[-1] == '/')
            at = s;
    return at ? (int)(at - file) : -1;
}

/* Files that are named by what is in them say nothing by their first bytes. */
static bool object_kind(const char *file, int fd, const uint8_t *head,
                        size_t len, char *out, size_t size)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    bool hex = strlen(name) == NAME_HEX &&
               strspn(name, "0123456789abcdef") == NAME_HEX;
    bool head_of = len >= 4 && memcmp(head, "OTAI", 4) == 0;
    int base = base_of(file, "payloads/"), index = base_of(file, "index/");
    const char *is = "a payload";

    if (head_of || (hex && index >= 0)) {
        is = head_of ? "the head of an index" : "a part of an index";
        base = index;
    } else if (!(hex && base >= 0) && !ends_as_payload(name, fd, head, len)) {
        return false;
    }
    snprintf(out, size, "%s" NOT_BUNDLE "give %.*sdevices/ID", is,
             base < 0 ? 7 : base, base < 0 ? "public/" : file);
    return true;
}

static const char *known_kind(const char *text, size_t len)
{
    const char *is = key_kind(text, len);

    for (size_t i = 0; !is && i < sizeof kinds / sizeof *kinds; i++)
        if (len >= kinds[i].len && !memcmp(text, kinds[i].begins, kinds[i].len))
            is = kinds[i].is;
    if (!is && len > 262 && !memcmp(text + 257, "ustar", 5))
        is = "a tar archive" NOT_BUNDLE "unpack it first";
    return is;
}

bool unpack_kind(const char *file, int fd, const uint8_t *head, size_t len,
                 char *out, size_t size)
{
    const char *text = (const char *)head, *is;

    if (len >= 4 && memcmp(head, "OTAB", 4) == 0)
        return false;
    if (!len) {
        snprintf(out, size, "empty" NOT_BUNDLE "fetch it again");
        return true;
    }
    is = known_kind(text, len);
    if (!is && object_kind(file, fd, head, len, out, size))
        return true;
    if (!is && is_text(text, len))
        is = text_kind(text, len);
    if (is)
        snprintf(out, size, "%s", is);
    return is != NULL;
}
