/* `sign_command`: signatures made by another program. */
#ifndef KEYS_KEYS_COMMAND_H
#define KEYS_KEYS_COMMAND_H

#include "keys.h"

enum {
    KEYS_COMMAND_JOBS = 256,         /* most processes at once */
    KEYS_COMMAND_TIMEOUT_MS = 30000, /* then a process is killed */
    KEYS_COMMAND_OUTPUT = 256        /* most bytes that it may print */
};

struct keys_command {
    char **argv;           /* NULL at the end; the program is found by PATH */
    const uint8_t *public; /* OTA_PUBLIC_KEY bytes, borrowed */
    unsigned processes;    /* at once, 1 to KEYS_COMMAND_JOBS */
    unsigned timeout_ms;
};

/* A process a job: the message is its standard input (a file that can be read
 * more than once), 64 raw bytes or their base64 its output, OTA_PACK_KEY_ID and
 * OTA_PACK_DEVICE in its environment, the rest but OTA_PACK_PASSWORD is
 * inherited.  Every signature is checked.  0, or -1 (DIAG_KEY) with no process
 * left running. */
int keys_command_sign(const struct keys_command *c,
                      const struct signer_job *jobs, size_t count);

#endif
