/* Releases that follow each other on a device, what a device does from power
 * on, and what must then be there. */
#ifndef SCENE_H
#define SCENE_H

#include "bundle.h"
#include "world.h"

enum { SCENE_VERSIONS = 3, SCENE_SET = 64 };

struct scene {
    const char *name;
    /* [version]; 0 is what is there before anything was installed */
    struct set set[SCENE_VERSIONS + 1];
    struct set user; /* the device's own files; they win over a set's */
    struct bundle *bundle[SCENE_VERSIONS + 1];
    struct ota_install_config config;
    enum world_loader loader;
    void *owned;       /* of the sets; freed with the scene */
    bool forgets;      /* version 0 is the second release's files */
    bool edited;       /* the application changed files of the second release */
    bool edited_early; /* and of the first, after the second was staged */
};

/* The release with everything in it: adds, replaces, patches, deletes, changes
 * a mode, makes and empties folders, turns a file into a folder, skips a
 * protected file, changes keys, fills a slot. */
struct scene *scene_rich(void);
/* Five files are replaced. */
struct scene *scene_five(void);
/* Names that change by case alone. */
struct scene *scene_case(void);
/* Two sets by chance. */
struct scene *scene_random(uint32_t seed);
/* So many files of so many bytes; of the next release a tenth is other files,
 * and all have other bytes. */
struct scene *scene_sized(const char *name, size_t count, size_t bytes);
void scene_free(struct scene *s);

/* A device on which version 1 was installed and confirmed; with version 0 an
 * empty one; with version 2 on trial that. */
void scene_prepare(const struct scene *s, struct world *w, unsigned version);

/* -- what a device does.  What went wrong is in scene_wrong; OTA_OK or what
 * the installer said. -- */

/* The first thing found wrong since it was NULL: not whole after a boot. */
extern const char *scene_wrong;
/* How often staging went on behind the start. */
extern long scene_resumed;

struct ota_install *scene_start(const struct scene *s, struct world *w);
void scene_end(struct ota_install *i);
struct ota_status scene_status(const struct scene *s, struct world *w);
/* Boots, and restarts where that is asked for, until all is at rest; then all
 * must be whole.  *st may be NULL. */
int scene_boot(const struct scene *s, struct world *w, struct ota_status *st);
/* All files are of the version that the state says. */
bool scene_whole(const struct scene *s, struct world *w,
                 const struct ota_status *st);
int scene_stage(const struct scene *s, struct world *w, unsigned version);
/* Feeds it to an installer of one's own. */
int scene_feed(struct ota_install *i, const struct bundle *b, int choose);
int scene_install(const struct scene *s, struct world *w, unsigned version);
int scene_call(const struct scene *s, struct world *w,
               int (*what)(struct ota_install *i));
int scene_undo(const struct scene *s, struct world *w, struct ota_status *st);
/* Off and on again, in good order. */
void scene_restart(struct world *w);

/* What a device does with its life, and whether it is done. */
typedef int scene_life(const struct scene *s, struct world *w);
scene_life life_install; /* version 2, to trial */
scene_life life_first;   /* version 1 on an empty device */
scene_life life_confirm; /* of version 2 on trial */
scene_life life_undo;    /* from trial, or by hand */
scene_life life_chances; /* boots until none is left */
scene_life life_forget;  /* the backup; after a cut: undo if that is offered */
scene_life life_reset;   /* and then version 3 from nothing */
scene_life life_strict;  /* a bootloader that goes back; then version 3 */

#endif
