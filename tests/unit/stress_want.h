/* What a random fleet asks for: releases and devices, changed at random,
 * written as ota-pack.yml, and changed as messages advise. */
#ifndef STRESS_WANT_H
#define STRESS_WANT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RELEASES = 3,
    DEVICES = 6,
    PATHS = 8,   /* that a release may install */
    CONTENTS = 4 /* of a file */
};

/* `D` differs from `d/..` as a file from a folder, `B` from `b` by case. */
static const char *const paths[PATHS] = {"a",   "b", "B",     "d/x",
                                         "d/y", "D", "d/e/z", "f.py"};

/* What is asked for. */
struct want_release {
    unsigned version;   /* 0: auto */
    int content[PATHS]; /* 0: not there */
    int slot;           /* content of slot `app`, 0: none */
    unsigned hardware, ram, label;
    int deleted; /* a path of those that is to be deleted, or -1 */
    bool site, expires;
};

struct want {
    struct want_release releases[RELEASES];
    int release[DEVICES]; /* -1: not listed */
    int site[DEVICES], name[DEVICES];
};
static struct want want;
static uint64_t rng;

static unsigned pick(unsigned n)
{
    rng = rng * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(rng >> 33) % n;
}

static void write_release(FILE *f, int r)
{
    const struct want_release *w = &want.releases[r];

    fprintf(f, "  - name: r%d\n    hardware: %u\n    ram: %uK\n", r,
            w->hardware, w->ram);
    if (w->version)
        fprintf(f, "    version: %u\n", w->version);
    else
        fprintf(f, "    version: auto\n");
    fprintf(f, "    label: \"l%u\"\n", w->label);
    if (w->expires)
        fprintf(f, "    expires: 90d\n");
    if (w->deleted >= 0)
        fprintf(f, "    delete: [%s]\n", paths[w->deleted]);
    fprintf(f, "    files:\n");
    for (int i = 0; i < PATHS; i++)
        if (w->content[i])
            fprintf(f, "      - {from: c%d, to: %s}\n", w->content[i],
                    paths[i]);
    if (w->slot)
        fprintf(f, "      - {from: c%d, slot: app}\n", w->slot);
    if (w->site)
        fprintf(f, "      - {from: \"c{site}\", to: site}\n");
    fprintf(f, "    devices:\n");
    for (int d = 0; d < DEVICES; d++)
        if (want.release[d] == r)
            fprintf(f,
                    "      - {id: \"24:6f:28:00:00:%02x\", name: n%d-%d, "
                    "site: \"%d\"}\n",
                    d, d, want.name[d], want.site[d]);
}

static bool used(int r)
{
    for (int d = 0; d < DEVICES; d++)
        if (want.release[d] == r)
            return true;
    return false;
}

static void write_config(void)
{
    FILE *f = fopen("ota-pack.yml", "w");

    if (!f)
        exit(1);
    fputs("key: release.key\nserver: public\nreleases:\n", f);
    for (int r = 0; r < RELEASES; r++)
        if (used(r))
            write_release(f, r);
    fclose(f);
}

/* No path below a file, none twice, and not nothing. */
static void tidy(struct want_release *w)
{
    if (w->deleted >= 0)
        w->content[w->deleted] = 0;
    if (w->content[1])
        w->content[2] = 0;
    if (w->content[3] || w->content[4] || w->content[6])
        w->content[5] = 0;
    for (int i = 0; i < PATHS; i++)
        if (w->content[i])
            return;
    w->content[w->deleted == 0 ? 7 : 0] = 1;
}

static void change_release(struct want_release *w)
{
    int i = (int)pick(PATHS);

    switch (pick(13)) {
    case 12: /* `a`, `d/e/z` or `f.py`: of one case, and in nothing's way */
        w->deleted = pick(2) ? -1 : (int[]){0, 6, 7}[pick(3)];
        if (w->deleted == 6)
            w->content[5] = 0;
        break;
    case 0:
        w->hardware = pick(2);
        break;
    case 1:
        w->ram = 16 + 8 * pick(2);
        break;
    case 2:
        w->site = !w->site;
        break;
    case 3:
        w->version = pick(2) ? 0 : 1 + pick(9);
        break;
    case 4:
        w->slot = (int)pick(3);
        break;
    case 5:
        w->label = pick(3);
        break;
    case 6:
        w->expires = !w->expires;
        break;
    default:
        w->content[i] = w->content[i] ? 0 : 1 + (int)pick(CONTENTS);
    }
    tidy(w);
}

static void change(void)
{
    int d = (int)pick(DEVICES), r = (int)pick(RELEASES);

    switch (pick(8)) {
    case 0:
        want.release[d] = (int)pick(RELEASES + 1) - 1;
        break;
    case 1:
        want.site[d] = 1 + (int)pick(CONTENTS);
        break;
    case 2:
        want.name[d] = (int)pick(2);
        break;
    case 3: /* all devices of one release to another */
        for (int i = 0; i < DEVICES; i++)
            if (want.release[i] == want.release[d])
                want.release[i] = r;
        break;
    default:
        change_release(&want.releases[r]);
    }
    for (d = 0; d < DEVICES; d++)
        if (want.release[d] >= 0)
            return;
    want.release[0] = r;
}
static unsigned long after(const char *line, const char *text)
{
    const char *at = strstr(line, text);

    return at ? strtoul(at + strlen(text), NULL, 10) : 0;
}

/* Does what the messages say: false if that is nothing. */
static bool follow_advice(void)
{
    FILE *f = fopen("log", "r");
    char line[1024];
    bool done = false;

    while (f && fgets(line, sizeof line, f)) {
        const char *name = strstr(line, " of 'r");
        unsigned long version = after(line, "set 'version: ");

        if (!name)
            name = strstr(line, " to 'r");
        if (version && name) {
            want.releases[name[6] - '0'].version = (unsigned)version;
            done = true;
        }
        if (strstr(line, "cannot become a file in one step")) {
            for (int r = 0; r < RELEASES; r++)
                want.releases[r].content[5] = 0, tidy(&want.releases[r]);
            done = true;
        }
    }
    if (f)
        fclose(f);
    return done;
}

#endif
