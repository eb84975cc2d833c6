/* What staging is made of. */
#ifndef BUNDLE_STAGE_H
#define BUNDLE_STAGE_H

#include "install.h"

enum { YIELD_EVERY = 4096 }; /* bytes read or written */

/* -- stage_path.c: what a record may touch --------------------------------- */

/* The device's own list wins over any bundle. */
bool ota_protected(const struct ota_install *i, const char *path);
/* What is refused before anything is live: OTA_ERR_PATH.  Notes the folders
 * that will be new, and how large the file there is. */
int ota_check_target(struct ota_install *i, const char *path);
/* `path` is in the way: for ota_blocked(). */
void ota_block(struct ota_install *i, const char *path);
void ota_note_size(struct ota_install *i, uint32_t size);
/* `path[0..len)` is a folder that will be new. */
void ota_note_folder(struct ota_install *i, const char *path, size_t len);

/* -- stage_space.c --------------------------------------------------------- */

/* Room for a bundle before it is staged, and for its swap before it is ready.
 * OTA_ERR_SPACE: i->space says how much it takes. */
int ota_space_begin(struct ota_install *i, const struct ota_alternative *a);
int ota_space_swap(struct ota_install *i);

/* -- stage_base.c: what deltas build on, and what was written -------------- */

/* Opens the base: there, of its size and hash, else OTA_ERR_BASE. */
int ota_base_open(struct ota_install *i, const struct ota_file *base);
void ota_base_close(struct ota_install *i);
/* The file at `path` has f's size and hash, else `wrong`. */
int ota_hash_check(struct ota_install *i, const char *path,
                   const struct ota_file *f, int wrong);
/* The same of a file that was written; then it gets its mode, durably. */
int ota_file_finish(struct ota_install *i, const char *path,
                    const struct ota_file *f);
/* The slot and, for a delta, the first base->size bytes that run. */
int ota_slot_open(struct ota_install *i, const struct ota_file *f,
                  const struct ota_file *base);
/* The image that does not run, or an error. */
int ota_slot_other(struct ota_install *i, const char *name);
/* It has f's bytes, else OTA_ERR_CONTENT. */
int ota_slot_check(struct ota_install *i, const struct ota_file *f);
/* The image that runs still is what the list says, else OTA_ERR_BASE. */
int ota_slot_running(struct ota_install *i, const struct ota_file *f);

/* -- stage_list.c: .ota/files ---------------------------------------------- */

/* Is the file at `path` one that a bundle installed?  Asked in record order. */
int ota_list_has(struct ota_install *i, const char *path, bool *has);
/* Before the entry of a FILE: where `path` is listed in another case, the old
 * name becomes an entry of its own, which goes.  On a file system that knows no
 * case it is the same file, and gets the new name. */
int ota_note_twin(struct ota_install *i, const char *path);
/* What is installed and what the journal says become new/0; the release digest
 * agrees, what a delta leaves out is on disk. */
int ota_merge(struct ota_install *i);

/* -- stage_resume.c -------------------------------------------------------- */

/* *again: the journal is of this manifest and alternative, has a checkpoint,
 * and what it claims is there.  i->offset is then where to go on.
 * OTA_ERR_SPACE: it is of this manifest's full alternative; take that. */
int ota_resume_check(struct ota_install *i, const struct ota_manifest *m,
                     unsigned index, bool *again);
/* Puts the reader to that checkpoint, reopens file and base. */
int ota_resume(struct ota_install *i);

#endif
