/* What the installer's files share.  ota-install(7). */
#ifndef BUNDLE_INSTALL_H
#define BUNDLE_INSTALL_H

#include "crypto.h"
#include "reader.h"

#include <ota/install.h>

enum { WORK_PATH = 24 }; /* ".ota/new/hh/hh/hh" and NUL */

/* An operation that fails is tried once more. */
#define TWICE(op) ((op) == OTA_OK ? OTA_OK : (op))

/* The state, durable in .ota/state0 or state1 (ota-install(7), State). */
struct ota_state {
    uint32_t sequence;
    uint8_t phase;
    uint8_t chances;
    uint16_t wakes;
    bool backup;
    uint8_t keys;     /* which key file is in force: 0 none, 1 keys0, 2 keys1 */
    uint8_t new_keys; /* which one comes into force at confirm, 0 none */
    uint16_t entries; /* records of what is or was staged */
    uint32_t version, previous, highest, failed;
    uint8_t reason;
    uint8_t release[OTA_DIGEST], previous_release[OTA_DIGEST];
};

/* A record of the journal or of the list of installed files. */
struct ota_entry {
    struct ota_file file; /* type FILE, SLOT or DELETE */
    uint8_t flags;
    uint16_t number; /* in the journal: which entry, from 1 */
};

enum {
    ENTRY_SKIPPED = 1, /* protected, or a DELETE of what is not ours */
    ENTRY_STRAY = 2,   /* in the list: not of the installed release */
    ENTRY_CASE = 4     /* a DELETE: the next FILE's name in another case */
};

/* The journal's records. */
enum journal_type {
    JOURNAL_END_OF_FILE = 0, /* no record: nothing valid follows */
    JOURNAL_MANIFEST = 1,    /* alternative 1, the manifest */
    JOURNAL_ENTRY = 2,       /* flags 1, number 2, file */
    JOURNAL_DIRECTORY = 3,   /* path of one that will be new */
    JOURNAL_CHECKPOINT = 4,
    JOURNAL_END = 5,   /* all is staged */
    JOURNAL_RESUME = 6 /* number 4: here a later try went on */
};

/* A file of records with a running CRC-32, read or appended to. */
struct ota_journal {
    int file;      /* handle, -1: not open */
    uint32_t at;   /* where the next record is read or written */
    uint32_t body; /* where the current record's body goes on */
    uint32_t end;  /* where it ends */
    uint32_t crc;  /* of all records before `at` */
    uint32_t run;  /* of the record that is being written */
    uint8_t type;  /* of the record that was read */
};

struct ota_install {
    const struct ota_port *port;
    const struct ota_install_config *config;
    size_t arena_len;
    struct ota_reader *reader; /* while staging, behind this struct */
    struct ota_device device;  /* as the state completes it */
    struct ota_sink sink;
    bool loaded;   /* state is that of the disk */
    bool settled;  /* and what an earlier context did is durable */
    bool fresh;    /* nothing is kept yet */
    bool restart;  /* a slot was switched, and does not run yet */
    bool began;    /* this bundle's journal is open */
    bool resuming; /* and was there before */
    bool skip;     /* the open record is skipped */
    bool medium;   /* what was written read back differently */
    bool blocked;  /* something of the device's own is in the way: `folder` */
    int result;    /* the first thing that feeding or a boot came to */
    int failed;    /* the first error of a pass that goes on after one */
    struct ota_state state;
    uint8_t keys[OTA_KEYS][OTA_PUBLIC_KEY]; /* trusted, where a bundle's */
    struct ota_journal journal;
    struct ota_journal resume; /* the journal before its last checkpoint */
    struct ota_journal list;   /* a second file of records: what is installed */
    struct ota_entry listed;   /* the list's record that was read last */
    struct ota_entry entry;    /* a record on its way */
    struct ota_manifest manifest; /* fields only: its bytes are gone */
    struct ota_alternative alternative;
    bool delta;
    uint16_t number; /* of the open record, from 1 */
    uint16_t skipped;
    uint16_t folders; /* that will be new */
    uint16_t twins;   /* entries beyond the bundle's: ENTRY_CASE */
    uint16_t group;   /* 32 entries whose work folders are there, from 1 */
    uint32_t offset;  /* payload offset to go on from */
    uint32_t written; /* of the open file */
    uint32_t largest; /* file that the swap will move */
    uint64_t space;   /* bytes that were asked for, and were not there */
    size_t memory;    /* the same of the arena */
    int out, base;    /* handles: staged file, base file; -1: none */
    char deleted[OTA_PATH + 1]; /* the last DELETE that is not skipped */
    char folder[OTA_PATH + 1];  /* the last folder that will be new */
};

/* -- state.c: the state and the trusted keys ------------------------------ */

/* Reads it once.  OTA_OK, or OTA_ERR_STATE: damaged. */
int ota_state_load(struct ota_install *i);
/* Makes i->state durable; on failure it is read again by the next load. */
int ota_state_save(struct ota_install *i);
/* What a context that died without a cut of the power left undurable becomes
 * durable: before anything is built on it. */
int ota_settle(struct ota_install *i);
int ota_keys_load(struct ota_install *i);
/* Writes keys to the file that is not in force, and says which in *which. */
int ota_keys_save(struct ota_install *i, const uint8_t (*keys)[OTA_PUBLIC_KEY],
                  size_t count, uint8_t *which);

/* -- journal.c: records with a running CRC-32 ------------------------------ */

uint32_t ota_crc32(uint32_t crc, const uint8_t *buf, size_t len);
/* how: OTA_OPEN_NEW writes the head; OTA_OPEN_READ and UPDATE check it
 * (OTA_ERR_STATE).  Journal and list differ in their magic's last letter. */
