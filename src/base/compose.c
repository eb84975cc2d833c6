/* Letters with an accent, which Unicode can write in two ways: as one character
 * (NFC, what keyboards make) or as a letter and a mark (NFD, what some file
 * systems and archives have).  Both look the same, and are other bytes.
 *
 * Of Latin-1 and Latin Extended-A alone: enough for names as people give them,
 * and no Unicode database. */
#include "compose.h"
#include "utf8.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FIRST = 0xc0, COUNT = 0x180 - FIRST };

/* UnicodeData.txt of Unicode 15.1: the letter and the mark of U+00C0 to
 * U+017F, '.' where there are none. */
static const char letters[] =
    "AAAAAA.CEEEEIIII.NOOOOO..UUUUY..aaaaaa.ceeeeiiii.nooooo..uuuuy.y"
    "AaAaAaCcCcCcCcDd..EeEeEeEeEeGgGgGgGgHh..IiIiIiIiI...JjKk.LlLlLl."
    "...NnNnNn...OoOoOo..RrRrRrSsSsSsSsTtTt..UuUuUuUuUuUuWwYyYZzZzZz.";
static const char marks[] =
    "abcdhi.labchabch.dabcdh..abchb..abcdhi.labchabch.dabcdh..abchb.h"
    "eeffmmbbccggkkkk..eeffggmmkkccffggllcc..ddeeffmmg...ccll.bbllkk."
    "...bbllkk...eeffjj..bbllkkbbccllkkllkk..ddeeffiijjmmcccchbbggkk.";
static const uint16_t mark_of[] = {0x300, 0x301, 0x302, 0x303, 0x304,
                                   0x306, 0x307, 0x308, 0x30a, 0x30b,
                                   0x30c, 0x327, 0x328};

static bool is_mark(uint32_t c)
{
    return c >= 0x300 && c <= 0x36f;
}

/* 0: there is no such character. */
static uint32_t compose_char(uint32_t letter, uint32_t mark)
{
    for (unsigned i = 0; i < COUNT; i++)
        if ((uint8_t)letters[i] == letter && letter != '.' &&
            mark_of[marks[i] - 'a'] == mark)
            return FIRST + i;
    return 0;
}

size_t compose_next(const char *text, size_t len, uint32_t *point)
{
    size_t n = utf8_next(text, len, point), more = 0;
    uint32_t mark = 0, whole;

    if (n == 1 && len > 1 && (unsigned char)text[1] >= 0xcc)
        more = utf8_next(text + 1, len - 1, &mark);
    whole = more && is_mark(mark) ? compose_char(*point, mark) : 0;
    if (!whole)
        return n;
    *point = whole;
    return n + more;
}

bool compose_has_marks(const char *text)
{
    uint32_t c;
    size_t len = strlen(text), n;

    for (size_t i = 0; i < len; i += n ? n : 1)
        if ((n = utf8_next(text + i, len - i, &c)) > 1 && is_mark(c))
            return true;
    return false;
}

const char *compose_form(const char *text)
{
    return compose_has_marks(text) ? "NFD" : "NFC";
}

static bool same_composed(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b), n, m;
    uint32_t c, d;

    while (a_len && b_len) {
        n = compose_next(a, a_len, &c);
        m = compose_next(b, b_len, &d);
        if (!n || !m || c != d)
            return false;
        a += n;
        b += m;
        a_len -= n;
        b_len -= m;
    }
    return !a_len && !b_len;
}

static char *find_in(const char *folder, const char *name)
{
    DIR *dir = opendir(folder);
    const struct dirent *e;
    char *found = NULL;

    while (dir && !found && (e = readdir(dir)))
        if (strcmp(e->d_name, name) != 0 && same_composed(e->d_name, name))
            found = strdup(e->d_name);
    if (dir)
        closedir(dir);
    return found;
}

/* part: the path as far as a name that is not there; is changed. */
static char *find_part(char *part)
{
    char *slash = strrchr(part, '/');

    if (!slash)
        return find_in(".", part);
    *slash = '\0';
    return find_in(*part ? part : "/", slash + 1);
}

char *compose_twin(const char *path)
{
    char *part = strdup(path), *twin = NULL;
    struct stat st;

    for (size_t i = 1; part && *path; i++) {
        if (path[i] && path[i] != '/')
            continue;
        part[i] = '\0';
        if (lstat(part, &st)) {
            twin = find_part(part);
            break;
        }
        if (!(part[i] = path[i]))
            break;
    }
    free(part);
    return twin;
}
