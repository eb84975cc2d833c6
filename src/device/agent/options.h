/* Options, from the command line and from a configuration file. */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTIONS_LIST = 64 };

struct options_list {
    const char *items[OPTIONS_LIST];
    size_t count;
};

/* Texts are those of argv, or lie in `text`. */
struct options {
    const char *config;
    const char *root, *device, *device_key, *cacert, *run_dir;
    const char *stop_command, *start_command, *confirm_command;
    struct options_list url, key, slot, protect, boot_path;
    uint64_t hardware, lowest, chances, wakes, time;
    uint64_t deadline, stall, unconditional, command_timeout;
    bool now, planned, force, json, quiet, verbose, help, version;
    uint64_t given;     /* bit n: the nth option of the table was given */
    const char *file;   /* the configuration file, read or not */
    char *text, *plain; /* its text, cut up and as it is, or NULL */
    size_t text_len;
};

/* Sets the defaults, then what the command line says, then, where that says
 * nothing, what the file says.  argv is permuted; *operand is the index of the
 * first operand.  0, or an exit status after the message. */
int options_parse(struct options *o, int argc, char **argv, int *operand);

/* Takes what is all zeros, too. */
void options_release(struct options *o);

/* Reports what is wrong with `value`, one of the texts above: where it stands,
 * if it is from the file.  `status`, or for EXIT_USAGE what says that it is the
 * file. */
int options_wrong(const struct options *o, int status, const char *value,
                  const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* `question`, and how to answer it with --`name`.  EXIT_USAGE. */
int options_missing(const struct options *o, const char *question,
                    const char *name);

/* --time was given: 0 is no clock. */
bool options_has_time(const struct options *o);

/* The list of all options, for people. */
void options_help(void);

#endif