int ota_journal_open(const struct ota_port *p, struct ota_journal *j,
                     const char *path, char letter, enum ota_open how);
/* To the first record of an open file. */
void ota_journal_rewind(struct ota_journal *j, char letter);
int ota_journal_close(const struct ota_port *p, struct ota_journal *j);
/* The next valid record's type (then its body can be read), or
 * JOURNAL_END_OF_FILE, or an error. */
int ota_journal_next(const struct ota_port *p, struct ota_journal *j);
int ota_journal_get(const struct ota_port *p, struct ota_journal *j,
                    uint8_t *buf, size_t len);
/* A path of `len` bytes, ended: checked like one of a bundle, since whoever
 * wrote it may want out of the root.  OTA_ERR_STATE if it is none. */
int ota_journal_get_path(const struct ota_port *p, struct ota_journal *j,
                         char path[OTA_PATH + 1], size_t len);
/* Bytes left of the record's body. */
size_t ota_journal_left(const struct ota_journal *j);
int ota_journal_begin(const struct ota_port *p, struct ota_journal *j,
                      enum journal_type type, size_t len);
int ota_journal_put(const struct ota_port *p, struct ota_journal *j,
                    const uint8_t *buf, size_t len);
int ota_journal_commit(const struct ota_port *p, struct ota_journal *j);
/* Whole records. */
int ota_journal_put_resume(const struct ota_port *p, struct ota_journal *j,
                           uint32_t number);
int ota_journal_put_entry(const struct ota_port *p, struct ota_journal *j,
                          const struct ota_entry *e);
int ota_journal_get_entry(const struct ota_port *p, struct ota_journal *j,
                          struct ota_entry *e);
int ota_journal_put_checkpoint(const struct ota_port *p, struct ota_journal *j,
                               const struct ota_checkpoint *at);
int ota_journal_get_checkpoint(const struct ota_port *p, struct ota_journal *j,
                               struct ota_checkpoint *at);

/* -- swap_pass.c: names, and passes over the journal ----------------------- */

/* ".ota/KIND/hh/hh/hh" of entry n; with make the folders above it are made. */
int ota_work_path(struct ota_install *i, const char *kind, unsigned n,
                  bool make, char out[WORK_PATH]);
/* Makes the folders above `path`. */
int ota_make_parents(struct ota_install *i, const char *path);
/* The kind of what is at `path`, or an error. */
int ota_kind(struct ota_install *i, const char *path);
int ota_barrier(struct ota_install *i);
int ota_yield(struct ota_install *i);
/* Removes the regular file at `path` if there is one. */
int ota_remove_if(struct ota_install *i, const char *path);

typedef int ota_pass_fn(struct ota_install *i, const struct ota_entry *e);

/* Opens the journal, reads its manifest, calls `each` for every entry that is
 * not skipped, the list's (number 0) first, or for every new folder.
 * OTA_ERR_STATE where the journal does not go to its end. */
int ota_pass(struct ota_install *i, ota_pass_fn *each, bool folders);
/* OTA_ERR_STATE where the journal does not go to its end: before a step that
 * would come to know it half way. */
int ota_journal_whole(struct ota_install *i);

/* -- swap_move.c: the passes that move files ------------------------------- */

int ota_move_out(struct ota_install *i);    /* 8 */
int ota_move_in(struct ota_install *i);     /* 10 */
int ota_move_uout(struct ota_install *i);   /* 15 */
int ota_move_uin(struct ota_install *i);    /* 17 */
int ota_remove_half(struct ota_install *i); /* after an error in 8 */
/* All that is to be moved in is there, and nothing that is to be moved is
 * protected, else OTA_ERR_STATE; no target has something else in its way than
 * when it was staged, else OTA_ERR_PATH. */
int ota_all_staged(struct ota_install *i);
/* Removes the folders that DELETEs emptied. */
int ota_remove_emptied(struct ota_install *i);

/* -- swap_aside.c: what stands in the way -----------------------------------
 */

/* Moves whatever is at `path`, whole, to .ota/aside: `number` or the next that
 * is free. */
int ota_aside(struct ota_install *i, const char *path, unsigned number);
/* On the way to e's old file, and there, nothing else is left.  Of a pass in
 * order, the list first. */
int ota_clear_way(struct ota_install *i, const struct ota_entry *e);

/* -- swap_folder.c: folders come back as they were --------------------------
 */

/* Writes down the mode and owner of the folders that files will leave. */
int ota_note_folders(struct ota_install *i);
/* Those that are gone are made as they were. */
int ota_make_folders(struct ota_install *i);
/* Folders whose names change by case alone go while they are empty, so that
 * they are made anew in the other case. */
int ota_fold_folders(struct ota_install *i, bool back);

/* -- swap_slot.c: the passes over slots ------------------------------------ */

/* Starts the new images, or the old ones; i->result says OTA_RESTART if they
 * do not run yet. */
int ota_slot_switch(struct ota_install *i, bool back);
/* *all: the new images run. */
int ota_slot_runs(struct ota_install *i, bool *all);
int ota_slot_confirm(struct ota_install *i);

/* -- swap.c ---------------------------------------------------------------- */

/* Goes on until nothing is left to be done: OTA_OK, OTA_RESTART or an error. */
int ota_go_on(struct ota_install *i);

/* -- stage.c --------------------------------------------------------------- */

/* Closes what is open, and wipes what was decrypted. */
void ota_stage_close(struct ota_install *i);

/* -- swap_clear.c: what is kept goes --------------------------------------- */

/* Removes what is staged, and with `old` what is backed up, of the entries up
 * to the state's and up to `last`. */
int ota_clear(struct ota_install *i, unsigned last, bool old);
int ota_forget_etag(struct ota_install *i);
/* Ends staging: idle, and nothing staged is left. */
int ota_drop(struct ota_install *i);

#endif
