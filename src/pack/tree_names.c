/* Paths on the device that are possible, and a trap: names that Windows keeps
 * for itself, and two that look the same. */
#include "tree_internal.h"
#include "base/compose.h"

#include <string.h>
#include <strings.h>

/* Whether the name means a device there: "Naming Files, Paths, and Namespaces"
 * of the Win32 documentation; what is behind a dot does not matter. */
static bool is_windows_device(const char *name)
{
    static const char *const words[] = {"CON", "PRN",    "AUX",
                                        "NUL", "CONIN$", "CONOUT$"};
    size_t len = strcspn(name, "./");

    while (len && name[len - 1] == ' ')
        len--;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (len == strlen(words[i]) && !strncasecmp(name, words[i], len))
            return true;
    if (strncasecmp(name, "COM", 3) != 0 && strncasecmp(name, "LPT", 3) != 0)
        return false;
    if (len == 5) /* U+00B9, U+00B2, U+00B3: one, two and three, raised */
        return name[3] == '\xc2' && strchr("\xb9\xb2\xb3", name[4]);
    return len == 4 && name[3] >= '0' && name[3] <= '9';
}

/* Once for the files of devices, which have the same names. */
void tree_names_warn(struct tree_job *job, const struct tree_entry *e)
{
    const char *name = e->path;

    while (*name && !is_windows_device(name)) {
        name += strcspn(name, "/");
        name += *name == '/';
    }
    if (!*name || e->type == OTA_SLOT || job->said_windows)
        return;
    job->said_windows = job->device;
    diag_warning_at(e->mark,
                    "'%s' cannot be a file on Windows, where '%.*s' is a "
                    "device: another name can be unpacked everywhere",
                    e->path, (int)strcspn(name, "./"), name);
}

/* The first item, of those sorted with case folded, that is `path` or below
 * it; NULL: there is none. */
static const struct tree_item *find_below(const struct tree_list *list,
                                          const char *path)
{
    size_t low = 0, high = list->count, len = strlen(path);
    const struct tree_item *found;

    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct tree_item *i = list->items[mid];

        if (i->entry.type == OTA_SLOT ||
            ota_path_compare(i->folded, strlen(i->folded), path, len) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == list->count)
        return NULL;
    found = list->items[low];
    return ota_path_compare(found->folded, strlen(found->folded), path, len) ==
                       0 ||
                   ota_path_below(found->folded, strlen(found->folded), path,
                                  len)
               ? found
               : NULL;
}

/* One that is the same, or is in a folder that is the same, with accents and
 * letters as one. */
static const struct tree_item *find_twin(struct tree_job *job,
                                         const struct tree_list *list,
                                         const struct tree_item *item)
{
    const char *whole = tree_compose(job->arena, item->folded);
    const struct tree_item *twin = NULL;
    char part[2 * OTA_PATH + 8];
    size_t i = 0;

    if (!whole || whole == item->folded)
        return NULL;
    whole = tree_fold(job->arena, whole); /* case of what was ASCII */
    if (!whole || strlen(whole) >= sizeof part)
        return NULL;
    while (whole[i] == item->folded[i])
        i++;
    for (; !twin; i++) {
        if (whole[i] && whole[i] != '/')
            continue;
        memcpy(part, whole, i);
        part[i] = '\0';
        twin = find_below(list, part);
        if (!whole[i])
            break;
    }
    return twin;
}

void tree_names_twins(struct tree_job *job, const struct tree_list *list)
{
    for (size_t i = 0; i < list->count && !job->said_twin; i++) {
        const struct tree_item *item = list->items[i], *twin;

        if (item->entry.type == OTA_SLOT || !compose_has_marks(item->folded) ||
            !(twin = find_twin(job, list, item)))
            continue;
        job->said_twin = true;
        diag_warning_at(item->entry.mark,
                        "'%s' and '%s' differ only in how accents are written "
                        "(NFD and NFC): some systems take them for one, so "
                        "rename either",
                        item->entry.path, twin->entry.path);
    }
}
