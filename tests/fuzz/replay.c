/* Runs a fuzz entry over its corpus without a fuzzer, as TAP: the program
 * fuzz_NAME over each file of tests/fuzz/corpus/NAME. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include "../unit/tap.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void replay(const char *folder, const char *name)
{
    static unsigned char input[1 << 20];
    char path[1024];
    unsigned char *data;
    size_t len;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "rb");
    if (!f) {
        check(false, "cannot open %s", path);
        return;
    }
    len = fread(input, 1, sizeof input, f);
    fclose(f);
    /* of the exact length, so that a sanitizer sees one byte too many */
    data = malloc(len ? len : 1);
    if (data)
        memcpy(data, input, len);
    check(data && LLVMFuzzerTestOneInput(data, len) == 0, "%s", name);
    free(data);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    const char *name = argc > 0 ? strrchr(argv[0], '_') : NULL;
    struct dirent **entries = NULL;
    char folder[256];
    int count;

    snprintf(folder, sizeof folder, "tests/fuzz/corpus/%s",
             name ? name + 1 : "");
    count = scandir(folder, &entries, visible, alphasort);
    check(count > 0, "a corpus in %s", folder);
    for (int i = 0; i < count; i++) {
        replay(folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return tap_done();
}
